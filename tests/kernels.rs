//! One suite for every device: it computes what the scalar definition computes, exactly, or the suite says where not.
//!
//! A new device passes with one line at the end.

#![allow(clippy::unwrap_used, reason = "a test fails where it cannot go on")]

#[path = "support/whole_image.rs"]
mod whole_image;

use std::{
    ops::{ControlFlow, Range},
    sync::Mutex,
};

use hybrid::inside::{
    device::{
        Deliver, Device, DeviceError, Identity, Kind,
        cpu::{CpuDevice, isa::Isa},
        gpu::{GpuDevice, Which},
    },
    kernel::{
        Precision,
        band::{Band, Bands},
        count::Counts,
        counting::CountingKernel,
        image::{Image, ImageKernel},
        mandelbrot::Mandelbrot,
        pi::Pi,
    },
};
use ndarray::Array2;
use whole_image::whole_image;

/// A picture of each kernel's kind, small.
fn small(kernel: ImageKernel) -> Image {
    Image { width: 96, height: 72, kernel, ..kernel.picture() }
}

/// Pictures that are easy to get wrong: odd sizes, both kinds of counts, limits of one iteration and of many, radii that
/// are left and entered again, views of infinity.
fn pictures() -> Vec<(&'static str, Image)> {
    let mut pictures = vec![
        ("a long limit", Image { max_iter: 2000, ..small(ImageKernel::julia((-0.8, 0.156))) }),
        ("a radius that is entered again", Image { radius: 0.7, ..small(ImageKernel::julia((0.3, -0.5))) }),
        ("a large c", small(ImageKernel::julia((7.0, -9.0)))),
        ("inside and outside", Image { max_iter: 2000, ..small(ImageKernel::Mandelbrot(Mandelbrot)) }),
        ("a circle too small for c", Image { radius: 1.2, ..small(ImageKernel::Mandelbrot(Mandelbrot)) }),
    ];
    for kernel in ImageKernel::ALL {
        let with = |change: fn(&mut Image)| {
            let mut image = small(kernel);
            change(&mut image);
            image
        };
        pictures.extend([
            ("the kernel's own", small(kernel)),
            ("one pixel", with(|image| (image.width, image.height) = (1, 1))),
            ("odd width", with(|image| (image.width, image.height) = (67, 5))),
            ("one wide row", with(|image| (image.width, image.height) = (5003, 1))),
            ("no iteration", with(|image| image.max_iter = 1)),
            ("one iteration", with(|image| image.max_iter = 2)),
            ("16-bit counts", with(|image| image.max_iter = 256)),
            ("the longest limit", with(|image| (image.max_iter, image.width, image.height) = (u16::MAX, 9, 7))),
            ("far away", with(|image| image.x = (1e30, 2e30))),
            ("at infinity", with(|image| (image.x, image.y, image.radius) = ((1e150, 1e200), (1e150, 1e200), 1e100))),
        ]);
    }
    pictures
}

fn definition(image: &Image, precision: Precision) -> Array2<u16> {
    image.definition(precision, 0..image.height)
}

fn computed(device: &mut dyn Device, image: &Image, precision: Precision) -> Result<Array2<u16>, String> {
    let bands = Bands::of(image.width, image.height);
    // Not in order: no device may rely on it.
    let bands: Vec<Band> = (0..bands.len()).rev().map(|index| bands.get(index)).collect();
    let whole = whole_image(device, image, precision, &bands).map_err(|error| error.to_string())?;
    let all: Vec<u32> = (0..u32::try_from(bands.len()).unwrap()).collect();
    match whole.delivered == all {
        true => Ok(whole.counts),
        false => Err(format!("bands {:?} were delivered", whole.delivered)),
    }
}

/// The suite: the first thing that `device` gets wrong.
fn check(device: &mut dyn Device) -> Result<(), String> {
    for (name, image) in pictures() {
        let name = format!("{} of {}", name, image.kernel.name());
        for precision in [Precision::F32, Precision::F64] {
            let expected = definition(&image, precision);
            let found = computed(device, &image, precision).map_err(|error| format!("{name}, {precision}: {error}"))?;
            let different = expected.iter().zip(&found).filter(|(expected, found)| expected != found).count();
            if different > 0 {
                return Err(format!("{name}, {precision}: {different} of {} pixels differ", expected.len()));
            }
        }
    }
    check_enough(device)?;
    for seed in [0, 7, u64::MAX] {
        for darts in darts() {
            let kernel = CountingKernel::Pi(Pi { seed });
            let expected = kernel.kernel().count(darts.clone());
            let found =
                device.count(&kernel, darts.clone()).map_err(|error| format!("pi, darts {darts:?}: {error}"))?;
            if found != expected {
                return Err(format!("pi, seed {seed}, darts {darts:?}: {found} hits instead of {expected}"));
            }
        }
    }
    Ok(())
}

