//! Whether a dispatch looks for orbits that repeat. Looking takes a kernel up to a quarter more time where there are none, and not
//! looking takes all iterations of an interior: what the dispatches before have shown decides. The counts are the same either way.
//!
//! Plain arithmetic: knows nothing of the device.

use crate::{device::gpu::shader::Repeats, kernel::count::Count};

/// Counts that are looked at in a batch: adding up all of them would cost the host more than the device's work.
const SAMPLES: usize = 1024;
/// Looking may pay where orbits that reach the limit have at least this part of the iterations.
const AT_LIMIT_PART: u64 = 4;
/// Looking has paid where at least this part of the iterations was not made.
const SKIPPED_PART: u64 = 8;
/// Iterations without any that could be left out after which looking ends: a dispatch's worth at most.
const PATIENCE: u64 = 1 << 22;
/// Batches without a look after looks that did not pay, at most.
const MAX_REST: u32 = 64;

/// What some counts of a batch tell of all of its iterations.
#[derive(Clone, Copy, Debug)]
pub(super) struct Sample {
    /// Iterations that the counts tell of, in the whole batch.
    told: u64,
    /// Those of orbits that reached the limit.
    at_limit: u64,
}

impl Sample {
    /// A sample of `counts`, none where there are none.
    pub(super) fn of<C: Count>(counts: &[C], max_iter: u16) -> Self {
        let step = counts.len().div_ceil(SAMPLES).max(1);
        let mut sample = Self { told: 0, at_limit: 0 };
        for &count in counts.iter().step_by(step) {
            let iterations = u64::from(max_iter) - Into::<u64>::into(count);
            sample.told += iterations * step as u64;
            if iterations + 1 == u64::from(max_iter) {
                sample.at_limit += iterations * step as u64;
            }
        }
        sample
    }

    /// Whether orbits that reach the limit have a good part of the iterations.
    fn has_interior(self) -> bool {
        self.told > 0 && self.at_limit >= self.told / AT_LIMIT_PART
    }
}

/// Decides for one kernel on one device.
#[derive(Clone, Copy, Debug)]
pub(super) struct Seeker {
    next: Repeats,
    /// Iterations since the last look that paid.
    in_vain: u64,
    /// Batches that are to pass without a look.
    rest: u32,
    /// What `rest` will be after the next look that does not pay.
    next_rest: u32,
}

impl Seeker {
    /// Looks at first: the first dispatches are small.
    pub(super) const fn new() -> Self {
        Self { next: Repeats::Sought, in_vain: 0, rest: 0, next_rest: 1 }
    }

    /// What the next dispatch does.
    pub(super) fn next(&self) -> Repeats {
        self.next
    }

    /// Takes note of a batch: what it did about repeats, what its counts tell, and how many iterations it did not make.
    pub(super) fn record(&mut self, did: Repeats, sample: Sample, skipped: u64) {
        let has_interior = sample.has_interior();
        match did {
            Repeats::Ignored if self.rest > 0 => self.rest -= 1,
            Repeats::Ignored => {
                if has_interior {
                    self.next = Repeats::Sought;
                }
            }
            Repeats::Sought if skipped > 0 && skipped >= sample.told / SKIPPED_PART => {
                (self.in_vain, self.next_rest) = (0, 1);
            }
            // In flight when looking ended.
            Repeats::Sought if self.next == Repeats::Ignored => {}
            Repeats::Sought => {
                self.in_vain += sample.told;
                if self.in_vain >= PATIENCE {
                    (self.next, self.in_vain) = (Repeats::Ignored, 0);
                    if has_interior {
                        self.rest = self.next_rest;
                        self.next_rest = (2 * self.next_rest).min(MAX_REST);
                    }
                }
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const LIMIT: u16 = 2000;

    /// Does batches of a million pixels with counts like these, of which those at the limit repeat or not; returns how many looked.
    fn looks(seeker: &mut Seeker, batches: usize, counts: &[u16], repeat: bool) -> usize {
        (0..batches)
            .filter(|_| {
                let did = seeker.next();
                let Sample { told, at_limit } = Sample::of(counts, LIMIT);
                let all = Sample { told: 1000 * told, at_limit: 1000 * at_limit };
                seeker.record(did, all, if did == Repeats::Sought && repeat { all.at_limit } else { 0 });
                did == Repeats::Sought
            })
            .count()
    }

    #[test]
    fn interiors_that_repeat_are_looked_for_and_nothing_else_is() {
        let mut seeker = Seeker::new();
        let (outside, inside) = (vec![LIMIT - 12; 1000], [vec![1; 500], vec![LIMIT - 12; 500]].concat());
        assert_eq!(looks(&mut seeker, 100, &outside, true), 1, "the first one");
        assert_eq!(looks(&mut seeker, 100, &inside, true), 99, "all but the one that showed it");
        assert_eq!(looks(&mut seeker, 100, &outside, true), 1);
    }

    #[test]
    fn looking_goes_on_while_next_to_nothing_was_done() {
        let mut seeker = Seeker::new();
        for _ in 0..100 {
            seeker.record(Repeats::Sought, Sample { told: 10_000, at_limit: 0 }, 0);
            assert_eq!(seeker.next(), Repeats::Sought);
        }
    }

    #[test]
    fn an_interior_that_does_not_repeat_is_looked_at_less_and_less() {
        let mut seeker = Seeker::new();
        let inside = vec![1; 1000];
        assert!(looks(&mut seeker, 1000, &inside, false) <= 24);
        assert!(looks(&mut seeker, 200, &inside, true) >= 130, "and found when it does after all");
    }

    #[test]
    fn a_sample_stands_for_all_counts() {
        let counts: Vec<u8> = (0..100_000).map(|i| if i % 3 == 0 { 1 } else { 250 }).collect();
        let Sample { told, at_limit } = Sample::of(&counts, 255);
        let (all, limit) = (33_334 * 254 + 66_666 * 5, 33_334 * 254);
        assert!(told.abs_diff(all) < all / 10 && at_limit.abs_diff(limit) < limit / 10, "{told} {at_limit}");
        assert!(!Sample::of::<u8>(&[], 255).has_interior());
        assert!(!Sample::of(&[255_u8; 10], 255).has_interior());
    }
}
