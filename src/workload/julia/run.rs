//! The conversation of a job: rank 0 deals pieces and assembles what the ranks, itself among them, hand in.
//!
//! MPI stays on the main thread of each rank, and its device computes on another, so that messages travel while it does. A
//! rank holds two pieces: while it computes one, the next is there already.

use std::{
    sync::mpsc::{Receiver, Sender, channel},
    thread,
    time::Instant,
};

use super::{
    Job, Outcome,
    assembly::Assembly,
    compute::{Computer, Delivery, Fallback, Share},
    stop::Stop,
};
use crate::{
    comm::{Failure, Pause, World},
    device::Device,
    error::Error,
    fault,
    output::progress::Progress,
    workload::schedule::{Dealer, Next, Piece, Policy},
};

/// Computes `job` on all ranks. On rank 0, `assembly` holds the files, and the outcome tells what the image came to.
/// Collective.
///
/// # Errors
/// Of the devices and of the files, and where the job was told to stop; agreed on by all ranks.
pub fn run(
    world: &World,
    device: &mut Box<dyn Device>,
    fallback: Fallback<'_>,
    job: &Job,
    policy: Policy,
    assembly: Option<Assembly>,
    watch: &Watch<'_>,
) -> Result<(Outcome, Share), Failure> {
    let workers = u64::try_from(device.identity().threads).expect("a number of threads");
    let workers = world.all.share(&workers.to_ne_bytes());
    let workers = workers.iter().map(|bytes| {
        let workers: u64 = bytemuck::pod_read_unaligned(bytes);
        u32::try_from(workers).unwrap_or(u32::MAX)
    });
    let pixels = job.coloring.pixel_bytes(job.julia.max_iter, world.rank(), device.identity().kind);
    let computer = Computer { job, rank: world.rank(), pixels, device, share: Share::default() };
    let (outcome, share) = match assembly {
        Some(assembly) => {
            let bands = assembly.bands()..job.bands().len();
            let dealer = Dealer::new(policy, bands, workers.collect(), job.most_bands(), job.window_bands());
            Desk { world, job, dealer, assembly, watch, outcome: Outcome::default() }.serve(computer, fallback)
        }
        None => work(world, computer, fallback),
    };
    let outcome = world.agree(outcome)?;
    Ok((outcome, share))
}

/// Pieces that a rank holds: one that it computes, and one that is next.
const PIECES_HELD: usize = 2;

/// What rank 0 looks at beside its desk.
#[derive(Debug)]
pub struct Watch<'a> {
    /// Is told how many bands are done.
    pub progress: &'a Progress,
    /// Tells when the job is to stop.
    pub stop: &'a Stop,
}

/// A rank other than 0: passes pieces on to its device and hands in what it computed, until there is no more.
fn work(world: &World, computer: Computer<'_>, fallback: Fallback<'_>) -> (Result<Outcome, Error>, Share) {
    thread::scope(|scope| {
        let (pieces, orders) = channel();
        let (hand_in, deliveries) = channel::<Delivery>();
        let own = scope.spawn(move || compute_on_order(computer, fallback, &orders, &hand_in));
        let mut pause = Pause::default();
        loop {
            if let Ok(delivery) = deliveries.try_recv() {
                world.all.send(0, &delivery.to_message());
                pause = Pause::default();
            } else if let Some((_, answer)) = world.all.try_receive() {
                let piece: Piece = bytemuck::pod_read_unaligned(&answer);
                // The device's thread takes orders until it is told that there is no more.
                let _ = pieces.send(piece);
                if piece == Piece::NONE {
                    break;
                }
                pause = Pause::default();
            } else {
                pause.sleep();
            }
        }
        let (computed, share) = own.join().expect("a panic has aborted the job");
        (computed.map(|()| Outcome::default()), share)
    })
}

/// Why dealing ended before all was done.
enum EarlyEnd {
    /// The job was told to stop; what is done is to be kept.
    Stopped(Error),
    /// Rank 0 cannot go on.
    Failed(Error),
    /// A rank has failed to compute, and tells why itself.
    Elsewhere,
}

/// Rank 0's desk.
struct Desk<'a> {
    world: &'a World,
    job: &'a Job,
    dealer: Dealer,
    assembly: Assembly,
    watch: &'a Watch<'a>,
    outcome: Outcome,
}

