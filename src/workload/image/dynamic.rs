//! `--schedule dynamic`: rank 0 assigns bands to whoever is free, by messages, and assembles what the ranks, itself among them, hand
//! in.
//!
//! MPI stays on the main thread of each rank, and its device computes on another, so that messages travel while it does. A
//! rank holds two assignments or three: while it computes one, the next is there already.

use std::{
    io,
    ops::Range,
    sync::mpsc::{Receiver, Sender, TryRecvError, channel},
    thread::{self, Builder, Scope, ScopedJoinHandle},
    time::Instant,
};

use serde::{Deserialize, Serialize, de::IgnoredAny};

use super::{
    Job, Outcome,
    assembly::Assembly,
    watch::{Watch, stopped, written},
    window::Window,
    worker::{Delivery, Fallback, FromWorker, Share, Worker},
};
use crate::{
    comm::{Failure, Pause, World},
    error::Error,
    fault,
    timeline::{self, Track, What},
    workload::{
        WorkloadError,
        schedule::{Assignment, Scheduler},
        stop::{Reason, Stop},
    },
};

/// Computes the bands that are left, on all ranks, of which each has that many `threads`. On rank 0, `assembly` holds the files.
/// Collective.
pub(super) fn run(
    world: &World,
    worker: Worker<'_>,
    fallback: Fallback<'_>,
    (bands, threads): (Range<u32>, Vec<u32>),
    assembly: Option<Assembly>,
    watch: &Watch<'_>,
) -> Result<(Outcome, Share), Failure> {
    let job = worker.job;
    let window = Window::new(job);
    // The first assignments need no message: the scheduler is the same on every rank, and each finds its own.
    let mut scheduler = Scheduler::new(bands, threads, job.max_bands());
    let first = scheduler.assignments(&window.of(scheduler.bands().start, (0, 0))).into_iter();
    let first = first.filter_map(|(rank, assignment)| (rank == world.rank()).then_some(assignment));
    let (outcome, share) = thread::scope(|scope| {
        let started =
            start_computing(scope, worker, fallback).map_err(|source| WorkloadError::Thread { source }.into());
        let computing = world.agree(started)?;
        first.for_each(|assignment| computing.pass_on(assignment));
        Ok(match assembly {
            Some(assembly) => {
                let outcome = Outcome::default();
                Coordinator { world, job, scheduler, assembly, window, watch, outcome }.serve(computing)
            }
            None => work(world, computing, watch.stop),
        })
    })?;
    let outcome = world.agree(outcome);
    // A rank may have told of a reason to stop when there was nothing left to stop. MPICH ends no job that has left a message lying.
    while world.all.try_receive::<IgnoredAny>().is_some() {}
    Ok((outcome?, share))
}

/// What the coordinator tells another rank.
#[derive(Clone, Copy, Debug, Serialize, Deserialize)]
enum ToWorker {
    /// An assignment.
    Assign(Assignment),
    /// No further band is to be begun.
    Stop(Reason),
}

/// An assignment and when it was there.
struct Arrived {
    assignment: Assignment,
    at: Instant,
}

/// A rank other than 0: passes assignments on to its device and hands in what it computed, until that has done the last one. Where
/// it has a reason to stop, it tells rank 0.
fn work(world: &World, computing: Computing<'_>, stop: &Stop) -> (Result<Outcome, Error>, Share) {
    let mut pause = Pause::default();
    let mut is_told = false;
    loop {
        if !is_told && let Some(reason) = stop.reason() {
            world.all.send(0, &FromWorker::Stop(reason), &[]);
            is_told = true;
        }
        match computing.deliveries.try_recv() {
            Ok(delivery) => {
                let (message, bands) = delivery.to_message();
                world.all.send(0, &message, &bands);
                pause = Pause::default();
                continue;
            }
            Err(TryRecvError::Disconnected) => break,
            Err(TryRecvError::Empty) => {}
        }
        match world.all.try_receive() {
            Some((_, ToWorker::Stop(reason), _)) => {
                stop.ask(reason);
                is_told = true;
                pause = Pause::default();
            }
            Some((_, ToWorker::Assign(assignment), _)) => {
                computing.pass_on(assignment);
                pause = Pause::default();
            }
            None => pause.sleep(),
        }
    }
    let (computed, share) = computing.end();
    (computed.map(|()| Outcome::default()), share)
}

