//! How the iterations of a group of vectors are counted: the one part of the kernel where instruction sets differ.
//!
//! A test costs one comparison. What is done with its result is chosen so that it does not compete with the arithmetic.

use fearless_simd::{Bytes, Select, Simd, SimdBase, SimdMask, mask8x64, u8x64};

use crate::device::cpu::julia::{
    lane::Lane,
    map::{Map, Points, Rules},
    plan::MAX_STEPS,
    staged::BLOCK,
};

/// Counts iterations point by point.
pub(super) trait Tally<S: Simd, T: Lane, const U: usize> {
    /// Takes `steps` iterations, a test before each. Writes to `passed` how many tests each point passed before the first
    /// it failed, and returns one bit a point, set where it passed them all. Of the bits past the last point, any may be set.
    fn count<R: Rules>(
        &mut self,
        simd: S,
        map: &Map<S, T, R>,
        points: &mut Points<S, T, U>,
        steps: usize,
        passed: &mut [u8],
    ) -> u64;

    /// One bit a point, set where it passes the test.
    fn inside<R: Rules>(&mut self, map: &Map<S, T, R>, points: &Points<S, T, U>) -> u64;
}

/// For instruction sets with mask registers: each test leaves its bits in memory, through the store unit that is idle
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
    fn count<R: Rules>(
        &mut self,
        simd: S,
        map: &Map<S, T, R>,
        points: &mut Points<S, T, U>,
        steps: usize,
        passed: &mut [u8],
    ) -> u64 {
        let words = &mut self.words[..steps];
        for word in &mut *words {
            for u in 0..U {
                store::<S, T>(word, u, map.advance(points, u));
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
    fn inside<R: Rules>(&mut self, map: &Map<S, T, R>, points: &Points<S, T, U>) -> u64 {
        for u in 0..U {
            store::<S, T>(&mut self.words[0], u, map.inside(points, u));
        }
        u64::from_le_bytes(self.words[0])
    }
}

/// Stores the bits of vector `u`.
#[inline(always)]
fn store<S: Simd, T: Lane>(word: &mut [u8; BLOCK / 8], u: usize, mask: Mask<S, T>) {
    let bytes = T::Vector::<S>::LEN / 8;
    word[u * bytes..(u + 1) * bytes].copy_from_slice(&mask.to_bitmask().to_le_bytes()[..bytes]);
}

/// For instruction sets whose comparisons give vectors of 0 and -1: each lane has a counter of its own width, from which
/// the comparison is subtracted.
pub(super) struct Lanes;

type Mask<S, T> = <<T as Lane>::Vector<S> as SimdBase<S>>::Mask;

impl<S: Simd, T: Lane, const U: usize> Tally<S, T, U> for Lanes {
    #[inline(always)]
    fn count<R: Rules>(
        &mut self,
        simd: S,
        map: &Map<S, T, R>,
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
    fn inside<R: Rules>(&mut self, map: &Map<S, T, R>, points: &Points<S, T, U>) -> u64 {
        let mut bits = 0;
        for u in 0..U {
            bits |= map.inside(points, u).to_bitmask() << (u * T::Vector::<S>::LEN);
        }
        bits
    }
}
