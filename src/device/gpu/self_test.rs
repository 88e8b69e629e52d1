//! Whether this device's counts are the definition's: asked of every kernel before it is used.
//!
//! Of an image kernel one picture is a tiny tile around a repelling cycle, so near to it that orbits leave only after
//! their rounding errors have grown to the size of the picture: a driver that rounds once where the definition rounds
//! twice changes the counts of many of its pixels, while it changes one pixel in 400 000 of an ordinary f64 picture. The
//! others are of orbits that leave at once and grow beyond the format within the block of iterations in which they do: a
//! driver that took for granted that there is neither infinity nor NaN could take such a point for one that has stayed.
//!
//! Of a counting kernel it is a range of indices, with blocks and single ones, across an overflow of the block numbers' low half.

use std::{
    ops::{ControlFlow, Range},
    sync::Mutex,
};

use super::{GpuDevice, pipeline::Contraction, shader::Repeats};
use crate::{
    device::{Device, DeviceError},
    kernel::{
        Kernel, Precision,
        band::Band,
        count::Counts,
        counting::CountingKernel,
        image::{Image, ImageKernel},
        picture::TILE_PX,
    },
};

/// Limits of the tiles whose points leave after a few iterations: one that needs a byte, and one that needs 16 bits, whose blocks
/// are longer.
const LEAVING: [u16; 2] = [255, 511];
/// Pixels of all tiles in one precision, each computed in both ways.
const PIXELS: usize = Repeats::ALL.len() * (1 + LEAVING.len()) * (TILE_PX * TILE_PX) as usize;

/// The tiles of a kernel for `precision`: the one around a cycle first.
fn tiles(kernel: &ImageKernel, precision: Precision) -> Vec<Image> {
    let leaving = LEAVING.map(|max_iter| Image { width: TILE_PX, height: TILE_PX, max_iter, ..kernel.picture() });
    [kernel.rounding_tile(precision)].into_iter().chain(leaving).collect()
}

/// Number of the pixels of `tiles` whose counts by `gpu` are not the definition's, whether it seeks repeats or not.
fn differing(gpu: &mut GpuDevice, tiles: &[Image], precision: Precision) -> Result<usize, DeviceError> {
    let mut all = 0;
    for tile in tiles {
        let expected = tile.definition(precision, 0..TILE_PX);
        let bands = [Band { index: 0, rows: 0..TILE_PX }];
        for repeats in Repeats::ALL {
            // Until the device delivers, every pixel differs.
            let differing = Mutex::new(expected.len());
            gpu.compute(precision, (tile, &bands), Some(repeats), &|_, counts| {
                let count = match counts {
                    Counts::U8(counts) => {
                        counts.iter().zip(&expected).filter(|(got, wanted)| u16::from(**got) != **wanted).count()
                    }
                    Counts::U16(counts) => counts.iter().zip(&expected).filter(|(got, wanted)| got != wanted).count(),
                };
                *differing.lock().expect("nothing panics while it holds this lock") = count;
                ControlFlow::Continue(())
            })?;
            all += differing.into_inner().expect("nothing panics while it holds this lock");
        }
    }
    Ok(all)
}

/// Why counts may differ from the definition's whatever the kernel, where they may.
pub(super) fn contraction(contraction: Contraction) -> Option<String> {
    match contraction {
        Contraction::Forbidden => None,
        Contraction::LeftToDriver => {
            Some("its driver may contract a*b+c, which cannot be forbidden here (it takes no SPIR-V)".to_owned())
        }
    }
}

/// In what `gpu` differs from the definition of `kernel`.
pub(super) fn differences(gpu: &mut GpuDevice, kernel: &Kernel) -> Result<Vec<String>, DeviceError> {
    match kernel {
        Kernel::Image(kernel) => image_differences(gpu, kernel),
        Kernel::Counting(kernel) => counting_differences(gpu, kernel),
    }
}

