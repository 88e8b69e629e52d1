//! The Julia kernel on 64-bit Arm (NEON).
//!
//! Four interleaved vectors: their points and counters fill the sixteen registers. An iteration of a vector takes 3
//! multiplications, 1 fused multiply-add, 2 additions, 1 comparison and 1 subtraction of the comparison from the counters:
//! 8 instructions for 4 iterations in f64 or 8 in f32, 1 more where Re c is not zero. A core with three vector pipes ends
//! at 3 x 4 / 8 = 1.5 iterations a cycle in f64. Compaction and expansion go through tables of permutations.

use fearless_simd::Neon;

use crate::device::cpu::julia::{
    Target,
    lane::{Cell, Lane, Pack},
    map::Rules,
    staged::{Tile, Workspace},
    tally::Lanes,
};

impl Pack for Neon {}

impl<T: Lane> Target<T> for Neon {
    fn fill<R: Rules, C: Cell>(self, work: &mut Workspace<T>, tile: &Tile<'_, T>, out: &mut [C], stride: usize) {
        work.fill::<Self, Lanes, R, C, 4>(self, Lanes, tile, out, stride);
    }
}