/// Why the assignments ended before all was done.
enum EarlyEnd {
    /// The job was told to stop; what is done is to be kept.
    Stopped(Reason),
    /// Rank 0 cannot go on.
    Failed(Error),
    /// A rank has failed to compute, and tells why itself.
    Elsewhere,
}

/// Rank 0's part: it has a scheduler assign bands to all ranks, and assembles what they hand in.
struct Coordinator<'a> {
    world: &'a World,
    job: &'a Job,
    scheduler: Scheduler,
    assembly: Assembly,
    window: Window,
    watch: &'a Watch<'a>,
    outcome: Outcome,
}

impl Coordinator<'_> {
    /// Serves all ranks to the end, with rank 0's own computing on another thread.
    fn serve(mut self, computing: Computing<'_>) -> (Result<Outcome, Error>, Share) {
        let early = self.assign(&computing);
        let (computed, share) = computing.end();
        let is_done = self.assembly.bands() == self.job.bands().len();
        let outcome = computed.and_then(|()| match early {
            Some(EarlyEnd::Stopped(reason)) if !is_done => {
                self.assembly.note().and(Err(stopped(self.job, &self.assembly, reason)))
            }
            None | Some(EarlyEnd::Stopped(_)) => self.finish(),
            Some(EarlyEnd::Failed(error)) => Err(error),
            Some(EarlyEnd::Elsewhere) => Ok(self.outcome),
        });
        (outcome, share)
    }

    /// Assigns until nothing is left and all ranks know it.
    fn assign(&mut self, own: &Computing<'_>) -> Option<EarlyEnd> {
        let mut early = None;
        let mut pause = Pause::default();
        loop {
            for (rank, assignment) in
                self.scheduler.assignments(&self.window.of(self.assembly.bands(), self.assembly.waiting()))
            {
                match rank {
                    0 => own.pass_on(assignment),
                    rank => self.world.all.send(rank, &ToWorker::Assign(assignment), &[]),
                }
            }
            if self.scheduler.is_over() {
                return early;
            }
            match self.next_delivery(&own.deliveries) {
                Some((rank, delivery)) => {
                    pause = Pause::default();
                    self.scheduler.hand_in(rank, delivery.measured());
                    let end = if delivery.failed {
                        Some(EarlyEnd::Elsewhere)
                    } else if matches!(early, Some(EarlyEnd::Failed(_))) {
                        None
                    } else {
                        self.take(rank, delivery).err().map(EarlyEnd::Failed)
                    };
                    self.end_early(&mut early, end);
                }
                None => pause.sleep(),
            }
            let asked = self.watch.stop.reason().map(EarlyEnd::Stopped);
            self.end_early(&mut early, asked);
        }
    }

    /// Takes note of an end before all is done. The first one is told to all ranks, so that they begin nothing any more; a
    /// failure comes before whatever else there was.
    fn end_early(&mut self, early: &mut Option<EarlyEnd>, end: Option<EarlyEnd>) {
        let Some(end) = end else { return };
        if early.is_none() {
            self.scheduler.stop();
            let reason = if let EarlyEnd::Stopped(reason) = end { reason } else { Reason::FAILURE };
            self.watch.stop.ask(reason);
            (1..self.world.size()).for_each(|rank| self.world.all.send(rank, &ToWorker::Stop(reason), &[]));
        }
        if early.is_none() || matches!(end, EarlyEnd::Failed(_)) {
            *early = Some(end);
        }
    }

    /// What has been handed in, by rank 0 itself or by another rank.
    fn next_delivery(&mut self, own: &Receiver<Delivery>) -> Option<(usize, Delivery)> {
        if let Ok(delivery) = own.try_recv() {
            return Some((0, delivery));
        }
        let receiving = Instant::now();
        let (rank, message, bands) = self.world.all.try_receive()?;
        let delivery = match message {
            FromWorker::Stop(reason) => {
                self.watch.stop.ask(reason);
                return None;
            }
            FromWorker::Done(done) => Delivery::of_message(done, &bands),
        };
        let received = receiving.elapsed();
        self.outcome.gather_s += received.as_secs_f64();
        timeline::note(Track::Main, What::Receive, receiving, received, bands.len() as u64);
        Some((rank, delivery))
    }

    /// Takes what `rank` hands in.
    fn take(&mut self, rank: usize, delivery: Delivery) -> Result<(), Error> {
        if let Some(sample) = &delivery.sample {
            sample.check(self.job, rank)?;
        }
        self.window.learn(&delivery.bands);
        let writing = Instant::now();
        self.assembly.add(delivery.bands)?;
        self.outcome.write_s += written(writing);
        self.watch.progress.reach(u64::from(self.assembly.bands()));
        Ok(())
    }

    fn finish(mut self) -> Result<Outcome, Error> {
        let writing = Instant::now();
        let tally = self.assembly.complete(self.job)?;
        self.outcome.write_s += written(writing);
        Ok(self.outcome.with(tally, self.job))
    }
}

