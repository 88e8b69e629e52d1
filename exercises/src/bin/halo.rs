//! Exercise halo: cells that need the neighbor's cells.
//!
//! A row of cells is spread over the ranks, four to each. The new value of a cell is the sum of its left and its right neighbor.
//! At the ends of a rank's part, the neighbor is on another rank; beyond the ends of the whole row there is 0.
//! Wanted with 2 ranks, whose cells are 0 1 2 3 and 10 11 12 13: `rank 0 has [1, 2, 4, 12]`, `rank 1 has [14, 22, 24, 12]`.
//! You need: `send`, `receive` or `send_receive`; rank 0 has nobody on its left, the last rank nobody on its right.
//!
//! Fill in the `todo!()`, then: `make exercise N=halo`

use mpi::{point_to_point as p2p, topology::SimpleCommunicator, traits::*};

/// The last cell of the left neighbor and the first of the right one; 0 where there is none.
fn neighbors(world: &SimpleCommunicator, cells: [i32; 4]) -> (i32, i32) {
    todo!("exchange the cells at both ends with the neighbors")
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