impl Desk<'_> {
    /// Serves all ranks to the end, with rank 0's own computing on another thread.
    fn serve(mut self, computer: Computer<'_>, fallback: Fallback<'_>) -> (Result<Outcome, Error>, Share) {
        thread::scope(|scope| {
            let (pieces, orders) = channel();
            let (hand_in, deliveries) = channel();
            let own = scope.spawn(move || compute_on_order(computer, fallback, &orders, &hand_in));
            let early = self.deal(&pieces, &deliveries);
            let (computed, share) = own.join().expect("a panic has aborted the job");
            let outcome = computed.and_then(|()| match early {
                None => self.finish(),
                Some(EarlyEnd::Stopped(reason)) => self.assembly.note().and(Err(reason)),
                Some(EarlyEnd::Failed(error)) => Err(error),
                Some(EarlyEnd::Elsewhere) => Ok(self.outcome),
            });
            (outcome, share)
        })
    }

    /// Deals until nothing is left and all ranks know it.
    fn deal(&mut self, pieces: &Sender<Piece>, deliveries: &Receiver<Delivery>) -> Option<EarlyEnd> {
        let mut early = None;
        // Ranks that can take a piece, once for each; pieces that each rank holds, until it is told that there is no more.
        let mut free: Vec<usize> = (0..PIECES_HELD).flat_map(|_| 0..self.world.size()).collect();
        let mut held = vec![Some(0_u32); self.world.size()];
        let mut pause = Pause::default();
        while held.iter().any(Option::is_some) {
            match self.next_delivery(deliveries) {
                Some((rank, delivery)) => {
                    pause = Pause::default();
                    free.push(rank);
                    held[rank] = held[rank].map(|pieces| pieces - 1);
                    if delivery.failed {
                        early.get_or_insert(EarlyEnd::Elsewhere);
                    } else if !matches!(early, Some(EarlyEnd::Failed(_)))
                        && let Err(error) = self.take(rank, delivery)
                    {
                        early = Some(EarlyEnd::Failed(error));
                    }
                }
                None => pause.sleep(),
            }
            if early.is_none() {
                early = self.watch.stop.requested(self.assembly.bands(), self.job.bands().len()).map(EarlyEnd::Stopped);
            }
            free.retain(|&rank| {
                let next = if early.is_none() { self.dealer.next(rank, self.assembly.bands()) } else { Next::Finished };
                match (next, held[rank]) {
                    (Next::Later, _) => return true,
                    (Next::Piece(piece), Some(pieces_held)) => {
                        held[rank] = Some(pieces_held + 1);
                        self.order(rank, piece, pieces);
                    }
                    (Next::Finished, Some(0)) => {
                        held[rank] = None;
                        self.order(rank, Piece::NONE, pieces);
                    }
                    (Next::Finished | Next::Piece(_), _) => {}
                }
                false
            });
        }
        early
    }

    fn order(&self, rank: usize, piece: Piece, own: &Sender<Piece>) {
        match rank {
            // Rank 0's own device takes orders until it is told that there is no more.
            0 => {
                let _ = own.send(piece);
            }
            rank => self.world.all.send(rank, bytemuck::bytes_of(&piece)),
        }
    }

    /// What has been handed in, by rank 0 itself or by another rank.
    fn next_delivery(&mut self, own: &Receiver<Delivery>) -> Option<(usize, Delivery)> {
        if let Ok(delivery) = own.try_recv() {
            return Some((0, delivery));
        }
        let receiving = Instant::now();
        let (rank, message) = self.world.all.try_receive()?;
        let delivery = Delivery::of_message(&message);
        self.outcome.gather_s += receiving.elapsed().as_secs_f64();
        Some((rank, delivery))
    }

    /// Takes what `rank` hands in.
    fn take(&mut self, rank: usize, delivery: Delivery) -> Result<(), Error> {
        if let Some(sample) = &delivery.sample {
            sample.check(self.job, rank)?;
        }
        let bands = u32::try_from(delivery.bands.len()).expect("bands are numbered in 32 bits");
        self.dealer.learn(rank, bands, delivery.elapsed_s);
        let writing = Instant::now();
        self.assembly.add(delivery.bands)?;
        self.outcome.write_s += writing.elapsed().as_secs_f64();
        self.watch.progress.reach(u64::from(self.assembly.bands()));
        Ok(())
    }

    fn finish(mut self) -> Result<Outcome, Error> {
        let writing = Instant::now();
        let (min, max, sum) = self.assembly.complete(self.job)?;
        self.outcome.write_s += writing.elapsed().as_secs_f64();
        let julia = &self.job.julia;
        (self.outcome.min, self.outcome.max) = (min, max);
        self.outcome.iterations = u64::from(julia.width) * u64::from(julia.height) * u64::from(julia.max_iter) - sum;
        Ok(self.outcome)
    }
}

/// The computing of a rank: one delivery for each order, until there is no more. After a failure every order is answered
/// with it.
fn compute_on_order(
    mut computer: Computer<'_>,
    fallback: Fallback<'_>,
    orders: &Receiver<Piece>,
    hand_in: &Sender<Delivery>,
) -> (Result<(), Error>, Share) {
    let mut outcome = Ok(());
    loop {
        let asked = Instant::now();
        let piece = orders.recv().unwrap_or(Piece::NONE);
        computer.share.wait_s += asked.elapsed().as_secs_f64();
        if piece == Piece::NONE {
            return (outcome, computer.share);
        }
        let mut delivery = Delivery { failed: true, ..Delivery::default() };
        if outcome.is_ok() {
            match computer.compute(piece, fallback) {
                Ok(computed) => delivery = computed,
                Err(error) => outcome = Err(error),
            }
            fault::inject(computer.rank);
        }
        // The main thread listens until it has passed on that there is no more.
        let _ = hand_in.send(delivery);
    }
}
