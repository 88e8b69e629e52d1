//! The cut of a range into shares of ranks, in proportion to their rates. Pure.

use std::ops::Range;

/// The share of `range` that is assigned to `rank`: shares lie in rank order, cover the range, and are as long as `rates`, which
/// are not all 0, go.
pub(super) fn share(range: Range<u64>, rates: &[u64], rank: usize) -> Range<u64> {
    let together: u128 = rates.iter().map(|rate| u128::from(*rate)).sum();
    let length = u128::from(range.end - range.start);
    let edge = |ranks: usize| {
        let before: u128 = rates[..ranks].iter().map(|rate| u128::from(*rate)).sum();
        range.start + u64::try_from(length * before / together).expect("a part of a 64-bit range")
    };
    edge(rank)..edge(rank + 1)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn shares_cover_the_range_in_rank_order() {
        for rates in [&[1][..], &[1, 1, 1], &[1000, 1], &[0, 5, 0, 1], &[1 << 61, 1 << 61, 1]] {
            for range in [0..1, 7..7, 5..1_000_003, 0..u64::MAX] {
                let mut next = range.start;
                for rank in 0..rates.len() {
                    let part = share(range.clone(), rates, rank);
                    assert_eq!(part.start, next, "{range:?} {rates:?} rank {rank}");
                    next = part.end;
                }
                assert_eq!(next, range.end, "{range:?} {rates:?}");
            }
        }
    }

    #[test]
    fn a_rank_gets_as_much_as_it_is_fast() {
        assert_eq!(share(0..1001, &[1000, 1], 0), 0..1000);
        assert_eq!(share(0..1001, &[1, 1000], 0), 0..1);
    }
}
