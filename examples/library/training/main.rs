//! Data-parallel training: every rank has the whole network and a part of the data, and the ranks add up their gradients.
//!
//! Teaches: one broadcast of the first weights, then one all-reduce of the gradient a step: what Horovod does. A rank computes
//! its gradient on the GPU that belongs to it, or else on its cores. The order in which MPI adds is its own, so the gradients
//! travel as whole numbers of 2^-40, whose sum is the same in any order; so loss and weights are the same bits for any number
//! of ranks and any mix of devices. Each rank proves it by training alone on its cores, too.
//! Replaces: the assignments of "Deep learning": TensorFlow from an MPI program, and Horovod.
//! Run: `mpiexec -n 4 target/release/examples/training --device auto`

mod flowers;
mod gradient;
mod network;
mod stopwatch;

use std::process::ExitCode;

use clap::Parser;
use hybrid::{DeviceRequest, Devices, Error, Failure, World, gpu_of_rank};
use mpi::{collective::SystemOperation, topology::SimpleCommunicator, traits::*};

use flowers::Flower;
use gradient::{Means, mean};
use network::{TERMS, WEIGHTS, train};
use stopwatch::Stopwatch;

/// Trains a small network to tell three species of iris apart.
#[derive(Parser)]
#[command(color = clap::ColorChoice::Never)]
struct Options {
    /// Passes over the training data
    #[arg(long, default_value_t = 500, value_parser = clap::value_parser!(u32).range(1..=100_000))]
    epochs: u32,
    /// Copies of each flower in the training data: more to compute, and no more to send
    #[arg(long, default_value_t = 1, value_parser = clap::value_parser!(u16).range(1..=100))]
    copies: u16,
    /// auto: a GPU for each rank that one is left for, cores for the others
    #[arg(long, value_name = "auto|cpu|gpu|PCI bus id", default_value = "auto")]
    device: DeviceRequest,
    /// Let a software adapter (lavapipe) count as one GPU a node
    #[arg(long)]
    software_gpu: bool,
    /// Ranks that may share one GPU
    #[arg(long, alias = "share-gpus", default_value_t = 1, value_parser = clap::value_parser!(u16).range(1..))]
    ranks_per_gpu: u16,
}

/// The library finds the rank's GPU and opens it; one that does not round as a CPU does will not do here. Collective.
fn means_of_rank(world: &World, options: &Options) -> Result<Means, Failure> {
    let Options { device: request, software_gpu, ranks_per_gpu, .. } = *options;
    let (gpu, notes) = gpu_of_rank(world, &Devices { request, software_gpu, ranks_per_gpu, exact: true })?;
    notes.iter().for_each(|note| eprintln!("note: {note}"));
    world.agree(Means::new(gpu))
}

/// Trains with the others, then alone, and tells of it. Collective.
fn run(world: &World, options: &Options) -> Result<(), Failure> {
    let mut means = means_of_rank(world, options)?;
    let (once, held_out) = flowers::read_flowers();
    let training = once.repeat(options.copies.into());
    let (comm, mut epochs) = (SimpleCommunicator::world(), options.epochs);
    let root = comm.process_at_rank(0);
    root.broadcast_into(&mut epochs);
    let mut start = if world.is_root() { network::first_weights() } else { vec![0.0; WEIGHTS] };
    root.broadcast_into(&mut start[..]);

    let first_of = |rank: usize| training.len() * rank / world.size();
    let mine: &[Flower] = &training[first_of(world.rank())..first_of(world.rank() + 1)];
    println!("rank {} trains with {} flowers on {}", world.rank(), mine.len(), means.name());
    let (mut computing, mut communicating) = (Stopwatch::default(), Stopwatch::default());
    let (weights, losses) = train(start.clone(), epochs, |weights| {
        let (mut totals, sums) = ([0; TERMS], computing.time(|| means.sums(weights, mine)));
        communicating.time(|| comm.all_reduce_into(&sums, &mut totals, SystemOperation::sum()));
        mean(totals, training.len())
    });
    println!("rank {} a step: gradient {computing}, all-reduce of {TERMS} sums {communicating}", world.rank());

    let is_right = |flower: &&Flower| flower.wanted[network::answer(&weights, flower)] == 1.0;
    let right = held_out.iter().filter(is_right).count();
    if world.is_root() {
        let step = (losses.len() / 5).max(1);
        for (epoch, loss) in losses.iter().enumerate() {
            if epoch % step == 0 || epoch + 1 == losses.len() {
                println!("epoch {epoch:>3}: loss {loss}");
            }
        }
        println!("{right} of {} flowers that it has never seen are named right", held_out.len());
    }
    let alone = train(start, epochs, |weights| mean(Means::Cpu.sums(weights, &training), training.len()));
    assert_eq!((weights, losses), alone, "the ranks together have trained the network of one rank's cores");
    assert!(epochs < 200 || right * 10 >= held_out.len() * 9, "{right} of {} are too few", held_out.len());
    Ok(())
}

fn main() -> ExitCode {
    // From here on, a panic on one rank ends the whole job.
    let world = World::of_job().expect("MPI is started once, by its own launcher");
    let parsed = match Options::try_parse() {
        Err(help) if !help.use_stderr() => {
            if world.is_root() {
                help.print().expect("a text can be printed");
            }
            return ExitCode::SUCCESS;
        }
        parsed => parsed.map_err(|error| Error::Usage(error.to_string().trim_start_matches("error: ").to_owned())),
    };
    match world.agree(parsed).and_then(|options| run(&world, &options)) {
        Ok(()) => ExitCode::SUCCESS,
        Err(failure) => {
            if world.is_root() {
                eprintln!("error: {failure}");
            }
            ExitCode::from(2) // what the options ask for cannot be had
        }
    }
}
