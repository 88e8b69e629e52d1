//! Image kernels on AVX2.
//!
//! Four interleaved vectors: their points and counters fill the sixteen registers. An iteration of a vector takes 3
//! multiplications, 1 fused multiply-add, 2 additions, 1 comparison and 1 subtraction of the comparison from the counters:
//! 8 instructions for 4 iterations in f64 or 8 in f32, 1 more where Re c is not zero. A core with three vector pipes ends
//! at 3 x 4 / 8 = 1.5 iterations a cycle in f64. Compaction and expansion go through tables of permutations.

use std::arch::x86_64::{__m256, __m256d, __m256i, _mm256_castpd_ps, _mm256_castps_pd, _mm256_permutevar8x32_ps};

use fearless_simd::{Avx2, SimdBase, SimdInto, kernel, u32x8};

use crate::{
    device::cpu::escape::{
        Target,
        lane::{Cell, Lane, Pack},
        map::Rules,
        staged::Workspace,
        tally::Lanes,
        tile::Tile,
    },
    kernel::escape::EscapeTime,
};

/// For each set of lanes, a bit a lane, the permutation that moves them together, as 32-bit lane numbers.
#[expect(clippy::cast_possible_truncation, reason = "lane numbers are below 8")]
const fn permutations<const SETS: usize>(lane_words: usize) -> [[u32; 8]; SETS] {
    let mut table = [[0; 8]; SETS];
    let mut set = 0;
    while set < SETS {
        let mut from = 0;
        let mut to = 0;
        while from < 8 {
            if set >> (from / lane_words) & 1 == 1 {
                table[set][to] = from as u32;
                to += 1;
            }
            from += 1;
        }
        set += 1;
    }
    table
}

static PACK_F64: [[u32; 8]; 16] = permutations(2);
static PACK_F32: [[u32; 8]; 256] = permutations(1);

kernel!(
    #[inline(always)]
    fn permute_f64s(simd: Avx2, values: __m256d, order: __m256i) -> __m256d {
        _mm256_castps_pd(_mm256_permutevar8x32_ps(_mm256_castpd_ps(values), order))
    }
);

kernel!(
    #[inline(always)]
    fn permute_f32s(simd: Avx2, values: __m256, order: __m256i) -> __m256 {
        _mm256_permutevar8x32_ps(values, order)
    }
);

/// The bits of the first eight lanes.
#[inline(always)]
fn lowest_byte(bits: u64) -> u8 {
    bits.to_le_bytes()[0]
}

impl Pack for Avx2 {
    #[inline(always)]
    fn pack_f32s(self, values: Self::f32s, bits: u64) -> Self::f32s {
        let order = u32x8::load_array_ref(self, &PACK_F32[usize::from(lowest_byte(bits))]);
        permute_f32s(self, values.into(), order.into()).simd_into(self)
    }

    #[inline(always)]
    fn pack_f64s(self, values: Self::f64s, bits: u64) -> Self::f64s {
        let order = u32x8::load_array_ref(self, &PACK_F64[usize::from(lowest_byte(bits) & 15)]);
        permute_f64s(self, values.into(), order.into()).simd_into(self)
    }
}

impl<T: Lane> Target<T> for Avx2 {
    fn fill<K: EscapeTime, R: Rules, C: Cell>(
        self,
        work: &mut Workspace<T>,
        tile: &Tile<'_, T>,
        out: &mut [C],
        stride: usize,
    ) -> u64 {
        work.fill::<K, Self, Lanes, R, C, 4>(self, Lanes, tile, out, stride)
    }
}
