//! How far ahead of the first band that is missing bands may be assigned: as far as rank 0 has memory for what would wait.
//!
//! Most pictures compress to a few percent, and a GPU that had to wait for a slow rank after so many pixels as fit in memory
//! uncompressed would wait most of the time. So the window is counted in bytes, those of the future estimated by those of
//! the past.

use std::ops::Range;

use super::{Job, WAITING_BYTES};
use crate::output::image::encode::EncodedBand;

/// Bands to come may be this many times as large as those that have come, on average.
const MARGIN: u64 = 2;
/// And are not believed to be smaller than this part of the largest possible: an image may begin with an empty corner.
const MIN_PART: u64 = 64;

/// Bytes of a band at most, as it is kept.
pub(super) fn max_band_bytes(job: &Job) -> u64 {
    job.band_px().saturating_mul(job.max_kept_bytes_per_px()).max(1)
}

/// Knows how large bands are.
#[derive(Debug)]
pub(super) struct Window {
    /// Bytes of a band at most.
    max_bytes: u64,
    bands: u64,
    bytes: u64,
}

impl Window {
    /// For bands of `job`.
    pub(super) fn new(job: &Job) -> Self {
        Self { max_bytes: max_band_bytes(job), bands: 0, bytes: 0 }
    }

    /// Takes note of the size of bands that were handed in.
    pub(super) fn learn(&mut self, bands: &[EncodedBand]) {
        self.bands += bands.len() as u64;
        self.bytes += bands.iter().map(EncodedBand::kept_bytes).sum::<u64>();
    }

    /// The bands that may be assigned: those from `start` on, the first that is missing, where behind it so many bands wait that
    /// take so many bytes.
    pub(super) fn of(&self, start: u32, (waiting, waiting_bytes): (usize, u64)) -> Range<u32> {
        let ahead = waiting as u64 + WAITING_BYTES.saturating_sub(waiting_bytes) / self.likely_bytes();
        start..start.saturating_add(u32::try_from(ahead.max(1)).unwrap_or(u32::MAX))
    }

    /// What to reckon with for a band that has not come.
    fn likely_bytes(&self) -> u64 {
        let average = self.bytes.checked_div(self.bands);
        average.map_or(self.max_bytes, |average| {
            (MARGIN * average).clamp((self.max_bytes / MIN_PART).max(1), self.max_bytes)
        })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn bands_that_compress_well_make_the_window_longer_up_to_a_limit() {
        let likely = |bands, bytes| Window { max_bytes: 6400, bands, bytes }.likely_bytes();
        assert_eq!(likely(0, 0), 6400, "nothing is known");
        assert_eq!(likely(10, 10_000), 2000);
        assert_eq!(likely(10, 10), 100, "it may be an empty corner");
        assert_eq!(likely(10, 60_000), 6400, "no band is larger than the largest");
    }
}
