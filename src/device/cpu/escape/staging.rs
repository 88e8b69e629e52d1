//! How many iterations each stage takes, decided from how many points the stages before it lost.
//!
//! A stage that is too long carries dead points along, one that is too short spends its time on compaction. Knows only
//! numbers of points.

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

/// What a stage is to do.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct StageSpec {
    /// Iterations it takes.
    pub(super) steps: usize,
    /// Whether so few points are expected to escape that tests may wait.
    pub(super) leaps: bool,
    /// Iterations of the stages before it.
    pub(super) done: usize,
    /// Iterations that are left after it.
    pub(super) left: usize,
}

/// Decides the stages of one tile.
#[derive(Debug)]
pub(super) struct Staging {
    total: usize,
    done: usize,
    stage: usize,
    last: Option<(StageSpec, usize)>,
}

impl Staging {
    /// For points that take `total` iterations at most.
    pub(super) fn new(total: usize) -> Self {
        Self { total, done: 0, stage: 0, last: None }
    }

    /// The next stage, for `points` points that are left of the one before, of which `cyclic` others have stayed, and will for
    /// ever. None where there is nothing left to do.
    pub(super) fn next(&mut self, points: usize, cyclic: usize) -> Option<StageSpec> {
        let left = self.total - self.done;
        if left == 0 || (self.stage > 0 && points == 0) {
            return None;
        }
        let (leaps, all_stay) = self.last.map_or((false, false), |(last, before)| {
            let lost = before.saturating_sub(points + cyclic);
            (lost * GROUP * LEAP * 4 < before * last.steps, lost == 0)
        });
        let steps = match FIRST_STEPS.get(self.stage) {
            Some(&steps) if !all_stay => steps,
            _ if all_stay => MAX_STEPS,
            _ => (self.done / 8).clamp(LEAP, MAX_STEPS),
        };
        let steps = steps.min(left);
        let spec = StageSpec { steps, leaps: leaps && steps >= LEAP, done: self.done, left: left - steps };
        // What the first stage begins with is every pixel, of which it loses too many for leaps in any case.
        self.last = (self.stage > 0).then_some((spec, points));
        self.done += spec.steps;
        self.stage += 1;
        Some(spec)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// The stages of points of which `survive` of 1000 survive each stage.
    fn specs(total: usize, survive: usize) -> Vec<StageSpec> {
        let mut staging = Staging::new(total);
        let mut points = 32 * 1024;
        std::iter::from_fn(|| {
            let spec = staging.next(points, 0);
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
        let mut staging = Staging::new(254);
        assert!(staging.next(0, 0).is_some(), "the first stage has every pixel");
        assert_eq!(staging.next(0, 0), None);
    }

    #[test]
    fn tests_wait_only_where_hardly_a_point_escapes() {
        assert!(specs(2000, 1000)[2..].iter().all(|spec| spec.leaps), "{:?}", specs(2000, 1000));
        assert!(specs(2000, 500).iter().all(|spec| !spec.leaps), "{:?}", specs(2000, 500));
    }
}
