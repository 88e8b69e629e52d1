//! Scan: each rank has some items, and learns how many there are before its own: the number of its first item.
//!
//! Teaches: a scan gives rank i the sum over ranks 0 to i, an exclusive scan that over ranks 0 to i - 1: where a rank's part begins
//! in a common list or file. On rank 0 an exclusive scan leaves the result as it was.
//! Replaces: nothing in the tutorial; `comm.Scan` and `comm.Exscan` in mpi4py.
//! Run: `mpiexec -n 4 target/release/examples/scan`

use mpi::{collective::SystemOperation, traits::*};

fn main() {
    let universe = mpi::initialize().expect("MPI is started once");
    let world = universe.world();
    let rank = world.rank();

    let items = 10 + rank;
    let mut end = 0;
    world.scan_into(&items, &mut end, SystemOperation::sum());
    let mut start = 0; // stays on rank 0
    world.exclusive_scan_into(&items, &mut start, SystemOperation::sum());
    println!("rank {rank} has {items} items, numbers {start} to {}", end - 1);

    assert_eq!(start, (0..rank).map(|rank| 10 + rank).sum());
    assert_eq!(end, start + items);
}
