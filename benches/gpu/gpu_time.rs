//! Times the GPU's kernels and prints a line a measurement, fields parted by tabs, all times medians in seconds:
//! `julia PICTURE f32|f64 ITERATIONS PIXELS KERNEL_S IDLE_S LONGEST_S`, where KERNEL_S is the kernels' alone by the device's
//! clock and IDLE_S a whole call whose receiver does nothing; `pi DARTS HITS S`; first `adapter NAME`.
//!
//! `gpu_time hardware|software RUNS SCALE`: the first adapter of that class; edges of the pictures are divided by SCALE.

use std::{
    env,
    ops::ControlFlow,
    process::ExitCode,
    sync::atomic::{AtomicU64, Ordering},
    time::Instant,
};

use hybrid::inside::{
    device::{
        Device,
        gpu::{GpuDevice, Which, adapter::Class, list},
    },
    error::Error,
    kernel::{
        Precision,
        band::{Band, Bands},
        count::{Counts, sum},
        counting::CountingKernel,
        image::{Image, ImageKernel},
        pi::Pi,
    },
};

/// The tutorial's picture, 32 times as wide and high.
const TUTORIAL: Image = Image { width: 20_480, height: 15_360, ..Image::tutorial() };
/// Points that live long.
const LONG: Image = Image {
    width: 16_384,
    height: 10_240,
    x: (-1.6, 1.6),
    y: (-1.0, 1.0),
    max_iter: 2001,
    kernel: ImageKernel::julia((-0.8, 0.156)),
    ..TUTORIAL
};
/// In a Siegel disc, where orbits neither escape nor repeat.
const INSIDE: Image = Image {
    width: 8192,
    height: 8192,
    x: (-0.4687, -0.2687),
    y: (-0.4377, -0.2377),
    max_iter: 2001,
    kernel: ImageKernel::julia((-0.390_540_870_218_399, -0.586_787_907_346_969)),
    ..TUTORIAL
};

/// The first adapter of the class that `word` names.
fn which(word: &str) -> Result<Which, String> {
    match word {
        "software" => Ok(Which::Software),
        "hardware" => {
            let facts = list().into_iter().find(|facts| facts.class != Class::Software);
            let facts = facts.ok_or("Vulkan lists no GPU in hardware")?;
            Ok(facts.pci_bus_id.map_or(Which::WithoutPciBusId, Which::PciBusId))
        }
        other => Err(format!("hardware or software, not {other}")),
    }
}

fn median(mut seconds: Vec<f64>) -> f64 {
    seconds.sort_by(f64::total_cmp);
    seconds[seconds.len() / 2]
}

fn bands(image: &Image) -> Vec<Band> {
    let bands = Bands::of(image.width, image.height);
    (0..bands.len()).map(|index| bands.get(index)).collect()
}

/// The sum of all counts.
fn sum_of_counts(gpu: &mut GpuDevice, image: &Image, precision: Precision) -> Result<u64, Error> {
    let total = AtomicU64::new(0);
    gpu.image(image, precision, &bands(image), &|_, counts| {
        let sum = match counts {
            Counts::U8(counts) => counts.as_slice().map(sum),
            Counts::U16(counts) => counts.as_slice().map(sum),
        };
        total.fetch_add(sum.expect("rows without gaps"), Ordering::Relaxed);
        ControlFlow::Continue(())
    })?;
    Ok(total.into_inner())
}

/// Medians over `runs`, after a first one: of the device's own time, and of the call's.
fn seconds(gpu: &mut GpuDevice, image: &Image, precision: Precision, runs: usize) -> Result<(f64, f64), Error> {
    let (mut busy, mut wall) = (Vec::new(), Vec::new());
    for run in 0..=runs {
        let before_s = gpu.busy_s().unwrap_or_default();
        let started = Instant::now();
        gpu.image(image, precision, &bands(image), &|_, _| ControlFlow::Continue(()))?;
        if run > 0 {
            wall.push(started.elapsed().as_secs_f64());
            busy.push(gpu.busy_s().unwrap_or_default() - before_s);
        }
    }
    Ok((median(busy), median(wall)))
}

const PI: CountingKernel = CountingKernel::Pi(Pi { seed: 7 });

fn measure(which: &Which, runs: usize, scale: u32) -> Result<(), Error> {
    let mut gpu = GpuDevice::open(which)?;
    let mut alone = GpuDevice::open(which)?.with_copies()?;
    println!("adapter\t{}", gpu.identity().adapter);
    for (name, image) in [("tutorial", TUTORIAL), ("long", LONG), ("inside", INSIDE)] {
        let image = Image { width: image.width / scale, height: image.height / scale, ..image };
        let pixels = image.pixels();
        for precision in [Precision::F32, Precision::F64] {
            let iterations = pixels * u64::from(image.max_iter) - sum_of_counts(&mut gpu, &image, precision)?;
            let (_, idle_s) = seconds(&mut gpu, &image, precision, runs)?;
            let (kernel_s, _) = seconds(&mut alone, &image, precision, runs)?;
            let longest_s = gpu.longest_dispatch_s().max(alone.longest_dispatch_s());
            println!("julia\t{name}\t{precision}\t{iterations}\t{pixels}\t{kernel_s:.7}\t{idle_s:.7}\t{longest_s:.4}");
        }
    }
    let darts = [1 << 30, if scale == 1 { 1 << 37 } else { 1 << 31 }];
    for darts in darts {
        let mut hits = gpu.count(&PI, 0..darts)?;
        let mut times = Vec::new();
        for _ in 0..runs {
            let started = Instant::now();
            hits = gpu.count(&PI, 0..darts)?;
            times.push(started.elapsed().as_secs_f64());
        }
        println!("pi\t{darts}\t{hits}\t{:.7}", median(times));
    }
    Ok(())
}

fn run() -> Result<(), String> {
    let words: Vec<String> = env::args().skip(1).collect();
    let [class, runs, scale] = &words[..] else {
        return Err("usage: gpu_time hardware|software RUNS SCALE".to_owned());
    };
    let number = |word: &String| word.parse::<u32>().map_err(|error| format!("{word}: {error}"));
    measure(&which(class)?, number(runs)?.max(1) as usize, number(scale)?.max(1)).map_err(|error| error.to_string())
}

fn main() -> ExitCode {
    run().map_or_else(
        |message| {
            eprintln!("{message}");
            ExitCode::from(2)
        },
        |()| ExitCode::SUCCESS,
    )
}
