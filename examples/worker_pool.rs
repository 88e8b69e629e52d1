//! A worker pool: rank 0 hands out tasks, the other ranks work, the results come back in the order of the tasks.
//!
//! Teaches: a map over tasks on whoever is free. A worker that is done gets the next task, so that tasks that take long keep
//! nobody waiting; one that fails is reported with its number, its rank and the reason, and the others go on. With one rank,
//! rank 0 works alone.
//! Replaces: `julia-futures.py`, which draws the Julia set line by line with `MPIPoolExecutor`.
//! Run: `mpiexec -n 4 target/release/examples/worker_pool --scale 1`

use std::{panic, process::ExitCode};

use clap::Parser;
use hybrid::{kernel::julia, output::colormap};
use image::{Rgb, RgbImage};
use mpi::{Rank, Tag, point_to_point::MatchedReceiveVec, topology::SimpleCommunicator, traits::*};

/// Draws a Julia set by a pool of workers.
#[derive(Parser)]
struct Options {
    /// Size of the picture in multiples of 640 x 480 pixels
    #[arg(long, default_value_t = 1, value_parser = clap::value_parser!(u32).range(1..=16))]
    scale: u32,
}

/// Tags from the manager to a worker.
const TASK: Tag = 1;
const STOP: Tag = 2;
/// Tags from a worker to the manager.
const DONE: Tag = 3;
const FAILED: Tag = 4;

/// What became of a task: who did it, and its values or why there are none.
struct Outcome<R> {
    rank: Rank,
    values: Result<Vec<R>, String>,
}

/// `work` done on each of `tasks`: on rank 0 the outcomes in the order of the tasks, `None` on the workers.
fn map<T: Equivalence, R: Equivalence>(
    world: &SimpleCommunicator,
    tasks: &[T],
    work: impl Fn(&T) -> Result<Vec<R>, String>,
) -> Option<Vec<Outcome<R>>> {
    if world.size() == 1 {
        return Some(tasks.iter().map(|task| Outcome { rank: 0, values: work(task) }).collect());
    }
    if world.rank() == 0 {
        return Some(manage(world, tasks));
    }
    let manager = world.process_at_rank(0);
    loop {
        let (message, status) = manager.matched_probe();
        if status.tag() == STOP {
            message.matched_receive_into(&mut [0_u8; 0][..]);
            return None;
        }
        let (task, _) = message.matched_receive::<T>();
        match work(&task) {
            Ok(values) => manager.send_with_tag(&values[..], DONE),
            Err(reason) => manager.send_with_tag(reason.as_bytes(), FAILED),
        }
    }
}

/// Keeps every worker busy until all tasks are done.
fn manage<T: Equivalence, R: Equivalence>(world: &SimpleCommunicator, tasks: &[T]) -> Vec<Outcome<R>> {
    let mut waiting = tasks.iter().enumerate();
    // Sends the worker its next task and returns the task's number; `None` where the worker may go home.
    let mut hand_out = |rank: Rank| match waiting.next() {
        Some((number, task)) => {
            world.process_at_rank(rank).send_with_tag(task, TASK);
            Some(number)
        }
        None => {
            world.process_at_rank(rank).send_with_tag(&[0_u8; 0][..], STOP);
            None
        }
    };
    let mut in_hand: Vec<Option<usize>> = (1..world.size()).map(&mut hand_out).collect();
    let mut outcomes: Vec<Option<Outcome<R>>> = tasks.iter().map(|_| None).collect();
    while in_hand.iter().any(Option::is_some) {
        let (message, status) = world.any_process().matched_probe();
        let (rank, tag) = (status.source_rank(), status.tag());
        let values = if tag == DONE {
            Ok((message, status).matched_receive_vec::<R>().0)
        } else {
            Err(String::from_utf8_lossy(&(message, status).matched_receive_vec::<u8>().0).into_owned())
        };
        let worker = usize::try_from(rank - 1).expect("rank 0 sends nothing to itself");
        let number = in_hand[worker].expect("a worker answers once for each task");
        outcomes[number] = Some(Outcome { rank, values });
        in_hand[worker] = hand_out(rank);
    }
    outcomes.into_iter().map(|outcome| outcome.expect("every task was handed out")).collect()
}

/// Line `k` of the tutorial's picture, by the tutorial's formula: z*z + 0.65i from 255 downward.
fn julia_line(k: u32, width: u32, height: u32) -> Vec<u8> {
    let y = 1.5 - f64::from(k) * (3.0 / f64::from(height));
    let count = |j| {
        let (mut re, mut im) = (-2.0 + f64::from(j) * (4.0 / f64::from(width)), y);
        let mut n = 255;
        while re * re + im * im < 9.0 && n > 1 {
            (re, im) = (re * re - im * im, 2.0 * re * im + 0.65);
            n -= 1;
        }
        n
    };
    (0..width).map(count).collect()
}

/// Compares with the project's own definition of the picture and writes `julia.png`.
fn finish(lines: &[Outcome<u8>], width: u32, height: u32) -> Result<(), String> {
    let whole =
        julia::Julia { width, height, x: (-2.0, 2.0), y: (-1.5, 1.5), c: (0.0, 0.65), radius: 3.0, max_iter: 255 };
    for ((line, y), k) in lines.iter().zip(whole.lines(0..height)).zip(0..) {
        let counts =
            line.values.as_ref().map_err(|reason| format!("line {k} failed on rank {}: {reason}", line.rank))?;
        let expected = whole.columns().into_iter().map(|x| julia::count(x, y, &whole.constants::<f64>()));
        assert!(counts.iter().map(|count| u16::from(*count)).eq(expected), "line {k} differs from the definition");
    }
    let counts: Vec<u8> = lines.iter().flat_map(|line| line.values.iter().flatten().copied()).collect();
    let (least, most) = (counts.iter().min().expect("a pixel"), counts.iter().max().expect("a pixel"));
    let (colors, range) = (colormap::viridis(), usize::from(most - least).max(1));
    let picture = RgbImage::from_fn(width, height, |j, k| {
        let count = counts[k as usize * width as usize + j as usize];
        Rgb(colors[(256 * usize::from(count - least) / range).min(255)])
    });
    picture.save("julia.png").map_err(|error| format!("cannot write julia.png: {error}"))
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

    // A scale of 0 cannot be asked for: it tells the others to end with the exit code beside it.
    let mut parameters = [0; 2];
    if world.rank() == 0 {
        parameters = match Options::try_parse() {
            Ok(options) => [options.scale, 0],
            Err(error) => {
                error.print().expect("a message can be printed");
                [0, error.exit_code().unsigned_abs()]
            }
        };
    }
    world.process_at_rank(0).broadcast_into(&mut parameters);
    let [scale, exit_code] = parameters;
    if scale == 0 {
        return ExitCode::from(u8::try_from(exit_code).expect("an exit code is small"));
    }
    let (width, height) = (640 * scale, 480 * scale);

    let started_s = mpi::time();
    let tasks: Vec<u32> = (0..height).collect();
    if let Some(lines) = map(&world, &tasks, |k| Ok(julia_line(*k, width, height))) {
        let time_s = mpi::time() - started_s;
        for rank in 0..world.size() {
            println!("rank {rank} drew {} lines", lines.iter().filter(|line| line.rank == rank).count());
        }
        if let Err(reason) = finish(&lines, width, height) {
            eprintln!("error: {reason}");
            world.abort(1);
        }
        println!("julia.png: {width} x {height} pixels in {time_s:.3} s");
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