fn image_differences(gpu: &mut GpuDevice, kernel: &ImageKernel) -> Result<Vec<String>, DeviceError> {
    let mut found = Vec::new();
    for precision in gpu.precisions() {
        let wrong = differing(gpu, &tiles(kernel, precision), precision)?;
        if wrong > 0 {
            let name = kernel.name();
            found.push(format!("{wrong} of {PIXELS} pixels of the self-test of {name} in {precision} differ"));
        }
    }
    Ok(found)
}

/// Indices on both sides of where the low half of the block numbers overflows.
fn indices(kernel: &CountingKernel) -> Range<u64> {
    let edge = kernel.kernel().block() << 32;
    edge - 10_001..edge + 10_001
}

fn counting_differences(gpu: &mut GpuDevice, kernel: &CountingKernel) -> Result<Vec<String>, DeviceError> {
    let range = indices(kernel);
    let (expected, found) = (kernel.kernel().count(range.clone()), gpu.count(kernel, range)?);
    let name = kernel.kernel().name();
    let differ = || format!("the self-test of {name} counts {found} instead of {expected}");
    Ok((found != expected).then(differ).into_iter().collect())
}

#[cfg(test)]
mod tests {
    use std::slice::from_ref;

    use super::*;
    use crate::{
        device::gpu::{
            Which, counting, image,
            pacer::Pacer,
            shader::{self, Shader},
        },
        kernel::{
            escape::{EscapeTime, orbit},
            image::Visitor,
            number::{Point, Real},
        },
    };

    fn software_gpu() -> GpuDevice {
        GpuDevice::open(&Which::Software).unwrap_or_else(|error| panic!("{error} (apt install mesa-vulkan-drivers)"))
    }

    /// Pixels of `tile` that are wrong by `gpu` with its kernel replaced by an edited one.
    fn differing_with(gpu: &mut GpuDevice, tile: &Image, precision: Precision, edit: impl Fn(&str) -> String) -> usize {
        let format = image::Format::of(tile, precision);
        let text = |repeats| {
            let shader = format.shader(tile, repeats);
            let edited = Shader { wgsl: edit(&shader.wgsl), ..shader.clone() };
            assert_ne!(edited, shader);
            edited
        };
        let kernel = image::Kernel::build(&gpu.context, format, text, gpu.contraction, Pacer::new()).unwrap();
        gpu.image.insert(format, kernel);
        differing(gpu, from_ref(tile), precision).unwrap()
    }

    /// An edit after which every count is one less.
    fn off_by_one(wgsl: &str) -> String {
        wgsl.replace("n = counted.n;", "n = counted.n - 1u;")
    }

    /// The count of a pixel where the CPU contracts a = x*x and a - b to one operation.
    macro_rules! contracted {
        ($real:ty, $tile:expr) => {{
            let constants = $tile.constants::<$real>();
            let (columns, rows) = ($tile.columns::<$real>(), $tile.rows::<$real>(0..TILE_PX));
            let pixels = rows.iter().flat_map(|&y| columns.iter().map(move |&x| Point { x, y }));
            let counts = pixels.map(|pixel| {
                let is_start = matches!($tile.kernel, ImageKernel::Julia(_));
                let (Point { mut x, mut y }, c) =
                    if is_start { (pixel, constants.fixed) } else { (constants.fixed, pixel) };
                let mut n = constants.max_iter;
                while n > 1 && x * x + y * y < constants.radius2 {
                    let xy = x * y;
                    (x, y) = (x.mul_add(x, -(y * y)) + c.x, (xy + xy) + c.y);
                    n -= 1;
                }
                n
            });
            counts.collect::<Vec<u16>>()
        }};
    }

