//! Exercise squares: scatter, compute, gather.
//!
//! Rank 0 has the numbers 1 to 2 size. Each rank gets two of them and squares them, and rank 0 collects the squares.
//! Wanted with 2 ranks: `squares: [1, 4, 9, 16]`.
//! You need: `scatter_into_root` and `gather_into_root` on rank 0, `scatter_into` and `gather_into` elsewhere, of the root.
//!
//! Fill in the `todo!()`, then: `make exercise N=squares`

use mpi::{topology::SimpleCommunicator, traits::*};

/// The squares of all numbers, on rank 0; nothing elsewhere. The numbers are empty but on rank 0.
fn squares(world: &SimpleCommunicator, numbers: &[i32]) -> Vec<i32> {
    todo!("scatter two numbers to each rank, square them, gather")
}

fn main() {
    let universe = mpi::initialize().expect("MPI is started once");
    let world = universe.world();
    let last = if world.rank() == 0 { 2 * world.size() } else { 0 };
    let numbers: Vec<i32> = (1..=last).collect();
    let squares = squares(&world, &numbers);
    if world.rank() == 0 {
        println!("squares: {squares:?}");
    }
}
