//! A Julia image by all ranks: bands dealt in turn, computed and compressed where they are, gathered and written in waves
//! so that memory is bounded however large the image.
//!
//! Knows nothing of the command line's words or of how the report looks.

use std::{
    ops::Range,
    sync::{
        Mutex,
        atomic::{AtomicU64, Ordering},
    },
    time::{Duration, Instant},
};

use crate::{
    comm::{Failure, World},
    device::Device,
    error::Error,
    fault,
    kernel::{
        Precision,
        band::{Band, Bands},
        julia::Julia,
    },
    output::{
        color::{Coloring, PixelBytes},
        encode::EncodedBand,
        npy::NpyFile,
        png::PngFile,
        progress::Progress,
    },
};

/// Pixels of one wave, of all ranks together: what rank 0 may have to hold at once.
const WAVE_PX: u64 = 128 << 20;

/// An image to be computed, the same on every rank.
#[derive(Clone, Debug)]
pub struct Job {
    /// The picture.
    pub julia: Julia,
    /// Format of all computation.
    pub precision: Precision,
    /// Form of its pixels.
    pub coloring: Coloring,
    /// Whether the counts themselves are wanted too.
    pub keep_counts: bool,
}

impl Job {
    /// The cut of the image into pieces of work.
    #[must_use]
    pub fn bands(&self) -> Bands {
        Bands::of(self.julia.width, self.julia.height)
    }

    /// Bands of each wave, as ranges of band numbers.
    fn waves(&self) -> impl Iterator<Item = Range<u32>> + use<> {
        let bands = self.bands();
        let band_px = u64::from(bands.band_rows()) * u64::from(self.julia.width);
        let step = u32::try_from((WAVE_PX / band_px).max(1)).unwrap_or(u32::MAX);
        (0..bands.len().div_ceil(step)).map(move |wave| {
            let start = wave * step;
            start..start.saturating_add(step).min(bands.len())
        })
    }

    /// Memory that a rank takes for its share, in bytes: coordinates and the bands in work of each thread, and what the
    /// waves hold in flight. Compressed bands are counted at full size, which an image of noise would come to.
    #[must_use]
    pub fn needed_bytes(&self, threads: usize, ranks: usize, is_root: bool) -> u64 {
        let count_bytes: u64 = if self.julia.counts_fit_u8() { 1 } else { 2 };
        let pixel_bytes = self.coloring.bytes_per_px() as u64;
        let band_px = u64::from(self.bands().band_rows()) * u64::from(self.julia.width);
        let wave_px = WAVE_PX.max(band_px).min(u64::from(self.julia.width) * u64::from(self.julia.height));
        let coordinate_bytes = 8 * (u64::from(self.julia.width) + u64::from(self.julia.height));
        let working = (threads as u64).saturating_mul(band_px).saturating_mul(count_bytes + 2 * pixel_bytes);
        let kept_bytes = if self.keep_counts { count_bytes } else { 0 } + pixel_bytes / 4 + 1;
        let share = wave_px.div_ceil(ranks as u64).saturating_mul(kept_bytes);
        let assembly = if is_root { 2 * wave_px.saturating_mul(kept_bytes) } else { 0 };
        coordinate_bytes.saturating_add(working).saturating_add(2 * share).saturating_add(assembly)
    }
}

/// The files of a job, on rank 0.
#[derive(Debug)]
pub struct Files {
    /// The picture.
    pub png: PngFile,
    /// The counts, where they are wanted.
    pub counts: Option<NpyFile>,
}

/// What the job found, known to every rank, and what this rank did and measured. Times in seconds.
#[derive(Clone, Debug, Default)]
pub struct Outcome {
    /// Smallest count of the image.
    pub min: u64,
    /// Largest count of the image.
    pub max: u64,
    /// Iterations of all ranks.
    pub iterations: u64,
    /// Pixels this rank computed.
    pub my_pixels: u64,
    /// Iterations this rank computed.
    pub my_iterations: u64,
    /// Computing.
    pub compute_s: f64,
    /// Filtering and compressing.
    pub encode_s: f64,
    /// Waiting for other ranks.
    pub wait_s: f64,
    /// Gathering.
    pub gather_s: f64,
    /// Writing, on rank 0.
    pub write_s: f64,
}

/// Computes the image on all ranks and completes the files on rank 0. Collective.
///
/// # Errors
/// Of the devices and of the files, agreed on by all ranks.
pub fn run(
    world: &World,
    device: &mut dyn Device,
    job: &Job,
    files: Option<Files>,
    progress: &Progress,
) -> Result<Outcome, Failure> {
    let pixels = job.coloring.pixel_bytes(job.julia.max_iter, world.rank(), device.identity().kind);
    let mut outcome = Outcome { min: u64::MAX, ..Outcome::default() };
    let mut files = files;
    let mut written = Ok(());
    for wave in job.waves() {
        let mine: Vec<Band> = share(wave, world.rank(), world.size()).map(|index| job.bands().get(index)).collect();
        let computed = compute(device, job, &mine, &pixels, progress, &mut outcome);
        fault::inject(world.rank());
        let arrived = Instant::now();
        world.all.meet();
        outcome.wait_s += arrived.elapsed().as_secs_f64();
        let encoded = world.agree(written.and(computed))?;

        let gathering = Instant::now();
        let mut message = Vec::new();
        encoded.iter().for_each(|band| band.write_to(&mut message));
        drop(encoded);
        let gathered = world.all.gather(&message);
        outcome.gather_s += gathering.elapsed().as_secs_f64();

        let writing = Instant::now();
        written = match (&mut files, gathered) {
            (Some(files), Some(parts)) => append(files, &parts),
            _ => Ok(()),
        };
        outcome.write_s += writing.elapsed().as_secs_f64();
    }
    outcome.min = world.all.min(outcome.min);
    outcome.max = world.all.max(outcome.max);
    outcome.iterations = world.all.sum(outcome.my_iterations);
    let writing = Instant::now();
    let written = written.and_then(|()| match files {
        Some(files) => complete(files, job.julia.max_iter, &outcome),
        None => Ok(()),
    });
    outcome.write_s += writing.elapsed().as_secs_f64();
    world.agree(written)?;
    Ok(outcome)
}

