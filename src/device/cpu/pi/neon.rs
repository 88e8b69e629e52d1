//! The pi kernel on 64-bit Arm (NEON).
//!
//! Four interleaved vectors of four blocks. A widening multiplication takes the low or the high half of a vector, so no
//! shift is needed; a rotation is a shift and a shift that inserts: about 140 instructions for 8 darts.

use std::{
    arch::aarch64::{int64x2_t, uint32x4_t, vget_low_s32, vmull_high_s32, vmull_s32, vreinterpretq_s32_u32},
    ops::Range,
};

use fearless_simd::{Neon, SimdInto, kernel};

use crate::device::cpu::pi::batch::{self, Target};

kernel!(
    #[inline(always)]
    fn square_low(simd: Neon, words: uint32x4_t) -> int64x2_t {
        let low = vget_low_s32(vreinterpretq_s32_u32(words));
        vmull_s32(low, low)
    }
);

kernel!(
    #[inline(always)]
    fn square_high(simd: Neon, words: uint32x4_t) -> int64x2_t {
        let words = vreinterpretq_s32_u32(words);
        vmull_high_s32(words, words)
    }
);

impl Target for Neon {
    #[inline(always)]
    fn squares(self, words: Self::u32s) -> [Self::i64s; 2] {
        [square_low(self, words.into()).simd_into(self), square_high(self, words.into()).simd_into(self)]
    }
}

/// The hits of `blocks`, whole batches.
pub(super) fn hits(simd: Neon, seed: u64, blocks: Range<u64>) -> u64 {
    batch::hits::<Neon, 4>(simd, seed, blocks)
}
