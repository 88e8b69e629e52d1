//! `--schedule static`: the textbook's way. In each wave all ranks compute as many bands, their range and sum are reduced
//! (Allreduce), and rank 0 gathers them (Gatherv). Memory is bounded by the size of a wave. Nothing balances the load: all wait
//! for the slowest.

use std::{ops::Range, time::Instant};

use super::{
    Job, Outcome, WAITING_BYTES,
    assembly::Assembly,
    tally::Tally,
    watch::{Watch, stopped, written},
    window::max_band_bytes,
    worker::{Delivery, Fallback, FromWorker, Share, Worker},
};
use crate::{
    comm::{Failure, World},
    error::Error,
    fault,
    timeline::{self, Track, What},
    workload::{
        schedule::{Assignment, Waves},
        stop::Reason,
    },
};

/// Computes `bands` on all ranks. On rank 0, `assembly` holds the files. Collective.
pub(super) fn run(
    world: &World,
    mut worker: Worker<'_>,
    fallback: Fallback<'_>,
    bands: Range<u32>,
    assembly: Option<Assembly>,
    watch: &Watch<'_>,
) -> Result<(Outcome, Share), Failure> {
    let job = worker.job;
    let count = |number: usize| u32::try_from(number).expect("MPI numbers ranks with a C int");
    let max_bands = u32::try_from(WAITING_BYTES / max_band_bytes(job)).unwrap_or(u32::MAX);
    let max_bands = max_bands.min(job.max_bands().saturating_mul(count(world.size())));
    let mut root = assembly.map(|assembly| Root { job, assembly, watch, outcome: Outcome::default() });
    let mut reduced = root.as_ref().map_or(Tally::START, |root| root.assembly.tally());
    let mut stop = None;
    for wave in Waves::new(bands, count(world.size()), max_bands) {
        let assignment =
            Assignment { chunk: wave.chunk(count(world.rank())), limit_us: Assignment::NO_LIMIT, answers: 0 };
        let computed = worker.compute(assignment, fallback);
        fault::inject(world.rank());
        let arrived = Instant::now();
        world.all.meet();
        let waited = arrived.elapsed();
        worker.share.wait_s += waited.as_secs_f64();
        timeline::note(Track::Work, What::Wait, arrived, waited, 0);
        let delivery = world.agree(computed)?;
        reduced = reduce(world, &reduced, &delivery);
        let gathering = Instant::now();
        let (message, bytes) = delivery.to_message();
        let gathered = world.all.gather_with(&message, &bytes);
        let gathered_in = gathering.elapsed();
        let gather_s = gathered_in.as_secs_f64();
        timeline::note(Track::Main, What::Receive, gathering, gathered_in, bytes.len() as u64);
        let taken = root.as_mut().zip(gathered).map_or(Ok(()), |(root, gathered)| root.take(gathered, gather_s));
        world.agree(taken)?;
        // One rank's reason is every rank's.
        if let Some(reason) = world.all.share(&watch.stop.reason()).into_iter().flatten().next() {
            watch.stop.ask(reason);
            stop = Some(reason);
            break;
        }
    }
    let outcome = world.agree(root.map_or(Ok(Outcome::default()), |root| root.end(stop, &reduced)))?;
    Ok((outcome, worker.share))
}

/// What is known of all bands so far, from what each rank knows of its own.
fn reduce(world: &World, before: &Tally, delivery: &Delivery) -> Tally {
    let mut mine = Tally::START;
    delivery.bands.iter().for_each(|band| mine.count(band));
    let narrow = |count: u64| u16::try_from(count).expect("counts lie between 0 and max_iter");
    Tally {
        bands: before.bands + u32::try_from(world.all.sum(mine.bands.into())).expect("bands are numbered in 32 bits"),
        min: before.min.min(narrow(world.all.min(mine.min.into()))),
        max: before.max.max(narrow(world.all.max(mine.max.into()))),
        sum: before.sum + world.all.sum(mine.sum),
    }
}

/// Rank 0's part.
struct Root<'a> {
    job: &'a Job,
    assembly: Assembly,
    watch: &'a Watch<'a>,
    outcome: Outcome,
}

impl Root<'_> {
    /// Takes the wave that was gathered.
    fn take(&mut self, gathered: Vec<(FromWorker, Vec<u8>)>, gather_s: f64) -> Result<(), Error> {
        self.outcome.gather_s += gather_s;
        let writing = Instant::now();
        let mut bands = Vec::new();
        for (rank, (message, bytes)) in gathered.into_iter().enumerate() {
            let FromWorker::Done(done) = message else { unreachable!("ranks gather what they have done") };
            let delivery = Delivery::of_message(done, &bytes);
            if let Some(sample) = &delivery.sample {
                sample.check(self.job, rank)?;
            }
            bands.extend(delivery.bands);
        }
        bands.sort_by_key(|band| band.facts.index);
        // A wave may be all of a picture, and files slow: a reason to stop is heard between two bands. One goes in, as a job whose start
        // takes as long as its time limit is to come on by a band each time.
        for band in bands {
            self.assembly.add(vec![band])?;
            if self.watch.stop.reason().is_some() {
                break;
            }
        }
        self.outcome.write_s += written(writing);
        self.watch.progress.reach(u64::from(self.assembly.bands()));
        Ok(())
    }

    /// Completes the files, where all bands are in them; what was gathered must be what was reduced.
    fn end(mut self, stop: Option<Reason>, reduced: &Tally) -> Result<Outcome, Error> {
        let writing = Instant::now();
        match stop.filter(|_| self.assembly.bands() < self.job.bands().len()) {
            Some(reason) => self.assembly.note().and(Err(stopped(self.job, &self.assembly, reason))),
            None => {
                // Before any file has its name.
                assert_eq!(self.assembly.tally(), *reduced, "range and sum of the bands that were gathered");
                let tally = self.assembly.complete(self.job)?;
                self.outcome.write_s += written(writing);
                Ok(self.outcome.with(tally, self.job))
            }
        }
    }
}
