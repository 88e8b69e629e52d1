//! Bands: the rows of an image cut into equal horizontal strips, the unit of work, of compression and of the gather.
//!
//! The cut depends on the size of the image alone, never on the ranks, so that the compressed file has the same bytes
//! whoever computed which band. Knows nothing of who computes a band.

use std::ops::Range;

/// Pixels aimed at for one band: counts, coordinates and survivors of that many pixels stay in a core's L2 cache.
const TARGET_PX: u32 = 128 * 1024;
/// A band shorter than this compresses badly, since its first row has no row above it to be predicted from.
const MIN_ROWS: u32 = 4;
/// A taller band gains nothing in compression and makes the last chunk of a run longer.
const MAX_ROWS: u32 = 64;
/// An image has at least this many bands where its height allows it, so that a handful of ranks can share it evenly.
const MIN_BANDS: u32 = 64;

/// A horizontal strip of an image.
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
pub struct Band {
    /// Its number, from 0 at the top of the image.
    pub index: u32,
    /// Its rows, counted from the top of the image.
    pub rows: Range<u32>,
}

impl Band {
    /// Number of rows.
    #[must_use]
    pub fn height(&self) -> u32 {
        self.rows.end - self.rows.start
    }
}

/// The cut of one image into bands.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Bands {
    height: u32,
    band_rows: u32,
}

impl Bands {
    /// Cuts an image of `width` x `height` pixels, both at least 1.
    #[must_use]
    pub fn of(width: u32, height: u32) -> Self {
        let by_size = (TARGET_PX / width).max(MIN_ROWS);
        let by_number = height / MIN_BANDS;
        Self { height, band_rows: by_size.min(by_number).clamp(1, MAX_ROWS) }
    }

    /// Number of bands, at least 1.
    #[must_use]
    #[allow(clippy::len_without_is_empty, reason = "it would never be true")]
    pub fn len(&self) -> u32 {
        self.height.div_ceil(self.band_rows)
    }

    /// Rows of every band but the last, which may be shorter.
    #[must_use]
    pub fn band_rows(&self) -> u32 {
        self.band_rows
    }

    /// The band with number `index`.
    #[must_use]
    pub fn get(&self, index: u32) -> Band {
        let start = index * self.band_rows;
        Band { index, rows: start..(start + self.band_rows).min(self.height) }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn bands_cover_every_row_once() {
        for (width, height) in
            [(1, 1), (640, 480), (1920, 1440), (10_240, 7_680), (102_400, 76_800), (3, 65_537), (7, 5)]
        {
            let bands = Bands::of(width, height);
            let mut next = 0;
            for index in 0..bands.len() {
                let band = bands.get(index);
                assert_eq!(band.rows.start, next, "{width}x{height} band {index}");
                assert!(band.height() >= 1 && band.height() <= MAX_ROWS, "{width}x{height} band {index}");
                next = band.rows.end;
            }
            assert_eq!(next, height, "{width}x{height}");
        }
    }

    #[test]
    fn a_small_image_still_has_enough_bands_to_share() {
        assert_eq!(Bands::of(640, 480).band_rows(), 7);
        assert_eq!(Bands::of(10, 7).len(), 7);
    }

    #[test]
    fn a_wide_image_keeps_rows_to_predict_from() {
        assert_eq!(Bands::of(102_400, 76_800).band_rows(), MIN_ROWS);
    }
}
