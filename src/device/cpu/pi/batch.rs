//! Threefry and the dart test on vectors: a block of the generator in each 32-bit lane, several vectors interleaved.
//!
//! Operations on a vector for 13 rounds: 13 x 2 additions, 13 x 2 rotations, 13 x 2 exclusive-ors, 1 + 3 x 4 additions of
//! the key; for the darts 4 shifts that bring odd lanes down, 8 squares, 4 subtractions, 4 comparisons and 4 for the
//! counting: 115 for two darts a lane. Where a rotation takes three instructions it is 167.

use std::ops::Range;

use fearless_simd::{Select, Simd, SimdBase};

use crate::{
    device::cpu::pi::BATCH_BLOCKS,
    kernel::{
        pi::{RADIUS2, counter, key},
        threefry::{ROTATIONS, schedule},
    },
};

/// An instruction set that squares signed 32-bit lanes into 64 bits, which the common vector types leave out.
pub(super) trait Target: Simd {
    /// The squares of the even lanes, and of the odd lanes.
    fn squares(self, words: Self::u32s) -> [Self::i64s; 2];

    /// `words` rotated to the left by `bits`.
    #[inline(always)]
    fn rotate(self, words: Self::u32s, bits: u32) -> Self::u32s {
        (words << bits) | (words >> (32 - bits))
    }
}

/// The states of `U` vectors of blocks, word by word.
struct Blocks<S: Simd, const U: usize> {
    words: [[S::u32s; U]; 4],
}

impl<S: Target, const U: usize> Blocks<S, U> {
    /// Round with number `R`, counted from 0.
    #[inline(always)]
    fn round<const R: usize>(&mut self, simd: S) {
        let (one, three) = if R.is_multiple_of(2) { (1, 3) } else { (3, 1) };
        self.mix(simd, 0, one, ROTATIONS[R % 8][0]);
        self.mix(simd, 2, three, ROTATIONS[R % 8][1]);
    }

    #[inline(always)]
    fn mix(&mut self, simd: S, to: usize, from: usize, bits: u32) {
        for u in 0..U {
            self.words[to][u] += self.words[from][u];
            self.words[from][u] = simd.rotate(self.words[from][u], bits) ^ self.words[to][u];
        }
    }

    /// Adds the key for the `number`-th time.
    #[inline(always)]
    fn inject(&mut self, schedule: &[u32; 5], number: u32) {
        for word in 0..4 {
            let key = schedule[(number as usize + word) % 5].wrapping_add(if word == 3 { number } else { 0 });
            for u in 0..U {
                self.words[word][u] += key;
            }
        }
    }

    /// The thirteen rounds, after the first addition of the key.
    #[inline(always)]
    fn rounds(&mut self, simd: S, schedule: &[u32; 5]) {
        self.round::<0>(simd);
        self.round::<1>(simd);
        self.round::<2>(simd);
        self.round::<3>(simd);
        self.inject(schedule, 1);
        self.round::<4>(simd);
        self.round::<5>(simd);
        self.round::<6>(simd);
        self.round::<7>(simd);
        self.inject(schedule, 2);
        self.round::<8>(simd);
        self.round::<9>(simd);
        self.round::<10>(simd);
        self.round::<11>(simd);
        self.inject(schedule, 3);
        self.round::<12>(simd);
    }
}

/// The hits of `blocks`, whole batches, `U` vectors at a time.
#[inline(always)]
pub(super) fn hits<S: Target, const U: usize>(simd: S, seed: u64, blocks: Range<u64>) -> u64 {
    let mut hits = 0;
    let mut start = blocks.start;
    while start < blocks.end {
        // Up to where the low half of the block number overflows.
        let end = blocks.end.min((start | 0xffff_ffff) + 1);
        hits += simd.vectorize(
            #[inline(always)]
            || hits_of_one_high_half::<S, U>(simd, seed, start, (end - start) / BATCH_BLOCKS),
        );
        start = end;
    }
    hits
}

/// The hits of `batches` batches from block `start` on, whose numbers share their high half.
#[inline(always)]
fn hits_of_one_high_half<S: Target, const U: usize>(simd: S, seed: u64, start: u64, batches: u64) -> u64 {
    let len = u32::try_from(S::u32s::LEN).expect("a vector has a few lanes");
    let lanes = S::u32s::from_fn(simd, |lane| u32::try_from(lane).expect("a vector has a few lanes"));
    let vectors: [u32; U] = std::array::from_fn(|u| u32::try_from(u).expect("a few vectors") * len);
    let schedule = schedule(key(seed));
    let start = counter(start);
    let radius2 = S::i64s::splat(simd, RADIUS2);
    // Hidden from the compiler, which would otherwise turn the masked addition into two instructions.
    let one = S::i64s::splat(simd, std::hint::black_box(1));
    let mut low = lanes + start[0];
    let mut hits = [S::i64s::splat(simd, 0); 2];
    for _ in 0..batches * (BATCH_BLOCKS / (U as u64 * u64::from(len))) {
        let mut blocks = Blocks::<S, U> { words: start.map(|word| [S::u32s::splat(simd, word); U]) };
        for (word, first) in blocks.words[0].iter_mut().zip(vectors) {
            *word = low + first;
        }
        blocks.inject(&schedule, 0);
        blocks.rounds(simd, &schedule);
        for [x, y] in [[0, 1], [2, 3]] {
            for u in 0..U {
                let (xx, yy) = (simd.squares(blocks.words[x][u]), simd.squares(blocks.words[y][u]));
                for half in 0..2 {
                    let hit = xx[half].simd_lt(radius2 - yy[half]);
                    hits[half] = hit.select(hits[half] + one, hits[half]);
                }
            }
        }
        low += vectors[U - 1] + len;
    }
    let mut sum = 0;
    for lane in (hits[0] + hits[1]).as_slice() {
        sum += lane.cast_unsigned();
    }
    sum
}
