//! The pi kernel on AVX-512.
//!
//! Four interleaved vectors of sixteen blocks. A rotation is one instruction, and a hit is counted by an addition under a
//! mask: 115 instructions for 32 darts.

use std::{
    arch::x86_64::{__m512i, _mm512_mul_epi32, _mm512_srli_epi64},
    ops::Range,
};

use fearless_simd::{Avx512, SimdInto, kernel};

use crate::device::cpu::pi::batch::{self, Target};

kernel!(
    #[inline(always)]
    fn square_even(simd: Avx512, words: __m512i) -> __m512i {
        _mm512_mul_epi32(words, words)
    }
);

kernel!(
    #[inline(always)]
    fn square_odd(simd: Avx512, words: __m512i) -> __m512i {
        let odd = _mm512_srli_epi64::<32>(words);
        _mm512_mul_epi32(odd, odd)
    }
);

impl Target for Avx512 {
    #[inline(always)]
    fn squares(self, words: Self::u32s) -> [Self::i64s; 2] {
        [square_even(self, words.into()).simd_into(self), square_odd(self, words.into()).simd_into(self)]
    }
}

/// The hits of `blocks`, whole batches.
pub(super) fn hits(simd: Avx512, seed: u64, blocks: Range<u64>) -> u64 {
    batch::hits::<Avx512, 4>(simd, seed, blocks)
}
