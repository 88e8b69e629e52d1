//! Counting: each rank draws N random numbers up to MAX and counts how often FIND is among them; rank 0 adds up.
//!
//! Teaches: parameters come from the options or the environment of rank 0 alone, and are broadcast. The environment of the
//! other ranks may differ, since a launcher need not carry it to other nodes.
//! Replaces: `count.py`, with the broadcast that is left to the reader there, and with variables that are read as numbers.
//! Run: `FIND=5 mpiexec -n 4 target/release/examples/count --n 20 --max 10`

use std::process::ExitCode;

use clap::Parser;
use mpi::traits::*;

/// Counts a number among random numbers.
#[derive(Parser)]
#[command(name = "count", color = clap::ColorChoice::Never)]
struct Options {
    /// Numbers that each rank draws
    #[arg(long, env = "N", default_value_t = 20, value_parser = clap::value_parser!(u32).range(1..=1_000_000))]
    n: u32,
    /// Largest number that can be drawn; the smallest is 1
    #[arg(long, env = "MAX", default_value_t = 10, value_parser = clap::value_parser!(u32).range(1..))]
    max: u32,
    /// The number to count
    #[arg(long, env = "FIND", default_value_t = 8)]
    find: u32,
    /// Start of the random sequence: the same seed gives the same numbers
    #[arg(long, env = "SEED", default_value_t = 1)]
    seed: u32,
}

/// A number that looks random, from any number: the last step of SplitMix64 (Steele, Lea and Flood 2014).
fn mix(number: u64) -> u64 {
    let z = (number ^ (number >> 30)).wrapping_mul(0xbf58_476d_1ce4_e5b9);
    let z = (z ^ (z >> 27)).wrapping_mul(0x94d0_49bb_1331_11eb);
    z ^ (z >> 31)
}

/// The numbers of one rank, each from 1 to `max`: a function of its arguments, so that any rank can compute them.
fn draw(seed: u32, rank: i32, n: u32, max: u32) -> Vec<u32> {
    let first = mix(mix(u64::from(seed)) ^ rank as u64);
    (0..u64::from(n)).map(|i| 1 + (mix(first ^ i) % u64::from(max)) as u32).collect()
}

fn main() -> ExitCode {
    let universe = mpi::initialize().expect("MPI is started once");
    let world = universe.world();
    let (rank, size) = (world.rank(), world.size());
    let root = world.process_at_rank(0);

    // No n of 0 can be asked for: it means that there is nothing to do but to end with the exit code beside it.
    let mut parameters = [0; 4];
    if rank == 0 {
        parameters = match Options::try_parse() {
            Ok(options) => [options.n, options.max, options.find, options.seed],
            Err(error) => {
                error.print().expect("a message can be printed");
                [0, error.exit_code() as u32, 0, 0]
            }
        };
    }
    root.broadcast_into(&mut parameters);
    let [n, max, find, seed] = parameters;
    if n == 0 {
        return ExitCode::from(max as u8);
    }

    let occurrences = |data: &[u32]| data.iter().map(|number| u32::from(*number == find)).sum::<u32>();
    let data = draw(seed, rank, n, max);
    let count = occurrences(&data);
    println!("{rank} {count} {data:?}");

    if rank == 0 {
        let mut counts = vec![0; size as usize];
        root.gather_into_root(&count, &mut counts[..]);
        println!("0 {counts:?}");
        println!("Total number of {find}'s: {}", counts.iter().sum::<u32>());
        let expected: Vec<u32> = (0..size).map(|rank| occurrences(&draw(seed, rank, n, max))).collect();
        assert_eq!(counts, expected, "computed anew by rank 0 alone");
    } else {
        root.gather_into(&count);
    }
    ExitCode::SUCCESS
}
