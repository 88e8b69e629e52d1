//! Equal shares: the bands of an image in waves, of each of which every rank computes as many as any other, in turn. It balances
//! nothing: all wait for the slowest rank of each wave.

use std::ops::Range;

use super::Chunk;

/// The waves of one image.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Waves {
    left: Range<u32>,
    ranks: u32,
    /// Bands of a wave.
    size: u32,
}

/// Bands that are computed together.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Wave {
    bands: Range<u32>,
    ranks: u32,
}

impl Waves {
    /// Of `bands`, for so many `ranks`, each wave of `max_bands` bands at most, but one for each rank in any case.
    #[must_use]
    pub fn new(bands: Range<u32>, ranks: u32, max_bands: u32) -> Self {
        Self { left: bands, ranks, size: (max_bands / ranks).max(1) * ranks }
    }
}

impl Iterator for Waves {
    type Item = Wave;

    fn next(&mut self) -> Option<Wave> {
        let start = self.left.start;
        let end = self.left.end.min(start.saturating_add(self.size));
        self.left.start = end;
        (start < end).then_some(Wave { bands: start..end, ranks: self.ranks })
    }
}

impl Wave {
    /// The bands of `rank`: those whose number is the rank's modulo the number of ranks, wherever the wave begins.
    #[must_use]
    pub fn chunk(&self, rank: u32) -> Chunk {
        let Self { bands, ranks } = self;
        let first = bands.start + (rank + ranks - bands.start % ranks) % ranks;
        Chunk { first, count: bands.end.saturating_sub(first).div_ceil(*ranks), stride: *ranks }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_band_is_in_one_wave_of_one_rank_whichever_it_starts_with() {
        for (start, bands, ranks, max_bands) in
            [(0, 1, 3, 9), (0, 64, 3, 9), (5, 64, 4, 1), (7, 1000, 7, 100), (3, 4, 8, 64)]
        {
            let mut computed = Vec::new();
            for wave in Waves::new(start..bands, ranks, max_bands) {
                let shares: Vec<u32> = (0..ranks).map(|rank| wave.chunk(rank).count).collect();
                let (smallest, largest) = (shares.iter().min().unwrap(), shares.iter().max().unwrap());
                assert!(largest - smallest <= 1 && shares.iter().sum::<u32>() <= max_bands.max(ranks), "{shares:?}");
                for rank in 0..ranks {
                    assert!(wave.chunk(rank).bands().all(|band| band % ranks == rank), "{wave:?} {rank}");
                    computed.extend(wave.chunk(rank).bands());
                }
            }
            computed.sort_unstable();
            assert_eq!(computed, (start..bands).collect::<Vec<_>>(), "{ranks} ranks");
        }
    }
}
