//! Exercise share: a broadcast.
//!
//! Rank 0 knows the numbers 2, 3, 5, 7, the others have room for them. Afterwards all know them.
//! Wanted with 2 ranks: `rank 0 has [2, 3, 5, 7]`, `rank 1 has [2, 3, 5, 7]`.
//! You need: `world.process_at_rank(0)`, the root, and its `broadcast_into(numbers)`. Who calls it?
//!
//! Fill in the `todo!()`, then: `make exercise N=share`

use mpi::{topology::SimpleCommunicator, traits::*};

/// Gives the numbers of rank 0 to all ranks.
fn share(world: &SimpleCommunicator, numbers: &mut [i32]) {
    todo!("one call, by all ranks")
}

fn main() {
    let universe = mpi::initialize().expect("MPI is started once");
    let world = universe.world();
    let mut numbers = if world.rank() == 0 { [2, 3, 5, 7] } else { [0; 4] };
    share(&world, &mut numbers);
    println!("rank {} has {numbers:?}", world.rank());
}
