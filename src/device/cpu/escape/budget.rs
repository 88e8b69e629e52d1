//! What may be spent on looking who has come to stay, so that where nobody does next to nothing is lost.
//!
//! Knows only numbers of points and iterations.

/// Iterations after which it is first looked who stays; again whenever they have doubled.
pub(super) const FIRST: usize = 11;

/// Longest way back to a disc that is looked for.
const LONGEST: usize = 32;

/// What an iteration of the way back costs, in iterations.
const COST: usize = 4;

/// A caught orbit is taken to spare so many times the iterations it has made, at most, since it would be caught later.
const MOST_SPARED: usize = 4;

/// The part of the work that may be spent on trials in vain.
const IN_VAIN_PART: u64 = 128;

/// The longest way back that is looked for after `done` iterations.
pub(super) fn longest(done: usize) -> usize {
    (done / 2).min(LONGEST)
}

/// Sees to it that little is spent on trials that catch nothing.
#[derive(Clone, Copy, Debug, Default)]
pub(super) struct Budget {
    /// Iterations of all points, but for the first stage's, which are few.
    work: u64,
    /// What trials in vain have cost, in iterations.
    in_vain: u64,
}

impl Budget {
    /// Takes note of iterations of all points, made or found not to be needed.
    pub(super) fn add(&mut self, work: u64) {
        self.work += work;
    }

    /// Whether a trial of so many `points` after `done` iterations may be in vain, with `left` to come.
    pub(super) fn allows(&self, points: usize, done: usize, left: usize) -> bool {
        let cost = COST * longest(done);
        left > COST && self.in_vain + (points * cost) as u64 <= self.work / IN_VAIN_PART
    }

    /// The longest way that pays for all points, with `left` iterations to come. Of `points` points the trial has `caught` so many
    /// after a way of 1, 2, ... iterations. None where none pays.
    pub(super) fn longest_that_pays(
        &mut self,
        points: usize,
        caught: &[usize],
        done: usize,
        left: usize,
    ) -> Option<usize> {
        let left = left.min(MOST_SPARED * done);
        let (mut best, mut longest, mut all) = (0, None, 0);
        for (way, caught) in (1..).zip(caught) {
            all += caught;
            let gain = (all * left).saturating_sub(COST * way * points);
            if gain > best {
                (best, longest) = (gain, Some(way));
            }
        }
        if longest.is_none() {
            self.in_vain += (COST * caught.len() * points) as u64;
        }
        longest
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_is_tried_in_vain_is_a_small_part_of_the_work() {
        let mut budget = Budget::default();
        let mut trials = 0;
        for _ in 0..1000 {
            budget.add(64 * 100);
            if budget.allows(64, 100, 1000) {
                assert_eq!(budget.longest_that_pays(64, &[0; 32], 100, 1000), None);
                trials += 1;
            }
        }
        let (spent, work) = (trials * 64 * 32 * COST as u64, 1000 * 64 * 100);
        assert!(spent > work / 200 && spent <= work / IN_VAIN_PART, "{spent} of {work}");
    }

    #[test]
    fn what_pays_is_free() {
        let mut budget = Budget::default();
        budget.add(64 * 128 * 128);
        for _ in 0..1000 {
            assert!(budget.allows(64, 100, 1000));
            assert_eq!(budget.longest_that_pays(64, &[0, 60, 0, 0], 100, 1000), Some(2));
        }
    }

    #[test]
    fn a_longer_way_has_to_catch_more() {
        let longest = |caught: &[usize], left| Budget::default().longest_that_pays(64, caught, 100, left);
        assert_eq!(longest(&[32, 0, 16, 0, 0, 0, 1], 1000), Some(3));
        assert_eq!(longest(&[32, 0, 16, 0, 0, 0, 4], 1000), Some(7));
        assert_eq!(longest(&[32, 0, 16, 0, 0, 0, 4], 10), Some(1), "with little left");
        assert_eq!(longest(&[1, 0], 200), None);
        assert!(!Budget::default().allows(64, 100, COST), "with next to nothing left");
    }
}
