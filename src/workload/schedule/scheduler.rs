//! The scheduler of one image's bands.
//!
//! Knows who holds what. What a slow rank cannot do in time comes back and is assigned again.

use std::{
    collections::{BTreeMap, VecDeque},
    ops::Range,
};

use super::{
    Assignment, Chunk, Measured,
    rate::{self, Rates},
};

/// Why there is nothing to compute for a rank that has room for an assignment.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Without {
    /// For now: too many bands wait for one that is not done, or some may come back.
    Later,
    /// Nothing is left, nor will anything come back.
    Finished,
}

/// What the scheduler knows of a rank.
#[derive(Clone, Debug, Default)]
struct Rank {
    /// What it has to hand in.
    held: VecDeque<Held>,
    /// What it has handed in; wraps around.
    deliveries: u32,
    /// Whether it knows that there is no more.
    is_dismissed: bool,
}

/// An assignment that a rank holds.
#[derive(Clone, Copy, Debug)]
struct Held {
    assignment: Assignment,
    /// Whether its size is that for the rate that was known of the rank.
    is_sized: bool,
}

impl Rank {
    /// Whether a part of what it holds is likely to come back: of assignments that it got before its rate was known.
    fn is_doubtful(&self, rate: Option<f64>) -> bool {
        let in_time = |assignment: &Assignment| {
            let likely_us = |rate| f64::from(assignment.chunk.count) / rate * 1e6;
            assignment.limit_us == Assignment::NO_LIMIT
                || rate.map(likely_us).is_some_and(|us| us <= assignment.limit_us.into())
        };
        self.held.iter().any(|held| !held.is_sized && !in_time(&held.assignment))
    }
}

/// Assigns the bands of one image to the ranks of a job.
#[derive(Debug)]
pub struct Scheduler {
    bands: Range<u32>,
    /// Next band to be assigned.
    next: u32,
    /// Bands that came back: the number of each run of neighbors by its first.
    returned: BTreeMap<u32, u32>,
    /// Number of bands that came back and were not assigned again.
    returned_bands: u32,
    ranks: Vec<Rank>,
    /// Ranks that have room for an assignment, at least once for each.
    open: Vec<usize>,
    /// Ranks that hold assignments or may be given some.
    busy: usize,
    /// Whether no more is to be assigned.
    is_stopped: bool,
    /// Whether nothing was left to assign when assignments were given last, and all who could be dismissed were.
    is_ending: bool,
    /// Ranks that are likely to give back a part of what they hold.
    doubtful: usize,
    rates: Rates,
}

impl Scheduler {
    /// A scheduler of `bands` to ranks with that many `threads` each. A chunk has at most `max_bands` bands.
    #[must_use]
    pub fn new(bands: Range<u32>, threads: Vec<u32>, max_bands: u32) -> Self {
        let ranks = vec![Rank::default(); threads.len()];
        let open = [(); rate::ASSIGNMENTS_HELD].iter().flat_map(|()| 0..threads.len()).collect();
        Self {
            next: bands.start,
            bands,
            returned: BTreeMap::new(),
            returned_bands: 0,
            open,
            busy: ranks.len(),
            is_stopped: false,
            is_ending: false,
            ranks,
            doubtful: 0,
            rates: Rates::new(threads, max_bands),
        }
    }

    /// The bands that it assigns.
    #[must_use]
    pub fn bands(&self) -> Range<u32> {
        self.bands.clone()
    }

