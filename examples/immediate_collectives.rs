//! Non-blocking collectives: a broadcast, sums over all ranks and a barrier are under way while each rank computes.
//!
//! Teaches: a collective call that returns at once with a request. All ranks start the same ones in the same order, and each finishes
//! them when it needs what they bring. A barrier that was started tells a rank, which goes on working, whether all have come.
//! Replaces: nothing in the tutorial; `comm.Ibcast`, `comm.Iallreduce` and `comm.Ibarrier` in mpi4py.
//! Run: `mpiexec -n 4 target/release/examples/immediate_collectives`

use std::hint::black_box;

use mpi::{collective::SystemOperation, traits::*};

/// What rank 0 alone knows at first.
const FACTOR: u64 = 3;
/// Sums are made in so many blocks of so many numbers.
const BLOCKS: usize = 8;
const LENGTH: usize = 10_000;

/// A piece of work that needs nobody else.
fn work(pieces: u32) {
    for number in 0..pieces * 1000 {
        black_box(number);
    }
}

fn main() {
    let universe = mpi::initialize().expect("MPI is started once");
    let world = universe.world();
    let (rank, size) = (world.rank() as u64, world.size() as u64);

    // The factor is under way while each rank makes its numbers, for which nobody needs it.
    let mut factor = if rank == 0 { FACTOR } else { 0 };
    let numbers: Vec<u64> = mpi::request::scope(|scope| {
        let request = world.process_at_rank(0).immediate_broadcast_into(scope, &mut factor);
        let numbers = (0..(BLOCKS * LENGTH) as u64).map(|number| number + rank).collect();
        request.wait_without_status();
        numbers
    });
    println!("rank {rank} has the factor {factor}");

    // The sums of one block are under way while the next block is computed.
    let mut products = vec![0; BLOCKS * LENGTH];
    let mut sums = vec![0; BLOCKS * LENGTH];
    mpi::request::scope(|scope| {
        let mut under_way = None;
        let blocks = products.chunks_mut(LENGTH).zip(sums.chunks_mut(LENGTH));
        for ((products, sums), numbers) in blocks.zip(numbers.chunks(LENGTH)) {
            for (product, number) in products.iter_mut().zip(numbers) {
                *product = factor * number;
            }
            let request = world.immediate_all_reduce_into(scope, &*products, sums, SystemOperation::sum());
            if let Some(before) = under_way.replace(request) {
                before.wait_without_status();
            }
        }
        under_way.expect("there is a last block").wait_without_status();
    });
    println!("rank {rank} has {} sums, the last is {}", sums.len(), sums[sums.len() - 1]);

    // Ranks have more to do the higher they are. Who is early takes up other work until all have come.
    work(100 * (rank as u32 + 1));
    let (mut barrier, mut pieces) = (Some(world.immediate_barrier()), 0);
    while let Some(request) = barrier.take() {
        barrier = request.test().err();
        if barrier.is_some() {
            work(1);
            pieces += 1;
        }
    }
    println!("rank {rank}: all have come; {pieces} pieces of other work were done meanwhile");

    // The numbers of all ranks at one place are number, number + 1, ..., number + size - 1.
    let expected = (0..).map(|number| FACTOR * (size * number + size * (size - 1) / 2));
    assert!(sums.iter().copied().eq(expected.take(BLOCKS * LENGTH)), "a sum is wrong");
}
