//! The conversation of a job: rank 0 deals pieces and assembles what the ranks, itself among them, hand in.
//!
//! MPI stays on the main thread of each rank, and its device computes on another, so that messages travel while it does. A
//! rank holds two orders or three: while it computes one, the next is there already.

use std::{
    sync::mpsc::{Receiver, Sender, TryRecvError, channel},
    thread::{self, Scope, ScopedJoinHandle},
    time::Instant,
};

use super::{
    Job, Outcome,
    assembly::Assembly,
    compute::{Computer, Delivery, Fallback, Share},
    stop::Stop,
    window::Window,
};
use crate::{
    comm::{Failure, Pause, World},
    device::Device,
    error::Error,
    fault,
    output::progress::Progress,
    workload::schedule::{Dealer, Order, Policy},
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
    let window = Window::new(job);
    let mut dealer =
        dealer(world, job, policy, device.identity().threads, assembly.as_ref().map_or(0, Assembly::bands));
    // The first orders need no message: each rank finds its own in what all of them deal alike.
    let first = dealer.orders(&window.of(dealer.bands().start, (0, 0))).into_iter();
    let first = first.filter_map(|(rank, order)| (rank == world.rank()).then_some(order));
    let pixels = job.coloring.pixel_bytes(job.julia.max_iter, world.rank(), device.identity().kind);
    let computer = Computer { job, rank: world.rank(), pixels, device, share: Share::default() };
    let (outcome, share) = match assembly {
        Some(assembly) => {
            let outcome = Outcome::default();
            Desk { world, job, dealer, assembly, window, watch, outcome }.serve(computer, fallback, first)
        }
        None => work(world, computer, fallback, first),
    };
    let outcome = world.agree(outcome)?;
    Ok((outcome, share))
}

/// The same dealer on every rank, of the bands that are not in the files; rank 0 knows how many are. Collective.
fn dealer(world: &World, job: &Job, policy: Policy, threads: usize, done: u32) -> Dealer {
    let known = world.all.share(bytemuck::bytes_of(&[u32::try_from(threads).unwrap_or(u32::MAX), done]));
    let known: Vec<[u32; 2]> = known.iter().map(|bytes| bytemuck::pod_read_unaligned(bytes)).collect();
    let bands = known[0][1]..job.bands().len();
    Dealer::new(policy, bands, known.into_iter().map(|[threads, _]| threads).collect(), job.most_bands())
}

/// What rank 0 looks at beside its desk.
#[derive(Debug)]
pub struct Watch<'a> {
    /// Is told how many bands are done.
    pub progress: &'a Progress,
    /// Tells when the job is to stop.
    pub stop: &'a Stop,
}

/// An order and when it was there.
struct Arrived {
    order: Order,
    at: Instant,
}

impl Arrived {
    fn now(order: Order) -> Self {
        Self { order, at: Instant::now() }
    }
}

