//! Heat: a plate, hot in one place, gets cold; each rank has a block of it, and needs the cells along the blocks of its neighbors.
//!
//! Teaches: the halo exchange, of which most simulations consist: a grid of ranks (`MPI_Cart_create`), ghost cells, cells that are
//! structures, and three ways to send: blocking, `MPI_Sendrecv`, and non-blocking with the computation meanwhile.
//! Replaces: nothing in the tutorial, whose programs share out work that needs no neighbors.
//! Run: `mpiexec -n 4 target/release/examples/heat --exchange overlap`

mod exchange;
mod grid;
mod whole;

use std::process::ExitCode;

use clap::{Parser, ValueEnum};
use mpi::{topology::CartesianCommunicator, traits::*};

use exchange::Neighbors;
use grid::{DOWN, Grid, LEFT, RIGHT, UP};

#[derive(Clone, Copy, ValueEnum)]
enum Exchange {
    Blocking,
    Sendrecv,
    Overlap,
}

/// Lets a hot plate get cold.
#[derive(Parser)]
#[command(color = clap::ColorChoice::Never)]
struct Options {
    /// Rows and columns of the plate
    #[arg(long, default_value_t = 256, value_parser = clap::value_parser!(u16).range(8..=8192))]
    size: u16,
    /// Steps of time
    #[arg(long, default_value_t = 200, value_parser = clap::value_parser!(u32).range(1..))]
    steps: u32,
    /// How the ranks exchange their cells
    #[arg(long, value_enum, default_value_t = Exchange::Overlap)]
    exchange: Exchange,
}

/// One step with the neighbors' cells. Collective.
fn step(cart: &CartesianCommunicator, neighbors: &Neighbors, grid: &mut Grid, exchange: Exchange) {
    let out = [UP, DOWN, LEFT, RIGHT].map(|side| grid.edge(side));
    let mut into = out.clone();
    match exchange {
        Exchange::Blocking => exchange::blocking(cart, neighbors, &out, &mut into),
        Exchange::Sendrecv => exchange::sendrecv(cart, neighbors, &out, &mut into),
        Exchange::Overlap => exchange::overlap(cart, neighbors, &out, &mut into, || grid.update_inside()),
    }
    for (side, cells) in into.iter().enumerate().filter(|(side, _)| neighbors[*side].is_some()) {
        grid.set_ghosts(side, cells);
    }
    if !matches!(exchange, Exchange::Overlap) {
        grid.update_inside();
    }
    grid.update_rim();
    grid.finish_step();
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
    let size = usize::from(options.size);
    let mut hot = if rank == 0 { 100.0 } else { 0.0 };
    world.process_at_rank(0).broadcast_into(&mut hot);

    let (cart, neighbors) = exchange::grid_of_ranks(&world);
    let (rows, columns) = exchange::block_of(&cart, rank, size);
    println!("rank {rank} has rows {rows:?} and columns {columns:?}");
    let mut grid = Grid::new(size, &rows, &columns, hot);
    cart.barrier();
    let start_s = mpi::time();
    for _ in 0..options.steps {
        step(&cart, &neighbors, &mut grid, options.exchange);
    }
    cart.barrier();
    let together_s = mpi::time() - start_s;

    let ok = whole::is_serial(&cart, size, &grid.heat(), || whole::serial(size, options.steps, 100.0), together_s);
    assert!(ok, "the blocks have not the bits of the serial program");
    ExitCode::SUCCESS
}
