//! Solution of the exercise length.

use mpi::{topology::SimpleCommunicator, traits::*};

/// Rank 0 receives a text of any rank: the sender and the text.
fn receive_text(world: &SimpleCommunicator) -> (i32, Vec<u8>) {
    let (text, status) = world.any_process().receive_vec::<u8>();
    (status.source_rank(), text)
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