/// A rank other than 0: passes orders on to its device and hands in what it computed, until that has done the last one.
fn work(
    world: &World,
    computer: Computer<'_>,
    fallback: Fallback<'_>,
    first: impl Iterator<Item = Order>,
) -> (Result<Outcome, Error>, Share) {
    thread::scope(|scope| {
        let (pass_on, deliveries, own) = start_computing(scope, computer, fallback, first);
        let mut pause = Pause::default();
        loop {
            match deliveries.try_recv() {
                Ok(delivery) => {
                    world.all.send(0, &delivery.to_message());
                    pause = Pause::default();
                    continue;
                }
                Err(TryRecvError::Disconnected) => break,
                Err(TryRecvError::Empty) => {}
            }
            match world.all.try_receive() {
                Some((_, order)) => {
                    let order: Order = bytemuck::pod_read_unaligned(&order);
                    pass_on.send(Arrived::now(order)).expect("the device's thread takes orders up to the last one");
                    pause = Pause::default();
                }
                None => pause.sleep(),
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
    window: Window,
    watch: &'a Watch<'a>,
    outcome: Outcome,
}

impl Desk<'_> {
    /// Serves all ranks to the end, with rank 0's own computing on another thread.
    fn serve(
        mut self,
        computer: Computer<'_>,
        fallback: Fallback<'_>,
        first: impl Iterator<Item = Order>,
    ) -> (Result<Outcome, Error>, Share) {
        thread::scope(|scope| {
            let (pass_on, deliveries, own) = start_computing(scope, computer, fallback, first);
            let early = self.deal(&pass_on, &deliveries);
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
    fn deal(&mut self, own: &Sender<Arrived>, deliveries: &Receiver<Delivery>) -> Option<EarlyEnd> {
        let mut early = None;
        let mut pause = Pause::default();
        loop {
            for (rank, order) in self.dealer.orders(&self.window.of(self.assembly.bands(), self.assembly.waiting())) {
                match rank {
                    0 => own.send(Arrived::now(order)).expect("the device's thread takes orders up to the last one"),
                    rank => self.world.all.send(rank, bytemuck::bytes_of(&order)),
                }
            }
            if self.dealer.is_over() {
                return early;
            }
            match self.next_delivery(deliveries) {
                Some((rank, delivery)) => {
                    pause = Pause::default();
                    self.dealer.hand_in(rank, delivery.shown());
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
            if early.is_some() {
                self.dealer.stop();
            }
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
        self.window.learn(&delivery.bands);
        let writing = Instant::now();
        self.assembly.add(delivery.bands)?;
        self.outcome.write_s += writing.elapsed().as_secs_f64();
        self.watch.progress.reach(u64::from(self.assembly.bands()));
        Ok(())
    }

    fn finish(mut self) -> Result<Outcome, Error> {
        let writing = Instant::now();
        let tally = self.assembly.complete(self.job)?;
        self.outcome.write_s += writing.elapsed().as_secs_f64();
        let julia = &self.job.julia;
        (self.outcome.min, self.outcome.max) = (tally.min, tally.max);
        let most = u64::from(julia.width) * u64::from(julia.height) * u64::from(julia.max_iter);
        self.outcome.iterations = most - tally.sum;
        Ok(self.outcome)
    }
}

/// How the computing of a rank ended, and what it came to.
type Computed = (Result<(), Error>, Share);

/// Starts the computing of a rank, with its `first` orders: where it takes more, where it hands in, and what it ends with.
fn start_computing<'scope>(
    scope: &'scope Scope<'scope, '_>,
    computer: Computer<'scope>,
    fallback: Fallback<'scope>,
    first: impl Iterator<Item = Order>,
) -> (Sender<Arrived>, Receiver<Delivery>, ScopedJoinHandle<'scope, Computed>) {
    let (pass_on, orders) = channel();
    first.for_each(|order| pass_on.send(Arrived::now(order)).expect("the receiver is in scope"));
    let (hand_in, deliveries) = channel();
    let own = scope.spawn(move || compute_on_order(computer, fallback, &orders, &hand_in));
    (pass_on, deliveries, own)
}

/// The computing of a rank: one delivery for each order, up to the last. After a failure every order is answered with it.
fn compute_on_order(
    mut computer: Computer<'_>,
    fallback: Fallback<'_>,
    orders: &Receiver<Arrived>,
    hand_in: &Sender<Delivery>,
) -> Computed {
    let mut outcome = Ok(());
    let (mut delivered, mut gave_back) = (Vec::new(), 0);
    loop {
        let asked = Instant::now();
        let Ok(Arrived { order, at }) = orders.recv() else { return (outcome, computer.share) };
        computer.share.wait_s += asked.elapsed().as_secs_f64();
        if order.is_no_more() {
            if gave_back <= order.answers as usize {
                return (outcome, computer.share);
            }
            continue;
        }
        let answered = order.answers.checked_sub(1).and_then(|index| delivered.get(index as usize));
        let round_trip_s = answered.map_or(0.0, |delivered| at.duration_since(*delivered).as_secs_f64());
        let mut delivery = Delivery { failed: true, ..Delivery::default() };
        if outcome.is_ok() {
            match computer.compute(order, fallback) {
                Ok(computed) => delivery = Delivery { round_trip_s, ..computed },
                Err(error) => outcome = Err(error),
            }
            fault::inject(computer.rank);
        }
        delivered.push(Instant::now());
        if delivery.bands.len() < order.piece.count as usize {
            gave_back = delivered.len();
        }
        // The main thread listens until this thread ends.
        let _ = hand_in.send(delivery);
    }
}
