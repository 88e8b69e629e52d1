//! Solution of the exercise broken_ring: one call sends and receives.

use std::env;

use mpi::{point_to_point as p2p, traits::*};

fn main() {
    let universe = mpi::initialize().expect("MPI is started once");
    let world = universe.world();
    let (rank, size) = (world.rank(), world.size());
    let right = world.process_at_rank((rank + 1) % size);
    let left = world.process_at_rank((rank + size - 1) % size);

    let bytes = env::args().nth(1).map_or(1_000_000, |word| word.parse().expect("a number of bytes"));
    let out = vec![rank as u8; bytes];
    let mut into = vec![0_u8; bytes];
    p2p::send_receive_into(&out[..], &right, &mut into[..], &left);
    println!("rank {rank} has {bytes} bytes of rank {}", into[0]);
}
