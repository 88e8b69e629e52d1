//! Orbits that repeat, or whose end is known, are followed no further, on any device, and the counts are the definition's all the same.
//!
//! `HYBRID_TEST_PICTURES` is how many pictures each device computes.

#![allow(clippy::unwrap_used, reason = "a test fails where it cannot go on")]

#[path = "support/random.rs"]
mod random;
#[path = "support/whole_image.rs"]
mod whole_image;

use hybrid::inside::{
    device::{
        Device,
        cpu::{CpuDevice, isa::Isa},
        gpu::{GpuDevice, Which},
    },
    kernel::{
        Precision,
        band::{Band, Bands},
        image::{Image, ImageKernel},
        mandelbrot::Mandelbrot,
    },
};
use ndarray::Array2;
use random::Random;
use whole_image::whole_image;

/// A number from `low` to `high`.
fn between(random: &mut Random, low: f64, high: f64) -> f64 {
    let part = u32::try_from(random.below(1 << 30)).unwrap();
    low + (high - low) * f64::from(part) / f64::from(1 << 30)
}

/// A c whose Julia set has an interior: in the Mandelbrot set's cardioid, or in one of its largest discs, maybe at the edge.
fn c_with_interior(random: &mut Random) -> (f64, f64) {
    let (angle, part) = (between(random, 0.0, std::f64::consts::TAU), between(random, 0.0, 1.0));
    let (x, y) = (part * angle.cos(), part * angle.sin());
    match random.below(3) {
        // u/2 - u*u/4 for u in the unit disc.
        0 => (x / 2.0 - (x * x - y * y) / 4.0, y / 2.0 - x * y / 2.0),
        1 => (-1.0 + x / 4.0, y / 4.0),
        _ => (-0.1225 + x * 0.094, 0.7449 + y * 0.094),
    }
}

fn picture(random: &mut Random) -> (Image, Precision) {
    let (width, height) = (1 + u32::try_from(random.below(90)).unwrap(), 1 + u32::try_from(random.below(60)).unwrap());
    let max_iter = [255, 300, 1000, 2000, 5000][random.below(5)];
    let kernel = match random.below(3) {
        0 => ImageKernel::Mandelbrot(Mandelbrot),
        _ => ImageKernel::julia(c_with_interior(random)),
    };
    let zoom = between(random, 0.05, 1.0);
    let (x, y) = (between(random, -0.3, 0.3), between(random, -0.3, 0.3));
    let image = Image {
        width,
        height,
        x: (x - 1.5 * zoom, x + 1.5 * zoom),
        y: (y - 1.2 * zoom, y + 1.2 * zoom),
        max_iter,
        kernel,
        radius: [2.0, 3.0, 1.3][random.below(3)],
    };
    (image, [Precision::F32, Precision::F64][random.below(2)])
}

/// What `device` computes, and how many iterations it did not make.
fn computed(device: &mut dyn Device, image: &Image, precision: Precision) -> (Array2<u16>, u64) {
    let bands = Bands::of(image.width, image.height);
    let bands: Vec<Band> = (0..bands.len()).map(|index| bands.get(index)).collect();
    let whole = whole_image(device, image, precision, &bands).unwrap();
    (whole.counts, whole.skipped)
}

/// The name of the adapter that computes on cores.
const SOFTWARE: &str = "software GPU";

fn devices() -> Vec<(String, Box<dyn Device>)> {
    let cores = Isa::available().into_iter().map(|isa| {
        let device: Box<dyn Device> = Box::new(CpuDevice::new("CPU", isa, 1, None));
        (isa.to_string(), device)
    });
    let gpu: Box<dyn Device> = Box::new(GpuDevice::open(&Which::Software).unwrap());
    cores.chain([(SOFTWARE.to_owned(), gpu)]).collect()
}

/// Iterations that the counts tell of.
fn told(image: &Image, counts: &Array2<u16>) -> u64 {
    counts.iter().map(|count| u64::from(image.max_iter - count)).sum()
}

#[test]
fn pictures_with_interiors_have_the_counts_of_the_definition() {
    let pictures = std::env::var("HYBRID_TEST_PICTURES").map_or(60, |number| number.parse().unwrap());
    let mut random = Random(11);
    let mut devices = devices();
    let (mut all, mut skipped) = (0, vec![0; devices.len()]);
    for _ in 0..pictures {
        let (image, precision) = picture(&mut random);
        let expected = image.definition(precision, 0..image.height);
        let told = told(&image, &expected);
        all += told;
        for ((name, device), skipped) in devices.iter_mut().zip(&mut skipped) {
            let (counts, without) = computed(&mut **device, &image, precision);
            assert!(counts == expected, "{name}: {image:?} {precision}");
            assert!(without <= told, "{name}: {without} of {told}: {image:?} {precision}");
            *skipped += without;
        }
    }
    assert!(skipped.iter().all(|skipped| skipped * 2 > all), "of {all} iterations {skipped:?} were not made");
}

#[test]
fn an_interior_that_goes_round_costs_next_to_nothing() {
    let image =
        Image { width: 200, height: 150, max_iter: 2000, kernel: ImageKernel::julia((-1.0, 0.0)), ..Image::tutorial() };
    for (name, device) in &mut devices() {
        for precision in [Precision::F32, Precision::F64] {
            let (counts, skipped) = computed(&mut **device, &image, precision);
            let told = told(&image, &counts);
            assert!(skipped * 10 > told * 9, "{name}: {skipped} of {told} in {precision}");
        }
    }
}

#[test]
fn an_interior_is_known_long_before_its_orbits_repeat() {
    let kernel = ImageKernel::Mandelbrot(Mandelbrot);
    let image = Image { width: 400, height: 300, max_iter: 2000, kernel, ..kernel.picture() };
    for isa in Isa::available().into_iter().filter(|isa| *isa != Isa::Scalar) {
        for precision in [Precision::F32, Precision::F64] {
            let (counts, skipped) = computed(&mut CpuDevice::new("CPU", isa, 1, None), &image, precision);
            let told = told(&image, &counts);
            assert!(skipped * 100 > told * 85, "{isa}: {skipped} of {told} in {precision}");
        }
    }
}

#[test]
fn an_orbit_that_leaves_is_followed_until_then_unless_it_leaves_with_its_neighbours() {
    // One patch of neighbours is all of the coarse picture.
    let coarse = Image { width: 15, height: 8, ..Image::tutorial() };
    let fine = Image { width: 320, height: 240, ..coarse };
    for (name, device) in &mut devices() {
        assert_eq!(computed(&mut **device, &coarse, Precision::F64).1, 0, "{name}");
        let (counts, skipped) = computed(&mut **device, &fine, Precision::F64);
        let knows_neighbours = ![Isa::Scalar.name(), SOFTWARE].contains(&name.as_str());
        assert_eq!(skipped > 0, knows_neighbours, "{name}: {skipped}");
        assert!(skipped * 4 < told(&fine, &counts), "{name}: {skipped}");
    }
}
