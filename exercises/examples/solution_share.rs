//! Solution of the exercise share.

use mpi::{topology::SimpleCommunicator, traits::*};

/// Gives the numbers of rank 0 to all ranks.
fn share(world: &SimpleCommunicator, numbers: &mut [i32]) {
    world.process_at_rank(0).broadcast_into(numbers);
}

fn main() {
    let universe = mpi::initialize().expect("MPI is started once");
    let world = universe.world();
    let mut numbers = if world.rank() == 0 { [2, 3, 5, 7] } else { [0; 4] };
    share(&world, &mut numbers);
    println!("rank {} has {numbers:?}", world.rank());
}