    /// What ranks are to be told now: at first, and whenever something has been handed in. `window` begins with the first band
    /// that is not assembled; none is assigned beyond it. The last that a rank is told is [`Assignment::no_more`], maybe while it still
    /// holds assignments.
    pub fn assignments(&mut self, window: &Range<u32>) -> Vec<(usize, Assignment)> {
        let mut assignments = Vec::new();
        let mut open = std::mem::take(&mut self.open);
        // What is to come later for one is to come later for all.
        let mut later_for_all = false;
        open.retain(|&rank| {
            if self.ranks[rank].is_dismissed || self.ranks[rank].held.len() >= self.rates.assignments_held(rank) {
                return false;
            }
            if later_for_all {
                return true;
            }
            match self.serve(rank, window, &mut assignments) {
                Ok(()) => false,
                Err(Without::Later) => {
                    later_for_all = true;
                    true
                }
                Err(Without::Finished) => {
                    self.dismiss(rank, &mut assignments);
                    false
                }
            }
        });
        self.open = open;
        // At once when nothing is left: who holds assignments and is told only when it asks has nothing to do meanwhile.
        if !self.is_ending && self.is_finished_for_all() {
            self.is_ending = true;
            for rank in 0..self.ranks.len() {
                self.dismiss(rank, &mut assignments);
            }
        }
        assignments
    }

    /// Dismisses `rank`: tells it, if it does not know, that what it holds is its last.
    fn dismiss(&mut self, rank: usize, assignments: &mut Vec<(usize, Assignment)>) {
        let Rank { is_dismissed, deliveries, held } = &mut self.ranks[rank];
        if !*is_dismissed {
            *is_dismissed = true;
            self.busy -= usize::from(held.is_empty());
            assignments.push((rank, Assignment::no_more(*deliveries)));
        }
    }

    fn is_finished_for_all(&self) -> bool {
        self.is_stopped || self.next >= self.bands.end && self.returned.is_empty() && self.doubtful == 0
    }

    /// Whether nobody holds an assignment any more, and all know that there is none left.
    #[must_use]
    pub fn is_over(&self) -> bool {
        self.busy == 0
    }

    /// Assigns no more: what is not held by a rank is left undone.
    pub fn stop(&mut self) {
        if !self.is_stopped {
            (self.is_stopped, self.is_ending) = (true, false);
        }
    }

    /// Assigns as much as `rank` is to get now: one chunk, or some small ones that came back.
    fn serve(
        &mut self,
        rank: usize,
        window: &Range<u32>,
        assignments: &mut Vec<(usize, Assignment)>,
    ) -> Result<(), Without> {
        let (wanted, limit_s) = self.rates.size(rank, self.left(), window.end - window.start);
        let limit_us = microseconds(limit_s);
        let mut missing = wanted;
        while missing > wanted / 2 {
            let chunk = match self.cut(missing, window.end) {
                Ok(chunk) => chunk,
                Err(without) if missing == wanted => return Err(without),
                Err(_) => break,
            };
            missing -= chunk.count;
            let assignment = Assignment { chunk, limit_us, answers: self.ranks[rank].deliveries };
            let is_sized = self.rates.rate(rank).is_some();
            self.change(rank, |rank, _| {
                rank.held.push_back(Held { assignment, is_sized });
            });
            assignments.push((rank, assignment));
        }
        Ok(())
    }

    /// At most `max_bands` bands before `edge`.
    fn cut(&mut self, max_bands: u32, edge: u32) -> Result<Chunk, Without> {
        if self.is_stopped {
            return Err(Without::Finished);
        }
        let Some((first, count)) = self.returned.pop_first() else { return self.cut_fresh(max_bands, edge) };
        let assigned = count.min(max_bands);
        if assigned < count {
            self.returned.insert(first + assigned, count - assigned);
        }
        self.returned_bands -= assigned;
        Ok(Chunk { first, count: assigned, stride: 1 })
    }

    /// At most `max_bands` bands before `edge` that were never assigned.
    fn cut_fresh(&mut self, max_bands: u32, edge: u32) -> Result<Chunk, Without> {
        let edge = edge.min(self.bands.end);
        let first = self.next;
        if first >= self.bands.end {
            return Err(if self.doubtful == 0 { Without::Finished } else { Without::Later });
        }
        if first >= edge {
            return Err(Without::Later);
        }
        let count = max_bands.min(edge - first);
        self.next = first.saturating_add(count);
        Ok(Chunk { first, count, stride: 1 })
    }

