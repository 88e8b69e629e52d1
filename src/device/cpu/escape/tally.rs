//! How the iterations of a group of vectors are counted: the one part of the kernel where instruction sets differ.
//!
//! A test costs one comparison. What is done with its result is chosen so that it does not compete with the arithmetic.

use fearless_simd::{Bytes, Simd, SimdBase, SimdMask};

use crate::{
    device::cpu::escape::{
        lane::Lane,
        map::{Map, Points, Rules},
    },
    kernel::escape::EscapeTime,
};

/// Counts iterations point by point.
pub(super) trait Tally<S: Simd, T: Lane, const U: usize> {
    /// Takes `steps` iterations, a test before each. Writes to `passed` how many tests each point passed before the first
    /// it failed, and returns one bit a point, set where it passed them all. Of the bits past the last point, any may be set.
    fn count<K: EscapeTime, R: Rules>(
        &mut self,
        simd: S,
        map: &Map<K, S, T, R>,
        points: &mut Points<S, T, U>,
        steps: usize,
        passed: &mut [u8],
    ) -> u64;

    /// One bit a point, set where it passes the test.
    fn inside<K: EscapeTime, R: Rules>(&mut self, map: &Map<K, S, T, R>, points: &Points<S, T, U>) -> u64;
}

/// For instruction sets whose comparisons give vectors of 0 and -1: each lane has a counter of its own width, from which
/// the comparison is subtracted.
pub(super) struct Lanes;

type Mask<S, T> = <<T as Lane>::Vector<S> as SimdBase<S>>::Mask;

impl<S: Simd, T: Lane, const U: usize> Tally<S, T, U> for Lanes {
    #[inline(always)]
    fn count<K: EscapeTime, R: Rules>(
        &mut self,
        simd: S,
        map: &Map<K, S, T, R>,
        points: &mut Points<S, T, U>,
        steps: usize,
        passed: &mut [u8],
    ) -> u64 {
        let len = T::Vector::<S>::LEN;
        let mut alive = [Mask::<S, T>::splat(simd, true); U];
        let mut count = [Mask::<S, T>::splat(simd, false).to_vector(); U];
        for _ in 0..steps {
            for u in 0..U {
                let mut now = map.advance(points, u);
                if R::REVOCABLE {
                    now &= alive[u];
                    alive[u] = now;
                }
                count[u] -= now.to_vector();
            }
        }
        // Who passed all tests is read off the counters: keeping the last comparisons would cost registers in the loop.
        let all = steps.try_into().expect("a stage's steps fit any lane");
        let all = <Mask<S, T> as SimdMask<S>>::Ints::splat(simd, all);
        let mut bits = 0;
        for u in 0..U {
            bits |= count[u].simd_eq(all).to_bitmask() << (u * len);
            let lanes = count[u].to_bytes();
            let lanes = lanes.as_slice();
            for lane in 0..len {
                passed[u * len + lane] = lanes[lane * size_of::<T>()];
            }
        }
        bits
    }
    #[inline(always)]
    fn inside<K: EscapeTime, R: Rules>(&mut self, map: &Map<K, S, T, R>, points: &Points<S, T, U>) -> u64 {
        let mut bits = 0;
        for u in 0..U {
            bits |= map.inside(points, u).to_bitmask() << (u * T::Vector::<S>::LEN);
        }
        bits
    }
}
