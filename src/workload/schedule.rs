//! Who computes which bands: pieces handed out while the job runs, each sized by the speed its rank has shown. Pure.
//!
//! A piece is to last long against the message that asks for it, and short against what is left, so that all ranks end
//! together: guided self-scheduling (Polychronopoulos and Kuck 1987) with a speed for each rank. `docs/scaling.md` has the
//! model and its limits.

use std::ops::Range;

use bytemuck::{Pod, Zeroable};

/// A piece lasts at least this long, in seconds, where its rank's speed is known: forty times a message.
const SHORTEST_S: f64 = 0.002;
/// And at most this long, in seconds: what a rank that slows down or stops holds back.
const LONGEST_S: f64 = 0.1;
/// What rank 0 needs to serve one rank, in seconds: with thousands of ranks, pieces last long enough to serve all.
const SERVICE_S: f64 = 50e-6;
/// The next piece takes this part of the rank's share of what is left.
const PART_OF_REST: f64 = 0.25;
/// Weight of the latest piece in a rank's speed: machines slow down in mid-run.
const LATEST: f64 = 0.5;

/// Bands `first`, `first + stride`, ..., `count` of them. Plain numbers: it travels as bytes. No bands: there is no more.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Pod, Zeroable)]
#[repr(C)]
pub struct Piece {
    /// Number of the first band.
    pub first: u32,
    /// Number of bands.
    pub count: u32,
    /// Distance of one band from the next.
    pub stride: u32,
}

impl Piece {
    /// What a rank is told when nothing is left for it.
    pub const NONE: Self = Self { first: 0, count: 0, stride: 1 };

    /// The numbers of its bands.
    pub fn bands(self) -> impl Iterator<Item = u32> {
        (0..self.count).map(move |index| self.first + index * self.stride)
    }
}

/// How bands are dealt.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Policy {
    /// To whoever asks, as many as its speed makes right.
    Dynamic,
    /// Every rank the same number, in turn.
    Static,
}

/// What a rank that asks is told.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Next {
    /// Compute these.
    Piece(Piece),
    /// Ask again when more bands have been assembled: too many wait for one that is not done.
    Later,
    /// Nothing is left.
    Finished,
}

/// Deals the bands of one image to the ranks of a job.
#[derive(Debug)]
pub struct Dealer {
    policy: Policy,
    bands: Range<u32>,
    /// Next band to be dealt; with a static policy, to each rank.
    next: Vec<u32>,
    /// Workers of each rank, which want a band each.
    workers: Vec<u32>,
    /// Bands a second of each rank, once it has shown.
    speeds: Vec<Option<f64>>,
    /// Sum of the speeds that are known, and their number.
    known: (f64, u32),
    /// Bands of one piece at most.
    most: u32,
    /// Bands that may be dealt beyond the first one that is not assembled.
    window: u32,
}

impl Dealer {
    /// A dealer of `bands` to ranks with that many `workers` each. A piece has at most `most` bands, and no band is dealt
    /// that lies `window` or more beyond the first that is not assembled.
    #[must_use]
    pub fn new(policy: Policy, bands: Range<u32>, workers: Vec<u32>, most: u32, window: u32) -> Self {
        let next = match policy {
            Policy::Dynamic => vec![bands.start],
            Policy::Static => {
                // Band b belongs to rank b modulo the ranks, wherever the deal starts.
                let ranks = u32::try_from(workers.len()).expect("MPI numbers ranks with a C int");
                (0..ranks).map(|rank| bands.start + (rank + ranks - bands.start % ranks) % ranks).collect()
            }
        };
        let speeds = vec![None; workers.len()];
        Self { policy, bands, next, workers, speeds, known: (0.0, 0), most: most.max(1), window: window.max(1) }
    }

    /// What `rank` is to do next, when all bands before `assembled` are assembled.
    pub fn next(&mut self, rank: usize, assembled: u32) -> Next {
        let edge = assembled.saturating_add(self.window).min(self.bands.end);
        let (place, stride) = match self.policy {
            Policy::Dynamic => (0, 1),
            Policy::Static => (rank, u32::try_from(self.workers.len()).expect("checked in new")),
        };
        let first = self.next[place];
        if first >= self.bands.end {
            return Next::Finished;
        }
        if first >= edge {
            return Next::Later;
        }
        let count = self.size(rank).min((edge - first).div_ceil(stride));
        self.next[place] = first.saturating_add(count.saturating_mul(stride));
        Next::Piece(Piece { first, count, stride })
    }

