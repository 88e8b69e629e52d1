//! Broken, to be repaired: every rank sends some bytes to the right, and receives as many from the left.
//!
//! Short messages arrive, long ones hang the job. How many bytes are long, depends on the MPI: `mpiexec -n 3 broken_ring 4096`.
//!
//! Repair it, then: `make exercise N=broken_ring`

use std::env;

use mpi::traits::*;

fn main() {
    let universe = mpi::initialize().expect("MPI is started once");
    let world = universe.world();
    let (rank, size) = (world.rank(), world.size());
    let right = world.process_at_rank((rank + 1) % size);
    let left = world.process_at_rank((rank + size - 1) % size);

    let bytes = env::args().nth(1).map_or(1_000_000, |word| word.parse().expect("a number of bytes"));
    let out = vec![rank as u8; bytes];
    let mut into = vec![0_u8; bytes];
    right.send(&out[..]);
    left.receive_into(&mut into[..]);
    println!("rank {rank} has {bytes} bytes of rank {}", into[0]);
}
