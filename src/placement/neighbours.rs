//! A row of NUMA nodes cut in runs of neighbours, one for each rank: a rank's cores are then near to each other, and a rankfile
//! names them in few words. Knows nothing of ranks and cores, but what a run costs.

use std::ops::Range;

/// What a run costs, in order of weight.
pub(super) type Cost = [usize; 3];

/// Cuts `0..length` into `parts` runs, in order and none of them empty, such that the sum of their costs is least; of equal cuts
/// the one whose last runs are short. `cost` tells what a run costs as that of a part.
///
/// # Panics
/// Where there are more parts than can be cut, or none.
pub(super) fn runs(length: usize, parts: usize, cost: impl Fn(usize, Range<usize>) -> Cost) -> Vec<Range<usize>> {
    assert!((1..=length).contains(&parts), "{length} NUMA nodes in {parts} runs");
    // For each part and each end of it, the least cost up to there and where the part then starts.
    let mut table: Vec<Vec<Option<(Cost, usize)>>> = Vec::with_capacity(parts);
    for part in 0..parts {
        let before = |start: usize| match part {
            0 => (start == 0).then_some([0; 3]),
            _ => table[part - 1][start].map(|(cost, _)| cost),
        };
        let best = |end: usize| {
            let starts = (0..end).filter_map(|start| Some((sum(before(start)?, cost(part, start..end)), start)));
            starts.min_by_key(|&(cost, start)| (cost, std::cmp::Reverse(start)))
        };
        let row = (0..=length).map(best).collect();
        table.push(row);
    }
    let mut runs = Vec::with_capacity(parts);
    let mut end = length;
    for row in table.iter().rev() {
        let (_, start) = row[end].expect("there are at least as many NUMA nodes as runs");
        runs.push(start..end);
        end = start;
    }
    runs.reverse();
    runs
}

fn sum(a: Cost, b: Cost) -> Cost {
    std::array::from_fn(|index| a[index] + b[index])
}

#[cfg(test)]
mod tests {
    use super::*;

    /// Runs of NUMA nodes of these sizes, by their squares.
    fn even(sizes: &[usize], parts: usize) -> Vec<Range<usize>> {
        runs(sizes.len(), parts, |_, run| [sizes[run].iter().sum::<usize>().pow(2), 0, 0])
    }

    #[test]
    fn runs_are_neighbours_of_even_size_and_the_first_are_the_longer_ones() {
        assert_eq!(even(&[1; 6], 3), [0..2, 2..4, 4..6]);
        assert_eq!(even(&[1; 4], 3), [0..2, 2..3, 3..4]);
        assert_eq!(even(&[8, 8, 2, 2], 2), [0..1, 1..4]);
        assert_eq!(even(&[5, 5], 1).first(), Some(&(0..2)));
    }

    #[test]
    fn no_cut_costs_less() {
        // Costs without a pattern that a wrong cut could follow.
        let cost =
            |part: usize, run: Range<usize>| [(7 * run.start + 11 * run.end * part + run.len()) % 13, run.len() % 3, 0];
        for length in 1..=6 {
            for parts in 1..=length {
                let total = |runs: &[Range<usize>]| {
                    runs.iter().enumerate().map(|(part, run)| cost(part, run.clone())).fold([0; 3], sum)
                };
                let every =
                    (0..1_usize << (length - 1)).filter(|cuts| cuts.count_ones() as usize + 1 == parts).map(|cuts| {
                        let mut ends: Vec<usize> = (1..length).filter(|end| cuts >> (end - 1) & 1 == 1).collect();
                        ends.push(length);
                        let mut start = 0;
                        let run = |end: usize| std::mem::replace(&mut start, end)..end;
                        total(&ends.into_iter().map(run).collect::<Vec<_>>())
                    });
                assert_eq!(Some(total(&runs(length, parts, cost))), every.min(), "{length} in {parts}");
            }
        }
    }
}
