//! Solution of the exercise halo.

use mpi::{point_to_point as p2p, topology::SimpleCommunicator, traits::*};

/// The last cell of the left neighbor and the first of the right one; 0 where there is none.
fn neighbors(world: &SimpleCommunicator, cells: [i32; 4]) -> (i32, i32) {
    let (rank, size) = (world.rank(), world.size());
    let (mut left, mut right) = (0, 0);
    // Pairs of neighbors, one after the other: rank 0 with 1, 1 with 2, and so on.
    if rank > 0 {
        let process = world.process_at_rank(rank - 1);
        left = p2p::send_receive::<i32, _, _, _>(&cells[0], &process, &process).0;
    }
    if rank + 1 < size {
        let process = world.process_at_rank(rank + 1);
        right = p2p::send_receive::<i32, _, _, _>(&cells[3], &process, &process).0;
    }
    (left, right)
}

fn main() {
    let universe = mpi::initialize().expect("MPI is started once");
    let world = universe.world();
    let rank = world.rank();
    let cells = [0, 1, 2, 3].map(|cell| 10 * rank + cell);
    let (left, right) = neighbors(&world, cells);
    let sums = [left + cells[1], cells[0] + cells[2], cells[1] + cells[3], cells[2] + right];
    println!("rank {rank} has {sums:?}");
}