/// How the computing of a rank ended, and what it came to.
type Computed = (Result<(), Error>, Share);

/// A rank's computing on a thread of its own: where it takes assignments and where it hands in.
struct Computing<'scope> {
    assignments: Sender<Arrived>,
    deliveries: Receiver<Delivery>,
    own: ScopedJoinHandle<'scope, Computed>,
}

impl Computing<'_> {
    /// Gives it an assignment, which is here from now on.
    fn pass_on(&self, assignment: Assignment) {
        let arrived = Arrived { assignment, at: Instant::now() };
        self.assignments.send(arrived).expect("the device's thread takes assignments up to the last one");
    }

    /// Waits for its end.
    fn end(self) -> Computed {
        self.own.join().expect("a panic has aborted the job")
    }
}

/// Starts the computing of a rank.
fn start_computing<'scope>(
    scope: &'scope Scope<'scope, '_>,
    worker: Worker<'scope>,
    fallback: Fallback<'scope>,
) -> io::Result<Computing<'scope>> {
    let (assignments, taken) = channel();
    let (hand_in, deliveries) = channel();
    let own = Builder::new().spawn_scoped(scope, move || compute_assigned(worker, fallback, &taken, &hand_in))?;
    Ok(Computing { assignments, deliveries, own })
}

/// The computing of a rank: one delivery for each assignment, up to the last. After a failure every assignment is answered with it.
fn compute_assigned(
    mut worker: Worker<'_>,
    fallback: Fallback<'_>,
    assignments: &Receiver<Arrived>,
    hand_in: &Sender<Delivery>,
) -> Computed {
    let mut outcome = Ok(());
    let (mut delivered, mut gave_back) = (Vec::new(), 0);
    loop {
        let asked = Instant::now();
        let Ok(Arrived { assignment, at }) = assignments.recv() else { return (outcome, worker.share) };
        let waited = asked.elapsed();
        worker.share.wait_s += waited.as_secs_f64();
        timeline::note(Track::Work, What::Wait, asked, waited, 0);
        if assignment.is_no_more() {
            if gave_back <= assignment.answers as usize {
                return (outcome, worker.share);
            }
            continue;
        }
        let answered = assignment.answers.checked_sub(1).and_then(|index| delivered.get(index as usize));
        let round_trip_s = answered.map_or(0.0, |delivered| at.duration_since(*delivered).as_secs_f64());
        let mut delivery = Delivery { failed: true, ..Delivery::default() };
        if outcome.is_ok() {
            match worker.compute(assignment, fallback) {
                Ok(computed) => delivery = Delivery { round_trip_s, ..computed },
                Err(error) => outcome = Err(error),
            }
            fault::inject(worker.rank);
        }
        delivered.push(Instant::now());
        if delivery.bands.len() < assignment.chunk.count as usize {
            gave_back = delivered.len();
        }
        // The main thread listens until this thread ends.
        let _ = hand_in.send(delivery);
    }
}
