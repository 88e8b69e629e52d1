//! The scheduler of one image's bands.
//!
//! Knows who holds what. What a slow rank cannot do in time comes back and is dealt again.

use std::{
    collections::{BTreeMap, VecDeque},
    ops::Range,
};

use super::{
    Measured, Order, Piece,
    rate::{self, Rates},
};

/// Why there is nothing to compute for a rank that has room for an order.
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
    is_home: bool,
}

/// An order that a rank holds.
#[derive(Clone, Copy, Debug)]
struct Held {
    order: Order,
    /// Whether its size is that for the speed that the rank had shown.
    is_sized: bool,
}

impl Rank {
    /// Whether a part of what it holds is likely to come back: of orders that it got before it had shown its speed.
    fn is_doubtful(&self, speed: Option<f64>) -> bool {
        let in_time = |order: &Order| {
            let likely_us = |speed| f64::from(order.piece.count) / speed * 1e6;
            order.limit_us == Order::NO_LIMIT || speed.map(likely_us).is_some_and(|us| us <= order.limit_us.into())
        };
        self.held.iter().any(|held| !held.is_sized && !in_time(&held.order))
    }
}

/// Deals the bands of one image to the ranks of a job.
#[derive(Debug)]
pub struct Scheduler {
    bands: Range<u32>,
    /// Next band to be dealt.
    next: u32,
    /// Bands that came back: the number of each run of neighbors by its first.
    returned: BTreeMap<u32, u32>,
    /// Number of bands that came back and were not dealt again.
    returned_bands: u32,
    ranks: Vec<Rank>,
    /// Ranks that have room for an order, at least once for each.
    open: Vec<usize>,
    /// Ranks that hold orders or may be given some.
    busy: usize,
    /// Whether no more is to be dealt.
    is_stopped: bool,
    /// Whether nothing was left to deal when orders were given last, and all who could be sent home were.
    is_ending: bool,
    /// Ranks that are likely to give back a part of what they hold.
    doubtful: usize,
    rates: Rates,
}

