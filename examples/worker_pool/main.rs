//! A worker pool: rank 0 hands out tasks, the other ranks work, the results come back in the order of the tasks.
//!
//! Teaches: a map over tasks on whoever is free. A worker that is done gets the next task, so that tasks that take long keep
//! nobody waiting; one that fails is reported with its number, its rank and the reason, and the others go on. With one rank,
//! rank 0 works alone.
//! Replaces: `julia-futures.py`, which draws the Julia set line by line with `MPIPoolExecutor`.
//! Run: `mpiexec -n 4 target/release/examples/worker_pool --scale 1`

mod picture;
mod pool;

use std::{panic, process::ExitCode};

use clap::Parser;
use mpi::{topology::SimpleCommunicator, traits::*};

use pool::{Outcome, map};

/// Draws a Julia set by a pool of workers.
#[derive(Parser)]
#[command(color = clap::ColorChoice::Never)]
struct Options {
    /// Size of the picture in multiples of 640 x 480 pixels
    #[arg(long, default_value_t = 1, value_parser = clap::value_parser!(u32).range(1..=16))]
    scale: u32,
}

/// A rank that panics would leave the others waiting for ever: it ends the whole job.
fn abort_on_panic() {
    let print = panic::take_hook();
    panic::set_hook(Box::new(move |info| {
        print(info);
        SimpleCommunicator::world().abort(101);
    }));
}

fn main() -> ExitCode {
    let universe = mpi::initialize().expect("MPI is started once");
    let world = universe.world();
    abort_on_panic();

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
    let (width, height) = (640 * options.scale, 480 * options.scale);

    let started_s = mpi::time();
    let tasks: Vec<u32> = (0..height).collect();
    if let Some(lines) = map(&world, &tasks, |k| Ok(picture::line(*k, width, height))) {
        let time_s = mpi::time() - started_s;
        for rank in 0..world.size() {
            println!("rank {rank} drew {} lines", lines.iter().filter(|line| line.rank == rank).count());
        }
        if let Err(reason) = picture::finish(&lines, width, height) {
            eprintln!("error: {reason}");
            world.abort(1);
        }
        println!("julia.pgm: {width} x {height} pixels in {time_s:.3} s");
    }

    // The same pool with other work, one task of which fails.
    let square_root = |x: &f64| if *x < 0.0 { Err(format!("no square root of {x}")) } else { Ok(vec![x.sqrt()]) };
    if let Some(roots) = map(&world, &[4.0, 9.0, -1.0, 16.0], square_root) {
        let values: Vec<Option<f64>> = roots.iter().map(|root| root.values.as_ref().ok().map(|root| root[0])).collect();
        assert_eq!(values, [Some(2.0), Some(3.0), None, Some(4.0)], "results come in the order of the tasks");
        for (number, Outcome { rank, values }) in roots.iter().enumerate() {
            match values {
                Ok(root) => println!("task {number}: {}", root[0]),
                Err(reason) => println!("task {number} failed on rank {rank}: {reason}"),
            }
        }
    }
    ExitCode::SUCCESS
}
