//! Allgather: each rank computes one row of a multiplication table, afterwards every rank has the whole table.
//!
//! Teaches: a gather whose result is on all ranks, without a root through which everything passes.
//! Replaces: `allgather_buffer.py`, which sends floating-point numbers and calls them integers.
//! Run: `mpiexec -n 4 target/release/examples/allgather`

use mpi::traits::*;

fn main() {
    let universe = mpi::initialize().expect("MPI is started once");
    let world = universe.world();
    let (rank, size) = (world.rank(), world.size());
    let columns = size as usize;

    let mut table = vec![0.0; columns * columns];
    let rows: Vec<&[f64]> = table.chunks(columns).collect();
    println!("Process {rank} table before Allgather: {rows:?}");

    let row: Vec<f64> = (0..size).map(|column| f64::from(column * rank)).collect();
    world.all_gather_into(&row[..], &mut table[..]);
    let rows: Vec<&[f64]> = table.chunks(columns).collect();
    println!("Process {rank} table after Allgather: {rows:?}");

    for (i, row) in rows.iter().enumerate() {
        for (j, number) in row.iter().enumerate() {
            assert_eq!(*number, (i * j) as f64);
        }
    }
}
