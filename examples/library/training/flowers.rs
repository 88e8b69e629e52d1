//! What the network learns from: the iris data, see `examples/data/README.md`.

use std::array;

use bytemuck::{Pod, Zeroable};

pub(crate) const INPUTS: usize = 4;
pub(crate) const SPECIES: [&str; 3] = ["setosa", "versicolor", "virginica"];

/// Four lengths scaled to about -1..1, and 1 for its species, 0 for the others.
#[repr(C)]
#[derive(Clone, Copy, Pod, Zeroable)]
pub(crate) struct Flower {
    pub(crate) inputs: [f32; INPUTS],
    pub(crate) wanted: [f32; SPECIES.len()],
}

/// Flowers to learn from, and every fifth, held out to judge the network.
pub(crate) fn read_flowers() -> (Vec<Flower>, Vec<Flower>) {
    let flower = |line: &str| {
        let fields: Vec<&str> = line.split(',').collect();
        let number = |i: usize| fields[i].parse::<f32>().expect("a length in millimeters");
        // Midpoints and half ranges of the four lengths.
        let (middle, half) = ([61.0, 32.0, 39.5, 13.0], [18.0, 12.0, 29.5, 12.0]);
        Flower {
            inputs: array::from_fn(|i| (number(i) - middle[i]) / half[i]),
            wanted: SPECIES.map(|name| f32::from(u8::from(name == fields[INPUTS]))),
        }
    };
    let (mut training, mut held_out) = (Vec::new(), Vec::new());
    for (i, line) in include_str!("../../data/iris.csv").lines().skip(1).enumerate() {
        if i % 5 == 4 { held_out.push(flower(line)) } else { training.push(flower(line)) }
    }
    (training, held_out)
}
