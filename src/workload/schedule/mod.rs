//! Who computes which bands: pieces handed out while the job runs, each sized by the speed its rank has shown. Pure: knows
//! neither messages nor clocks, so that a simulation of thousands of ranks runs the same code.
//!
//! A piece is to last long against the messages that ask for it, and short against what is left, so that all ranks end
//! together: guided self-scheduling (Polychronopoulos and Kuck 1987) with a speed for each rank. `docs/scaling.md` has the
//! model and its limits. The textbook's way, equal shares in waves, is in `waves`.

mod rate;
mod scheduler;
#[cfg(test)]
mod simulation;
mod waves;

pub use scheduler::Scheduler;
use serde::{Deserialize, Serialize};
pub use waves::Waves;

/// Bands `first`, `first + stride`, ..., `count` of them.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Piece {
    /// Number of the first band.
    pub first: u32,
    /// Number of bands.
    pub count: u32,
    /// Distance of one band from the next.
    pub stride: u32,
}

impl Piece {
    /// The numbers of its bands.
    pub fn bands(self) -> impl Iterator<Item = u32> {
        (0..self.count).map(move |index| self.first + index * self.stride)
    }
}

/// What a rank is told to do.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Order {
    /// The bands to compute; none of them: see [`Self::no_more`].
    pub piece: Piece,
    /// Microseconds after which the rank hands in the bands it has and gives back those that it has not begun.
    pub limit_us: u32,
    /// Deliveries of the rank that rank 0 had taken when it gave the order: it answers the last of them.
    pub answers: u32,
}

impl Order {
    /// However long it takes.
    pub const NO_LIMIT: u32 = u32::MAX;

    /// There is no more: what the rank holds is its last, unless it gives back a part of what it had not handed in when it
    /// had handed in `answers` orders. Then more will come, and this once again.
    #[must_use]
    pub fn no_more(answers: u32) -> Self {
        Self { piece: Piece { first: 0, count: 0, stride: 1 }, limit_us: Self::NO_LIMIT, answers }
    }

    /// Whether it tells that there is no more.
    #[must_use]
    pub fn is_no_more(&self) -> bool {
        self.piece.count == 0
    }
}

/// How bands are dealt.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Policy {
    /// To whoever asks, as many as its speed makes right.
    Dynamic,
    /// Every rank the same number, in turn, in waves.
    Static,
}

/// What a rank tells of an order that it has handed in. Times in seconds.
#[derive(Clone, Copy, Debug, Default, PartialEq)]
pub struct Measured {
    /// Bands computed, the first of the piece.
    pub bands: u32,
    /// The time that took.
    pub elapsed_s: f64,
    /// From handing in an earlier order until this one was there in answer; 0 where it answers none.
    pub round_trip_s: f64,
}
