//! Solution of the exercise hello.

use mpi::{topology::SimpleCommunicator, traits::*};

/// What this rank says.
fn greeting(world: &SimpleCommunicator) -> String {
    format!("rank {} of {}", world.rank(), world.size())
}

fn main() {
    let universe = mpi::initialize().expect("MPI is started once");
    let world = universe.world();
    println!("{}", greeting(&world));
}
