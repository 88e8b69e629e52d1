//! Whether this device's counts are the definition's: asked of every device when it opens.
//!
//! The picture is a tiny tile around the repelling fixed point of z*z + c, so near to it that orbits leave only after
//! their rounding errors have grown to the size of the picture: a driver that rounds once where the definition rounds
//! twice changes the counts of many of its pixels, while it changes one pixel in 400 000 of an ordinary f64 picture.

use std::sync::Mutex;

use ndarray::Array2;

use super::{GpuDevice, pipeline::Contraction};
use crate::{
    device::Device,
    error::Error,
    kernel::{
        Precision,
        band::Band,
        julia::{Counts, Julia, Real, fill},
    },
};

/// Edge of the tile, in pixels.
const EDGE: u32 = 64;
/// c of the picture.
const C: (f64, f64) = (-0.8, 0.156);
/// (1 + sqrt(1 - 4 c)) / 2, where z*z + c = z and the derivative 2 z has modulus 3.06.
const FIXED_POINT: (f64, f64) = (1.527_503_118_643_534_6, -0.075_912_178_352_287_86);

/// The tile for `precision`: a few hundred units in the last place wide.
fn tile(precision: Precision) -> Julia {
    let half = match precision {
        Precision::F32 => 2e-5,
        Precision::F64 => 5e-14,
    };
    let (x, y) = FIXED_POINT;
    Julia {
        width: EDGE,
        height: EDGE,
        x: (x - half, x + half),
        y: (y - half, y + half),
        c: C,
        radius: 3.0,
        max_iter: 255,
    }
}

/// The tile's counts by the definition.
fn expected<T: Real>(tile: &Julia) -> Array2<u8> {
    let round = |values: Vec<f64>| values.into_iter().map(T::round).collect::<Vec<T>>();
    let mut counts = Array2::zeros((EDGE as usize, EDGE as usize));
    fill(&round(tile.columns()), &round(tile.lines(0..EDGE)), &tile.constants::<T>(), counts.view_mut());
    counts
}

/// Number of the tile's pixels whose counts by `device` are not the definition's.
pub(super) fn differing(device: &mut dyn Device, precision: Precision) -> Result<usize, Error> {
    let tile = tile(precision);
    let expected = match precision {
        Precision::F32 => expected::<f32>(&tile),
        Precision::F64 => expected::<f64>(&tile),
    };
    let band = Band { index: 0, rows: 0..EDGE };
    // Until the device delivers, every pixel differs.
    let differing = Mutex::new(expected.len());
    device.julia(&tile, precision, &[band], &|_, counts| {
        let count = match counts {
            Counts::U8(counts) => counts.iter().zip(&expected).filter(|(got, wanted)| got != wanted).count(),
            Counts::U16(_) => expected.len(),
        };
        *differing.lock().expect("nothing panics while it holds this lock") = count;
    })?;
    Ok(differing.into_inner().expect("nothing panics while it holds this lock"))
}

/// Why the counts of `gpu` may differ from the definition's, where they may.
pub(super) fn verdict(gpu: &mut GpuDevice) -> Result<Option<String>, Error> {
    let contraction = gpu.contraction;
    let mut reasons = Vec::new();
    if contraction == Contraction::LeftToDriver {
        reasons.push("its driver may contract a*b+c, which cannot be forbidden here (it takes no SPIR-V)".to_owned());
    }
    for precision in gpu.precisions() {
        let differing = differing(gpu, precision)?;
        if differing > 0 {
            reasons.push(format!("{differing} of {} pixels of the {precision} self-test differ", EDGE * EDGE));
        }
    }
    Ok(Some(reasons.join("; ")).filter(|reasons| !reasons.is_empty()))
}
