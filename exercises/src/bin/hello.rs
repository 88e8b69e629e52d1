//! Exercise hello: every rank prints its number.
//!
//! Wanted with 3 ranks, in any order: `rank 0 of 3`, `rank 1 of 3`, `rank 2 of 3`.
//! You need: `world.rank()`, `world.size()`.
//!
//! Fill in the `todo!()`, then: `make exercise N=hello`

use mpi::{topology::SimpleCommunicator, traits::*};

/// What this rank says.
fn greeting(world: &SimpleCommunicator) -> String {
    todo!("the text with rank and size")
}

fn main() {
    let universe = mpi::initialize().expect("MPI is started once");
    let world = universe.world();
    println!("{}", greeting(&world));
}
