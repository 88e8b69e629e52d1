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

    let mut sum = None;
    if rank == 0 {
        root.reduce_into_root(&mine, sum.insert(0), SystemOperation::sum());
    } else {
        root.reduce_into(&mine, SystemOperation::sum());
    }
    match sum {
        Some(sum) => println!("after reduce, the sum on rank {rank} is {sum}"),
        None => println!("after reduce, the sum on rank {rank} is None"),
    }

    let mut largest = 0;
    world.all_reduce_into(&mine, &mut largest, SystemOperation::max());
    println!("after allreduce, the largest on rank {rank} is {largest}");

    // Sum of the first squares.
    assert_eq!(sum, (rank == 0).then_some(size * (size + 1) * (2 * size + 1) / 6));
    assert_eq!(largest, size * size);
}