/// The bands of `wave` that fall to `rank`: every `ranks`-th, since neighbouring bands cost about the same and far ones do
/// not.
fn share(wave: Range<u32>, rank: usize, ranks: usize) -> impl Iterator<Item = u32> {
    wave.filter(move |index| *index as usize % ranks == rank)
}

/// Computes and encodes `bands`, in order, and adds to this rank's part of `outcome`.
fn compute(
    device: &mut dyn Device,
    job: &Job,
    bands: &[Band],
    pixels: &PixelBytes,
    progress: &Progress,
    outcome: &mut Outcome,
) -> Result<Vec<EncodedBand>, Error> {
    let encoded = Mutex::new(Vec::with_capacity(bands.len()));
    let encode_ns = AtomicU64::new(0);
    let started = Instant::now();
    device.julia(&job.julia, job.precision, bands, &|band, counts| {
        let encoding = Instant::now();
        let band = EncodedBand::new(band, counts, pixels, job.keep_counts);
        let nanoseconds = u64::try_from(encoding.elapsed().as_nanos()).unwrap_or(u64::MAX);
        encode_ns.fetch_add(nanoseconds, Ordering::Relaxed);
        encoded.lock().expect("no thread panics while it pushes").push(band);
        progress.advance();
    })?;
    let elapsed_s = started.elapsed().as_secs_f64();
    let workers = u32::try_from(device.identity().threads.max(1)).unwrap_or(u32::MAX);
    let encode_s = (Duration::from_nanos(encode_ns.into_inner()) / workers).as_secs_f64();
    outcome.encode_s += encode_s;
    outcome.compute_s += (elapsed_s - encode_s).max(0.0);

    let mut encoded = encoded.into_inner().expect("no thread panicked while it pushed");
    encoded.sort_by_key(|band| band.facts.index);
    for (band, encoded) in bands.iter().zip(&encoded) {
        let band_px = u64::from(band.height()) * u64::from(job.julia.width);
        outcome.my_pixels += band_px;
        outcome.my_iterations += band_px * u64::from(job.julia.max_iter) - encoded.facts.sum;
        outcome.min = outcome.min.min(encoded.facts.min);
        outcome.max = outcome.max.max(encoded.facts.max);
    }
    Ok(encoded)
}

/// Appends a wave's bands, which every rank sent in order, to the files.
fn append(files: &mut Files, parts: &[Vec<u8>]) -> Result<(), Error> {
    let mut bands: Vec<EncodedBand> = parts.iter().flat_map(|part| EncodedBand::read_all(part)).collect();
    bands.sort_by_key(|band| band.facts.index);
    files.png.append(&bands)?;
    match &mut files.counts {
        Some(counts) => counts.append(&bands),
        None => Ok(()),
    }
}

fn complete(files: Files, max_iter: u16, outcome: &Outcome) -> Result<(), Error> {
    let count = |count: u64| u16::try_from(count).expect("counts lie between 1 and max_iter");
    if let Some(counts) = files.counts {
        counts.complete()?;
    }
    files.png.complete(max_iter, count(outcome.min), count(outcome.max))
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::cli::Color;

    fn job(width: u32, height: u32) -> Job {
        Job {
            julia: Julia { width, height, x: (-2.0, 2.0), y: (-1.5, 1.5), c: (0.0, 0.65), radius: 3.0, max_iter: 255 },
            precision: Precision::F64,
            coloring: Coloring::of(Color::Viridis),
            keep_counts: false,
        }
    }

    #[test]
    fn waves_cover_every_band_once() {
        for (width, height) in [(640, 480), (10_240, 7_680), (102_400, 76_800), (1, 1)] {
            let job = job(width, height);
            let covered: Vec<u32> = job.waves().flatten().collect();
            assert_eq!(covered, (0..job.bands().len()).collect::<Vec<_>>(), "{width}x{height}");
        }
    }

    #[test]
    fn every_band_has_one_rank() {
        for ranks in 1..9 {
            let mut dealt: Vec<u32> = (0..ranks).flat_map(|rank| share(10..35, rank, ranks)).collect();
            dealt.sort_unstable();
            assert_eq!(dealt, (10..35).collect::<Vec<_>>(), "{ranks} ranks");
        }
    }

    #[test]
    fn memory_does_not_grow_with_the_height_of_a_huge_image() {
        let rank = |height| job(102_400, height).needed_bytes(2, 4, true);
        assert!(rank(76_800) < 1 << 30, "{}", rank(76_800));
        assert!(rank(768_000) - rank(76_800) < 16 << 20);
    }
}
