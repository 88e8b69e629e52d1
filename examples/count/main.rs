//! Counting: each rank draws N random numbers up to MAX and counts how often FIND is among them; rank 0 adds up.
//!
//! Teaches: parameters come from the options, the environment or a file of rank 0 alone, and are broadcast. The environment and
//! the files of the other ranks may differ, since a launcher need not carry them to other nodes.
//! Replaces: `count.py`, with the broadcast that is left to the reader there, and with variables that are read as numbers.
//! Run: `FIND=5 mpiexec -n 4 target/release/examples/count --n 20 --parameters count.toml`

mod parameters;

use std::process::ExitCode;

use mpi::traits::*;

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
    let mut numbers = [0; 4];
    if rank == 0 {
        numbers = parameters::read().unwrap_or_else(|code| [0, code, 0, 0]);
    }
    root.broadcast_into(&mut numbers);
    let [n, max, find, seed] = numbers;
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
