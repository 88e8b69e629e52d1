//! How many iterations each stage takes, decided from how many points the stages before it lost.
//!
//! A stage that is too long carries dead points along, one that is too short spends its time on compaction. Knows only
//! numbers of points.

use super::{
    budget::{self, Budget},
    lane::BLOCK,
};

/// Iterations of the longest stage, whose counts are bytes.
pub(super) const MAX_STEPS: usize = 240;

/// Iterations between two tests where no escape is expected, and of a stage in the middle of a run.
pub(super) const LEAP: usize = 16;

/// Iterations of the first stages. In the pictures people draw every second point is gone after the first of them.
const FIRST_STEPS: [usize; 5] = [3, 4, 4, 8, 12];

/// Most tests of a tile that may be left out because every point is known to pass them: less than the first stage takes.
pub(super) const MAX_FREE: usize = FIRST_STEPS[0] - 1;

/// Points of a group, roughly: a leap is worth trying while less than every fourth group loses one of them in a leap.
const GROUP: usize = 64;

/// What is done with the points of a stage.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum StageKind {
    /// A test before each iteration.
    Tests,
    /// So few points are expected to escape that tests may wait.
    Leaps,
    /// No iteration: who has come to stay is taken out, if those are enough.
    Trap,
}

/// What a stage is to do.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct StageSpec {
    /// What is done with its points.
    pub(super) kind: StageKind,
    /// Iterations it takes.
    pub(super) steps: usize,
    /// Iterations of the stages before it.
    pub(super) done: usize,
    /// Iterations that are left after it.
    pub(super) left: usize,
}

/// Decides the stages of one tile.
#[derive(Debug)]
pub(super) struct Staging<'a> {
    total: usize,
    done: usize,
    stage: usize,
    /// The stage before and how many points it began with, where it made iterations.
    last: Option<(StageSpec, usize)>,
    /// What the stages before have shown.
    shown: Shown,
    /// When it is looked again who has come to stay.
    next_trap: usize,
    budget: &'a mut Budget,
}

/// How points have fared.
#[derive(Clone, Copy, Debug, Default)]
struct Shown {
    /// So few escape that tests may wait.
    leaps: bool,
    /// None does.
    all_stay: bool,
}

impl<'a> Staging<'a> {
    /// For points that take `total` iterations at most. The `budget` is all tiles'.
    pub(super) fn new(total: usize, budget: &'a mut Budget) -> Self {
        Self { total, done: 0, stage: 0, last: None, shown: Shown::default(), next_trap: budget::FIRST, budget }
    }

    /// The next stage, for `points` points that are left of the one before, of which so many others are `staying` for
    /// ever. None where there is nothing left to do.
    pub(super) fn next(&mut self, points: usize, staying: usize) -> Option<StageSpec> {
        let left = self.total - self.done;
        if left == 0 || (self.stage > 0 && points == 0) {
            return None;
        }
        if let Some((last, before)) = self.last.take() {
            let lost = before.saturating_sub(points + staying);
            self.shown = Shown { leaps: lost * GROUP * LEAP * 4 < before * last.steps, all_stay: lost == 0 };
        }
        if self.done >= self.next_trap && self.budget.allows(BLOCK, self.done, left) {
            self.next_trap = 2 * self.done;
            return Some(StageSpec { kind: StageKind::Trap, steps: 0, done: self.done, left });
        }
        let Shown { leaps, all_stay } = self.shown;
        let steps = match FIRST_STEPS.get(self.stage) {
            Some(&steps) if !all_stay => steps,
            _ if all_stay => MAX_STEPS,
            _ => (self.done / 8).clamp(LEAP, MAX_STEPS),
        };
        let steps = steps.min(left);
        let kind = if leaps && steps >= LEAP { StageKind::Leaps } else { StageKind::Tests };
        let spec = StageSpec { kind, steps, done: self.done, left: left - steps };
        // What the first stage begins with is every pixel, of which it loses too many for leaps in any case.
        self.last = (self.stage > 0).then_some((spec, points));
        self.budget.add((points * steps) as u64);
        self.done += spec.steps;
        self.stage += 1;
        Some(spec)
    }

    /// The longest way that pays in the trap that `spec` asks for, see [`Budget::longest_that_pays`].
    pub(super) fn longest_that_pays(&mut self, spec: StageSpec, points: usize, caught: &[usize]) -> Option<usize> {
        self.budget.longest_that_pays(points, caught, spec.done, spec.left)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// The stages of points of which `survive` of 1000 survive each stage.
    fn specs(total: usize, survive: usize) -> Vec<StageSpec> {
        let mut budget = Budget::default();
        let mut staging = Staging::new(total, &mut budget);
        let mut points = 32 * 1024;
        std::iter::from_fn(|| {
            let mut spec = staging.next(points, 0);
            while let Some(trap) = spec.filter(|spec| spec.kind == StageKind::Trap) {
                assert_eq!(staging.longest_that_pays(trap, BLOCK, &[0; 32]), None);
                spec = staging.next(points, 0);
            }
            points = points * survive / 1000;
            spec
        })
        .collect()
    }

    #[test]
    fn stages_add_up_to_the_limit_while_a_point_is_left() {
        for total in [1, 2, 3, 4, 19, 254, 255, 2000, 65_534] {
            for survive in [1000, 999, 990] {
                let specs = specs(total, survive);
                assert!(specs.iter().all(|spec| (1..=MAX_STEPS).contains(&spec.steps)), "{specs:?}");
                let steps = specs.iter().map(|spec| spec.steps).sum::<usize>();
                assert!(steps == total || survive < 1000 && steps < total, "{total} {survive}: {steps}");
            }
        }
    }

    #[test]
    fn no_point_left_ends_the_run() {
        let mut budget = Budget::default();
        let mut staging = Staging::new(254, &mut budget);
        assert!(staging.next(0, 0).is_some(), "the first stage has every pixel");
        assert_eq!(staging.next(0, 0), None);
    }

    #[test]
    fn tests_wait_only_where_hardly_a_point_escapes() {
        let leaps = |spec: &StageSpec| spec.kind == StageKind::Leaps;
        assert!(specs(2000, 1000)[2..].iter().all(leaps), "{:?}", specs(2000, 1000));
        assert!(!specs(2000, 500).iter().any(leaps), "{:?}", specs(2000, 500));
    }

    #[test]
    fn traps_are_tried_whenever_the_iterations_have_doubled() {
        let mut budget = Budget::default();
        budget.add(u64::MAX / 2);
        let mut staging = Staging::new(2000, &mut budget);
        let (mut tried, mut iterations) = (Vec::new(), 0);
        while let Some(spec) = staging.next(1000, 0) {
            iterations += spec.steps;
            if spec.kind == StageKind::Trap {
                assert_eq!((spec.steps, spec.done, spec.left), (0, iterations, 2000 - iterations));
                tried.push(spec.done);
            }
        }
        assert!(tried[0] >= budget::FIRST && tried.len() >= 3, "{tried:?}");
        assert!(tried.windows(2).all(|pair| pair[1] >= 2 * pair[0]), "{tried:?}");
        assert_eq!(iterations, 2000);
    }
}