    /// Pixels of the tile whose orbit is not finite at the end of the block in which it leaves.
    struct BeyondAtTheEndOfABlock<'a>(&'a Image, Precision);

    impl Visitor for BeyondAtTheEndOfABlock<'_> {
        type Output = usize;

        fn visit<K: EscapeTime>(self, _: &K) -> usize {
            match self.1 {
                Precision::F32 => self.count::<K, f32>(),
                Precision::F64 => self.count::<K, f64>(),
            }
        }
    }

    impl BeyondAtTheEndOfABlock<'_> {
        fn count<K: EscapeTime, T: Real + Into<f64>>(&self) -> usize {
            let Self(tile, precision) = self;
            let block = shader::block(*precision, if tile.counts_fit_u8() { 4 } else { 2 });
            let (constants, columns, rows) = (tile.constants::<T>(), tile.columns::<T>(), tile.rows::<T>(0..TILE_PX));
            let counts = tile.definition(*precision, 0..TILE_PX);
            let is_beyond = |&((row, column), count): &((usize, usize), &u16)| {
                let pixel = Point { x: columns[column], y: rows[row] };
                let (mut z, c) = orbit::<K, T>(pixel, constants.fixed);
                let left_after = u32::from(tile.max_iter - count);
                for _ in 0..left_after / block * block + block {
                    z = K::next(z, z.squares(), c);
                }
                let size2: f64 = (z.squares().x + z.squares().y).into();
                *count > 1 && !size2.is_finite()
            };
            counts.indexed_iter().filter(is_beyond).count()
        }
    }

    #[test]
    fn every_kernels_tile_shows_contraction_in_many_pixels() {
        for kernel in ImageKernel::ALL {
            let [f32, f64] = [Precision::F32, Precision::F64].map(|precision| {
                let tile = &tiles(&kernel, precision)[0];
                let contracted =
                    if precision == Precision::F32 { contracted!(f32, tile) } else { contracted!(f64, tile) };
                contracted
                    .iter()
                    .zip(&tile.definition(precision, 0..TILE_PX))
                    .filter(|(got, wanted)| got != wanted)
                    .count()
            });
            assert!(f32 >= 100 && f64 >= 100, "{}: {f32} and {f64} of {}", kernel.name(), TILE_PX * TILE_PX);
        }
    }

    #[test]
    fn orbits_that_leave_grow_beyond_the_format_within_their_block() {
        for kernel in ImageKernel::ALL {
            // In f64 the blocks of counts in bytes end before that.
            for (limit, precision) in [(1, Precision::F32), (2, Precision::F32), (2, Precision::F64)] {
                let tile = &tiles(&kernel, precision)[limit];
                let beyond = kernel.visit(BeyondAtTheEndOfABlock(tile, precision));
                assert!(beyond >= 100, "{} {precision} {}: {beyond}", kernel.name(), tile.max_iter);
            }
        }
    }

    #[test]
    fn a_kernel_that_tests_at_the_end_of_a_block_alone_and_takes_nan_for_a_number_fails() {
        let mut gpu = software_gpu();
        let careless = |wgsl: &str| {
            let test = "inside = inside & is_inside(z, radius2);";
            wgsl.replace(test, "inside = !(z.x * z.x + z.y * z.y >= radius2);")
        };
        for kernel in ImageKernel::ALL {
            for (limit, precision) in [(1, Precision::F32), (2, Precision::F32), (2, Precision::F64)] {
                let tile = &tiles(&kernel, precision)[limit];
                let differing = differing_with(&mut gpu, tile, precision, careless);
                assert!(differing >= 100, "{}: {differing} pixels in {precision}", kernel.name());
            }
        }
    }

    #[test]
    fn the_software_gpu_is_exact() {
        let mut gpu = software_gpu();
        for kernel in all_kernels() {
            gpu.test(&kernel).unwrap();
            assert_eq!(gpu.identity().inexact, None);
        }
    }

    fn kernels_and_precisions(gpu: &GpuDevice) -> Vec<(ImageKernel, Precision)> {
        ImageKernel::ALL.iter().flat_map(|kernel| gpu.precisions().into_iter().map(|in_| (*kernel, in_))).collect()
    }

    fn all_kernels() -> Vec<Kernel> {
        let images = ImageKernel::ALL.map(Kernel::Image).into_iter();
        images.chain(CountingKernel::ALL.map(Kernel::Counting)).collect()
    }

    #[test]
    fn a_kernel_is_tested_when_it_is_used_first() {
        for kernel in all_kernels() {
            let mut gpu = software_gpu();
            match &kernel {
                Kernel::Image(kernel) => {
                    let tile = tiles(kernel, Precision::F32).remove(0);
                    let band = Band { index: 0, rows: 0..TILE_PX };
                    gpu.image(&tile, Precision::F32, &[band], &|_, _| ControlFlow::Continue(())).unwrap();
                }
                Kernel::Counting(kernel) => {
                    gpu.count(kernel, 0..10).unwrap();
                }
            }
            assert_eq!(gpu.tested, [kernel.name()]);
        }
    }

    #[test]
    fn a_kernel_that_adds_in_another_order_fails() {
        let mut gpu = software_gpu();
        for (kernel, precision) in kernels_and_precisions(&gpu) {
            let differing = differing_with(&mut gpu, &tiles(&kernel, precision)[0], precision, |wgsl| {
                wgsl.replace("(a - b) + c.x", "(a + c.x) - b")
            });
            assert!(differing >= 100, "{}: {differing} pixels in {precision}", kernel.name());
        }
    }

    #[test]
    fn a_count_off_by_one_fails_everywhere() {
        let mut gpu = software_gpu();
        for (kernel, precision) in kernels_and_precisions(&gpu) {
            let differing = differing_with(&mut gpu, &tiles(&kernel, precision)[0], precision, off_by_one);
            assert_eq!(differing, 2 * (TILE_PX * TILE_PX) as usize, "{} {precision}", kernel.name());
        }
    }

    #[test]
    fn a_wrong_kernel_is_found_before_its_first_use_and_named() {
        let mut gpu = software_gpu();
        let kernel = ImageKernel::ALL[1];
        let tile = &tiles(&kernel, Precision::F32)[0];
        let format = image::Format::of(tile, Precision::F32);
        // Either of its two texts is enough.
        let text = |repeats| {
            let shader = format.shader(tile, repeats);
            if repeats == Repeats::Sought { Shader { wgsl: off_by_one(&shader.wgsl), ..shader } } else { shader }
        };
        let wrong = image::Kernel::build(&gpu.context, format, text, gpu.contraction, Pacer::new()).unwrap();
        gpu.image.insert(format, wrong);
        gpu.test(&Kernel::Image(ImageKernel::ALL[0])).unwrap();
        assert_eq!(gpu.identity().inexact, None, "another kernel is right");
        gpu.test(&Kernel::Image(kernel)).unwrap();
        let reason = gpu.identity().inexact.clone().expect("a wrong kernel");
        assert!(reason.contains(kernel.name()) && reason.contains("f32"), "{reason}");
    }

    #[test]
    fn a_wrong_counting_kernel_is_found() {
        for kernel in CountingKernel::ALL {
            let mut gpu = software_gpu();
            let shader = shader::counting(kernel.kernel());
            let wgsl = shader.wgsl.replace("words[group_index] = sums[0]", "words[group_index] = sums[0] + 1u");
            let wrong = Shader { wgsl, ..shader };
            let wrong = counting::Kernel::build(&gpu.context, &wrong, gpu.contraction, Pacer::new()).unwrap();
            gpu.counting.insert(kernel.kernel().name(), wrong);
            gpu.test(&Kernel::Counting(kernel)).unwrap();
            assert!(gpu.identity().inexact.as_ref().is_some_and(|reason| reason.contains("instead of")));
        }
    }

    #[test]
    fn a_kernel_left_to_the_driver_is_never_called_exact() {
        let mut gpu = software_gpu();
        gpu.contraction = Contraction::LeftToDriver;
        gpu.identity.inexact = contraction(gpu.contraction);
        for kernel in ImageKernel::ALL {
            gpu.test(&Kernel::Image(kernel)).unwrap();
            let verdict = gpu.identity().inexact.clone().expect("contraction was left to the driver");
            assert!(verdict.contains("may contract"), "{verdict}");
            for precision in gpu.precisions() {
                let wrong = differing(&mut gpu, &tiles(&kernel, precision), precision).unwrap();
                let name = kernel.name();
                let says =
                    verdict.contains(&format!("{wrong} of {PIXELS} pixels of the self-test of {name} in {precision}"));
                assert_eq!(says, wrong > 0, "{verdict}");
            }
        }
    }
}
