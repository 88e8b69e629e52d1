//! Exercise any_source: receive from whoever is first.
//!
//! Each rank but 0 sends its rank squared to rank 0, which receives the numbers in the order in which they come.
//! Wanted with 3 ranks: `rank 1 sent 1`, `rank 2 sent 4` in any order, and `rank 0 received 2 numbers`.
//! You need: `world.any_process()`, and `status.source_rank()` of what `receive` returns.
//!
//! Fill in the `todo!()`, then: `make exercise N=any_source`

use mpi::{topology::SimpleCommunicator, traits::*};

/// Sender and number of each message, on rank 0; nothing elsewhere.
fn collect(world: &SimpleCommunicator) -> Vec<(i32, i32)> {
    todo!("rank 0 receives size - 1 numbers from any process, the others send")
}

fn main() {
    let universe = mpi::initialize().expect("MPI is started once");
    let world = universe.world();
    let received = collect(&world);
    for (rank, number) in &received {
        println!("rank {rank} sent {number}");
    }
    if world.rank() == 0 {
        println!("rank 0 received {} numbers", received.len());
    }
}
