//! Allgather: each rank computes one row of a multiplication table, afterwards every rank has the whole table.
//!
//! Teaches: a gather whose result is on all ranks, without a root through which everything passes.
//! Replaces: `allgather_buffer.py`, which sends floating-point numbers and calls them integers.
//! Run: `mpiexec -n 4 target/release/examples/allgather`

use mpi::traits::*;

/// A table as a list of rows.
fn rows(table: &[f64], columns: usize) -> Vec<&[f64]> {
    table.chunks(columns).collect()
}

fn main() {
    let universe = mpi::initialize().expect("MPI is started once");
    let world = universe.world();
    let (rank, size) = (world.rank(), world.size());
    let columns = usize::try_from(size).expect("a job has at least one rank");

    let mut table = vec![0.0; columns * columns];
    println!("Process {rank} table before Allgather: {:?}", rows(&table, columns));

    let row: Vec<f64> = (0..size).map(|column| f64::from(column * rank)).collect();
    world.all_gather_into(&row[..], &mut table[..]);
    println!("Process {rank} table after Allgather: {:?}", rows(&table, columns));

    let expected: Vec<f64> = (0..size).flat_map(|row| (0..size).map(move |column| f64::from(row * column))).collect();
    assert_eq!(table, expected);
}
