//! Exercise length: a message whose length nobody knows.
//!
//! Rank r sends 1000 r letters to rank 0, which does not know that it is so many.
//! Wanted with 3 ranks: `rank 1 sent 1000 letters`, `rank 2 sent 2000 letters`, and `rank 0 received 2 texts`.
//! You need: `receive_vec::<u8>()`, or `matched_probe()` and `status.count(u8::equivalent_datatype())`.
//!
//! Fill in the `todo!()`, then: `make exercise N=length`

use mpi::{topology::SimpleCommunicator, traits::*};

/// Rank 0 receives a text of any rank: the sender and the text.
fn receive_text(world: &SimpleCommunicator) -> (i32, Vec<u8>) {
    todo!("receive a text of any length from any process")
}

fn main() {
    let universe = mpi::initialize().expect("MPI is started once");
    let world = universe.world();
    let (rank, size) = (world.rank(), world.size());
    if rank != 0 {
        let text = vec![b'a'; 1000 * rank as usize];
        world.process_at_rank(0).send(&text[..]);
        return;
    }
    for _ in 1..size {
        let (from, text) = receive_text(&world);
        println!("rank {from} sent {} letters", text.len());
    }
    println!("rank 0 received {} texts", size - 1);
}
