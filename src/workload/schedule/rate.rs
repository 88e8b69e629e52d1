//! The rate of each rank, in bands a second, and how far away it is, both as measured, and how long its chunks are to last for that.

use super::Measured;

/// Assignments that a rank holds: one that it computes, and one that is next.
pub(super) const ASSIGNMENTS_HELD: usize = 2;
/// Assignments that a rank holds to which assignments are longer on their way than the shortest chunk lasts: as where ranks share cores,
/// and a message waits for its turn at the core.
const ASSIGNMENTS_HELD_FAR: usize = 3;
/// A chunk lasts at least this long, in seconds, where its rank's rate is known: forty times a message.
const SHORTEST_S: f64 = 0.002;
/// And is meant to last at most this long, in seconds: what a rank that slows down or stops holds back.
const LONGEST_S: f64 = 0.1;
/// What rank 0 needs to serve one rank, in seconds: with thousands of ranks, chunks last long enough to serve all.
pub(super) const SERVICE_S: f64 = 50e-6;
/// The next chunk takes this part of the rank's share of what is left.
const PART_OF_REST: f64 = 0.25;
/// And at most this part of the time in which all ranks together fill the window.
const PART_OF_WINDOW: f64 = 0.125;
/// A rank whose rate is not known gives back what it has not begun after this time, in seconds: longer than an assignment
/// is on its way where ranks share cores (some 10 ms), short against any job that is worth sharing.
const TRIAL_S: f64 = 0.05;
/// Such a rank gets this part of an equal share of what is left: much, since in a short job all is over before anything
/// is measured, and what is too much comes back.
const PART_OF_TRIAL: f64 = 0.5;
/// A chunk may take this many times as long as it is meant to: rows of an image differ, and what comes back costs a message.
const PATIENCE: f64 = 2.0;
/// No chunk comes back sooner than a chunk that is meant to last so long, in seconds: it costs a message.
const MIN_LIMITED_S: f64 = 0.02;
/// A chunk lasts at least this many times as long as assignments are on their way: the next one may travel longer.
const ROUND_TRIPS: f64 = 1.5;
/// Time from handing in to the assignment that answers, before it is known, in seconds: some turns of the scheduler of a core that
/// ranks share.
const ASSUMED_ROUND_TRIP_S: f64 = 0.01;
/// Time from handing in to the next assignment that chunks make up for at most, in seconds: some turns of the scheduler of a core
/// that ranks share. Who waits longer waits for something else, such as a rank that is far behind.
const LONGEST_ROUND_TRIP_S: f64 = 0.03;
/// Weight of the latest chunk in a rank's rate: machines slow down in mid-run.
const LATEST: f64 = 0.5;

/// What is known of a rank.
#[derive(Clone, Copy, Debug)]
struct Performance {
    /// Its threads, which want a band each.
    threads: u32,
    /// Bands a second, once it was measured.
    rate: Option<f64>,
    /// From handing in to the assignment that answers, in seconds: while one chunk travels, the other is to last.
    round_trip_s: f64,
}

/// What is known of all ranks.
#[derive(Debug)]
pub(super) struct Rates {
    ranks: Vec<Performance>,
    /// Sum of the rates that are known, and their number.
    known: (f64, u32),
    /// Bands of one chunk at most.
    max_bands: u32,
}

impl Rates {
    /// Of ranks with that many `threads` each, whose chunks have at most `max_bands` bands.
    pub(super) fn new(threads: Vec<u32>, max_bands: u32) -> Self {
        let unknown = |threads: u32| {
            let threads = threads.max(1);
            Performance { threads, rate: None, round_trip_s: ASSUMED_ROUND_TRIP_S }
        };
        Self { ranks: threads.into_iter().map(unknown).collect(), known: (0.0, 0), max_bands: max_bands.max(1) }
    }

    /// Bands a second of `rank`, once it was measured.
    pub(super) fn rate(&self, rank: usize) -> Option<f64> {
        self.ranks[rank].rate
    }

    /// Assignments that `rank` may hold.
    pub(super) fn assignments_held(&self, rank: usize) -> usize {
        if self.ranks[rank].round_trip_s > SHORTEST_S { ASSIGNMENTS_HELD_FAR } else { ASSIGNMENTS_HELD }
    }

