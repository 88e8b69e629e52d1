//! Reduce and allreduce: each rank has a number, rank 0 gets the sum of all of them, every rank gets the largest.
//!
//! Teaches: combining while gathering, so that no rank ever holds all the numbers.
//! Replaces: the `comm.Reduce` of the spawn program, and gathering in order to add up, as in `count.py`.
//! Run: `mpiexec -n 4 target/release/examples/reduce`

use mpi::{collective::SystemOperation, traits::*};

fn main() {
    let universe = mpi::initialize().expect("MPI is started once");
    let world = universe.world();
    let (rank, size) = (world.rank(), world.size());
    let root = world.process_at_rank(0);

    let mine = (rank + 1) * (rank + 1);
    println!("before reducing, data on rank {rank} is {mine}");

    let mut sum = 0;
    if rank == 0 {
        root.reduce_into_root(&mine, &mut sum, SystemOperation::sum());
    } else {
        root.reduce_into(&mine, SystemOperation::sum());
    }
    println!("after reduce, the sum on rank {rank} is {sum}");

    let mut largest = 0;
    world.all_reduce_into(&mine, &mut largest, SystemOperation::max());
    println!("after allreduce, the largest on rank {rank} is {largest}");

    // Sum of the first squares.
    assert_eq!(sum, if rank == 0 { size * (size + 1) * (2 * size + 1) / 6 } else { 0 });
    assert_eq!(largest, size * size);
}
