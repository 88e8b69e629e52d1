//! Whether this device's counts are the definition's: asked of every device when it opens.
//!
//! One picture is a tiny tile around the repelling fixed point of z*z + c, so near to it that orbits leave only after
//! their rounding errors have grown to the size of the picture: a driver that rounds once where the definition rounds
//! twice changes the counts of many of its pixels, while it changes one pixel in 400 000 of an ordinary f64 picture. The
//! others are of orbits that leave at once and grow beyond the format within the block of iterations in which they do: a
//! driver that took for granted that there is neither infinity nor NaN could take such a point for one that has stayed.

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

/// Edge of a tile, in pixels.
const EDGE: u32 = 64;
/// c of the tile around a fixed point.
const C: (f64, f64) = (-0.8, 0.156);
/// (1 + sqrt(1 - 4 c)) / 2, where z*z + c = z and the derivative 2 z has modulus 3.06.
const FIXED_POINT: (f64, f64) = (1.527_503_118_643_534_6, -0.075_912_178_352_287_86);
/// Pixels of all tiles in one precision.
const PIXELS: usize = (1 + LEAVING.len()) * (EDGE * EDGE) as usize;
/// Where points leave after a few iterations, the limit needing a byte, and 16 bits, whose blocks are longer.
const LEAVING: [Julia; 2] = [leaving(255), leaving(511)];

const fn leaving(max_iter: u16) -> Julia {
    Julia { width: EDGE, height: EDGE, x: (-2.0, 2.0), y: (-1.5, 1.5), c: (0.0, 0.65), radius: 3.0, max_iter }
}