    /// `rank` has handed in the assignment that it has held longest, or the part of it that it had begun.
    ///
    /// # Panics
    /// Where the rank holds no assignment, or did more than it was told.
    pub fn hand_in(&mut self, rank: usize, measured: Measured) {
        let held = self.change(rank, |rank, _| {
            rank.deliveries = rank.deliveries.wrapping_add(1);
            rank.held.pop_front()
        });
        let chunk = held.expect("who hands in holds an assignment").assignment.chunk;
        let rest = chunk.count.checked_sub(measured.bands).expect("a rank does what it is told");
        if rest > 0 {
            self.returned.insert(chunk.first + measured.bands * chunk.stride, rest);
            self.returned_bands += rest;
        }
        if measured.bands > 0 && measured.elapsed_s > 0.0 {
            self.change(rank, |_, rates| rates.learn(rank, measured));
        }
        if rest > 0 {
            // It knows that more will come, and comes back if it was dismissed.
            self.ranks[rank].is_dismissed = false;
            self.is_ending = false;
        }
        let held = self.ranks[rank].held.len();
        if self.ranks[rank].is_dismissed {
            self.busy -= usize::from(held == 0);
        } else {
            self.open.extend((held..self.rates.assignments_held(rank)).map(|_| rank));
        }
    }

    /// Changes what is known of `rank`, and with it the number of doubtful ranks.
    fn change<T>(&mut self, rank: usize, change: impl FnOnce(&mut Rank, &mut Rates) -> T) -> T {
        self.doubtful -= usize::from(self.ranks[rank].is_doubtful(self.rates.rate(rank)));
        let result = change(&mut self.ranks[rank], &mut self.rates);
        self.doubtful += usize::from(self.ranks[rank].is_doubtful(self.rates.rate(rank)));
        result
    }

    /// Bands that nobody holds.
    fn left(&self) -> u32 {
        self.bands.end - self.next + self.returned_bands
    }
}

