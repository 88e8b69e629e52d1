//! Who computes which bands: chunks handed out while the job runs, each sized by the rate of its rank. Pure: knows
//! neither messages nor clocks, so that a simulation of thousands of ranks runs the same code.
//!
//! A chunk is to last long against the messages that ask for it, and short against what is left, so that all ranks end
//! together: guided self-scheduling (Polychronopoulos and Kuck 1987) with a rate for each rank. `docs/scaling.md` has the
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
pub struct Chunk {
    /// Number of the first band.
    pub first: u32,
    /// Number of bands.
    pub count: u32,
    /// Distance of one band from the next.
    pub stride: u32,
}

impl Chunk {
    /// The numbers of its bands.
    pub fn bands(self) -> impl Iterator<Item = u32> {
        (0..self.count).map(move |index| self.first + index * self.stride)
    }
}

/// What a rank is told to do.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Assignment {
    /// The bands to compute; none of them: see [`Self::no_more`].
    pub chunk: Chunk,
    /// Microseconds after which the rank hands in the bands it has and gives back those that it has not begun.
    pub limit_us: u32,
    /// Deliveries of the rank that rank 0 had taken when it gave the assignment: it answers the last of them.
    pub answers: u32,
}

impl Assignment {
    /// However long it takes.
    pub const NO_LIMIT: u32 = u32::MAX;

    /// There is no more: what the rank holds is its last, unless it gives back a part of what it had not handed in when it
    /// had handed in `answers` assignments. Then more will come, and this once again.
    #[must_use]
    pub fn no_more(answers: u32) -> Self {
        Self { chunk: Chunk { first: 0, count: 0, stride: 1 }, limit_us: Self::NO_LIMIT, answers }
    }

    /// Whether it tells that there is no more.
    #[must_use]
    pub fn is_no_more(&self) -> bool {
        self.chunk.count == 0
    }
}

/// How bands are assigned.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Policy {
    /// To whoever asks, as many as its rate makes right.
    Dynamic,
    /// Every rank the same number, in turn, in waves.
    Static,
}

/// What a rank tells of an assignment that it has handed in. Times in seconds.
#[derive(Clone, Copy, Debug, Default, PartialEq)]
pub struct Measured {
    /// Bands computed, the first of the chunk.
    pub bands: u32,
    /// The time that took.
    pub elapsed_s: f64,
    /// From handing in an earlier assignment until this one was there in answer; 0 where it answers none.
    pub round_trip_s: f64,
}
