//! How far the clocks of the ranks are from that of rank 0, found out by messages to and fro. Knows no clock: whoever calls brings one.

use serde::{Deserialize, Serialize};

use super::{
    Group,
    mail::{Tag, send, try_receive},
    pause::Pause,
    wire,
};

/// Messages to and fro for each rank; the one that took the least time counts.
const ROUNDS: usize = 8;

/// How far a clock is from that of rank 0.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct ClockOffset {
    /// Nanoseconds by which it is ahead.
    pub ahead_ns: i64,
    /// Nanoseconds by which that may be wrong: half of the time that a message took to come back.
    pub error_ns: u64,
}

/// When something began, by a rank's own clock, and how far that is from rank 0's.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct Beginning {
    /// Nanoseconds since 1970 by the rank's own clock.
    pub own_ns: i64,
    /// How far that clock is from rank 0's.
    pub clock: ClockOffset,
}

impl Beginning {
    /// Nanoseconds since 1970 by rank 0's clock.
    #[must_use]
    pub fn by_rank_0_ns(&self) -> i64 {
        self.own_ns.saturating_sub(self.clock.ahead_ns)
    }
}

/// What rank 0 tells a rank.
#[derive(Serialize, Deserialize)]
enum Word {
    /// It is to tell its time.
    Tell,
    /// What came of it.
    Offset(ClockOffset),
}

impl Group {
    /// How far this rank's clock is from that of rank 0; `now_ns` reads it, in nanoseconds. Collective.
    #[must_use]
    pub fn clock_offset(&self, now_ns: impl Fn() -> i64) -> ClockOffset {
        if self.rank() > 0 {
            loop {
                match wire::unpack(&self.next(0)) {
                    Word::Tell => send(&self.comm, 0, Tag::Clock, &wire::pack(&now_ns())),
                    Word::Offset(offset) => return offset,
                }
            }
        }
        for rank in 1..self.size() {
            let round = |_| {
                let sent_ns = now_ns();
                send(&self.comm, rank, Tag::Clock, &wire::pack(&Word::Tell));
                let told_ns: i64 = wire::unpack(&self.next(rank));
                between(sent_ns, told_ns, now_ns())
            };
            let best = (0..ROUNDS).map(round).min_by_key(|offset| offset.error_ns).unwrap_or_default();
            send(&self.comm, rank, Tag::Clock, &wire::pack(&Word::Offset(best)));
        }
        ClockOffset::default()
    }

    /// The next message about clocks from a rank.
    fn next(&self, from: usize) -> Vec<u8> {
        let mut pause = Pause::default();
        loop {
            if let Some((_, bytes)) = try_receive(&self.comm, Some(from), Tag::Clock) {
                return bytes;
            }
            pause.sleep();
        }
    }
}

/// The other clock was read somewhere between two looks at this one.
fn between(sent_ns: i64, told_ns: i64, came_ns: i64) -> ClockOffset {
    let took_ns = came_ns.saturating_sub(sent_ns);
    ClockOffset {
        ahead_ns: told_ns.saturating_sub(sent_ns.saturating_add(took_ns / 2)),
        error_ns: took_ns.unsigned_abs().div_ceil(2),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_clock_is_as_far_ahead_as_the_middle_of_the_two_looks_says() {
        assert_eq!(between(100, 1_150, 200), ClockOffset { ahead_ns: 1_000, error_ns: 50 });
        assert_eq!(between(100, -900, 101), ClockOffset { ahead_ns: -1_000, error_ns: 1 });
    }
}
