//! Exercise ring: a number goes around a ring.
//!
//! Rank 0 begins with 100. Each rank, rank 0 too, adds 1 before it passes the number on to the next; the last passes it to rank 0.
//! Wanted with 4 ranks: `the number came back as 104`. With one rank nothing needs to be sent.
//! You need: `(rank + 1) % size`, `send`, `receive`; and an order of them in which not all wait.
//!
//! Fill in the `todo!()`, then: `make exercise N=ring`

use mpi::{topology::SimpleCommunicator, traits::*};

/// The number after one round, on rank 0; `None` elsewhere.
fn ring(world: &SimpleCommunicator) -> Option<i32> {
    todo!("rank 0 sends first, the others receive first")
}

fn main() {
    let universe = mpi::initialize().expect("MPI is started once");
    let world = universe.world();
    if let Some(number) = ring(&world) {
        println!("the number came back as {number}");
    }
}
