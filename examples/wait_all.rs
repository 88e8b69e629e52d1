//! Many requests: every rank sends a number to each of the others, and starts all sends and receives before it waits for any.
//!
//! Teaches: non-blocking messages to many partners in any order, and `wait_all` for the lot; who is ready first is served first.
//! Replaces: nothing in the tutorial, which waits for one request at a time.
//! Run: `mpiexec -n 4 target/release/examples/wait_all`

use mpi::traits::*;

fn main() {
    let universe = mpi::initialize().expect("MPI is started once");
    let world = universe.world();
    let (rank, size) = (world.rank(), world.size());

    // What goes to rank i, and what comes from rank i.
    let outgoing: Vec<i32> = (0..size).map(|to| 10 * rank + to).collect();
    let mut incoming = vec![0; size as usize];
    let requests = 2 * size as usize;
    mpi::request::multiple_scope(requests, |scope, requests| {
        for (number, from) in incoming.iter_mut().zip(0..) {
            requests.add(world.process_at_rank(from).immediate_receive_into(scope, number));
        }
        for (number, to) in outgoing.iter().zip(0..) {
            requests.add(world.process_at_rank(to).immediate_send(scope, number));
        }
        // The computation that hides the transfers would stand here.
        let mut finished = Vec::new();
        requests.wait_all(&mut finished);
        println!("rank {rank} has finished {} requests", finished.len());
    });

    println!("rank {rank} has received {incoming:?}");
    let expected: Vec<i32> = (0..size).map(|from| 10 * from + rank).collect();
    assert_eq!(incoming, expected);
}
