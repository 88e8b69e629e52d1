//! Gather, buffers: each rank has a row of ten integers, rank 0 gets them all as a table.
//!
//! Teaches: only the root has room for the table; it is a single buffer with one row for each rank.
//! Replaces: `npgather.py`.
//! Run: `mpiexec -n 4 target/release/examples/gather_buffers`

use mpi::traits::*;

/// Numbers in a row.
const COLUMNS: usize = 10;

fn main() {
    let universe = mpi::initialize().expect("MPI is started once");
    let world = universe.world();
    let (rank, size) = (world.rank(), world.size());
    let root = world.process_at_rank(0);

    let row = [rank; COLUMNS];
    println!("Buffer in process {rank} before gathering: {row:?}");
    if rank == 0 {
        let mut table = vec![0; size as usize * COLUMNS];
        for row in table.chunks(COLUMNS) {
            println!("recvbuf in process 0 before gathering: {row:?}");
        }
        root.gather_into_root(&row[..], &mut table[..]);
        for (row, from) in table.chunks(COLUMNS).zip(0..) {
            println!("recvbuf in process 0 after gathering: {row:?}");
            assert_eq!(row, [from; COLUMNS]);
        }
    } else {
        root.gather_into(&row[..]);
    }
}
