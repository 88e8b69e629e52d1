//! Solution of the exercise totals.

use mpi::{collective::SystemOperation, topology::SimpleCommunicator, traits::*};

/// The sum and the largest of the numbers of all ranks.
fn totals(world: &SimpleCommunicator, number: i32) -> (i32, i32) {
    let (mut sum, mut largest) = (0, 0);
    world.all_reduce_into(&number, &mut sum, SystemOperation::sum());
    world.all_reduce_into(&number, &mut largest, SystemOperation::max());
    (sum, largest)
}

fn main() {
    let universe = mpi::initialize().expect("MPI is started once");
    let world = universe.world();
    let rank = world.rank();
    let (sum, largest) = totals(&world, (rank + 1) * (rank + 1));
    println!("rank {rank} knows: sum {sum}, largest {largest}");
}
