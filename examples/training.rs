//! Data-parallel training: every rank has the whole network and a part of the data, and the ranks add up their gradients.
//!
//! Teaches: one broadcast of the first weights, then one all-reduce of the gradient a step: what Horovod does. The order in which
//! MPI adds is its own, so the gradients travel as whole numbers of 2^-40, whose sum is the same in any order; so loss and
//! weights are the same bits for any number of ranks. Each rank proves it by training alone, too.
//! Replaces: the assignments of "Deep learning": TensorFlow from an MPI program, and Horovod.
//! Run: `mpiexec -n 4 target/release/examples/training --epochs 500`

use std::{array, panic, process::ExitCode};

use clap::Parser;
use hybrid::kernel::threefry;
use mpi::{collective::SystemOperation, topology::SimpleCommunicator, traits::*};

/// Trains a small network to tell three species of iris apart.
#[derive(Parser)]
struct Options {
    /// Passes over the training data
    #[arg(long, default_value_t = 500, value_parser = clap::value_parser!(u32).range(1..=100_000))]
    epochs: u32,
}

const INPUTS: usize = 4;
const HIDDEN: usize = 8;
const SPECIES: [&str; 3] = ["setosa", "versicolor", "virginica"];
/// Weights and a bias for each neuron: first the hidden layer's, then the output layer's.
const WEIGHTS: usize = HIDDEN * (INPUTS + 1) + SPECIES.len() * (HIDDEN + 1);
/// The unit of the sums: whole numbers of it are added, so any order of adding gives the same sum.
const UNIT: f64 = 1.0 / (1_u64 << 40) as f64;

/// Four lengths scaled to about -1..1, and the number of the species.
struct Sample {
    inputs: [f64; INPUTS],
    species: usize,
}

/// Outputs of the hidden layer and of the network. Nothing but + - * /, which every processor rounds alike; the last bit of
/// exp or tanh depends on the library.
fn forward(weights: &[f64], inputs: &[f64; INPUTS]) -> ([f64; HIDDEN], [f64; SPECIES.len()]) {
    let (first, second) = weights.split_at(HIDDEN * (INPUTS + 1));
    let neuron = |row: &[f64], inputs: &[f64]| {
        row.iter().zip(inputs).map(|(weight, input)| weight * input).sum::<f64>() + row[inputs.len()]
    };
    let hidden = array::from_fn(|h| {
        let sum = neuron(&first[h * (INPUTS + 1)..][..=INPUTS], inputs);
        sum / (1.0 + sum.abs()) // softsign
    });
    (hidden, array::from_fn(|o| neuron(&second[o * (HIDDEN + 1)..][..=HIDDEN], &hidden)))
}

/// Adds a sample's gradient to `sums`, and to the last of them its loss: half the squared distance from the wanted outputs.
fn backward(weights: &[f64], sample: &Sample, sums: &mut [i64]) {
    let (hidden, outputs) = forward(weights, &sample.inputs);
    let errors: [f64; SPECIES.len()] = array::from_fn(|o| outputs[o] - f64::from(u8::from(o == sample.species)));
    let second = &weights[HIDDEN * (INPUTS + 1)..];
    let mut terms = Vec::with_capacity(WEIGHTS + 1);
    for (h, out) in hidden.iter().enumerate() {
        let back: f64 = errors.iter().enumerate().map(|(o, error)| error * second[o * (HIDDEN + 1) + h]).sum();
        let slope = (1.0 - out.abs()) * (1.0 - out.abs()); // of softsign, from its value
        terms.extend(sample.inputs.iter().chain(&[1.0]).map(|input| back * slope * input));
    }
    for error in errors {
        terms.extend(hidden.iter().chain(&[1.0]).map(|input| error * input));
    }
    terms.push(errors.iter().map(|error| error * error / 2.0).sum());
    for (sum, term) in sums.iter_mut().zip(terms) {
        assert!(term.abs() < 1e4, "a gradient of {term} is too large for the sums: the training diverges");
        #[expect(clippy::cast_possible_truncation, reason = "below 10^4 / 2^-40 < 2^54")]
        let whole = (term / UNIT).round() as i64;
        *sum += whole;
    }
}

/// Gradient descent with momentum on `samples`; `sum_over_ranks` makes the sums of this rank those of all `total` samples.
fn train(
    mut weights: Vec<f64>,
    samples: &[Sample],
    total: usize,
    epochs: u32,
    sum_over_ranks: impl Fn(&[i64]) -> Vec<i64>,
) -> (Vec<f64>, Vec<f64>) {
    let mut speed = vec![0.0; WEIGHTS];
    let mut losses = Vec::new();
    for _ in 0..epochs {
        let mut sums = [0_i64; WEIGHTS + 1];
        samples.iter().for_each(|sample| backward(&weights, sample, &mut sums));
        #[expect(clippy::cast_precision_loss, reason = "rounded once, alike on all ranks")]
        let means: Vec<f64> = sum_over_ranks(&sums).iter().map(|sum| *sum as f64 * UNIT / total as f64).collect();
        for ((weight, speed), gradient) in weights.iter_mut().zip(&mut speed).zip(&means) {
            *speed = 0.9 * *speed - 0.1 * gradient;
            *weight += *speed;
        }
        losses.push(means[WEIGHTS]);
    }
    (weights, losses)
}

