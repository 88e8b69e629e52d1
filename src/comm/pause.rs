//! Waiting without spinning: pauses that grow while nothing happens.

use std::{thread, time::Duration};

/// First pause between two looks at a pending message.
const FIRST: Duration = Duration::from_micros(5);
/// Longest pause: what a waiting rank may add to the latency of a step.
const LONGEST: Duration = Duration::from_micros(500);

/// Pauses between looks at something that another rank or thread is to do.
#[derive(Debug)]
pub struct Pause(Duration);

impl Default for Pause {
    fn default() -> Self {
        Self(FIRST)
    }
}

impl Pause {
    /// Sleeps, half as long again as the last time.
    pub fn sleep(&mut self) {
        thread::sleep(self.0);
        self.0 = (self.0 * 3 / 2).min(LONGEST);
    }
}
