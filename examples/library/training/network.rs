//! The network: for one flower, its answer, and the terms that the flower adds to the gradient and to the loss; and the descent.
//!
//! Nothing but + - * in f32, which every processor rounds alike, in an order that is written down: `gradient.wgsl`, its twin
//! for GPUs, computes the same bits. Knows nothing of ranks and devices.

use std::array;

use hybrid::{ROUNDS, threefry4x32};

use crate::flowers::{Flower, INPUTS, SPECIES};

pub(crate) const HIDDEN: usize = 8;
const FIRST_LAYER: usize = HIDDEN * (INPUTS + 1);
/// A weight for each input and then a bias, for each neuron: first the hidden layer's, then the output layer's.
pub(crate) const WEIGHTS: usize = FIRST_LAYER + SPECIES.len() * (HIDDEN + 1);
/// A gradient and a loss.
pub(crate) const TERMS: usize = WEIGHTS + 1;

/// Adds up from the bias, the last of `row`, on.
fn neuron(row: &[f32], inputs: &[f32]) -> f32 {
    row.iter().zip(inputs).fold(row[inputs.len()], |sum, (weight, input)| sum + weight * input)
}

/// Outputs of the hidden layer and of the network. A neuron gives 0 for a sum below 0 (ReLU), which takes no exp or tanh:
/// their last bit depends on the library, as that of a division does on the GPU.
pub(crate) fn forward(weights: &[f32], inputs: &[f32; INPUTS]) -> ([f32; HIDDEN], [f32; SPECIES.len()]) {
    let (first, second) = weights.split_at(FIRST_LAYER);
    let hidden = array::from_fn(|h| {
        let sum = neuron(&first[h * (INPUTS + 1)..][..=INPUTS], inputs);
        if sum > 0.0 { sum } else { 0.0 }
    });
    (hidden, array::from_fn(|o| neuron(&second[o * (HIDDEN + 1)..][..=HIDDEN], &hidden)))
}

/// A flower's gradient, and its loss: half the squared distance from the wanted outputs.
pub(crate) fn terms(weights: &[f32], flower: &Flower) -> [f32; TERMS] {
    let (hidden, outputs) = forward(weights, &flower.inputs);
    let errors: [f32; SPECIES.len()] = array::from_fn(|o| outputs[o] - flower.wanted[o]);
    let (mut terms, mut place) = ([0.0; TERMS], 0..);
    let mut put = |term| terms[place.next().expect("counts on")] = term;
    for (h, value) in hidden.iter().enumerate() {
        let weight = |o: usize| weights[FIRST_LAYER + o * (HIDDEN + 1) + h];
        let back = errors.iter().enumerate().fold(0.0, |sum, (o, error)| sum + error * weight(o));
        let slope = if *value > 0.0 { back } else { 0.0 };
        flower.inputs.iter().for_each(|input| put(slope * input));
        put(slope);
    }
    for error in errors {
        hidden.iter().for_each(|value| put(error * value));
        put(error);
    }
    put(errors.iter().fold(0.0, |sum, error| sum + error * error * 0.5));
    terms
}

/// Small random weights; the same everywhere, but in a larger program they come from a file that rank 0 alone reads.
pub(crate) fn first_weights() -> Vec<f32> {
    let random = |i: u32| threefry4x32::<ROUNDS>([i, 0, 0, 0], [1, 0, 0, 0])[0];
    let fraction = |[high, low, ..]: [u8; 4]| f32::from(u16::from_be_bytes([high, low])) / 65_536.0;
    (0..).map(|i| fraction(random(i).to_be_bytes()) - 0.5).take(WEIGHTS).collect()
}

/// The number of the species that the network takes the flower for.
pub(crate) fn answer(weights: &[f32], flower: &Flower) -> usize {
    let (_, outputs) = forward(weights, &flower.inputs);
    (0..SPECIES.len()).max_by(|a, b| outputs[*a].total_cmp(&outputs[*b])).expect("three outputs")
}

/// Gradient descent with momentum; `mean_terms` has the mean of the flowers' terms for some weights. The last weights, and the
/// loss before each step.
pub(crate) fn train(
    mut weights: Vec<f32>,
    epochs: u32,
    mut mean_terms: impl FnMut(&[f32]) -> [f64; TERMS],
) -> (Vec<f32>, Vec<f64>) {
    let (mut speed, mut losses) = ([0.0; WEIGHTS], Vec::new());
    for _ in 0..epochs {
        let means = mean_terms(&weights);
        for ((weight, speed), gradient) in weights.iter_mut().zip(&mut speed).zip(&means) {
            *speed = 0.9 * *speed - 0.1 * gradient;
            let step = *speed as f32;
            *weight += step;
        }
        losses.push(means[WEIGHTS]);
    }
    (weights, losses)
}