impl Scheduler {
    /// A scheduler of `bands` to ranks with that many `workers` each. A piece has at most `most` bands.
    #[must_use]
    pub fn new(bands: Range<u32>, workers: Vec<u32>, most: u32) -> Self {
        let ranks = vec![Rank::default(); workers.len()];
        let open = [(); rate::ORDERS_HELD].iter().flat_map(|()| 0..workers.len()).collect();
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
            rates: Rates::new(workers, most),
        }
    }

    /// The bands that it deals.
    #[must_use]
    pub fn bands(&self) -> Range<u32> {
        self.bands.clone()
    }

    /// What ranks are to be told now: at first, and whenever something has been handed in. `window` begins with the first band
    /// that is not assembled; none is dealt beyond it. The last that a rank is told is [`Order::no_more`], maybe while it still
    /// holds orders.
    pub fn orders(&mut self, window: &Range<u32>) -> Vec<(usize, Order)> {
        let mut orders = Vec::new();
        let mut open = std::mem::take(&mut self.open);
        // What is to come later for one is to come later for all.
        let mut later_for_all = false;
        open.retain(|&rank| {
            if self.ranks[rank].is_home || self.ranks[rank].held.len() >= self.rates.orders_held(rank) {
                return false;
            }
            if later_for_all {
                return true;
            }
            match self.serve(rank, window, &mut orders) {
                Ok(()) => false,
                Err(Without::Later) => {
                    later_for_all = true;
                    true
                }
                Err(Without::Finished) => {
                    self.send_home(rank, &mut orders);
                    false
                }
            }
        });
        self.open = open;
        // At once when nothing is left: who holds orders and is told only when it asks has nothing to do meanwhile.
        if !self.is_ending && self.is_finished_for_all() {
            self.is_ending = true;
            for rank in 0..self.ranks.len() {
                self.send_home(rank, &mut orders);
            }
        }
        orders
    }

    /// Tells `rank`, if it does not know, that what it holds is its last.
    fn send_home(&mut self, rank: usize, orders: &mut Vec<(usize, Order)>) {
        let Rank { is_home, deliveries, held } = &mut self.ranks[rank];
        if !*is_home {
            *is_home = true;
            self.busy -= usize::from(held.is_empty());
            orders.push((rank, Order::no_more(*deliveries)));
        }
    }

    fn is_finished_for_all(&self) -> bool {
        self.is_stopped || self.next >= self.bands.end && self.returned.is_empty() && self.doubtful == 0
    }

    /// Whether nobody holds an order any more, and all know that there is none left.
    #[must_use]
    pub fn is_over(&self) -> bool {
        self.busy == 0
    }

    /// Deals no more: what is not held by a rank is left undone.
    pub fn stop(&mut self) {
        if !self.is_stopped {
            (self.is_stopped, self.is_ending) = (true, false);
        }
    }

    /// Orders as much as `rank` is to get now: one piece, or some small ones that came back.
    fn serve(&mut self, rank: usize, window: &Range<u32>, orders: &mut Vec<(usize, Order)>) -> Result<(), Without> {
        let (wanted, limit_s) = self.rates.size(rank, self.left(), window.end - window.start);
        let limit_us = microseconds(limit_s);
        let mut missing = wanted;
        while missing > wanted / 2 {
            let piece = match self.cut(missing, window.end) {
                Ok(piece) => piece,
                Err(without) if missing == wanted => return Err(without),
                Err(_) => break,
            };
            missing -= piece.count;
            let order = Order { piece, limit_us, answers: self.ranks[rank].deliveries };
            let is_sized = self.rates.speed(rank).is_some();
            self.change(rank, |rank, _| {
                rank.held.push_back(Held { order, is_sized });
            });
            orders.push((rank, order));
        }
        Ok(())
    }

    /// At most `most` bands before `edge`.
    fn cut(&mut self, most: u32, edge: u32) -> Result<Piece, Without> {
        if self.is_stopped {
            return Err(Without::Finished);
        }
        let Some((first, count)) = self.returned.pop_first() else { return self.cut_fresh(most, edge) };
        let dealt = count.min(most);
        if dealt < count {
            self.returned.insert(first + dealt, count - dealt);
        }
        self.returned_bands -= dealt;
        Ok(Piece { first, count: dealt, stride: 1 })
    }

    /// At most `most` bands before `edge` that were never dealt.
    fn cut_fresh(&mut self, most: u32, edge: u32) -> Result<Piece, Without> {
        let edge = edge.min(self.bands.end);
        let first = self.next;
        if first >= self.bands.end {
            return Err(if self.doubtful == 0 { Without::Finished } else { Without::Later });
        }
        if first >= edge {
            return Err(Without::Later);
        }
        let count = most.min(edge - first);
        self.next = first.saturating_add(count);
        Ok(Piece { first, count, stride: 1 })
    }

    /// `rank` has handed in the order that it has held longest, or the part of it that it had begun.
    ///
    /// # Panics
    /// Where the rank holds no order, or did more than it was told.
    pub fn hand_in(&mut self, rank: usize, shown: Measured) {
        let held = self.change(rank, |rank, _| {
            rank.deliveries = rank.deliveries.wrapping_add(1);
            rank.held.pop_front()
        });
        let piece = held.expect("who hands in holds an order").order.piece;
        let rest = piece.count.checked_sub(shown.bands).expect("a rank does what it is told");
        if rest > 0 {
            self.returned.insert(piece.first + shown.bands * piece.stride, rest);
            self.returned_bands += rest;
        }
        if shown.bands > 0 && shown.elapsed_s > 0.0 {
            self.change(rank, |_, rates| rates.learn(rank, shown));
        }
        if rest > 0 {
            // It knows that more will come, and comes back if it was sent home.
            self.ranks[rank].is_home = false;
            self.is_ending = false;
        }
        let held = self.ranks[rank].held.len();
        if self.ranks[rank].is_home {
            self.busy -= usize::from(held == 0);
        } else {
            self.open.extend((held..self.rates.orders_held(rank)).map(|_| rank));
        }
    }

    /// Changes what is known of `rank`, and with it the number of doubtful ranks.
    fn change<T>(&mut self, rank: usize, change: impl FnOnce(&mut Rank, &mut Rates) -> T) -> T {
        self.doubtful -= usize::from(self.ranks[rank].is_doubtful(self.rates.speed(rank)));
        let result = change(&mut self.ranks[rank], &mut self.rates);
        self.doubtful += usize::from(self.ranks[rank].is_doubtful(self.rates.speed(rank)));
        result
    }

    /// Bands that nobody holds.
    fn left(&self) -> u32 {
        self.bands.end - self.next + self.returned_bands
    }
}

