//! Broadcast, buffers: ten integers in the memory of rank 0 are copied into the memory of every rank.
//!
//! Teaches: all ranks make the same call with a buffer of the same length; only the root's contents count.
//! Replaces: `npbcast.py`.
//! Run: `mpiexec -n 4 target/release/examples/broadcast_buffers`

use mpi::traits::*;

fn main() {
    let universe = mpi::initialize().expect("MPI is started once");
    let world = universe.world();
    let rank = world.rank();

    let mut data = [0; 10];
    if rank == 0 {
        data = [0, 1, 2, 3, 4, 5, 6, 7, 8, 9];
    }
    println!("before broadcasting, data for rank {rank} is: {data:?}");

    world.process_at_rank(0).broadcast_into(&mut data);
    println!("after broadcasting, data for rank {rank} is: {data:?}");

    assert_eq!(data, [0, 1, 2, 3, 4, 5, 6, 7, 8, 9]);
}
