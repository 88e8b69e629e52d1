//! Point to point: rank 0 sends the number 42, rank 1 receives it, the others take no part.
//!
//! Teaches: a plain value is a message; the receiver says what type it expects.
//! Replaces: `send_receive.py`.
//! Run: `mpiexec -n 4 target/release/examples/send_receive`

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

    let mut data: Option<i32> = None;
    if rank == 0 {
        world.process_at_rank(1).send(&42);
    } else if rank == 1 {
        let (value, _status) = world.process_at_rank(0).receive::<i32>();
        data = Some(value);
    }

    match data {
        Some(value) => println!("After send/receive, the value in process {rank} is {value}"),
        None => println!("After send/receive, the value in process {rank} is None"),
    }
    assert_eq!(data, if rank == 1 { Some(42) } else { None });
    ExitCode::SUCCESS
}
