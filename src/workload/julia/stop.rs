//! When a job is to stop before it is done: on a signal, or when its time is over.

use std::{
    io,
    sync::{
        Arc,
        atomic::{AtomicBool, Ordering},
    },
    time::{Duration, Instant},
};

use signal_hook::{
    consts::{SIGINT, SIGTERM, SIGUSR1},
    flag,
};

use crate::error::Error;

/// Signals that ask for an orderly end. Batch systems send one of them some time before the limit.
const SIGNALS: [(i32, &str); 3] = [(SIGINT, "SIGINT"), (SIGTERM, "SIGTERM"), (SIGUSR1, "SIGUSR1")];

/// Tells when to stop.
#[derive(Debug)]
pub struct Stop {
    signals: Vec<(Arc<AtomicBool>, &'static str)>,
    deadline: Option<Instant>,
}

impl Stop {
    /// From now on the first signal asks for a stop and a second one ends the process; and after `limit` from `started` on
    /// the job is to stop.
    ///
    /// # Errors
    /// [`Error::Mpi`] where the operating system takes no handler.
    pub fn watch(started: Instant, limit: Option<Duration>) -> Result<Self, Error> {
        const KILLED: i32 = 4;
        let register = |(signal, name)| -> io::Result<(Arc<AtomicBool>, &'static str)> {
            let asked = Arc::new(AtomicBool::new(false));
            // In this order: the second signal finds the flag that the first one has set.
            flag::register_conditional_shutdown(signal, KILLED, Arc::clone(&asked))?;
            flag::register(signal, Arc::clone(&asked))?;
            Ok((asked, name))
        };
        let signals = SIGNALS.into_iter().map(register).collect::<io::Result<_>>();
        let signals = signals.map_err(|error| Error::Mpi(format!("signals cannot be watched for: {error}")))?;
        Ok(Self { signals, deadline: limit.map(|limit| started + limit) })
    }

    /// Why to stop now, with `done` of `bands` bands done.
    pub(super) fn requested(&self, done: u32, bands: u32) -> Option<Error> {
        let signal = self.signals.iter().find(|(asked, _)| asked.load(Ordering::Relaxed)).map(|(_, name)| *name);
        let late = self.deadline.filter(|deadline| Instant::now() >= *deadline).map(|_| "--time-limit");
        (done < bands).then_some(signal.or(late)?).map(|by| Error::Stopped { by, done, bands })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_time_limit_stops_what_is_not_done() {
        let stop = Stop { signals: Vec::new(), deadline: Some(Instant::now()) };
        let message = stop.requested(3, 10).unwrap().to_string();
        assert!(message.contains("--time-limit with 3 of 10 bands") && message.contains("--resume"), "{message}");
        assert!(stop.requested(10, 10).is_none());
        assert!(Stop { signals: Vec::new(), deadline: None }.requested(3, 10).is_none());
    }
}
