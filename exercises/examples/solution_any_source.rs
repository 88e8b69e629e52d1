//! Solution of the exercise any_source.

use mpi::{topology::SimpleCommunicator, traits::*};

/// Sender and number of each message, on rank 0; nothing elsewhere.
fn collect(world: &SimpleCommunicator) -> Vec<(i32, i32)> {
    let (rank, size) = (world.rank(), world.size());
    let mut received = Vec::new();
    if rank == 0 {
        for _ in 1..size {
            let (number, status) = world.any_process().receive::<i32>();
            received.push((status.source_rank(), number));
        }
    } else {
        world.process_at_rank(0).send(&(rank * rank));
    }
    received
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
