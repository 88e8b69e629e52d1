//! Waiting without spinning: pauses that grow while nothing happens.
//!
//! MPI's own blocking calls spin, which on a core that ranks share keeps the one that is waited for from its turn, under Linux
//! 6.18 for minutes. So every wait for another rank is here.

use std::{thread, time::Duration};

use mpi::request::{Request, Scope};

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

/// Waits for a request that other ranks have to answer.
pub(super) fn finish<'a, D: ?Sized>(mut request: Request<'a, D, impl Scope<'a>>) {
    let mut pause = Pause::default();
    while let Err(pending) = request.test() {
        request = pending;
        pause.sleep();
    }
}
