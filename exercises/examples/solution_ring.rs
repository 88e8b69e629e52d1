//! Solution of the exercise ring.

use mpi::{topology::SimpleCommunicator, traits::*};

/// The number after one round, on rank 0; `None` elsewhere.
fn ring(world: &SimpleCommunicator) -> Option<i32> {
    let (rank, size) = (world.rank(), world.size());
    if size == 1 {
        return Some(101);
    }
    let next = world.process_at_rank((rank + 1) % size);
    let previous = world.process_at_rank((rank + size - 1) % size);
    if rank == 0 {
        next.send(&101);
        Some(previous.receive::<i32>().0)
    } else {
        let (number, _status) = previous.receive::<i32>();
        next.send(&(number + 1));
        None
    }
}

fn main() {
    let universe = mpi::initialize().expect("MPI is started once");
    let world = universe.world();
    if let Some(number) = ring(&world) {
        println!("the number came back as {number}");
    }
}
