//! Hello: every rank prints its number.
//!
//! Teaches: who am I, and how many are we.
//! Replaces: `python -m mpi4py.bench helloworld`.
//! Run: `mpiexec -n 4 target/release/examples/hello`

use mpi::traits::*;

fn main() {
    let universe = mpi::initialize().expect("MPI is started once");
    let world = universe.world();
    println!("Hello, World! I am process {} of {}", world.rank(), world.size());
}
