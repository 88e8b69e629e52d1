//! Broken, to be repaired: the numbers 1 to 6 are shared out, two to each rank, and every rank learns the sum of all.
//!
//! It works with 3 ranks, and hangs with 4.
//!
//! Repair it, then: `make exercise N=broken_share`

use mpi::{collective::SystemOperation, traits::*};

fn main() {
    let universe = mpi::initialize().expect("MPI is started once");
    let world = universe.world();
    let rank = world.rank();
    let first = 2 * rank + 1;
    if first > 6 {
        println!("rank {rank} has nothing to do");
        return;
    }

    // The last rank takes what is left.
    let last = if rank == world.size() - 1 { 6 } else { (first + 1).min(6) };
    let part: i32 = (first..=last).sum();
    let mut sum = 0;
    world.all_reduce_into(&part, &mut sum, SystemOperation::sum());
    println!("rank {rank} knows the sum {sum}");
}
