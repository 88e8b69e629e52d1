//! Darts thrown at a square: how many of them hit the circle inscribed in it. The scalar definition that every device must
//! reproduce. Twins: `shaders/pi.wgsl` and `src/device/cpu/pi/`.
//!
//! Dart number d takes words 2 (d mod 2) and 2 (d mod 2) + 1 of block d / 2 of the generator as its coordinates x and y,
//! read as signed integers: points of a lattice of 2^32 x 2^32 over the square [-1, 1) x [-1, 1), as in the tutorial. It
//! hits where x*x + y*y < 2^62, in integers, without rounding. Dart d is the same dart whoever throws it.
//!
//! The lattice lies symmetrically around the centre, so no edge is counted twice: it has pi 2^62 - 200 324 points inside
//! the circle, and 4 hits / darts tends to pi - 4.3e-14. The standard error is 1.64 / sqrt(darts): the difference would
//! show after 1e27 darts. (Coordinates from a corner, 0 to 2^32, would tend to pi + 9.3e-10 and show after 3e18.)

use std::ops::Range;

use super::{
    property::Counting,
    threefry::{self, ROUNDS, schedule, threefry4x32},
};

/// Darts thrown with one seed.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Pi {
    /// Seed of the generator.
    pub seed: u64,
}

impl Counting for Pi {
    fn name(&self) -> &'static str {
        "pi"
    }

    fn count(&self, indices: Range<u64>) -> u64 {
        hits(self.seed, indices)
    }

    fn block(&self) -> u64 {
        DARTS_PER_BLOCK
    }

    /// 112 operations, in units of about ten.
    fn block_steps(&self) -> u64 {
        12
    }

    fn wgsl(&self) -> String {
        format!("{}\n{}", threefry::wgsl(), include_str!("../../shaders/pi.wgsl"))
    }

    fn uniform(&self) -> Vec<(&'static str, u32)> {
        ["k0", "k1", "k2", "k3", "k4"].into_iter().zip(schedule(key(self.seed))).collect()
    }
}

/// Darts that one block of the generator gives.
pub const DARTS_PER_BLOCK: u64 = 2;

/// Square of the circle's radius in units of the lattice.
pub const RADIUS2: i64 = 1 << 62;

/// The generator's key of the run with `seed`: the seed's two halves, low first, and two words that set these runs apart
/// from any other use of the generator with the same seed ("hybr", "idpi").
#[must_use]
pub fn key(seed: u64) -> [u32; 4] {
    let [low, high] = halves(seed);
    [low, high, 0x6879_6272, 0x6964_7069]
}

/// The generator's counter of block `block`: its two halves, low first.
#[must_use]
pub fn counter(block: u64) -> [u32; 4] {
    let [low, high] = halves(block);
    [low, high, 0, 0]
}

/// The definition: how many of `darts` hit.
#[must_use]
pub fn hits(seed: u64, darts: Range<u64>) -> u64 {
    let key = key(seed);
    darts
        .map(|dart| {
            let words = threefry4x32::<ROUNDS>(counter(dart / DARTS_PER_BLOCK), key);
            let [x, y] = if dart % DARTS_PER_BLOCK == 0 { [words[0], words[1]] } else { [words[2], words[3]] };
            u64::from(is_hit(x.cast_signed(), y.cast_signed()))
        })
        .sum()
}

/// Whether the dart at (x, y) hits. Written so that no intermediate value leaves the range of i64.
#[must_use]
pub fn is_hit(x: i32, y: i32) -> bool {
    let (x, y) = (i64::from(x), i64::from(y));
    x * x < RADIUS2 - y * y
}

/// Low and high half.
#[expect(clippy::cast_possible_truncation, reason = "taking the halves apart is what is asked for")]
fn halves(value: u64) -> [u32; 2] {
    [value as u32, (value >> 32) as u32]
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_circle_is_open_and_ends_at_the_edge_of_the_square() {
        let edge = i32::MIN;
        for (x, y, hit) in [
            (0, 0, true),
            (edge, 0, false),
            (0, edge, false),
            (edge, edge, false),
            (i32::MAX, 0, true),
            (i32::MAX, 65_535, true),
            (i32::MAX, 65_536, false),
            (-i32::MAX, -65_535, true),
        ] {
            assert_eq!(is_hit(x, y), hit, "{x} {y}");
        }
    }

    #[test]
    fn any_split_gives_the_same_hits() {
        let whole = hits(7, 0..1001);
        for cut in [0, 1, 2, 499, 500, 501, 1000, 1001] {
            assert_eq!(hits(7, 0..cut) + hits(7, cut..1001), whole, "cut at {cut}");
        }
    }

    #[test]
    fn hits_are_as_many_as_the_area_says() {
        let darts = 1 << 20;
        let deviations = |seed| {
            let p = std::f64::consts::FRAC_PI_4;
            (f64::from(u32::try_from(hits(seed, 0..darts)).unwrap()) - darts as f64 * p)
                / (darts as f64 * p * (1.0 - p)).sqrt()
        };
        for seed in [0, 1, 7, u64::MAX] {
            assert!(deviations(seed).abs() < 4.0, "seed {seed}: {} standard errors", deviations(seed));
        }
    }

    #[test]
    fn seeds_and_blocks_beyond_32_bits_count() {
        assert_ne!(key(1), key(1 << 32));
        assert_ne!(counter(1), counter(1 << 32));
        let start = 1 << 33;
        assert_ne!(hits(7, 0..4096), hits(7, start..start + 4096));
    }
}
