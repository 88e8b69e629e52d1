//! Image kernels on AVX-512.
//!
//! Eight interleaved vectors of f64, or four of f32, are one block of 64 points. An iteration of a vector takes 3
//! multiplications, 1 fused multiply-add, 2 additions and 1 comparison into a mask register, which is stored as it is;
//! counting takes 2 more instructions for 64 points: 7.25 instructions for 8 iterations in f64, 7.5 for 16 in f32, 1 more
//! where Re c is not zero. A core with two 512-bit pipes thus ends at 2 x 8 / 7.25 = 2.2 iterations a cycle in f64; one with
//! two pipes for multiplication and two for addition, of which three can be kept busy (measured on Zen 5), at 3.3.

use fearless_simd::{Avx512, Select, Simd, SimdBase, SimdMask, mask8x64, u8x64};

use crate::{
    device::cpu::escape::{
        Target,
        lane::{BLOCK, Cell, Lane, Pack},
        map::{Map, Points, Rules},
        staged::Workspace,
        staging::MAX_STEPS,
        tally::Tally,
        tile::Tile,
    },
    kernel::escape::EscapeTime,
};

/// Counts with mask registers: each test leaves its bits in memory, through the store unit that is idle
/// otherwise, and afterwards 64 points are counted at once as bytes, a step an instruction.
pub(super) struct Bits {
    /// For each step one bit a point, vector by vector.
    words: [[u8; BLOCK / 8]; MAX_STEPS],
}

impl Bits {
    pub(super) fn new() -> Self {
        Self { words: [[0; BLOCK / 8]; MAX_STEPS] }
    }
}

impl<S: Simd, T: Lane, const U: usize> Tally<S, T, U> for Bits {
    #[inline(always)]
    fn count<K: EscapeTime, R: Rules>(
        &mut self,
        simd: S,
        map: &Map<K, S, T, R>,
        points: &mut Points<S, T, U>,
        steps: usize,
        passed: &mut [u8],
    ) -> u64 {
        let bytes = T::Vector::<S>::LEN / 8;
        let words = &mut self.words[..steps];
        for word in &mut *words {
            for u in 0..U {
                let bits = map.advance(points, u).to_bitmask().to_le_bytes();
                word[u * bytes..(u + 1) * bytes].copy_from_slice(&bits[..bytes]);
            }
        }
        let mut alive = u64::MAX;
        let mut count = u8x64::splat(simd, 0);
        for &word in &*words {
            let now = u64::from_le_bytes(word);
            alive = if R::REVOCABLE { alive & now } else { now };
            count = mask8x64::from_bitmask(simd, alive).select(count + 1, count);
        }
        count.store_slice(passed);
        alive
    }

    #[inline(always)]
    fn inside<K: EscapeTime, R: Rules>(&mut self, map: &Map<K, S, T, R>, points: &Points<S, T, U>) -> u64 {
        let len = u32::try_from(T::Vector::<S>::LEN).expect("a vector has a few lanes");
        let mut bits = 0;
        for u in 0..U {
            // Through general registers, since bytes just stored cannot be loaded together at once. As a chain, since the
            // compiler would turn independent shifts into slower vector code.
            let vector = map.inside(points, u).to_bitmask();
            bits = (bits | vector).rotate_right(len);
        }
        bits
    }
}

impl Pack for Avx512 {}

impl<T: Lane> Target<T> for Avx512 {
    fn fill<K: EscapeTime, R: Rules, C: Cell>(
        self,
        work: &mut Workspace<T>,
        tile: &Tile<'_, T>,
        out: &mut [C],
        stride: usize,
    ) -> u64 {
        if size_of::<T>() == 8 {
            work.fill::<K, Self, Bits, R, C, 8>(self, Bits::new(), tile, out, stride)
        } else {
            work.fill::<K, Self, Bits, R, C, 4>(self, Bits::new(), tile, out, stride)
        }
    }
}
