//! Exercise totals: a sum and a maximum for everybody.
//!
//! Every rank has a number. Afterwards every rank knows the sum of all numbers and the largest of them.
//! Wanted with 2 ranks: `rank 0 knows: sum 5, largest 4`, `rank 1 knows: sum 5, largest 4`.
//! You need: `world.all_reduce_into(&number, &mut result, SystemOperation::sum())`, and the same with `max()`.
//!
//! Fill in the `todo!()`, then: `make exercise N=totals`

use mpi::{collective::SystemOperation, topology::SimpleCommunicator, traits::*};

/// The sum and the largest of the numbers of all ranks.
fn totals(world: &SimpleCommunicator, number: i32) -> (i32, i32) {
    todo!("two all-reduces")
}

fn main() {
    let universe = mpi::initialize().expect("MPI is started once");
    let world = universe.world();
    let rank = world.rank();
    let (sum, largest) = totals(&world, (rank + 1) * (rank + 1));
    println!("rank {rank} knows: sum {sum}, largest {largest}");
}
