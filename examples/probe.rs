//! Probe: rank 0 does not know how long the messages are that the others send, so it asks before it makes room.
//!
//! Teaches: a probe tells source, tag and length of a message that has come, and leaves it where it is. A message that is longer
//! than the buffer would end the job; one that is looked at first cannot be too long.
//! Replaces: nothing in the tutorial, whose `recv` finds the length by itself.
//! Run: `mpiexec -n 4 target/release/examples/probe`

use mpi::traits::*;

fn main() {
    let universe = mpi::initialize().expect("MPI is started once");
    let world = universe.world();
    let (rank, size) = (world.rank(), world.size());

    // Rank 3 sends [3, 3, 3].
    if rank != 0 {
        let message = vec![rank; rank as usize];
        world.process_at_rank(0).send(&message[..]);
        return;
    }

    let mut received = vec![Vec::new(); size as usize];
    for _ in 1..size {
        // Between a `probe` and a receive, another thread could take the message; a matched probe gives it to nobody else.
        let (message, status) = world.any_process().matched_probe();
        let length = status.count(i32::equivalent_datatype());
        let mut numbers = vec![0; length as usize];
        message.matched_receive_into(&mut numbers[..]);
        println!("rank {} has sent {length} numbers: {numbers:?}", status.source_rank());
        received[status.source_rank() as usize] = numbers;
    }
    println!("rank 0 has received {} messages", size - 1);

    let expected: Vec<Vec<i32>> = (0..size).map(|rank| vec![rank; rank as usize]).collect();
    assert_eq!(received, expected);
}