/// Whole microseconds, less than [`Order::NO_LIMIT`].
fn microseconds(time_s: f64) -> u32 {
    #[expect(clippy::cast_possible_truncation, clippy::cast_sign_loss, reason = "positive, and saturates")]
    let time_us = (time_s * 1e6) as u32;
    time_us.min(Order::NO_LIMIT - 1)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn scheduler(bands: Range<u32>, workers: &[u32], most: u32) -> Scheduler {
        Scheduler::new(bands, workers.to_vec(), most)
    }

    /// No band is beyond this window.
    const OPEN: Range<u32> = 0..u32::MAX;

    /// All of the first order that `rank` holds, in `elapsed_s`.
    fn hand_in_whole(scheduler: &mut Scheduler, rank: usize, elapsed_s: f64) {
        let bands = scheduler.ranks[rank].held[0].order.piece.count;
        scheduler.hand_in(rank, Measured { bands, elapsed_s, round_trip_s: 0.0 });
    }

    /// What is ordered now, without the news that there is no more.
    fn pieces(scheduler: &mut Scheduler, window: &Range<u32>) -> Vec<(usize, Piece)> {
        let orders = scheduler.orders(window).into_iter().filter(|(_, order)| !order.is_no_more());
        orders.map(|(rank, order)| (rank, order.piece)).collect()
    }

    #[test]
    fn every_band_is_dealt_once() {
        for (start, bands, ranks) in [(0, 1, 3), (0, 64, 3), (5, 64, 4), (7, 1000, 7), (3, 4, 8)] {
            let mut scheduler = scheduler(start..bands, &vec![2; ranks], 9);
            let (mut dealt, mut told) = (Vec::new(), vec![0; ranks]);
            while !scheduler.is_over() {
                for (rank, order) in scheduler.orders(&OPEN) {
                    if order.is_no_more() {
                        told[rank] += 1;
                        continue;
                    }
                    assert!(told[rank] == 0 && (1..=9).contains(&order.piece.count), "{order:?}");
                    dealt.extend(order.piece.bands());
                }
                if let Some(rank) = (0..ranks).rev().find(|rank| !scheduler.ranks[*rank].held.is_empty()) {
                    hand_in_whole(&mut scheduler, rank, 0.01);
                }
            }
            dealt.sort_unstable();
            assert_eq!(dealt, (start..bands).collect::<Vec<_>>(), "{ranks} ranks");
            assert_eq!(told, vec![1; ranks]);
        }
    }

    #[test]
    fn nothing_is_dealt_beyond_the_window() {
        let mut scheduler = scheduler(0..100, &[1; 2], 5);
        let mut dealt = 0;
        loop {
            let orders = pieces(&mut scheduler, &(0..10));
            dealt += orders.iter().map(|(_, piece)| piece.count).sum::<u32>();
            if orders.is_empty() {
                break;
            }
            // Rank 0 holds the first band and does not hand it in.
            while !scheduler.ranks[1].held.is_empty() {
                hand_in_whole(&mut scheduler, 1, 0.001);
            }
        }
        assert_eq!(dealt, 10);
        assert_eq!(pieces(&mut scheduler, &(1..11)), [(1, Piece { first: 10, count: 1, stride: 1 })]);
    }

    #[test]
    fn what_comes_back_is_dealt_first_and_nobody_is_sent_home_before() {
        let mut scheduler = scheduler(0..8, &[1; 2], 8);
        let first = pieces(&mut scheduler, &OPEN)[0].1;
        while !scheduler.ranks[1].held.is_empty() {
            hand_in_whole(&mut scheduler, 1, 0.01);
            let orders = scheduler.orders(&OPEN);
            assert!(!orders.iter().any(|(_, order)| order.is_no_more()), "rank 0 may give back");
        }
        scheduler.hand_in(0, Measured::default());
        assert!(pieces(&mut scheduler, &OPEN).iter().any(|(_, piece)| piece.first == first.first));
    }

    #[test]
    fn a_stopped_dealer_sends_all_home_and_is_over_when_all_have_handed_in() {
        let mut scheduler = scheduler(0..100, &[1; 2], 8);
        scheduler.orders(&OPEN);
        scheduler.stop();
        for rank in [0, 0, 1, 1] {
            assert!(!scheduler.is_over());
            hand_in_whole(&mut scheduler, rank, 0.01);
            assert!(pieces(&mut scheduler, &OPEN).is_empty());
        }
        assert!(scheduler.is_over());
    }

    #[test]
    fn a_rank_of_many_workers_leaves_something_to_the_others() {
        let mut scheduler = scheduler(0..68, &[64; 4], 100);
        let orders = pieces(&mut scheduler, &OPEN);
        assert!(orders.iter().all(|(_, piece)| piece.count <= 17), "{orders:?}");
        assert!((0..4).all(|rank| orders.iter().any(|(who, _)| *who == rank)), "{orders:?}");
    }

    #[test]
    fn a_rank_that_was_sent_home_and_gives_back_gets_more() {
        let mut scheduler = scheduler(0..1000, &[1; 2], 1000);
        let (mut home, mut given_back) = (vec![false; 2], 0);
        while !scheduler.is_over() {
            for (rank, order) in scheduler.orders(&OPEN) {
                assert!(!home[rank], "{rank} is home");
                home[rank] = order.is_no_more();
            }
            // In turn, until one is home and stops to a crawl: it does one band of each order.
            let Some(rank) = (0..2)
                .filter(|rank| !scheduler.ranks[*rank].held.is_empty())
                .max_by_key(|rank| scheduler.ranks[*rank].held.len())
            else {
                continue;
            };
            let count = scheduler.ranks[rank].held[0].order.piece.count;
            let bands = if home[rank] && given_back == 0 { 1 } else { count };
            home[rank] &= bands == count;
            given_back += count - bands;
            scheduler.hand_in(rank, Measured { bands, elapsed_s: f64::from(bands) * 0.000_1, round_trip_s: 0.000_1 });
        }
        assert!(given_back > 0 && home == [true; 2], "{given_back} bands came back");
        assert!(scheduler.returned.is_empty() && scheduler.next >= 1000, "all was dealt");
    }
}
