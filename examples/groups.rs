//! Groups and communicators: the ranks of a job as a grid of rows, and as the even and the odd ones.
//!
//! Teaches: `MPI_Comm_split` sorts all ranks by color, here by row. A group is a set of ranks, made of other groups with the
//! operations of sets; a communicator made of it contains those ranks only. In each communicator ranks count from 0, and
//! collectives stay inside.
//! Replaces: the assignment "multiple communicators and groups", which points to the C programs of mpitutorial.com.
//! Run: `mpiexec -n 4 target/release/examples/groups --row-length 2`

use std::process::ExitCode;

use clap::Parser;
use mpi::{
    Rank,
    collective::SystemOperation,
    topology::{Color, SimpleCommunicator},
    traits::*,
};

/// Splits the job's ranks into rows, and into even and odd ones.
#[derive(Parser)]
#[command(color = clap::ColorChoice::Never)]
struct Options {
    /// Ranks in a row
    #[arg(long, default_value_t = 2, value_parser = clap::value_parser!(Rank).range(1..))]
    row_length: Rank,
}

/// Sum of the world ranks in `comm`: an all-reduce that reaches no rank outside.
fn sum_of_world_ranks(comm: &SimpleCommunicator, world_rank: Rank) -> Rank {
    let mut sum = 0;
    comm.all_reduce_into(&world_rank, &mut sum, SystemOperation::sum());
    sum
}

fn main() -> ExitCode {
    let universe = mpi::initialize().expect("MPI is started once");
    let world = universe.world();
    let (rank, size) = (world.rank(), world.size());

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
    let row_length = options.row_length;

    // By color: all ranks of a row pass the same one; the key puts them in order.
    let row = rank / row_length;
    let row_comm = world.split_by_color_with_key(Color::with_value(row), rank).expect("every rank has a color");
    let row_sum = sum_of_world_ranks(&row_comm, rank);
    println!("world rank {rank} of {size}: row {row}, rank {} of {}", row_comm.rank(), row_comm.size());

    // By group: the even ranks, and the rest. Making a group is local, making a communicator of it is collective.
    let all = world.group();
    let evens = all.include(&(0..size).step_by(2).collect::<Vec<_>>());
    let odds = all.difference(&evens);
    let (name, mine) = if rank % 2 == 0 { ("even", &evens) } else { ("odd", &odds) };
    let comm = world.split_by_subgroup_collective(mine).expect("this rank is in its own group");
    let sum = sum_of_world_ranks(&comm, rank);
    println!("world rank {rank} of {size}: {name} ranks, rank {} of {}", comm.rank(), comm.size());

    assert_eq!(row_comm.rank(), rank % row_length);
    assert_eq!(row_sum, (0..size).filter(|other| other / row_length == row).sum(), "the sum is of this row's ranks");
    assert_eq!(comm.rank(), rank / 2);
    assert_eq!(sum, (rank % 2..size).step_by(2).sum(), "the sum is of this group's ranks");
    assert_eq!(mine.translate_rank(comm.rank(), &all), Some(rank), "translated back, it is the rank in the world");
    assert_eq!(evens.union(&odds).size(), size, "every rank is in one of the groups");
    assert_eq!(evens.intersection(&odds).size(), 0, "and in one only");
    ExitCode::SUCCESS
}
