//! Point to point, buffers: rank 0 sends five integers from its memory into the memory of rank 1.
//!
//! Teaches: a buffer has a type and a length that both sides know; MPI's datatype follows from Rust's. A message that is shorter
//! than the buffer fits, so the status tells how long it was.
//! Replaces: `send_receive_buffer.py`, which sends 64-bit integers and calls them 32-bit ones.
//! Run: `mpiexec -n 4 target/release/examples/send_receive_buffers`

use std::process::ExitCode;

use mpi::traits::*;

fn main() -> ExitCode {
    let universe = mpi::initialize().expect("MPI is started once");
    let world = universe.world();
    let rank = world.rank();
    if world.size() < 2 {
        eprintln!("error: a message needs 2 ranks, this job has 1: start it with mpiexec -n 2");
        return ExitCode::from(2);
    }

    let mut buffer = [0_i64; 5];
    if rank == 0 {
        let data: [i64; 5] = [1, 2, 3, 4, 5];
        world.process_at_rank(1).send(&data);
    } else if rank == 1 {
        let status = world.process_at_rank(0).receive_into(&mut buffer);
        assert_eq!(status.count(i64::equivalent_datatype()), 5, "a shorter message would fit as well");
    }

    println!("After Send/Receive, the value in process {rank} is {buffer:?}");
    assert_eq!(buffer, if rank == 1 { [1, 2, 3, 4, 5] } else { [0; 5] });
    ExitCode::SUCCESS
}
