//! Matrix-vector product: each rank holds some rows of a matrix and the same share of a vector.
//!
//! Teaches: the all-gather. To multiply its rows a rank needs the whole vector, of which it has a part: every rank sends its part
//! to all others. The parts differ in length where the ranks do not divide the size.
//! Replaces: the parallel matrix-vector product of mpi4py's own tutorial, which the resources of the tutorial lead to.
//! Run: `mpiexec -n 4 target/release/examples/matrix_vector --size 6`

use std::{ops::Range, process::ExitCode};

use clap::Parser;
use mpi::{Count, datatype::PartitionMut, topology::SimpleCommunicator, traits::*};

/// Multiplies a matrix by a vector; element (i, j) of the matrix is i + j, element j of the vector is j + 1.
#[derive(Parser)]
#[command(color = clap::ColorChoice::Never)]
struct Options {
    /// Rows and columns of the matrix
    #[arg(long, default_value_t = 6, value_parser = clap::value_parser!(i32).range(1..=4096))]
    size: i32,
}

/// The rows of `rank`: all ranks' shares follow one another and differ by at most one row.
fn rows_of(rank: i32, ranks: i32, size: i32) -> Range<i32> {
    let start = |rank: i32| rank * size / ranks;
    start(rank)..start(rank + 1)
}

/// The whole vector on every rank, of which this rank has `part`. Collective.
fn all_gather(world: &SimpleCommunicator, part: &[f64], size: i32) -> Vec<f64> {
    let shares: Vec<Range<i32>> = (0..world.size()).map(|rank| rows_of(rank, world.size(), size)).collect();
    let counts: Vec<Count> = shares.iter().map(|rows| rows.end - rows.start).collect();
    let starts: Vec<Count> = shares.iter().map(|rows| rows.start).collect();
    let mut whole = vec![0.0; size as usize];
    world.all_gather_varcount_into(part, &mut PartitionMut::new(&mut whole[..], &counts[..], &starts[..]));
    whole
}

fn main() -> ExitCode {
    let universe = mpi::initialize().expect("MPI is started once");
    let world = universe.world();

    let rank = world.rank();
    // Every rank reads the same words; rank 0 tells what is wrong with them.
    let options = match Options::try_parse() {
        Ok(options) => options,
        Err(error) => {
            if rank == 0 {
                error.print().expect("a message can be printed");
            }
            return if error.use_stderr() { ExitCode::from(2) } else { ExitCode::SUCCESS };
        }
    };
    let size = options.size;

    // This rank's rows of the matrix and its part of the vector; nobody holds the whole matrix.
    let rows = rows_of(rank, world.size(), size);
    let matrix: Vec<Vec<f64>> = rows.clone().map(|i| (0..size).map(|j| f64::from(i + j)).collect()).collect();
    let part: Vec<f64> = rows.clone().map(|j| f64::from(j + 1)).collect();

    let vector = all_gather(&world, &part, size);
    let dot = |row: &Vec<f64>| row.iter().zip(&vector).map(|(a, x)| a * x).sum::<f64>();
    let product: Vec<f64> = matrix.iter().map(dot).collect();
    println!("rank {rank}: rows {rows:?} of {size}");

    // The product is spread like the vector, ready to be multiplied again; gathered for the eye and for the check.
    let product = all_gather(&world, &product, size);
    if rank == 0 {
        println!("A x = {product:?}");
    }
    // Whole numbers below 2^53, so exact: sum over j of (i + j)(j + 1) = (i - 1) n(n+1)/2 + n(n+1)(2n+1)/6.
    let n = f64::from(size);
    let closed_form = |i| (f64::from(i) - 1.0) * n * (n + 1.0) / 2.0 + n * (n + 1.0) * (2.0 * n + 1.0) / 6.0;
    assert_eq!(product, (0..size).map(closed_form).collect::<Vec<_>>());
    ExitCode::SUCCESS
}
