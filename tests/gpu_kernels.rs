//! The GPU's counts against the definition, pixel by pixel, on a software adapter; with `HYBRID_TEST_GPU=hardware` in the
//! environment, on the first GPU in hardware.

#[path = "support/whole_image.rs"]
mod whole_image;

use std::{
    ops::{ControlFlow, Range},
    sync::Mutex,
};

use hybrid::inside::{
    device::{
        Deliver, Device, DeviceError, Identity,
        gpu::{GpuDevice, Which, adapter::Class, list},
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

const TUTORIAL: Image = Image::tutorial();
const LONG: Image =
    Image { x: (-1.6, 1.6), y: (-1.0, 1.0), max_iter: 2001, kernel: ImageKernel::julia((-0.8, 0.156)), ..TUTORIAL };
const MANDELBROT: Image = Image { x: (-2.5, 1.5), kernel: ImageKernel::Mandelbrot(Mandelbrot), ..TUTORIAL };

fn wants_hardware() -> bool {
    std::env::var("HYBRID_TEST_GPU").is_ok_and(|value| value == "hardware")
}

/// The GPU under test.
fn gpu() -> GpuDevice {
    if !wants_hardware() {
        let gpu = GpuDevice::open(&Which::Software);
        return gpu.unwrap_or_else(|error| panic!("{error} (apt install mesa-vulkan-drivers)"));
    }
    let facts = list().into_iter().find(|facts| facts.class != Class::Software);
    let facts = facts.expect("HYBRID_TEST_GPU=hardware needs a GPU in hardware that Vulkan lists");
    let which = facts.pci_bus_id.map_or(Which::WithoutPciBusId, Which::PciBusId);
    GpuDevice::open(&which).unwrap_or_else(|error| panic!("{error}"))
}

/// All bands of `julia`, in an order that is not theirs.
fn shuffled_bands(image: &Image) -> Vec<Band> {
    let bands = Bands::of(image.width, image.height);
    let (even, odd): (Vec<u32>, Vec<u32>) = (0..bands.len()).partition(|index| index % 2 == 0);
    odd.into_iter().rev().chain(even).map(|index| bands.get(index)).collect()
}

/// The image by `device`; pixels of bands that are not delivered stay 0, which no count is.
fn computed(device: &mut dyn Device, image: &Image, precision: Precision, bands: &[Band]) -> Array2<u16> {
    let whole = whole_image(device, image, precision, bands).expect("the device works");
    assert!(whole.has_its_width);
    let mut expected: Vec<u32> = bands.iter().map(|band| band.index).collect();
    expected.sort_unstable();
    assert_eq!(whole.delivered, expected, "each band once");
    whole.counts
}

/// Number of pixels in which `device` and the definition differ.
fn differing(device: &mut dyn Device, image: &Image, precision: Precision) -> usize {
    let bands = shuffled_bands(image);
    let computed = computed(device, image, precision, &bands);
    computed.iter().zip(&image.definition(precision, 0..image.height)).filter(|(got, wanted)| got != wanted).count()
}

#[test]
fn counts_are_the_definitions() {
    let pictures = [
        ("tutorial", TUTORIAL),
        ("long, 16 bits", LONG),
        ("mandelbrot", MANDELBROT),
        ("mandelbrot, 16 bits", Image { max_iter: 1000, ..MANDELBROT }),
        ("mandelbrot, a circle too small for c", Image { width: 200, height: 150, radius: 1.2, ..MANDELBROT }),
        ("mandelbrot, odd width", Image { width: 641, height: 97, ..MANDELBROT }),
        ("odd width", Image { width: 641, height: 97, ..TUTORIAL }),
        ("one column", Image { width: 1, height: 333, ..TUTORIAL }),
        ("one pixel", Image { width: 1, height: 1, ..TUTORIAL }),
        ("odd width, 16 bits", Image { width: 333, height: 77, ..LONG }),
        ("largest limit in bytes", Image { max_iter: 255, ..LONG }),
        ("smallest limit in 16 bits", Image { max_iter: 256, ..LONG }),
        ("no iteration", Image { width: 50, height: 5, max_iter: 1, ..TUTORIAL }),
        ("one iteration", Image { width: 50, height: 50, max_iter: 2, ..TUTORIAL }),
        ("limit no multiple of the unrolling", Image { width: 200, height: 100, max_iter: 7, ..LONG }),
        ("largest limit", Image { width: 60, height: 40, max_iter: u16::MAX, ..LONG }),
        ("everything escapes at once", Image { width: 100, height: 100, radius: 0.01, x: (1.0, 2.0), ..TUTORIAL }),
        ("values grow to infinity", Image { width: 100, height: 100, radius: 1e15, ..TUTORIAL }),
    ];
    let mut gpu = gpu();
    for (name, picture) in pictures {
        for precision in [Precision::F32, Precision::F64] {
            assert_eq!(differing(&mut gpu, &picture, precision), 0, "{name} in {precision}");
        }
    }
}

#[test]
fn a_row_too_long_for_a_coordinate_table_is_computed_in_parts() {
    // A table holds 64 MiB: 2^24 columns in f32.
    let wide = Image { width: (1 << 24) + 5, height: 2, max_iter: 12, ..TUTORIAL };
    assert_eq!(differing(&mut gpu(), &wide, Precision::F32), 0);
}

#[test]
fn nothing_to_do_is_done_without_a_delivery() {
    let image = computed(&mut gpu(), &TUTORIAL, Precision::F32, &[]);
    assert!(image.iter().all(|&count| count == 0));
}

#[test]
fn a_device_that_is_told_that_it_is_enough_delivers_what_is_under_way_and_no_more() {
    // Some dispatches, of which two are under way.
    let image = Image { width: 8192, height: 8192, max_iter: 2, ..TUTORIAL };
    let bands: Vec<Band> = shuffled_bands(&image);
    let delivered = Mutex::new(Vec::new());
    let deliver = |band: &Band, _: Counts<'_>| {
        delivered.lock().expect("not poisoned").push(band.index);
        ControlFlow::Break(())
    };
    gpu().image(&image, Precision::F32, &bands, &deliver).expect("the device works");
    let delivered = delivered.into_inner().expect("not poisoned");
    assert!((1..bands.len()).contains(&delivered.len()), "{} of {} bands", delivered.len(), bands.len());
    assert!(bands.iter().map(|band| band.index).zip(&delivered).all(|(band, delivered)| band == *delivered));
}

/// A GPU that gets one pixel of one band wrong by one.
#[derive(Debug)]
struct Saboteur(GpuDevice);

impl Device for Saboteur {
    fn identity(&self) -> &Identity {
        self.0.identity()
    }

    fn image(
        &mut self,
        image: &Image,
        precision: Precision,
        bands: &[Band],
        deliver: Deliver<'_>,
    ) -> Result<u64, DeviceError> {
        self.0.image(image, precision, bands, &|band, counts| match counts {
            Counts::U8(counts) if band.index == 1 => {
                let mut wrong = counts.to_owned();
                wrong[(0, 3)] ^= 1;
                deliver(band, Counts::U8(wrong.view()))
            }
            other => deliver(band, other),
        })
    }

    fn busy_s(&self) -> Option<f64> {
        self.0.busy_s()
    }

    fn count(&mut self, kernel: &CountingKernel, indices: Range<u64>) -> Result<u64, DeviceError> {
        self.0.count(kernel, indices).map(|count| count + 1)
    }
}

#[test]
fn one_wrong_pixel_is_noticed() {
    assert_eq!(differing(&mut Saboteur(gpu()), &TUTORIAL, Precision::F64), 1);
}

/// Rows that cost nothing, then rows whose every pixel costs the most.
const EASY_THEN_HARD: Image = Image {
    width: 512,
    height: 1024,
    x: (-0.4, 0.4),
    y: (-0.4, 6.0),
    radius: 2.0,
    max_iter: u16::MAX,
    kernel: ImageKernel::julia((0.0, 0.0)),
};

#[test]
fn no_dispatch_is_long_though_the_work_would_be() {
    let mut gpu = gpu();
    let bands = Bands::of(EASY_THEN_HARD.width, EASY_THEN_HARD.height);
    let bands: Vec<Band> = (0..bands.len()).map(|index| bands.get(index)).collect();
    let start = std::time::Instant::now();
    computed(&mut gpu, &EASY_THEN_HARD, Precision::F32, &bands);
    let (longest_s, total_s) = (gpu.longest_dispatch_s(), start.elapsed().as_secs_f64());
    // The aim is 0.08 s, but other tests on the same cores stretch a software adapter's dispatches, and all of them alike. To a GPU in
    // hardware all of it is little.
    assert!(longest_s > 0.0 && (longest_s * 3.0 < total_s || wants_hardware()), "{longest_s} s of {total_s} s");
}

#[test]
fn hits_are_the_definitions() {
    assert_eq!(wrong_ranges(&mut gpu()), []);
}

#[test]
fn one_hit_too_many_is_noticed() {
    assert!(wrong_ranges(&mut Saboteur(gpu())).len() == 10);
}

/// Seeds and ranges of darts whose hits by `device` are not the definition's.
fn wrong_ranges(device: &mut dyn Device) -> Vec<(u64, Range<u64>)> {
    let overflow = 1_u64 << 33;
    let ranges = [
        (7, 0..0),
        (7, 0..1),
        (7, 1..2),
        (7, 1..3),
        (7, 3..40_000),
        (8, 0..1_000_003),
        (u64::MAX, 1_234_567..2_345_678),
        // The low half of the block number overflows.
        (1 << 40, overflow - 50_001..overflow + 50_001),
        (7, (1 << 62) - 12_345..(1 << 62) + 12_345),
        (7, u64::MAX - 100_000..u64::MAX),
    ];
    ranges
        .into_iter()
        .filter(|(seed, darts)| {
            let kernel = CountingKernel::Pi(Pi { seed: *seed });
            let found = device.count(&kernel, darts.clone()).expect("the device works");
            found != kernel.kernel().count(darts.clone())
        })
        .collect()
}

#[test]
fn many_darts_hit_as_often_as_the_area_says() {
    let darts = 200_000_000_u32;
    let hits = gpu().count(&CountingKernel::Pi(Pi { seed: 7 }), 0..darts.into()).unwrap();
    let p = std::f64::consts::FRAC_PI_4;
    let deviation = (hits as f64 - f64::from(darts) * p) / (f64::from(darts) * p * (1.0 - p)).sqrt();
    assert!(deviation.abs() < 4.0, "{hits} hits: {deviation} standard errors from pi / 4");
}

#[test]
fn a_software_adapter_is_listed_as_one() {
    if wants_hardware() {
        // Which need not have one.
        return;
    }
    let software: Vec<_> = list().into_iter().filter(|facts| facts.class == Class::Software).collect();
    assert!(!software.is_empty(), "no software adapter: apt install mesa-vulkan-drivers");
    assert!(software.iter().all(|facts| facts.pci_bus_id.is_none() && !facts.name.is_empty()), "{software:?}");
}

/// What the list of adapters calls the GPU under test.
fn gpu_name() -> String {
    if wants_hardware() { gpu().identity().pci_bus_id.clone().unwrap_or_default() } else { "software".to_owned() }
}

#[test]
fn a_gpu_that_is_not_there_is_named_with_what_is_there() {
    let error = GpuDevice::open(&Which::PciBusId("ffff:ff:1f.7".to_owned())).unwrap_err();
    assert!(matches!(error, DeviceError::NoGpu { .. }), "{error:?}");
    let message = error.to_string();
    assert!(message.contains("ffff:ff:1f.7") && message.contains(&gpu_name()), "{message}");
}
