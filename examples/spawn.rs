//! Spawn: a manager starts workers while it is running, gives them a task, and adds up what they send back: pi, as the
//! integral of 4 / (1 + x²) from 0 to 1.
//!
//! Teaches: the manager and its workers are two groups joined by an intercommunicator; merged, they use the collectives of
//! any other communicator. Both sides free what they share, in the same order, before MPI ends: so it does end.
//! Replaces: `manager.py` and `worker.py`, which may not end, and where every rank starts workers of its own.
//! Run: `mpiexec -n 1 --oversubscribe target/release/examples/spawn --workers 5`

use std::{
    env,
    f64::consts::PI,
    process::{Command, ExitCode},
};

use clap::Parser;
use mpi::{
    collective::SystemOperation,
    topology::{MergeOrder, SimpleCommunicator},
    traits::*,
};

/// Starts workers that integrate.
#[derive(Parser)]
#[command(name = "spawn", color = clap::ColorChoice::Never)]
struct Options {
    /// Workers to start
    #[arg(long, default_value_t = 5, value_parser = clap::value_parser!(i32).range(1..=100))]
    workers: i32,
    /// Intervals of the integral
    #[arg(long, default_value_t = 100, value_parser = clap::value_parser!(i32).range(1..))]
    intervals: i32,
}

fn main() -> ExitCode {
    let universe = mpi::initialize().expect("MPI is started once");
    let world = universe.world();
    if let Some(parent) = world.parent() {
        work(&world, &parent.merge(MergeOrder::High));
        return ExitCode::SUCCESS;
    }

    // Every rank reads the same words; rank 0 tells what is wrong with them.
    let options = match Options::try_parse() {
        Ok(options) => options,
        Err(error) => {
            if world.rank() == 0 {
                error.print().expect("a message can be printed");
            }
            return if error.use_stderr() { ExitCode::from(2) } else { ExitCode::SUCCESS };
        }
    };
    let Options { workers, intervals } = options;

    // Collective: however many ranks there are, the workers are started once.
    let program = Command::new(env::current_exe().expect("the system knows which program this is"));
    let group = match world.process_at_rank(0).spawn(&program, workers) {
        Ok(group) => group,
        Err(error) => {
            eprintln!("error: the workers cannot be started: {error}");
            return ExitCode::FAILURE;
        }
    };
    manage(&group.merge(MergeOrder::Low), intervals, workers);
    ExitCode::SUCCESS
}

/// The manager's side: rank 0 of `all` hands out the task and receives the sum.
fn manage(all: &SimpleCommunicator, intervals: i32, workers: i32) {
    let manager = all.process_at_rank(0);
    let mut task = intervals;
    manager.broadcast_into(&mut task);
    if all.rank() != 0 {
        return manager.reduce_into(&0.0, SystemOperation::sum());
    }
    println!("Manager: {workers} workers started");
    let mut sum = 0.0;
    manager.reduce_into_root(&0.0, &mut sum, SystemOperation::sum());
    println!("Manager: pi is about {sum:.10}");
    // The midpoint rule's error is known: h²/12 for this integral, and terms of a higher order.
    let h = 1.0 / f64::from(intervals);
    assert!((sum - PI - h * h / 12.0).abs() < h.powi(4) + 1e-12, "{sum} is not what {intervals} intervals give");
}

/// A worker's side: it sums its share of the intervals, one in every so many as there are workers.
fn work(workers: &SimpleCommunicator, all: &SimpleCommunicator) {
    let manager = all.process_at_rank(0);
    let mut intervals = 0;
    manager.broadcast_into(&mut intervals);
    println!("N: {intervals} rank: {}", workers.rank());
    let h = 1.0 / f64::from(intervals);
    let midpoints = (workers.rank()..intervals).step_by(workers.size() as usize);
    let part: f64 = midpoints.map(|i| h * (f64::from(i) + 0.5)).map(|x| h * 4.0 / (1.0 + x * x)).sum();
    manager.reduce_into(&part, SystemOperation::sum());
}
