//! What is known of the bands from the top that are done.

use serde::{Deserialize, Serialize};

use crate::output::image::{encode::EncodedBand, sink::layout::Counted};

/// Bands from the top, without a gap, and their counts.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Tally {
    /// How many.
    pub bands: u32,
    /// Smallest count.
    pub min: u16,
    /// Largest count.
    pub max: u16,
    /// Sum of all counts.
    pub sum: u64,
}

impl Tally {
    /// Of no band.
    pub const START: Self = Self { bands: 0, min: u16::MAX, max: 0, sum: 0 };

    /// These bands follow.
    ///
    /// # Panics
    /// Where they do not.
    pub fn add(&mut self, bands: &[EncodedBand]) {
        for band in bands {
            assert_eq!(band.facts.index, u64::from(self.bands), "bands are appended from the top");
            self.count(band);
        }
    }

    /// One more, wherever it belongs.
    pub fn count(&mut self, band: &EncodedBand) {
        let count = |count: u64| u16::try_from(count).expect("counts lie between 1 and max_iter");
        self.bands += 1;
        self.min = self.min.min(count(band.facts.min));
        self.max = self.max.max(count(band.facts.max));
        self.sum += band.facts.sum;
    }

    /// The smallest and the largest count.
    #[must_use]
    pub fn counted(&self) -> Counted {
        Counted { min: self.min, max: self.max }
    }
}
