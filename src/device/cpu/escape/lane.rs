//! What the staged kernel asks of its numbers: f32 and f64 as vector lanes, counts of 8 and 16 bits as vector lanes.
//!
//! Each is a few lines over the vector types of `fearless_simd`, so that the kernel is written once.

use fearless_simd::{
    ExtractToken, Simd, SimdBase, SimdElement, SimdFloat, SimdFloatElement, SimdIntElement, SimdMask, SimdWiden,
    mask8x64, mask16x16, u8x32, u8x64, u16x16,
};

use std::ops::{Add, Mul, Sub};

use crate::kernel::{
    count::Count,
    number::{Number, Real},
};

/// Points that share one word of bits.
pub(super) const BLOCK: usize = 64;

/// An instruction set that moves lanes together.
pub(crate) trait Pack: Simd {
    /// The lanes of `values` that have a bit in `bits`, from lane 0 on; the lanes above may hold anything.
    #[inline(always)]
    fn pack_f32s(self, values: Self::f32s, bits: u64) -> Self::f32s {
        values.compress(SimdMask::from_bitmask(self, bits))
    }

    /// As [`pack_f32s`](Pack::pack_f32s).
    #[inline(always)]
    fn pack_f64s(self, values: Self::f64s, bits: u64) -> Self::f64s {
        values.compress(SimdMask::from_bitmask(self, bits))
    }
}

/// A format the vectors of every instruction set hold.
pub(crate) trait Lane: Real + SimdFloatElement + SimdElement<Mask: SimdIntElement> + Into<f64> {
    /// As many as one register holds.
    type Vector<S: Simd>: SimdFloat<S, Element = Self>;

    /// The lanes of `values` that have a bit in `bits`, from lane 0 on; the lanes above may hold anything.
    fn pack<S: Pack>(simd: S, values: Self::Vector<S>, bits: u64) -> Self::Vector<S>;
}

impl Lane for f32 {
    type Vector<S: Simd> = S::f32s;

    #[inline(always)]
    fn pack<S: Pack>(simd: S, values: S::f32s, bits: u64) -> S::f32s {
        simd.pack_f32s(values, bits)
    }
}

impl Lane for f64 {
    type Vector<S: Simd> = S::f64s;

    #[inline(always)]
    fn pack<S: Pack>(simd: S, values: S::f64s, bits: u64) -> S::f64s {
        simd.pack_f64s(values, bits)
    }
}

/// A vector as a kernel computes with it.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Vector<S: Simd, T: Lane>(pub(crate) T::Vector<S>);

impl<S: Simd, T: Lane> Vector<S, T> {
    #[inline(always)]
    pub(crate) fn splat(simd: S, value: T) -> Self {
        Self(T::Vector::<S>::splat(simd, value))
    }

    /// `self * factor + addend`, rounded once or twice.
    #[inline(always)]
    pub(crate) fn times_plus(self, factor: Self, addend: Self) -> Self {
        Self(self.0.mul_add(factor.0, addend.0))
    }
}

impl<S: Simd, T: Lane> Add for Vector<S, T> {
    type Output = Self;
    #[inline(always)]
    fn add(self, other: Self) -> Self {
        Self(self.0 + other.0)
    }
}

impl<S: Simd, T: Lane> Sub for Vector<S, T> {
    type Output = Self;
    #[inline(always)]
    fn sub(self, other: Self) -> Self {
        Self(self.0 - other.0)
    }
}

impl<S: Simd, T: Lane> Mul for Vector<S, T> {
    type Output = Self;
    #[inline(always)]
    fn mul(self, other: Self) -> Self {
        Self(self.0 * other.0)
    }
}

impl<S: Simd, T: Lane> Number for Vector<S, T> {
    /// In one operation, which has the same result, see [`fused_is_exact`](crate::device::proof::fused_is_exact).
    #[inline(always)]
    fn doubled_plus(self, addend: Self) -> Self {
        let two = T::Vector::<S>::splat(self.0.token(), T::round(2.0));
        Self(self.0.mul_add(two, addend.0))
    }
}

/// A count as a lane of the backward pass.
pub(crate) trait Cell: Count + bytemuck::AnyBitPattern {
    /// Writes `start - own + deeper` for [`BLOCK`] points to `to`, wrapping, where the points with a bit in `alive` take
    /// one after the other what `deeper` begins with, and the rest take nothing.
    fn unfold<S: Simd>(simd: S, start: Self, own: &[u8], alive: u64, deeper: &[Self], to: &mut [Self]);

    /// `self - other`, wrapping.
    fn less(self, other: Self) -> Self;
}

impl Cell for u8 {
    #[inline(always)]
    fn unfold<S: Simd>(simd: S, start: Self, own: &[u8], alive: u64, deeper: &[Self], to: &mut [Self]) {
        let deeper = u8x64::from_slice(simd, &deeper[..BLOCK]).expand(mask8x64::from_bitmask(simd, alive));
        (u8x64::splat(simd, start) - u8x64::from_slice(simd, own) + deeper).store_slice(to);
    }

    fn less(self, other: Self) -> Self {
        self.wrapping_sub(other)
    }
}

impl Cell for u16 {
    #[inline(always)]
    fn unfold<S: Simd>(simd: S, start: Self, own: &[u8], alive: u64, deeper: &[Self], to: &mut [Self]) {
        let start = u16x16::splat(simd, start);
        if alive == 0 {
            for (own, to) in own[..BLOCK].chunks_exact(32).zip(to.chunks_exact_mut(32)) {
                let (low, high) = u8x32::from_slice(simd, own).widen();
                (start - low).store_slice(&mut to[..16]);
                (start - high).store_slice(&mut to[16..]);
            }
            return;
        }
        let mut taken = 0;
        for part in 0..BLOCK / 32 {
            let (low, high) = u8x32::from_slice(simd, &own[part * 32..(part + 1) * 32]).widen();
            for (half, own) in [low, high].into_iter().enumerate() {
                let at = part * 32 + half * 16;
                let bits = (alive >> at) & 0xffff;
                let deeper = u16x16::from_slice(simd, &deeper[taken..taken + 16]);
                let deeper = deeper.expand(mask16x16::from_bitmask(simd, bits));
                (start - own + deeper).store_slice(&mut to[at..at + 16]);
                taken += bits.count_ones() as usize;
            }
        }
    }

    fn less(self, other: Self) -> Self {
        self.wrapping_sub(other)
    }
}
