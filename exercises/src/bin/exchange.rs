//! Exercise exchange: all ranks send long messages at once.
//!
//! Each rank sends 100 000 times its number to the right, and receives as many from the left; the last rank's right is rank 0.
//! Wanted with 2 ranks: `rank 0 has 100000 times 1`, `rank 1 has 100000 times 0`.
//! You need: `mpi::point_to_point::send_receive_into(&out[..], &right, &mut into[..], &left)`. Try two calls, too: what happens?
//!
//! Fill in the `todo!()`, then: `make exercise N=exchange`

use mpi::{point_to_point as p2p, topology::SimpleCommunicator, traits::*};

/// What the left neighbor has sent.
fn exchange(world: &SimpleCommunicator, out: &[i32]) -> Vec<i32> {
    todo!("send to the right and receive from the left at once")
}

fn main() {
    let universe = mpi::initialize().expect("MPI is started once");
    let world = universe.world();
    let numbers = exchange(&world, &vec![world.rank(); 100_000]);
    let first = numbers[0];
    let alike = numbers.iter().filter(|number| **number == first).count();
    println!("rank {} has {alike} times {first}", world.rank());
}
