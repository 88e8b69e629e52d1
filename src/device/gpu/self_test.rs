//! Whether this device's counts are the definition's: asked of every device when it opens.
//!
//! The picture is a tiny tile around the repelling fixed point of z*z + c, so near to it that orbits leave only after
//! their rounding errors have grown to the size of the picture: a driver that rounds once where the definition rounds
//! twice changes the counts of many of its pixels, while it changes one pixel in 400 000 of an ordinary f64 picture.

use std::{ops::ControlFlow, sync::Mutex};

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
        ControlFlow::Continue(())
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

#[cfg(test)]
mod tests {
    use super::*;
    use crate::device::gpu::{Which, julia, shader::Shader};

    fn software_gpu() -> GpuDevice {
        GpuDevice::open(&Which::Software).unwrap_or_else(|error| panic!("{error} (apt install mesa-vulkan-drivers)"))
    }

    /// The self-test's result for `gpu` with its kernel replaced by an edited one.
    fn differing_with(gpu: &mut GpuDevice, precision: Precision, edit: impl Fn(&str) -> String) -> usize {
        let format = julia::Format::of(&tile(precision), precision);
        let shader = format.shader();
        let edited = Shader { wgsl: edit(&shader.wgsl), ..shader.clone() };
        assert_ne!(edited, shader);
        let kernel = julia::Kernel::build(&gpu.context, format, &edited, gpu.contraction).unwrap();
        gpu.julia.insert(format, kernel);
        differing(gpu, precision).unwrap()
    }

    /// Pixels of the tile that change where the CPU contracts a = x*x and a - b to one operation.
    macro_rules! contracted_by_cpu {
        ($real:ty, $tile:expr) => {{
            let constants = $tile.constants::<$real>();
            let round = |values: Vec<f64>| values.into_iter().map(<$real as Real>::round).collect::<Vec<$real>>();
            let (columns, lines) = (round($tile.columns()), round($tile.lines(0..EDGE)));
            let pixels = lines.iter().flat_map(|&y| columns.iter().map(move |&x| (x, y)));
            let counts = pixels.map(|(mut x, mut y)| {
                let mut n = constants.max_iter;
                while n > 1 && x * x + y * y < constants.radius2 {
                    let xy = x * y;
                    (x, y) = (x.mul_add(x, -(y * y)) + constants.c_re, (xy + xy) + constants.c_im);
                    n -= 1;
                }
                u8::try_from(n).unwrap()
            });
            counts.zip(&expected::<$real>($tile)).filter(|(got, wanted)| got != *wanted).count()
        }};
    }

    #[test]
    fn the_tile_shows_contraction_in_many_pixels() {
        let f32 = contracted_by_cpu!(f32, &tile(Precision::F32));
        let f64 = contracted_by_cpu!(f64, &tile(Precision::F64));
        assert!(f32 >= 100 && f64 >= 100, "{f32} and {f64} of {} pixels", EDGE * EDGE);
    }

    #[test]
    fn the_software_gpu_is_exact() {
        assert_eq!(software_gpu().identity().inexact, None);
    }

    #[test]
    fn a_kernel_that_adds_in_another_order_fails() {
        let mut gpu = software_gpu();
        for precision in gpu.precisions() {
            let differing =
                differing_with(&mut gpu, precision, |wgsl| wgsl.replace("(a - b) + c_re", "(a + c_re) - b"));
            assert!(differing >= 100, "{differing} pixels in {precision}");
        }
    }

    #[test]
    fn a_count_off_by_one_fails_everywhere() {
        let mut gpu = software_gpu();
        for precision in gpu.precisions() {
            let differing = differing_with(&mut gpu, precision, |wgsl| wgsl.replace("return z.n;", "return z.n - 1u;"));
            assert_eq!(differing, (EDGE * EDGE) as usize, "{precision}");
        }
    }

    #[test]
    fn a_kernel_left_to_the_driver_is_never_called_exact() {
        let mut gpu = software_gpu();
        gpu.contraction = Contraction::LeftToDriver;
        gpu.julia.clear();
        let verdict = verdict(&mut gpu).unwrap().expect("contraction was left to the driver");
        assert!(verdict.contains("may contract"), "{verdict}");
        for precision in gpu.precisions() {
            let differing = differing(&mut gpu, precision).unwrap();
            let says = verdict.contains(&format!("{differing} of {} pixels of the {precision}", EDGE * EDGE));
            assert_eq!(says, differing > 0, "{verdict}");
        }
    }
}