    /// Takes note of what `rank` has done, at least a band.
    pub(super) fn learn(&mut self, rank: usize, Measured { bands, elapsed_s, round_trip_s }: Measured) {
        let rank = &mut self.ranks[rank];
        let measured = f64::from(bands) / elapsed_s;
        let before = rank.rate;
        let rate = before.map_or(measured, |before| before + LATEST * (measured - before));
        rank.rate = Some(rate);
        self.known.0 += rate - before.unwrap_or(0.0);
        self.known.1 += u32::from(before.is_none());
        if round_trip_s == 0.0 {
            return;
        }
        // Believed at once where it grows, and slowly where it shrinks: a wait costs more than a longer chunk.
        let round_trip_s = round_trip_s.min(LONGEST_ROUND_TRIP_S);
        rank.round_trip_s = round_trip_s.max(rank.round_trip_s + LATEST * (round_trip_s - rank.round_trip_s));
    }

    /// Bands of the next chunk for `rank`, and the seconds that it may take: `left` bands may be its,
    /// and `window` bands have room on rank 0.
    pub(super) fn size(&self, rank: usize, left: u32, window: u32) -> (u32, f64) {
        let ranks = u32::try_from(self.ranks.len()).expect("MPI numbers ranks with a C int");
        let Performance { threads, rate, round_trip_s } = self.ranks[rank];
        let bounded = |bands: f64| {
            #[expect(clippy::cast_possible_truncation, clippy::cast_sign_loss, reason = "positive, and saturates")]
            let bands = bands as u32;
            bands.max(threads.min(left.div_ceil(ranks))).clamp(1, self.max_bands)
        };
        let Some(rate) = rate else {
            // As if all ranks were equal, and as if there were room in the window for a chunk of each.
            let room = f64::from(left.min(window)) / f64::from(ranks) * PART_OF_TRIAL;
            return (bounded(room), TRIAL_S);
        };
        // Ranks of which nothing is known yet count like the average of the others.
        let together = self.known.0 / f64::from(self.known.1) * f64::from(ranks);
        let shortest_s = SHORTEST_S.max(f64::from(ranks) * SERVICE_S).max(ROUND_TRIPS * round_trip_s);
        // The chunks of a slow rank are not to keep the others waiting for room in the window.
        let window_s = f64::from(window) / together * PART_OF_WINDOW;
        let longest_s = LONGEST_S.max(2.0 * shortest_s).min(window_s).max(shortest_s);
        let rest_s = f64::from(left) / together * PART_OF_REST;
        let target_s = rest_s.clamp(shortest_s, longest_s);
        let limit_s = PATIENCE * target_s.max(MIN_LIMITED_S);
        (bounded(rate * target_s), limit_s)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn chunks_last_as_long_as_assignments_are_on_their_way() {
        let last_chunk = |round_trip_s| {
            let mut rates = Rates::new(vec![1; 4], u32::MAX);
            for _ in 0..20 {
                rates.learn(0, Measured { bands: 1, elapsed_s: 0.001, round_trip_s });
            }
            rates.size(0, 10, u32::MAX).0
        };
        assert_eq!(last_chunk(0.0), 15, "nothing is known but the assumption, 10 ms");
        assert_eq!(last_chunk(0.000_1), 2, "the shortest chunk");
        assert_eq!(last_chunk(0.006), 9);
    }

    #[test]
    fn a_chunk_of_a_slow_rank_is_short_against_the_window() {
        let mut rates = Rates::new(vec![1; 2], u32::MAX);
        rates.learn(0, Measured { bands: 1000, elapsed_s: 0.1, round_trip_s: 0.000_1 });
        rates.learn(1, Measured { bands: 100, elapsed_s: 0.1, round_trip_s: 0.000_1 });
        let seconds = |window| f64::from(rates.size(1, 1_000_000, window).0) / 1000.0;
        assert!((0.09..=0.1).contains(&seconds(u32::MAX)), "{} s", seconds(u32::MAX));
        // All ranks together fill a window of 1100 bands in 0.1 s.
        assert!((0.01..=0.0125).contains(&seconds(1100)), "{} s", seconds(1100));
    }
}
