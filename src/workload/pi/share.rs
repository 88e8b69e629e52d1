//! Dealing a range among ranks in proportion to their speeds. Pure.

use std::ops::Range;

/// The part of `range` that falls to `rank`: parts lie in rank order, cover the range, and are as long as `speeds`, which
/// are not all 0, go.
pub(super) fn share(range: Range<u64>, speeds: &[u64], rank: usize) -> Range<u64> {
    let together: u128 = speeds.iter().map(|speed| u128::from(*speed)).sum();
    let length = u128::from(range.end - range.start);
    let edge = |ranks: usize| {
        let before: u128 = speeds[..ranks].iter().map(|speed| u128::from(*speed)).sum();
        range.start + u64::try_from(length * before / together).expect("a part of a 64-bit range")
    };
    edge(rank)..edge(rank + 1)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn parts_cover_the_range_in_rank_order() {
        for speeds in [&[1][..], &[1, 1, 1], &[1000, 1], &[0, 5, 0, 1], &[1 << 61, 1 << 61, 1]] {
            for range in [0..1, 7..7, 5..1_000_003, 0..u64::MAX] {
                let mut next = range.start;
                for rank in 0..speeds.len() {
                    let part = share(range.clone(), speeds, rank);
                    assert_eq!(part.start, next, "{range:?} {speeds:?} rank {rank}");
                    next = part.end;
                }
                assert_eq!(next, range.end, "{range:?} {speeds:?}");
            }
        }
    }

    #[test]
    fn a_rank_gets_as_much_as_it_is_fast() {
        assert_eq!(share(0..1001, &[1000, 1], 0), 0..1000);
        assert_eq!(share(0..1001, &[1, 1000], 0), 0..1);
    }
}