    /// `rank` took `elapsed_s` seconds for `bands` bands.
    pub fn learn(&mut self, rank: usize, bands: u32, elapsed_s: f64) {
        if bands == 0 || elapsed_s <= 0.0 {
            return;
        }
        let shown = f64::from(bands) / elapsed_s;
        let before = self.speeds[rank];
        let speed = before.map_or(shown, |before| before + LATEST * (shown - before));
        self.speeds[rank] = Some(speed);
        self.known.0 += speed - before.unwrap_or(0.0);
        self.known.1 += u32::from(before.is_none());
    }

    fn ranks(&self) -> u32 {
        u32::try_from(self.workers.len()).expect("MPI numbers ranks with a C int")
    }

    /// Bands of the next piece for `rank`.
    fn size(&self, rank: usize) -> u32 {
        let left = match self.policy {
            Policy::Dynamic => self.bands.end - self.next[0],
            Policy::Static => (self.bands.end - self.next[rank]).div_ceil(self.ranks()),
        };
        let least = self.workers[rank].max(1);
        // A first piece shows a rank's speed, however slow it is, at the cost of one more message.
        let Some(speed) = self.speeds[rank] else { return least.min(self.most) };
        let together = match self.policy {
            Policy::Static => speed,
            // Ranks that have shown nothing yet count like the average of the others.
            Policy::Dynamic => self.known.0 / f64::from(self.known.1) * f64::from(self.ranks()),
        };
        let shortest_s = SHORTEST_S.max(f64::from(self.ranks()) * SERVICE_S);
        let longest_s = LONGEST_S.max(2.0 * shortest_s);
        let target_s = (f64::from(left) / together * PART_OF_REST).clamp(shortest_s, longest_s);
        #[expect(clippy::cast_possible_truncation, clippy::cast_sign_loss, reason = "positive, and saturates")]
        let bands = (speed * target_s) as u32;
        bands.max(least).min(self.most)
    }
}

#[cfg(test)]
mod tests {
    use std::{cmp::Reverse, collections::BinaryHeap};

    use super::*;

    /// A job in virtual time: each rank computes `speeds[rank](now)` bands a second, and rank 0 serves one request at a time
    /// in [`SERVICE_S`]. Returns when each rank ended, in seconds, and the number of messages; checks that every band is
    /// dealt once.
    fn simulate(mut dealer: Dealer, bands: u32, speeds: &[&dyn Fn(f64) -> f64]) -> (Vec<f64>, usize) {
        #[expect(clippy::cast_possible_truncation, clippy::cast_sign_loss, reason = "virtual times of some minutes")]
        let nanoseconds = |time_s: f64| (time_s * 1e9) as u64;
        let mut asks: BinaryHeap<Reverse<(u64, usize)>> = (0..speeds.len()).map(|rank| Reverse((0, rank))).collect();
        let mut dealt = vec![0_u8; bands as usize];
        let (mut ends, mut server_free, mut messages) = (vec![0.0; speeds.len()], 0, 0);
        while let Some(Reverse((asked, rank))) = asks.pop() {
            server_free = asked.max(server_free) + nanoseconds(SERVICE_S);
            messages += 1;
            match dealer.next(rank, bands) {
                Next::Piece(piece) => {
                    piece.bands().for_each(|band| dealt[band as usize] += 1);
                    let now = server_free as f64 / 1e9;
                    let elapsed_s = f64::from(piece.count) / speeds[rank](now);
                    dealer.learn(rank, piece.count, elapsed_s);
                    ends[rank] = now + elapsed_s;
                    asks.push(Reverse((server_free + nanoseconds(elapsed_s), rank)));
                }
                Next::Later => panic!("the window is open"),
                Next::Finished => {}
            }
        }
        assert!(dealt.iter().all(|times| *times == 1), "every band is dealt once");
        (ends, messages)
    }

    fn dealer(policy: Policy, bands: u32, ranks: usize) -> Dealer {
        Dealer::new(policy, 0..bands, vec![1; ranks], u32::MAX, u32::MAX)
    }

