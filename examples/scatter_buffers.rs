//! Scatter, buffers: rank 0 has a table with one row for each rank, each rank gets its own row.
//!
//! Teaches: a table is one contiguous buffer, and the root's is as many times longer as there are ranks.
//! Replaces: `npscatter.py`.
//! Run: `mpiexec -n 4 target/release/examples/scatter_buffers`

use mpi::traits::*;

/// Numbers in a row.
const COLUMNS: usize = 10;

fn main() {
    let universe = mpi::initialize().expect("MPI is started once");
    let world = universe.world();
    let (rank, size) = (world.rank(), world.size());
    let root = world.process_at_rank(0);

    let mut row = [0; COLUMNS];
    println!("recvbuf in {rank}: {row:?}");
    if rank == 0 {
        let mut table = vec![0; size as usize * COLUMNS];
        for (row, to) in table.chunks_mut(COLUMNS).zip(0..size) {
            row.fill(to);
        }
        for row in table.chunks(COLUMNS) {
            println!("sendbuf in 0: {row:?}");
        }
        root.scatter_into_root(&table[..], &mut row[..]);
    } else {
        root.scatter_into(&mut row[..]);
    }

    println!("Buffer in process {rank} contains: {row:?}");
    assert_eq!(row, [rank; COLUMNS]);
}