/// The iris data (see `examples/data/README.md`): every fifth flower is held out to judge the network.
fn read_samples() -> (Vec<Sample>, Vec<Sample>) {
    let sample = |line: &str| {
        let fields: Vec<&str> = line.split(',').collect();
        let number = |i: usize| fields[i].parse::<f64>().expect("a length in millimetres");
        // Midpoints and half ranges of the four lengths.
        let (middle, half) = ([61.0, 32.0, 39.5, 13.0], [18.0, 12.0, 29.5, 12.0]);
        let species = SPECIES.iter().position(|name| *name == fields[INPUTS]).expect("one of three species");
        Sample { inputs: array::from_fn(|i| (number(i) - middle[i]) / half[i]), species }
    };
    let (mut training, mut held_out) = (Vec::new(), Vec::new());
    for (i, line) in include_str!("data/iris.csv").lines().skip(1).enumerate() {
        if i % 5 == 4 { held_out.push(sample(line)) } else { training.push(sample(line)) }
    }
    (training, held_out)
}

/// Small random weights; the same everywhere, but in a larger program they come from a file that rank 0 alone reads.
fn first_weights() -> Vec<f64> {
    let random = |i: u32| threefry::threefry4x32::<{ threefry::ROUNDS }>([i, 0, 0, 0], [1, 0, 0, 0])[0];
    (0..).map(|i| f64::from(random(i)) / f64::from(u32::MAX) - 0.5).take(WEIGHTS).collect()
}

fn all_reduce(world: &SimpleCommunicator, sums: &[i64]) -> Vec<i64> {
    let mut totals = vec![0_i64; sums.len()];
    world.all_reduce_into(sums, &mut totals[..], SystemOperation::sum());
    totals
}

/// A rank that panics would leave the others waiting for ever: it ends the whole job.
fn abort_on_panic() {
    let print = panic::take_hook();
    panic::set_hook(Box::new(move |info| {
        print(info);
        SimpleCommunicator::world().abort(101);
    }));
}

fn main() -> ExitCode {
    let universe = mpi::initialize().expect("MPI is started once");
    let world = universe.world();
    abort_on_panic();
    let root = world.process_at_rank(0);

    // No epoch cannot be asked for: it tells the others to end with the exit code beside it.
    let mut parameters = [0; 2];
    if world.rank() == 0 {
        parameters = match Options::try_parse() {
            Ok(options) => [options.epochs, 0],
            Err(error) => {
                error.print().expect("a message can be printed");
                [0, error.exit_code().unsigned_abs()]
            }
        };
    }
    root.broadcast_into(&mut parameters);
    let [epochs, exit_code] = parameters;
    if epochs == 0 {
        return ExitCode::from(u8::try_from(exit_code).expect("an exit code is small"));
    }

    let mut start = if world.rank() == 0 { first_weights() } else { vec![0.0; WEIGHTS] };
    root.broadcast_into(&mut start[..]);
    let (training, held_out) = read_samples();
    let first_of = |rank: i32| {
        training.len() * usize::try_from(rank).expect("ranks count from 0")
            / usize::try_from(world.size()).expect("ranks")
    };
    let mine = &training[first_of(world.rank())..first_of(world.rank() + 1)];
    println!("rank {} trains on {} flowers", world.rank(), mine.len());
    let (weights, losses) = train(start.clone(), mine, training.len(), epochs, |sums| all_reduce(&world, sums));

    let answer = |sample: &Sample| {
        let (_, outputs) = forward(&weights, &sample.inputs);
        (0..SPECIES.len()).max_by(|a, b| outputs[*a].total_cmp(&outputs[*b])).expect("three outputs")
    };
    let right = held_out.iter().filter(|sample| answer(sample) == sample.species).count();
    if world.rank() == 0 {
        let step = (losses.len() / 5).max(1);
        for (epoch, loss) in
            losses.iter().enumerate().filter(|(epoch, _)| epoch % step == 0 || epoch + 1 == losses.len())
        {
            println!("epoch {epoch:>3}: loss {loss}");
        }
        println!("{right} of {} flowers that it has never seen are named right", held_out.len());
    }
    // Each rank trains alone on all the data: the same bits.
    let alone = train(start, &training, training.len(), epochs, <[i64]>::to_vec);
    assert_eq!((&weights, &losses), (&alone.0, &alone.1), "the ranks together have trained the network of one rank");
    assert!(epochs < 200 || right * 10 >= held_out.len() * 9, "{right} of {} are too few", held_out.len());
    ExitCode::SUCCESS
}
