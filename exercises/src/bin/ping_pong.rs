//! Exercise ping_pong: a number to rank 1 and back.
//!
//! Rank 0 sends 41 to rank 1, which adds 1 and sends it back. Other ranks do nothing.
//! Wanted with 2 or more ranks: `rank 0 got 42 back`.
//! You need: `world.process_at_rank(n)`, its `send(&number)` and `receive::<i32>()`, which returns the number and a status.
//!
//! Fill in the `todo!()`, then: `make exercise N=ping_pong`

use mpi::{topology::SimpleCommunicator, traits::*};

/// The number that comes back, on rank 0; `None` elsewhere. There are two ranks at least.
fn ping_pong(world: &SimpleCommunicator) -> Option<i32> {
    todo!("rank 0 sends 41 and receives, rank 1 receives, adds 1 and sends")
}

fn main() {
    let universe = mpi::initialize().expect("MPI is started once");
    let world = universe.world();
    if world.size() == 1 {
        println!("rank 0 is alone");
    } else if let Some(number) = ping_pong(&world) {
        println!("rank 0 got {number} back");
    }
}
