//! Parallel rank: every rank has a value and learns its place among the values of all ranks.
//!
//! Teaches: gather, work on the whole, scatter. Rank 0 sorts the values together with the ranks they came from, and sends each
//! rank its place.
//! Replaces: the assignment "parallel rank", which points to the C program of mpitutorial.com.
//! Run: `mpiexec -n 4 target/release/examples/parallel_rank --seed 1`

use std::process::ExitCode;

use clap::Parser;
use mpi::{topology::SimpleCommunicator, traits::*};

/// Ranks one random number of each rank.
#[derive(Parser)]
#[command(color = clap::ColorChoice::Never)]
struct Options {
    /// Start of the random sequence: the same seed gives the same numbers
    #[arg(long, default_value_t = 1, value_parser = clap::value_parser!(u64).range(1..))]
    seed: u64,
}

/// A number that looks random, from any number: the last step of SplitMix64 (Steele, Lea and Flood 2014).
fn mix(number: u64) -> u64 {
    let z = (number ^ (number >> 30)).wrapping_mul(0xbf58_476d_1ce4_e5b9);
    let z = (z ^ (z >> 27)).wrapping_mul(0x94d0_49bb_1331_11eb);
    z ^ (z >> 31)
}

/// This rank's value: a number in [0, 1) that depends on the seed and the rank alone.
fn random_value(seed: u64, rank: i32) -> f64 {
    (mix(mix(seed) ^ rank as u64) >> 11) as f64 / 2_f64.powi(53)
}

/// Place of `value` among the values of all ranks, from 0; of equal values the lower rank comes first. Collective.
fn parallel_rank(world: &SimpleCommunicator, value: f64) -> u64 {
    let root = world.process_at_rank(0);
    let mut place = 0_u64;
    if world.rank() == 0 {
        let size = world.size() as usize;
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

    let value = random_value(options.seed, world.rank());
    let place = parallel_rank(&world, value);
    println!("rank {} has {value:.6}: place {place} of {}", world.rank(), world.size());

    // The check goes another way: every rank counts the values before its own.
    let mut values = vec![0.0; world.size() as usize];
    world.all_gather_into(&value, &mut values[..]);
    let before = (0..).zip(&values).filter(|(rank, other)| (**other, *rank) < (value, world.rank())).count();
    assert_eq!(place, before as u64, "rank {} is not in its place", world.rank());
    ExitCode::SUCCESS
}
