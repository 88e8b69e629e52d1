//! Send and receive in one call: every rank passes its number to the right, and gets that of its left neighbor.
//!
//! Teaches: if all ranks send first, and no message fits into a buffer of MPI, all wait for ever; `MPI_Sendrecv` does both at once
//! and cannot hang in this way. `send_receive_replace_into` does it with one buffer.
//! Replaces: nothing in the tutorial, whose ring goes around one rank at a time.
//! Run: `mpiexec -n 4 target/release/examples/sendrecv`

use mpi::{point_to_point as p2p, traits::*};

fn main() {
    let universe = mpi::initialize().expect("MPI is started once");
    let world = universe.world();
    let (rank, size) = (world.rank(), world.size());
    let right = world.process_at_rank((rank + 1) % size);
    let left = world.process_at_rank((rank + size - 1) % size);

    let (from_left, _status): (i32, _) = p2p::send_receive(&rank, &right, &left);
    println!("rank {rank} has {from_left} from the left");

    // Size shifts bring every message home. 100 000 numbers are too many for MPI to keep for later.
    let mut numbers = vec![rank; 100_000];
    for _ in 0..size {
        p2p::send_receive_replace_into(&mut numbers[..], &right, &left);
    }
    println!("rank {rank} has its own {} numbers again", numbers.len());

    assert_eq!(from_left, left.rank());
    assert!(numbers.iter().all(|number| *number == rank));
}
