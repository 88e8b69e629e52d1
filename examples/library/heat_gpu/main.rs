//! Heat on GPUs: the plate of the example `heat`, whose cells each rank computes on the GPU that belongs to it, or else on its cores.
//!
//! Teaches: a halo exchange between GPUs: what a neighbor needs comes back from the GPU, travels by MPI, and goes to the other GPU.
//! Grid and exchange are those of `examples/heat/`; a step is a WGSL kernel with the same operations in the same order.
//! Replaces: nothing in the tutorial, which has no program for GPUs.
//! Run: `mpiexec -n 4 target/release/examples/heat_gpu --software-gpu`

#[allow(dead_code, reason = "the program for cores uses the rest")]
#[path = "../../heat/exchange.rs"]
mod exchange;
#[allow(dead_code, reason = "the program for cores uses the rest")]
#[path = "../../heat/grid.rs"]
mod grid;
mod kernel;
#[path = "../../heat/whole.rs"]
mod whole;

use std::process::ExitCode;

use clap::Parser;
use hybrid::{Devices, Failure, World, gpu_of_rank};
use mpi::{topology::SimpleCommunicator, traits::*};

use grid::{DOWN, Grid, LEFT, RIGHT, UP};

/// Lets a hot plate get cold, on GPUs.
#[derive(Parser)]
#[command(color = clap::ColorChoice::Never)]
struct Options {
    /// Rows and columns of the plate
    #[arg(long, default_value_t = 128, value_parser = clap::value_parser!(u16).range(8..=2048))]
    size: u16,
    /// Steps of time
    #[arg(long, default_value_t = 50, value_parser = clap::value_parser!(u32).range(1..))]
    steps: u32,
    /// Let a software adapter (lavapipe) count as one GPU a node
    #[arg(long)]
    software_gpu: bool,
    /// Ranks that may share one GPU
    #[arg(long, default_value_t = 1, value_parser = clap::value_parser!(u16).range(1..))]
    ranks_per_gpu: u16,
}

/// Collective.
fn run(world: &World, options: &Options) -> Result<(), Failure> {
    let &Options { software_gpu, ranks_per_gpu, steps, .. } = options;
    // One that does not round as a CPU does will not do here.
    let devices = Devices { software_gpu, ranks_per_gpu, exact: true, ..Devices::default() };
    let (gpu, notes) = gpu_of_rank(world, &devices)?;
    notes.iter().for_each(|note| eprintln!("note: {note}"));

    let (comm, size) = (SimpleCommunicator::world(), usize::from(options.size));
    let (cart, neighbors) = exchange::grid_of_ranks(&comm);
    let (rows, columns) = exchange::block_of(&cart, comm.rank(), size);
    let mut grid = Grid::new(size, &rows, &columns, 100.0);
    let mut gpu = world.agree(gpu.map(|gpu| kernel::compile(gpu, &grid)).transpose())?;
    let name = gpu.as_ref().map_or("its cores", |(gpu, _)| gpu.name());
    println!("rank {} has rows {rows:?} and columns {columns:?} on {name}", comm.rank());

    let start_s = mpi::time();
    for _ in 0..steps {
        let out = [UP, DOWN, LEFT, RIGHT].map(|side| grid.edge(side));
        let mut into = out.clone();
        exchange::sendrecv(&cart, &neighbors, &out, &mut into);
        for (side, cells) in into.iter().enumerate().filter(|(side, _)| neighbors[*side].is_some()) {
            grid.set_ghosts(side, cells);
        }
        match &mut gpu {
            Some(gpu) => kernel::step(gpu, &mut grid).expect("the GPU has worked until now"),
            None => {
                grid.update(1..grid.height + 1, 1..grid.width + 1);
                grid.finish_step();
            }
        }
    }
    let together_s = mpi::time() - start_s;
    let is_serial = whole::is_serial(&cart, size, &grid.heat(), || whole::serial(size, steps, 100.0), together_s);
    assert!(is_serial, "the blocks have not the bits of the serial program");
    Ok(())
}

fn main() -> ExitCode {
    // From here on, a panic on one rank ends the whole job.
    let world = World::of_job().expect("MPI is started once, by its own launcher");
    let options = match Options::try_parse() {
        Ok(options) => options,
        Err(error) => {
            if world.is_root() {
                error.print().expect("a message can be printed");
            }
            return if error.use_stderr() { ExitCode::from(2) } else { ExitCode::SUCCESS };
        }
    };
    match run(&world, &options) {
        Ok(()) => ExitCode::SUCCESS,
        Err(failure) => {
            if world.is_root() {
                eprintln!("error: {failure}");
            }
            ExitCode::from(failure.exit_code())
        }
    }
}