/// Whole microseconds, less than [`Assignment::NO_LIMIT`].
fn microseconds(time_s: f64) -> u32 {
    #[expect(clippy::cast_possible_truncation, clippy::cast_sign_loss, reason = "positive, and saturates")]
    let time_us = (time_s * 1e6) as u32;
    time_us.min(Assignment::NO_LIMIT - 1)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn scheduler(bands: Range<u32>, threads: &[u32], max_bands: u32) -> Scheduler {
        Scheduler::new(bands, threads.to_vec(), max_bands)
    }

    /// No band is beyond this window.
    const OPEN: Range<u32> = 0..u32::MAX;

    /// All of the first assignment that `rank` holds, in `elapsed_s`.
    fn hand_in_whole(scheduler: &mut Scheduler, rank: usize, elapsed_s: f64) {
        let bands = scheduler.ranks[rank].held[0].assignment.chunk.count;
        scheduler.hand_in(rank, Measured { bands, elapsed_s, round_trip_s: 0.0 });
    }

    /// What is ordered now, without the news that there is no more.
    fn chunks(scheduler: &mut Scheduler, window: &Range<u32>) -> Vec<(usize, Chunk)> {
        let assignments = scheduler.assignments(window).into_iter().filter(|(_, assignment)| !assignment.is_no_more());
        assignments.map(|(rank, assignment)| (rank, assignment.chunk)).collect()
    }

    #[test]
    fn every_band_is_assigned_once() {
        for (start, bands, ranks) in [(0, 1, 3), (0, 64, 3), (5, 64, 4), (7, 1000, 7), (3, 4, 8)] {
            let mut scheduler = scheduler(start..bands, &vec![2; ranks], 9);
            let (mut assigned, mut told) = (Vec::new(), vec![0; ranks]);
            while !scheduler.is_over() {
                for (rank, assignment) in scheduler.assignments(&OPEN) {
                    if assignment.is_no_more() {
                        told[rank] += 1;
                        continue;
                    }
                    assert!(told[rank] == 0 && (1..=9).contains(&assignment.chunk.count), "{assignment:?}");
                    assigned.extend(assignment.chunk.bands());
                }
                if let Some(rank) = (0..ranks).rev().find(|rank| !scheduler.ranks[*rank].held.is_empty()) {
                    hand_in_whole(&mut scheduler, rank, 0.01);
                }
            }
            assigned.sort_unstable();
            assert_eq!(assigned, (start..bands).collect::<Vec<_>>(), "{ranks} ranks");
            assert_eq!(told, vec![1; ranks]);
        }
    }

    #[test]
    fn nothing_is_assigned_beyond_the_window() {
        let mut scheduler = scheduler(0..100, &[1; 2], 5);
        let mut assigned = 0;
        loop {
            let assignments = chunks(&mut scheduler, &(0..10));
            assigned += assignments.iter().map(|(_, chunk)| chunk.count).sum::<u32>();
            if assignments.is_empty() {
                break;
            }
            // Rank 0 holds the first band and does not hand it in.
            while !scheduler.ranks[1].held.is_empty() {
                hand_in_whole(&mut scheduler, 1, 0.001);
            }
        }
        assert_eq!(assigned, 10);
        assert_eq!(chunks(&mut scheduler, &(1..11)), [(1, Chunk { first: 10, count: 1, stride: 1 })]);
    }

    #[test]
    fn what_comes_back_is_assigned_first_and_nobody_is_dismissed_before() {
        let mut scheduler = scheduler(0..8, &[1; 2], 8);
        let first = chunks(&mut scheduler, &OPEN)[0].1;
        while !scheduler.ranks[1].held.is_empty() {
            hand_in_whole(&mut scheduler, 1, 0.01);
            let assignments = scheduler.assignments(&OPEN);
            assert!(!assignments.iter().any(|(_, assignment)| assignment.is_no_more()), "rank 0 may give back");
        }
        scheduler.hand_in(0, Measured::default());
        assert!(chunks(&mut scheduler, &OPEN).iter().any(|(_, chunk)| chunk.first == first.first));
    }

    #[test]
    fn a_stopped_scheduler_dismisses_all_and_is_over_when_all_have_handed_in() {
        let mut scheduler = scheduler(0..100, &[1; 2], 8);
        scheduler.assignments(&OPEN);
        scheduler.stop();
        for rank in [0, 0, 1, 1] {
            assert!(!scheduler.is_over());
            hand_in_whole(&mut scheduler, rank, 0.01);
            assert!(chunks(&mut scheduler, &OPEN).is_empty());
        }
        assert!(scheduler.is_over());
    }

    #[test]
    fn a_rank_of_many_threads_leaves_something_to_the_others() {
        let mut scheduler = scheduler(0..68, &[64; 4], 100);
        let assignments = chunks(&mut scheduler, &OPEN);
        assert!(assignments.iter().all(|(_, chunk)| chunk.count <= 17), "{assignments:?}");
        assert!((0..4).all(|rank| assignments.iter().any(|(who, _)| *who == rank)), "{assignments:?}");
    }

    #[test]
    fn a_rank_that_was_dismissed_and_gives_back_gets_more() {
        let mut scheduler = scheduler(0..1000, &[1; 2], 1000);
        let (mut dismissed, mut given_back) = (vec![false; 2], 0);
        while !scheduler.is_over() {
            for (rank, assignment) in scheduler.assignments(&OPEN) {
                assert!(!dismissed[rank], "{rank} was dismissed");
                dismissed[rank] = assignment.is_no_more();
            }
            // In turn, until one is dismissed and stops to a crawl: it does one band of each assignment.
            let Some(rank) = (0..2)
                .filter(|rank| !scheduler.ranks[*rank].held.is_empty())
                .max_by_key(|rank| scheduler.ranks[*rank].held.len())
            else {
                continue;
            };
            let count = scheduler.ranks[rank].held[0].assignment.chunk.count;
            let bands = if dismissed[rank] && given_back == 0 { 1 } else { count };
            dismissed[rank] &= bands == count;
            given_back += count - bands;
            scheduler.hand_in(rank, Measured { bands, elapsed_s: f64::from(bands) * 0.000_1, round_trip_s: 0.000_1 });
        }
        assert!(given_back > 0 && dismissed == [true; 2], "{given_back} bands came back");
        assert!(scheduler.returned.is_empty() && scheduler.next >= 1000, "all was assigned");
    }
}