/// Tells `device` after some bands that it is enough: what it has delivered must be the first bands that it was given.
fn check_enough(device: &mut dyn Device) -> Result<(), String> {
    const WANTED: usize = 5;
    let image = &small(ImageKernel::ALL[0]);
    let bands = Bands::of(image.width, image.height);
    let bands: Vec<Band> = (0..bands.len()).rev().map(|index| bands.get(index)).collect();
    let delivered = Mutex::new(Vec::new());
    let deliver = |band: &Band, _: Counts<'_>| {
        let mut delivered = delivered.lock().unwrap();
        delivered.push(band.index);
        if delivered.len() < WANTED { ControlFlow::Continue(()) } else { ControlFlow::Break(()) }
    };
    device.image(image, Precision::F64, &bands, &deliver).map_err(|error| error.to_string())?;
    let mut delivered = delivered.into_inner().unwrap();
    delivered.sort_unstable_by(|a, b| b.cmp(a));
    let first: Vec<u32> = bands.iter().take(delivered.len()).map(|band| band.index).collect();
    match delivered.len() {
        ..WANTED => Err(format!("{} bands are fewer than wanted", delivered.len())),
        _ if delivered != first => Err(format!("bands {delivered:?} are not the first")),
        _ => Ok(()),
    }
}

/// Ranges of darts that are easy to get wrong: empty, odd ends, across 32 bits of blocks, at the end of the sequence.
fn darts() -> Vec<Range<u64>> {
    let edge = 1_u64 << 33;
    vec![0..0, 0..1, 1..2, 1..4, 0..100_000, 12_345..77_778, edge - 1001..edge + 1002, u64::MAX - 5001..u64::MAX]
}

/// The definition itself as a device: the template for a new one. `wrong` changes a count before it is delivered.
#[derive(Debug)]
struct Scalar {
    identity: Identity,
    /// The device begins with this band: 0, or it leaves some out.
    begin: usize,
    wrong: fn(u16, &Image) -> u16,
    wrong_hits: fn(u64, Range<u64>) -> u64,
}

impl Scalar {
    fn new(wrong: fn(u16, &Image) -> u16, wrong_hits: fn(u64, Range<u64>) -> u64) -> Self {
        let identity = Identity {
            kind: Kind::Cpu,
            adapter: "scalar".to_owned(),
            pci_bus_id: None,
            threads: 1,
            has_f64: true,
            inexact: None,
        };
        Self { identity, begin: 0, wrong, wrong_hits }
    }
}

impl Device for Scalar {
    fn identity(&self) -> &Identity {
        &self.identity
    }

    fn image(
        &mut self,
        image: &Image,
        precision: Precision,
        bands: &[Band],
        deliver: Deliver<'_>,
    ) -> Result<u64, DeviceError> {
        let counts = definition(image, precision).mapv(|count| (self.wrong)(count, image));
        let (late, early) = bands.split_at(self.begin.min(bands.len()));
        for band in early.iter().chain(late) {
            let rows = band.rows.start as usize..band.rows.end as usize;
            if deliver(band, Counts::U16(counts.slice(ndarray::s![rows, ..]))).is_break() {
                break;
            }
        }
        Ok(0)
    }

    fn busy_s(&self) -> Option<f64> {
        None
    }

    fn count(&mut self, kernel: &CountingKernel, indices: Range<u64>) -> Result<u64, DeviceError> {
        Ok((self.wrong_hits)(kernel.kernel().count(indices.clone()), indices))
    }
}

#[test]
fn scalar() {
    check(&mut Scalar::new(|count, _| count, |hits, _| hits)).unwrap();
}

#[test]
fn saboteurs_are_caught() {
    let off_by_one = check(&mut Scalar::new(|count, _| count.saturating_sub(1).max(1), |hits, _| hits)).unwrap_err();
    assert!(off_by_one.contains("pixels differ"), "{off_by_one}");
    // Wrong in one picture, and there only where a pixel escapes after just ten iterations.
    let wrong = |count, image: &Image| if image.max_iter == 2000 && count == 1990 { 1989 } else { count };
    let rare = check(&mut Scalar::new(wrong, |hits, _| hits)).unwrap_err();
    assert!(rare.starts_with("a long limit"), "{rare}");
    // All bands where all are wanted, but not the first ones where some are.
    let scattered = check(&mut Scalar { begin: 7, ..Scalar::new(|count, _| count, |hits, _| hits) }).unwrap_err();
    assert!(scattered.contains("are not the first"), "{scattered}");
    // One hit too few, and only beyond 32 bits of blocks.
    let wrong_hits = |hits: u64, darts: Range<u64>| hits - u64::from(darts.end > 1 << 33);
    let rare = check(&mut Scalar::new(|count, _| count, wrong_hits)).unwrap_err();
    assert!(rare.starts_with("pi, seed 0, darts 8589933591"), "{rare}");
}

#[test]
fn cpu_with_every_instruction_set_of_this_machine() {
    for isa in Isa::available() {
        for threads in [1, 3] {
            check(&mut CpuDevice::new("CPU", isa, threads, None)).unwrap_or_else(|error| panic!("{isa}: {error}"));
        }
    }
}

#[test]
fn software_gpu() {
    let mut gpu = GpuDevice::open(&Which::Software).unwrap_or_else(|error| panic!("{error}: run `make setup-test`"));
    assert_eq!(gpu.identity().inexact, None);
    check(&mut gpu).unwrap();
}