    fn last(ends: &[f64]) -> f64 {
        ends.iter().copied().fold(0.0, f64::max)
    }

    #[test]
    fn every_band_is_dealt_once_by_either_policy() {
        for policy in [Policy::Dynamic, Policy::Static] {
            for (start, bands, ranks) in [(0, 1, 3), (0, 64, 3), (5, 64, 4), (7, 1000, 7), (3, 4, 8)] {
                let mut dealer = Dealer::new(policy, start..bands, vec![2; ranks], 9, u32::MAX);
                let mut dealt = Vec::new();
                for rank in (0..ranks).cycle().take(ranks * 2000) {
                    if let Next::Piece(piece) = dealer.next(rank, start) {
                        assert!((1..=9).contains(&piece.count), "{piece:?}");
                        dealt.extend(piece.bands());
                    }
                }
                dealt.sort_unstable();
                assert_eq!(dealt, (start..bands).collect::<Vec<_>>(), "{policy:?} {ranks} ranks");
            }
        }
    }

    #[test]
    fn static_bands_do_not_depend_on_who_asks_first() {
        let mut dealer = dealer(Policy::Static, 100, 3);
        let Next::Piece(piece) = dealer.next(2, 0) else { panic!() };
        assert!(piece.bands().all(|band| band % 3 == 2), "{piece:?}");
    }

    #[test]
    fn nothing_is_dealt_beyond_the_window() {
        let mut dealer = Dealer::new(Policy::Dynamic, 0..100, vec![1; 2], 5, 10);
        assert_eq!(dealer.next(0, 0), Next::Piece(Piece { first: 0, count: 1, stride: 1 }));
        while let Next::Piece(piece) = dealer.next(1, 0) {
            assert!(piece.bands().all(|band| band < 10), "{piece:?}");
        }
        assert_eq!(dealer.next(1, 0), Next::Later);
        assert!(matches!(dealer.next(1, 1), Next::Piece(Piece { first: 10, .. })));
    }

    #[test]
    fn devices_of_a_thousand_to_one_end_together() {
        let speeds: [&dyn Fn(f64) -> f64; 4] = [&|_| 10_000.0, &|_| 10.0, &|_| 10.0, &|_| 100.0];
        let (ends, _) = simulate(dealer(Policy::Dynamic, 20_000, 4), 20_000, &speeds);
        let ideal = 20_000.0 / 10_120.0;
        assert!(last(&ends) < 1.1 * ideal, "{ends:?} against {ideal}");
    }

    #[test]
    fn a_rank_that_slows_down_to_a_tenth_in_mid_run_costs_little() {
        let slows = |now: f64| if now < 1.0 { 1000.0 } else { 100.0 };
        let speeds: [&dyn Fn(f64) -> f64; 4] = [&|_| 1000.0, &slows, &|_| 1000.0, &|_| 1000.0];
        let (ends, _) = simulate(dealer(Policy::Dynamic, 12_000, 4), 12_000, &speeds);
        let ideal = 1.0 + (12_000.0 - 4000.0) / 3100.0;
        assert!(last(&ends) < 1.15 * ideal, "{ends:?} against {ideal}");
    }

    #[test]
    fn a_static_deal_would_be_caught_here() {
        let speeds: [&dyn Fn(f64) -> f64; 2] = [&|_| 1000.0, &|_| 100.0];
        let (ends, _) = simulate(dealer(Policy::Static, 2000, 2), 2000, &speeds);
        assert!(last(&ends) > 3.0 * 2000.0 / 1100.0, "{ends:?}");
    }

    #[test]
    fn ten_thousand_ranks_are_served_by_one() {
        let ranks = 10_000;
        let speed: &dyn Fn(f64) -> f64 = &|_| 200.0;
        // 40 s of work for every rank, in pieces of one band of 5 ms.
        let bands = 80_000_000;
        let (ends, messages) = simulate(dealer(Policy::Dynamic, bands, ranks), bands, &vec![speed; ranks]);
        let ideal = f64::from(bands) / (200.0 * ranks as f64);
        assert!(last(&ends) < 1.05 * ideal, "{} against {ideal}, {messages} messages", last(&ends));
        assert!(messages < 100 * ranks, "{messages} messages");
    }
}