/// The tile around a fixed point for `precision`: a few hundred units in the last place wide.
fn staying(precision: Precision) -> Julia {
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

/// A tile's counts by the definition.
fn expected(tile: &Julia, precision: Precision) -> Array2<u16> {
    match precision {
        Precision::F32 => expected_in::<f32>(tile),
        Precision::F64 => expected_in::<f64>(tile),
    }
}

fn expected_in<T: Real>(tile: &Julia) -> Array2<u16> {
    let round = |values: Vec<f64>| values.into_iter().map(T::round).collect::<Vec<T>>();
    let mut counts = Array2::zeros((EDGE as usize, EDGE as usize));
    fill(&round(tile.columns()), &round(tile.lines(0..EDGE)), &tile.constants::<T>(), counts.view_mut());
    counts
}

/// Number of the pixels of `tile` whose counts by `device` are not the definition's.
fn differing(device: &mut dyn Device, tile: &Julia, precision: Precision) -> Result<usize, Error> {
    let expected = expected(tile, precision);
    let band = Band { index: 0, rows: 0..EDGE };
    // Until the device delivers, every pixel differs.
    let differing = Mutex::new(expected.len());
    device.julia(tile, precision, &[band], &|_, counts| {
        let count = match counts {
            Counts::U8(counts) => {
                counts.iter().zip(&expected).filter(|(got, wanted)| u16::from(**got) != **wanted).count()
            }
            Counts::U16(counts) => counts.iter().zip(&expected).filter(|(got, wanted)| got != wanted).count(),
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
        let mut wrong = 0;
        for tile in [staying(precision)].iter().chain(&LEAVING) {
            wrong += differing(gpu, tile, precision)?;
        }
        if wrong > 0 {
            reasons.push(format!("{wrong} of {PIXELS} pixels of the {precision} self-test differ"));
        }
    }
    Ok(Some(reasons.join("; ")).filter(|reasons| !reasons.is_empty()))
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::device::gpu::{
        Which, julia,
        pacer::Pacer,
        shader::{self, Shader},
    };

    fn software_gpu() -> GpuDevice {
        GpuDevice::open(&Which::Software).unwrap_or_else(|error| panic!("{error} (apt install mesa-vulkan-drivers)"))
    }

    /// Pixels of `tile` that are wrong by `gpu` with its kernel replaced by an edited one.
    fn differing_with(gpu: &mut GpuDevice, tile: &Julia, precision: Precision, edit: impl Fn(&str) -> String) -> usize {
        let format = julia::Format::of(tile, precision);
        let shader = format.shader();
        let edited = Shader { wgsl: edit(&shader.wgsl), ..shader.clone() };
        assert_ne!(edited, shader);
        let kernel = julia::Kernel::build(&gpu.context, format, &edited, gpu.contraction, Pacer::new()).unwrap();
        gpu.julia.insert(format, kernel);
        differing(gpu, tile, precision).unwrap()
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
                n
            });
            counts.zip(&expected_in::<$real>($tile)).filter(|(got, wanted)| got != *wanted).count()
        }};
    }

    /// Pixels of the tile whose orbit is not finite at the end of the block in which it leaves.
    fn beyond_at_the_end_of_a_block<T: Real + Into<f64>>(tile: &Julia, precision: Precision, per_word: usize) -> usize {
        let block = shader::block(per_word);
        let constants = tile.constants::<T>();
        let lines = tile.lines(0..EDGE);
        let counts = expected(tile, precision);
        let is_beyond = |&((row, column), count): &((usize, usize), &u16)| {
            let (mut x, mut y) = (T::round(tile.columns()[column]), T::round(lines[row]));
            let left_after = u32::from(tile.max_iter - count);
            for _ in 0..left_after / block * block + block {
                (x, y) = ((x * x - y * y) + constants.c_re, (x * y + x * y) + constants.c_im);
            }
            let size2: f64 = (x * x + y * y).into();
            *count > 1 && !size2.is_finite()
        };
        counts.indexed_iter().filter(is_beyond).count()
    }

    #[test]
    fn the_tile_shows_contraction_in_many_pixels() {
        let f32 = contracted_by_cpu!(f32, &staying(Precision::F32));
        let f64 = contracted_by_cpu!(f64, &staying(Precision::F64));
        assert!(f32 >= 100 && f64 >= 100, "{f32} and {f64} of {} pixels", EDGE * EDGE);
    }

    #[test]
    fn orbits_that_leave_grow_beyond_the_format_within_their_block() {
        let [bytes, words] = &LEAVING;
        let f32 = beyond_at_the_end_of_a_block::<f32>(bytes, Precision::F32, 4);
        let f32_long = beyond_at_the_end_of_a_block::<f32>(words, Precision::F32, 2);
        // In f64 the blocks of counts in bytes end before that.
        let f64_long = beyond_at_the_end_of_a_block::<f64>(words, Precision::F64, 2);
        assert!(f32 >= 100 && f32_long >= 100 && f64_long >= 100, "{f32}, {f32_long}, {f64_long}");
    }

    #[test]
    fn a_kernel_that_tests_at_the_end_of_a_block_alone_and_takes_nan_for_a_number_fails() {
        let mut gpu = software_gpu();
        let careless = |wgsl: &str| {
            let test = "inside = inside & is_inside(z, radius2);";
            wgsl.replace(test, "inside = !(z.x * z.x + z.y * z.y >= radius2);")
        };
        let [bytes, words] = &LEAVING;
        for (tile, precision) in [(bytes, Precision::F32), (words, Precision::F32), (words, Precision::F64)] {
            let differing = differing_with(&mut gpu, tile, precision, careless);
            assert!(differing >= 100, "{differing} pixels in {precision}");
        }
    }

    #[test]
    fn the_software_gpu_is_exact() {
        assert_eq!(software_gpu().identity().inexact, None);
    }

    #[test]
    fn a_kernel_that_adds_in_another_order_fails() {
        let mut gpu = software_gpu();
        for precision in gpu.precisions() {
            let differing = differing_with(&mut gpu, &staying(precision), precision, |wgsl| {
                wgsl.replace("(a - b) + c_re", "(a + c_re) - b")
            });
            assert!(differing >= 100, "{differing} pixels in {precision}");
        }
    }

    #[test]
    fn a_count_off_by_one_fails_everywhere() {
        let mut gpu = software_gpu();
        for precision in gpu.precisions() {
            let differing = differing_with(&mut gpu, &staying(precision), precision, |wgsl| {
                wgsl.replace("return orbit.n;", "return orbit.n - 1u;")
            });
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
            let tiles = [&staying(precision), &LEAVING[0], &LEAVING[1]];
            let wrong: usize = tiles.map(|tile| differing(&mut gpu, tile, precision).unwrap()).iter().sum();
            let says = verdict.contains(&format!("{wrong} of {PIXELS} pixels of the {precision}"));
            assert_eq!(says, wrong > 0, "{verdict}");
        }
    }
}
