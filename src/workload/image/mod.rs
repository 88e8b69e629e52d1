//! An image by all ranks: bands assigned while the job runs, computed and compressed where they are, and written from the
//! top as they arrive, so that memory is bounded however large the image.
//!
//! Knows nothing of the command line's words or of how the report looks.

pub mod assembly;
mod done;
mod dynamic;
pub mod journal;
pub mod open;
pub mod run;
pub mod tally;
mod verify;
pub mod watch;
mod waves;
mod window;
pub mod worker;

use self::tally::Tally;
use crate::{
    kernel::{Precision, band::Bands, image::Image},
    output::image::color::Coloring,
};

/// Bytes of bands that may wait on rank 0 for one above them that is not there yet.
const WAITING_BYTES: u64 = 64 << 20;
/// Pixels of one chunk at most: what travels in one message.
const CHUNK_PX: u64 = 16 << 20;

/// An image to be computed, the same on every rank.
#[derive(Clone, Debug)]
pub struct Job {
    /// The picture.
    pub image: Image,
    /// Format of all computation.
    pub precision: Precision,
    /// Form of its pixels.
    pub coloring: Coloring,
    /// Whether the counts themselves are wanted too.
    pub keep_counts: bool,
    /// Whether a sample of every rank's counts is compared with the definition.
    pub verify: bool,
}

impl Job {
    /// The cut of the image into chunks of work.
    #[must_use]
    pub fn bands(&self) -> Bands {
        Bands::of(self.image.width, self.image.height)
    }

    /// All that decides the bytes of the files, in words.
    #[must_use]
    pub fn picture(&self) -> String {
        let Self { image, precision, coloring, keep_counts, .. } = self;
        format!("{image:?} {precision} {coloring:?} counts={keep_counts}")
    }

    fn band_px(&self) -> u64 {
        u64::from(self.bands().band_rows()) * u64::from(self.image.width)
    }

    /// Bands of one chunk at most.
    fn max_bands(&self) -> u32 {
        u32::try_from((CHUNK_PX / self.band_px()).max(1)).unwrap_or(u32::MAX)
    }

    /// Bytes that are kept of a pixel at most: noise becomes half as large again, 12 bits a byte.
    fn max_kept_bytes_per_px(&self) -> u64 {
        let count_bytes = if self.image.counts_fit_u8() { 1 } else { 2 };
        (self.coloring.bytes_per_px() as u64 * 3).div_ceil(2) + if self.keep_counts { count_bytes } else { 0 }
    }

    /// Memory that a rank takes, in bytes: coordinates, the bands in work of each thread, its chunk, and on rank 0 what
    /// waits to be written. Compressed bands are counted as those of noise.
    #[must_use]
    pub fn needed_bytes(&self, threads: usize, is_root: bool) -> u64 {
        let count_bytes: u64 = if self.image.counts_fit_u8() { 1 } else { 2 };
        let pixel_bytes = self.coloring.bytes_per_px() as u64;
        let image_px = self.image.pixels();
        let coordinate_bytes = 16 * (u64::from(self.image.width) + u64::from(self.image.height));
        let kept_bytes = self.max_kept_bytes_per_px();
        let working = (threads as u64).saturating_mul(self.band_px()).saturating_mul(count_bytes + 2 * pixel_bytes);
        let chunk = CHUNK_PX.max(self.band_px()).min(image_px).saturating_mul(2 * kept_bytes);
        let waiting = if is_root { WAITING_BYTES.min(image_px.saturating_mul(kept_bytes)) } else { 0 };
        coordinate_bytes.saturating_add(working).saturating_add(chunk).saturating_add(waiting)
    }
}

/// What the job came to, on rank 0. Times in seconds.
#[derive(Clone, Debug, Default)]
pub struct Outcome {
    /// Smallest count of the image.
    pub min: u16,
    /// Largest count of the image.
    pub max: u16,
    /// Iterations of the whole image, those of earlier jobs included.
    pub iterations: u64,
    /// Receiving what ranks handed in.
    pub gather_s: f64,
    /// Writing.
    pub write_s: f64,
}

impl Outcome {
    /// The same with what is known of all bands of `job`.
    fn with(self, tally: Tally, job: &Job) -> Self {
        let max = job.image.pixels() * u64::from(job.image.max_iter);
        Self { min: tally.min, max: tally.max, iterations: max - tally.sum, ..self }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::cli::{Color, ColorScale};

    fn job(width: u32, height: u32) -> Job {
        Job {
            image: Image { width, height, ..Image::tutorial() },
            precision: Precision::F64,
            coloring: Coloring::new(Color::Viridis, ColorScale::Linear),
            keep_counts: false,
            verify: false,
        }
    }

    #[test]
    fn a_chunk_holds_at_least_a_band() {
        for (width, height) in [(1, 1), (640, 480), (102_400, 76_800), (i32::MAX.unsigned_abs(), 4)] {
            let job = job(width, height);
            assert!(job.max_bands() >= 1, "{width}x{height}");
        }
    }

    #[test]
    fn memory_does_not_grow_with_the_height_of_a_huge_image() {
        let rank = |height| job(102_400, height).needed_bytes(2, true);
        assert!(rank(76_800) < 256 << 20, "{}", rank(76_800));
        assert!(rank(768_000) - rank(76_800) < 16 << 20);
    }
}
