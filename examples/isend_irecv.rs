//! Non-blocking messages: rank 0 sends to rank 1, and both compute while the message is under way.
//!
//! Teaches: start the transfer, compute, and wait only when the buffer is needed. Most MPI libraries move a large message
//! during calls to MPI alone, so the computation looks at the request from time to time.
//! Replaces: `isend_ireceive.py`, which waits at once, so that nothing overlaps.
//! Run: `mpiexec -n 4 target/release/examples/isend_irecv`

use std::{hint::black_box, process::ExitCode};

use mpi::{
    request::{Request, Scope},
    traits::*,
};

/// Numbers in the large message: 64 MiB.
const LENGTH: usize = 8 << 20;
/// Pieces of the computation, with a look at the request between two of them.
const PIECES: u32 = 200;
/// Multiplications of a piece: a fraction of a millisecond.
const STEPS: u32 = 40_000;

/// One piece of a computation that needs no memory: a chain of multiplications.
fn compute_piece(x: f64) -> f64 {
    (0..STEPS).fold(x, |x, _| black_box(x * 0.999_999 + 1e-6))
}

/// Computes all pieces while `request` is under way, and then waits for it. Returns the pieces that were done before the
/// transfer had ended.
fn compute_during<'a, S: Scope<'a>>(request: Request<'a, [f64], S>) -> u32 {
    let (mut x, mut pending, mut overlapped) = (0.0, Some(request), 0);
    for _ in 0..PIECES {
        x = compute_piece(x);
        pending = pending.and_then(|request| request.test().err());
        overlapped += u32::from(pending.is_some());
    }
    if let Some(request) = pending {
        request.wait();
    }
    black_box(x);
    overlapped
}

/// Runs `work` on all ranks at once, five times, and returns the milliseconds of this rank's fastest run: what else the
/// computer does can only make a run slower.
fn fastest_ms(world: &impl Communicator, mut work: impl FnMut()) -> f64 {
    let time_ms = |_| {
        world.barrier();
        let start_s = mpi::time();
        work();
        (mpi::time() - start_s) * 1e3
    };
    (0..5).map(time_ms).fold(f64::INFINITY, f64::min)
}

fn main() -> ExitCode {
    let universe = mpi::initialize().expect("MPI is started once");
    let world = universe.world();
    let (rank, size) = (world.rank(), world.size());
    if size < 2 {
        eprintln!("error: a message needs 2 ranks, this job has {size}: start it with mpiexec -n 2");
        return ExitCode::from(2);
    }
    let (sender, receiver) = (world.process_at_rank(0), world.process_at_rank(1));

    let mut data = [0; 1];
    mpi::request::scope(|scope| match rank {
        0 => receiver.immediate_send(scope, &[42]).wait_without_status(),
        1 => sender.immediate_receive_into(scope, &mut data).wait_without_status(),
        _ => {}
    });
    let value = (rank == 1).then_some(data[0]);
    println!(
        "After isend/ireceive, the value in process {rank} is {}",
        value.map_or("None".to_owned(), |v| v.to_string())
    );

    let mut buffer = if rank == 0 { vec![1.5; LENGTH] } else { vec![0.0; LENGTH] };
    let mut overlapped = 0;
    let transfer_ms = fastest_ms(&world, || match rank {
        0 => receiver.send(&buffer[..]),
        1 => drop(sender.receive_into(&mut buffer[..])),
        _ => {}
    });
    let compute_ms = fastest_ms(&world, || {
        if rank < 2 {
            black_box((0..PIECES).fold(0.0, |x, _| compute_piece(x)));
        }
    });
    if rank == 1 {
        buffer.fill(0.0);
    }
    let both_ms = fastest_ms(&world, || {
        mpi::request::scope(|scope| match rank {
            0 => overlapped = compute_during(receiver.immediate_send(scope, &buffer[..])),
            1 => overlapped = compute_during(sender.immediate_receive_into(scope, &mut buffer[..])),
            _ => {}
        });
    });
    if rank < 2 {
        println!("rank {rank}: transfer {transfer_ms:.1} ms, computation {compute_ms:.1} ms, both {both_ms:.1} ms");
        println!("rank {rank}: {overlapped} of {PIECES} pieces were computed while the message was under way");
        assert!(buffer.iter().all(|number| *number == 1.5), "the message is incomplete");
    }
    assert_eq!(value, (rank == 1).then_some(42));
    ExitCode::SUCCESS
}
