//! Reduce-scatter: each rank has votes for every candidate; rank i gets the sum of all votes for candidate i.
//!
//! Teaches: a sum over ranks whose parts are spread over the ranks again, in one call: nobody holds all sums.
//! Replaces: nothing in the tutorial; `comm.Reduce_scatter_block` in mpi4py.
//! Run: `mpiexec -n 4 target/release/examples/reduce_scatter`

use mpi::{collective::SystemOperation, traits::*};

fn main() {
    let universe = mpi::initialize().expect("MPI is started once");
    let world = universe.world();
    let (rank, size) = (world.rank(), world.size());

    // As many candidates as ranks. Rank r counts 10 * r + c votes for candidate c.
    let votes: Vec<i32> = (0..size).map(|candidate| 10 * rank + candidate).collect();
    let mut sum = 0;
    world.reduce_scatter_block_into(&votes[..], &mut sum, SystemOperation::sum());
    println!("rank {rank} counted {votes:?}; candidate {rank} has {sum} votes in all");

    assert_eq!(sum, (0..size).map(|other| 10 * other + rank).sum());
}
