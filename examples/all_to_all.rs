//! All to all: every rank has something for every rank. Rows become columns: it is how a table that is spread by rows is transposed.
//!
//! Teaches: `MPI_Alltoall`, where all pieces are of one length, and `MPI_Alltoallv`, where each has its own count.
//! Replaces: nothing in the tutorial; `comm.Alltoall` and `comm.Alltoallv` in mpi4py.
//! Run: `mpiexec -n 4 target/release/examples/all_to_all`

use mpi::{
    Count,
    datatype::{Partition, PartitionMut},
    traits::*,
};

/// Where each of some parts begins that follow one another.
fn starts(counts: &[Count]) -> Vec<Count> {
    (0..counts.len()).map(|part| counts[..part].iter().sum()).collect()
}

fn main() {
    let universe = mpi::initialize().expect("MPI is started once");
    let world = universe.world();
    let (rank, size) = (world.rank(), world.size());

    // Row `rank` of a table goes out, column `rank` comes in.
    let row: Vec<i32> = (0..size).map(|column| 10 * rank + column).collect();
    let mut column = vec![0; size as usize];
    world.all_to_all_into(&row[..], &mut column[..]);
    println!("rank {rank} had the row {row:?} and has the column {column:?}");

    // To rank i go i + 1 copies of this rank's number, so from each rank come rank + 1 numbers.
    let out_counts: Vec<Count> = (0..size).map(|to| to + 1).collect();
    let in_counts: Vec<Count> = vec![rank + 1; size as usize];
    let out = vec![rank; out_counts.iter().sum::<Count>() as usize];
    let mut into = vec![0; in_counts.iter().sum::<Count>() as usize];
    world.all_to_all_varcount_into(
        &Partition::new(&out[..], &out_counts[..], starts(&out_counts)),
        &mut PartitionMut::new(&mut into[..], &in_counts[..], starts(&in_counts)),
    );
    println!("rank {rank} has {into:?}");

    let expected: Vec<i32> = (0..size).map(|row| 10 * row + rank).collect();
    assert_eq!(column, expected);
    let expected: Vec<i32> = (0..size).flat_map(|from| vec![from; rank as usize + 1]).collect();
    assert_eq!(into, expected);
}
