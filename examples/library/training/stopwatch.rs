//! How long the calls of a kind have taken. Knows nothing of what they do.

use std::{
    fmt,
    time::{Duration, Instant},
};

/// Adds up the time of calls.
#[derive(Default)]
pub(crate) struct Stopwatch {
    total: Duration,
    calls: u32,
}

impl Stopwatch {
    /// Makes a call.
    pub(crate) fn time<T>(&mut self, call: impl FnOnce() -> T) -> T {
        let start = Instant::now();
        let result = call();
        self.total += start.elapsed();
        self.calls += 1;
        result
    }
}

/// The mean time of a call.
impl fmt::Display for Stopwatch {
    fn fmt(&self, out: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(out, "{:.1} us", self.total.as_secs_f64() * 1e6 / f64::from(self.calls.max(1)))
    }
}
