//! Parallel rank: every rank has a value and learns its place among the values of all ranks.
//!
//! Teaches: gather, work on the whole, scatter. Rank 0 sorts the values together with the ranks they came from, and sends each
//! rank its place.
//! Replaces: the assignment "parallel rank", which points to the C program of mpitutorial.com.
//! Run: `mpiexec -n 4 target/release/examples/parallel_rank --seed 1`

use std::process::ExitCode;

use clap::Parser;
use hybrid::{ROUNDS, threefry4x32};
use mpi::{topology::SimpleCommunicator, traits::*};

/// Ranks one random number of each rank.
#[derive(Parser)]
struct Options {
    /// Start of the random sequence: the same seed gives the same numbers
    #[arg(long, default_value_t = 1, value_parser = clap::value_parser!(u32).range(1..))]
    seed: u32,
}

/// This rank's value: a number in [0, 1) that depends on the seed and the rank alone.
fn random_value(seed: u32, rank: i32) -> f64 {
    let [word, ..] = threefry4x32::<ROUNDS>([rank.unsigned_abs(), 0, 0, 0], [seed, 0, 0, 0]);
    f64::from(word) / 2_f64.powi(32)
}

/// Place of `value` among the values of all ranks, from 0; of equal values the lower rank comes first. Collective.
fn parallel_rank(world: &SimpleCommunicator, value: f64) -> u64 {
    let root = world.process_at_rank(0);
    let mut place = 0_u64;
    if world.rank() == 0 {
        let size = usize::try_from(world.size()).expect("a communicator has ranks");
        let mut values = vec![0.0_f64; size];
        root.gather_into_root(&value, &mut values[..]);

        let mut ranks: Vec<usize> = (0..size).collect();
        ranks.sort_by(|a, b| values[*a].total_cmp(&values[*b])); // stable: ties stay in the order of ranks
        let mut places = vec![0_u64; size]; // of the type that the receivers expect: MPI does not compare
        for (place, rank) in (0..).zip(ranks) {
            places[rank] = place;
        }
        root.scatter_into_root(&places[..], &mut place);
    } else {
        root.gather_into(&value);
        root.scatter_into(&mut place);
    }
    place
}

fn main() -> ExitCode {
    let universe = mpi::initialize().expect("MPI is started once");
    let world = universe.world();

    // A seed of 0 cannot be asked for: it tells the others to end with the exit code beside it.
    let mut parameters = [0; 2];
    if world.rank() == 0 {
        parameters = match Options::try_parse() {
            Ok(options) => [options.seed, 0],
            Err(error) => {
                error.print().expect("a message can be printed");
                [0, error.exit_code().unsigned_abs()]
            }
        };
    }
    world.process_at_rank(0).broadcast_into(&mut parameters);
    let [seed, exit_code] = parameters;
    if seed == 0 {
        return ExitCode::from(u8::try_from(exit_code).expect("an exit code is small"));
    }

    let value = random_value(seed, world.rank());
    let place = parallel_rank(&world, value);
    println!("rank {} has {value:.6}: place {place} of {}", world.rank(), world.size());

    // The check goes another way: every rank counts the values before its own.
    let mut values = vec![0.0; usize::try_from(world.size()).expect("a communicator has ranks")];
    world.all_gather_into(&value, &mut values[..]);
    let before = (0..).zip(&values).filter(|(rank, other)| (**other, *rank) < (value, world.rank())).count();
    assert_eq!(usize::try_from(place).ok(), Some(before), "rank {} is not in its place", world.rank());
    ExitCode::SUCCESS
}
