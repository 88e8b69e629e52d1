//! The pi kernel on one core: hands whole batches of blocks to the instruction set, and what is left over at either end of
//! the range to the definition, [`kernel::pi::hits`](crate::kernel::pi::hits), whose hits all of them count.

mod batch;

#[cfg(target_arch = "x86_64")]
mod avx2;
#[cfg(target_arch = "x86_64")]
mod avx512;
#[cfg(target_arch = "aarch64")]
mod neon;
mod portable;

use std::ops::Range;

use fearless_simd::Level;

use crate::{
    device::cpu::isa::Isa,
    kernel::pi::{self, DARTS_PER_BLOCK},
};

/// How many of `darts` hit in the run with `seed`, on a CPU that has `isa`.
pub(crate) fn hits(isa: Isa, seed: u64, darts: Range<u64>) -> u64 {
    if darts.is_empty() {
        return 0;
    }
    let blocks = darts.start.div_ceil(DARTS_PER_BLOCK)..darts.end / DARTS_PER_BLOCK;
    let batches = batches(&blocks);
    if batches.is_empty() {
        return pi::hits(seed, darts);
    }
    let before = pi::hits(seed, darts.start..batches.start * DARTS_PER_BLOCK);
    let after = pi::hits(seed, batches.end * DARTS_PER_BLOCK..darts.end);
    before + batches_hits(isa, seed, batches) + after
}

/// Blocks computed together by the widest instruction set. A batch begins at a multiple of it, so that the low half of the
/// block number does not overflow within one.
const BATCH_BLOCKS: u64 = 64;

/// The whole batches in `blocks`.
fn batches(blocks: &Range<u64>) -> Range<u64> {
    let end = blocks.end / BATCH_BLOCKS * BATCH_BLOCKS;
    blocks.start.next_multiple_of(BATCH_BLOCKS).min(end)..end
}

fn batches_hits(isa: Isa, seed: u64, blocks: Range<u64>) -> u64 {
    let level = Level::new();
    match isa {
        #[cfg(target_arch = "x86_64")]
        Isa::Avx512 => {
            avx512::hits(level.as_avx512().expect("the CPU has the instruction set that was chosen"), seed, blocks)
        }
        #[cfg(target_arch = "x86_64")]
        Isa::Avx2 => {
            avx2::hits(level.as_avx2().expect("the CPU has the instruction set that was chosen"), seed, blocks)
        }
        #[cfg(target_arch = "aarch64")]
        Isa::Neon => {
            neon::hits(level.as_neon().expect("the CPU has the instruction set that was chosen"), seed, blocks)
        }
        Isa::Scalar => portable::hits(seed, blocks),
        #[allow(unreachable_patterns, reason = "which arms are left depends on the architecture")]
        other => unreachable!("{other} is no instruction set of this architecture"),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// Ranges with every kind of end, some across the overflow of the block number's low half.
    fn ranges() -> Vec<Range<u64>> {
        let mut ranges =
            vec![0..0, 0..1, 1..2, 0..2, 1..3, 0..127, 0..128, 1..129, 127..129, 128..256, 5..1000, 0..100_001];
        for edge in [1_u64 << 33, 1 << 40, u64::MAX - 2000] {
            ranges.extend([edge - 1..edge + 1, edge - 128..edge + 128, edge - 333..edge + 777]);
        }
        ranges.push(u64::MAX - 1000..u64::MAX);
        ranges
    }

    /// The first range on which `hits` differs from the definition.
    fn check(hits: impl Fn(u64, Range<u64>) -> u64) -> Result<(), String> {
        for seed in [0, 7, 0x0123_4567_89ab_cdef, u64::MAX] {
            for darts in ranges() {
                let (expected, actual) = (pi::hits(seed, darts.clone()), hits(seed, darts.clone()));
                if actual != expected {
                    return Err(format!("seed {seed} darts {darts:?}: {actual} hits instead of {expected}"));
                }
            }
        }
        Ok(())
    }

    #[test]
    fn every_instruction_set_counts_the_hits_of_the_definition() {
        for isa in Isa::available() {
            check(|seed, darts| hits(isa, seed, darts)).unwrap_or_else(|difference| panic!("{isa}: {difference}"));
        }
    }

    #[test]
    fn kernels_that_are_wrong_in_one_respect_are_caught() {
        check(pi::hits).expect("the definition agrees with itself");
        let drops_the_high_half = |seed, darts: Range<u64>| {
            let low = darts.start & 0x1_ffff_ffff;
            pi::hits(seed, low..low + (darts.end - darts.start))
        };
        assert!(check(drops_the_high_half).is_err(), "one that drops the block number's high half passed");
        let rounds_to_blocks = |seed, darts: Range<u64>| pi::hits(seed, darts.start / 2 * 2..darts.end);
        assert!(check(rounds_to_blocks).is_err(), "one that throws whole blocks passed");
        let takes_the_seeds_low_half = |seed, darts| pi::hits(seed & 0xffff_ffff, darts);
        assert!(check(takes_the_seeds_low_half).is_err(), "one that drops the seed's high half passed");
    }
}
