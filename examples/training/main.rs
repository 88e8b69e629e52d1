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

use std::{env, process::ExitCode};

use clap::Parser;
use hybrid::{
    cli::DeviceArgs,
    comm::{Failure, World},
    commands::gpu_of_rank,
    environment,
    placement::DeviceWish,
};
use mpi::{collective::SystemOperation, topology::SimpleCommunicator, traits::*};

use flowers::Flower;
use gradient::{Means, mean};
use network::{TERMS, WEIGHTS, train};

/// Trains a small network to tell three species of iris apart.
#[derive(Parser)]
struct Options {
    /// Passes over the training data
    #[arg(long, default_value_t = 500, value_parser = clap::value_parser!(u32).range(1..=100_000))]
    epochs: u32,
    /// auto: a GPU for each rank that one is left for, cores for the others
    #[arg(long, value_name = "auto|cpu|gpu|PCI bus id", default_value = "auto")]
    device: DeviceWish,
    /// Let a software adapter (lavapipe) count as one GPU a node
    #[arg(long)]
    software_gpu: bool,
    /// Ranks that may share one GPU
    #[arg(long, default_value_t = 1, value_parser = clap::value_parser!(u16).range(1..))]
    share_gpus: u16,
}

/// The library finds the rank's GPU and opens it; one that does not round as a CPU does will not do here. Collective.
fn means_of_rank(world: &World, options: &Options) -> Result<Means, Failure> {
    let Options { device, software_gpu, share_gpus, .. } = *options;
    let args = DeviceArgs { device, software_gpu, share_gpus, threads: None, rankfile: None, exact: true };
    let (gpu, notes) = gpu_of_rank(world, &args)?;
    notes.iter().for_each(|note| eprintln!("note: {note}"));
    world.agree(Means::new(gpu))
}

/// Trains with the others, then alone, and tells of it. Collective.
fn run(world: &World, options: &Options, mut means: Means) {
    let comm = SimpleCommunicator::world();
    let (training, held_out) = flowers::read_flowers();
    let mut start = if world.is_root() { network::first_weights() } else { vec![0.0; WEIGHTS] };
    comm.process_at_rank(0).broadcast_into(&mut start[..]);

    let first_of = |rank: usize| training.len() * rank / world.size();
    let mine: &[Flower] = &training[first_of(world.rank())..first_of(world.rank() + 1)];
    println!("rank {} trains with {} flowers on {}", world.rank(), mine.len(), means.name());
    let (weights, losses) = train(start.clone(), options.epochs, |weights| {
        let mut totals = [0; TERMS];
        comm.all_reduce_into(&means.sums(weights, mine), &mut totals, SystemOperation::sum());
        mean(totals, training.len())
    });

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
    let alone = train(start, options.epochs, |weights| mean(Means::Cpu.sums(weights, &training), training.len()));
    assert_eq!((weights, losses), alone, "the ranks together have trained the network of one rank's cores");
    assert!(options.epochs < 200 || right * 10 >= held_out.len() * 9, "{right} of {} are too few", held_out.len());
}

fn main() -> ExitCode {
    // From here on, a panic on one rank ends the whole job.
    let world = World::start(environment::prepare(true)).expect("MPI is started once, by its own launcher");
    // Every rank reads the words of rank 0.
    let words = env::args().collect::<Vec<_>>().join("\0");
    let words = String::from_utf8(world.all.broadcast(0, words.into_bytes())).expect("rank 0 sent text");
    let options = match Options::try_parse_from(words.split('\0')) {
        Ok(options) => options,
        Err(error) => {
            if world.is_root() {
                error.print().expect("a message can be printed");
            }
            return ExitCode::from(u8::try_from(error.exit_code()).expect("an exit code is small"));
        }
    };
    match means_of_rank(&world, &options) {
        Ok(means) => run(&world, &options, means),
        Err(failure) => {
            if world.is_root() {
                eprintln!("error: {failure}");
            }
            return ExitCode::from(2); // what the options ask for cannot be had
        }
    }
    ExitCode::SUCCESS
}
