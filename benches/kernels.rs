//! `cargo bench --bench kernels`: the kernels on one core, by instruction set and precision, and on every GPU, in iterations
//! and darts a second; at the end each CPU kernel as a fraction of what the core can do at most. Pin it for that:
//! `taskset -c 1 cargo bench ...`. Where there is no GPU the software adapter is timed, if there is one.

#![allow(missing_docs, reason = "criterion's macros write functions without documentation")]

mod ceiling;

use std::{ops::ControlFlow, time::Duration};

use criterion::{Criterion, Throughput, criterion_group};
use hybrid::inside::{
    device::{
        Device,
        cpu::{
            isa::Isa,
            measure::{time_counting, time_image},
        },
        gpu::{self, GpuDevice, Which},
    },
    kernel::{
        Precision,
        band::{Band, Bands},
        count::Counts,
        counting::CountingKernel,
        image::{Image, ImageKernel},
        julia::Julia,
        mandelbrot::Mandelbrot,
        pi::Pi,
    },
};

const DARTS: u64 = 1 << 22;

const PI: CountingKernel = CountingKernel::Pi(Pi { seed: 7 });

fn pictures() -> [(&'static str, Image); 4] {
    let picture = Image { width: 1920, height: 1440, ..Image::tutorial() };
    let (x, y, kernel) = ((-1.6, 1.6), (-1.0, 1.0), ImageKernel::julia((-0.8, 0.156)));
    let long = Image { width: 640, height: 400, x, y, max_iter: 2001, kernel, ..picture };
    // In a Siegel disc, where orbits neither escape nor repeat.
    let siegel = ImageKernel::julia((-0.390_540_870_218_399, -0.586_787_907_346_969));
    let (x, y, kernel) = ((-0.4687, -0.2687), (-0.4377, -0.2377), siegel);
    let inside = Image { width: 320, height: 240, x, y, max_iter: 2001, kernel, ..picture };
    let mandelbrot = Image { x: (-2.5, 1.5), kernel: ImageKernel::Mandelbrot(Mandelbrot), ..picture };
    [("julia/picture", picture), ("julia/long", long), ("julia/inside", inside), ("mandelbrot/picture", mandelbrot)]
}

fn images(criterion: &mut Criterion) {
    let mut group = criterion.benchmark_group("image");
    for (name, picture) in pictures() {
        for isa in Isa::available() {
            for precision in [Precision::F64, Precision::F32] {
                group.throughput(Throughput::Elements(time_image(isa, precision, &picture, 1).work));
                group.bench_function(format!("{name}/{isa}/{precision}"), |bencher| {
                    bencher.iter_custom(|runs| {
                        Duration::from_secs_f64(time_image(isa, precision, &picture, runs).total_s)
                    });
                });
            }
        }
    }
}

fn pi(criterion: &mut Criterion) {
    let mut group = criterion.benchmark_group("pi");
    group.throughput(Throughput::Elements(DARTS));
    for isa in Isa::available() {
        group.bench_function(isa.name(), |bencher| {
            bencher.iter_custom(|runs| Duration::from_secs_f64(time_counting(isa, &PI, DARTS, runs).total_s));
        });
    }
}

fn gpu(criterion: &mut Criterion) {
    let adapters = gpu::list();
    let hardware = adapters.iter().filter_map(|facts| facts.pci_bus_id.clone().map(Which::PciBusId));
    let mut all: Vec<Which> = hardware.collect();
    if all.is_empty() {
        all.extend(adapters.first().map(|_| Which::Software));
    }
    let mut group = criterion.benchmark_group("gpu");
    for which in all {
        let mut device = GpuDevice::open(&which).expect("an adapter that is listed opens");
        let has_f64 = device.identity().has_f64;
        for (name, picture) in pictures() {
            let bands = Bands::of(picture.width, picture.height);
            let bands: Vec<Band> = (0..bands.len()).map(|index| bands.get(index)).collect();
            let work = time_image(Isa::available()[0], Precision::F32, &picture, 1).work;
            for precision in [Precision::F32, Precision::F64].into_iter().take(1 + usize::from(has_f64)) {
                group.throughput(Throughput::Elements(work));
                group.bench_function(format!("{which}/{name}/{precision}"), |bencher| {
                    let deliver = |_: &Band, _: Counts<'_>| ControlFlow::Continue(());
                    bencher.iter(|| device.image(&picture, precision, &bands, &deliver).expect("the device works"));
                });
            }
        }
        group.throughput(Throughput::Elements(DARTS));
        group.bench_function(format!("{which}/pi"), |bencher| {
            bencher.iter(|| device.count(&PI, 0..DARTS).expect("the device works"));
        });
    }
}

/// Vector operations for one iteration in one lane: 3 products, 1 fused product, 2 sums, 1 comparison, the counting, and
/// one sum more where Re c is not zero. (Where no point escapes most tests are left out, and the fraction is too low.)
fn operations_per_iteration(isa: Isa, precision: Precision, picture: &Image) -> f64 {
    let counting = match (isa, precision) {
        (Isa::Avx512, Precision::F64) => 0.25,
        (Isa::Avx512, Precision::F32) => 0.5,
        _ => 1.0,
    };
    let is_imaginary = matches!(picture.kernel, ImageKernel::Julia(Julia { c: (0.0, _) }));
    7.0 + counting + if is_imaginary { 0.0 } else { 1.0 }
}

/// Vector operations for one dart in one lane, a rotation counted as one.
const OPERATIONS_PER_DART: f64 = 115.0 / 2.0;

/// Prints each kernel's best speed, in what it computed, beside the ceiling of its instruction set.
fn fractions() {
    println!("\n| kernel | G/s computed | ceiling G/s | fraction |\n|---|---|---|---|");
    let line = |name: String, speed: f64, ceiling: f64| {
        println!("| {name} | {:.2} | {:.2} | {:.0} % |", speed / 1e9, ceiling / 1e9, 100.0 * speed / ceiling);
    };
    for isa in Isa::available().into_iter().filter(|&isa| isa != Isa::Scalar) {
        let ceiling = ceiling::measure(isa);
        for (name, picture) in pictures() {
            for (precision, width) in [(Precision::F64, 1.0), (Precision::F32, 2.0)] {
                let times = time_image(isa, precision, &picture, 40);
                let max = width * ceiling.f64_lanes_per_s / operations_per_iteration(isa, precision, &picture);
                line(format!("{name} {isa} {precision}"), times.made as f64 / times.shortest_s, max);
            }
        }
        let times = time_counting(isa, &PI, DARTS, 40);
        line(format!("pi {isa}"), times.made as f64 / times.shortest_s, ceiling.u32_lanes_per_s / OPERATIONS_PER_DART);
    }
}

criterion_group!(kernels, images, pi, gpu);

fn main() {
    kernels();
    Criterion::default().configure_from_args().final_summary();
    fractions();
}
