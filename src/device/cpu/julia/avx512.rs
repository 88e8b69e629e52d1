//! The Julia kernel on AVX-512.
//!
//! Eight interleaved vectors of f64, or four of f32, are one block of 64 points. An iteration of a vector takes 3
//! multiplications, 1 fused multiply-add, 2 additions and 1 comparison into a mask register, which is stored as it is;
//! counting takes 1 more instruction for 64 points: 7.25 instructions for 8 iterations in f64, 1 more where Re c is not
//! zero. A core with two 512-bit pipes thus ends at 2 x 8 / 7.25 = 2.2 iterations a cycle (twice that in f32), one with
//! separate pipes for addition and multiplication, where three of four can be kept busy, at 3.3.

use fearless_simd::Avx512;

use crate::device::cpu::julia::{
    Target,
    lane::{Cell, Lane, Pack},
    map::Rules,
    staged::{Tile, Workspace},
    tally::Bits,
};

impl Pack for Avx512 {}

impl<T: Lane> Target<T> for Avx512 {
    fn fill<R: Rules, C: Cell>(self, work: &mut Workspace<T>, tile: &Tile<'_, T>, out: &mut [C], stride: usize) {
        if size_of::<T>() == 8 {
            work.fill::<Self, Bits, R, C, 8>(self, Bits::new(), tile, out, stride);
        } else {
            work.fill::<Self, Bits, R, C, 4>(self, Bits::new(), tile, out, stride);
        }
    }
}
