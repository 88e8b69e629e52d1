//! When a job is to stop before it is done: on a signal to any of its ranks, or when its time is over. Knows nothing of what
//! the job does.

use std::{
    io,
    sync::{
        Arc, OnceLock,
        atomic::{AtomicBool, AtomicU8, Ordering},
    },
    time::{Duration, Instant},
};

use nix::sys::signal::{SigSet, SigmaskHow, Signal};
use serde::{Deserialize, Serialize};
use signal_hook::{
    SigId,
    consts::{SIGINT, SIGTERM, SIGUSR1},
    flag, low_level,
};

use super::WorkloadError;

/// Exit code of a process that a second signal ends: what is in the files can be resumed.
const KILLED: i32 = 4;
/// A job that is told to stop has this long before a further signal ends it at once. Launchers pass on what their ranks have got
/// already, so that a second signal may be the first one again.
const GRACE: Duration = Duration::from_secs(3);
/// Signals that ask for an orderly end. Batch systems send one of them some time before the limit.
const SIGNALS: [(i32, &str); 3] = [(SIGINT, "SIGINT"), (SIGUSR1, "SIGUSR1"), (SIGTERM, "SIGTERM")];
/// The same among the [`REASONS`], as it comes from a launcher: that passes on as SIGTERM whatever ends it.
const LAUNCHERS_SIGTERM: u8 = 4;
/// Why a job stops, by the number that ranks tell each other less one.
const REASONS: [&str; 6] = [
    SIGNALS[0].1,
    SIGNALS[1].1,
    SIGNALS[2].1,
    "SIGTERM (which launchers send for Ctrl-C too)",
    "--time-limit",
    "a failure elsewhere",
];

/// Why a job stops before it is done: a number from 1 on.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Reason(u8);

impl Reason {
    /// Another rank has failed.
    pub const FAILURE: Self = Self(6);
    const TIME_LIMIT: Self = Self(5);

    /// In words.
    #[must_use]
    pub fn name(self) -> &'static str {
        REASONS[usize::from(self.0 - 1)]
    }
}

/// Tells when to stop. Any thread may ask.
#[derive(Debug)]
pub struct Stop {
    signals: Vec<(Arc<AtomicBool>, Reason)>,
    deadline: Option<Instant>,
    /// The number of the reason that was met first, or 0.
    reason: AtomicU8,
    /// When it was met.
    met: OnceLock<Instant>,
    /// Whether a signal ends the process.
    is_deadly: Arc<AtomicBool>,
    /// What makes the first signal before any work set that.
    before_work: Vec<SigId>,
}

impl Stop {
    /// Hears nothing and has no limit.
    #[must_use]
    pub fn never() -> Self {
        Self {
            signals: Vec::new(),
            deadline: None,
            reason: AtomicU8::new(0),
            met: OnceLock::new(),
            is_deadly: Arc::default(),
            before_work: Vec::new(),
        }
    }

    /// From now on the first signal asks for a stop, and a second one ends the process; and after `limit` from `started` on the job is to stop. `is_launched` tells whether signals come from a launcher.
    ///
    /// # Errors
    /// [`WorkloadError::Signals`] where the operating system takes no handler.
    pub fn watch(started: Instant, limit: Option<Duration>, is_launched: bool) -> Result<Self, WorkloadError> {
        let is_deadly = Arc::new(AtomicBool::new(false));
        let mut before_work = Vec::new();
        let register = |((signal, _), number)| -> io::Result<(Arc<AtomicBool>, Reason)> {
            let asked = Arc::new(AtomicBool::new(false));
            // In this order: the second signal finds the flag that the first one has set.
            flag::register_conditional_shutdown(signal, KILLED, Arc::clone(&is_deadly))?;
            before_work.push(flag::register(signal, Arc::clone(&is_deadly))?);
            flag::register(signal, Arc::clone(&asked))?;
            let is_launchers = is_launched && signal == SIGTERM;
            Ok((asked, Reason(if is_launchers { LAUNCHERS_SIGTERM } else { number })))
        };
        let signals = while_held_back(|| SIGNALS.into_iter().zip(1..).map(register).collect::<io::Result<_>>());
        let signals = signals.map_err(|source| WorkloadError::Signals { source })?;
        let deadline = limit.map(|limit| started + limit);
        Ok(Self { signals, deadline, is_deadly, before_work, ..Self::never() })
    }

    /// From now on [`Self::reason`] is asked again and again, and no signal ends the process before that has had its time.
    pub fn work_begins(&self) {
        for id in &self.before_work {
            low_level::unregister(*id);
        }
        self.is_deadly.store(false, Ordering::Relaxed);
    }

    /// Why to stop, if there is anything to stop for: the first reason that was met.
    #[must_use]
    pub fn reason(&self) -> Option<Reason> {
        if let known @ 1.. = self.reason.load(Ordering::Relaxed) {
            if self.met.get_or_init(Instant::now).elapsed() >= GRACE {
                self.is_deadly.store(true, Ordering::Relaxed);
            }
            return Some(Reason(known));
        }
        let signal = self.signals.iter().find(|(asked, _)| asked.load(Ordering::Relaxed)).map(|(_, reason)| *reason);
        let late = self.deadline.filter(|deadline| Instant::now() >= *deadline).map(|_| Reason::TIME_LIMIT);
        self.ask(signal.or(late)?);
        self.reason()
    }

    /// Asks for a stop for a reason that another rank has met.
    pub fn ask(&self, reason: Reason) {
        // An earlier reason stays.
        let _ = self.reason.compare_exchange(0, reason.0, Ordering::Relaxed, Ordering::Relaxed);
    }
}

/// Does `work` while the signals wait: one that came when there is a handler and not yet all that it is to do would be lost.
fn while_held_back<T>(work: impl FnOnce() -> io::Result<T>) -> io::Result<T> {
    let mut held = SigSet::empty();
    for (signal, _) in SIGNALS {
        held.add(Signal::try_from(signal)?);
    }
    let before = held.thread_swap_mask(SigmaskHow::SIG_BLOCK)?;
    let done = work();
    before.thread_set_mask()?;
    done
}

#[cfg(test)]
mod tests {
    use super::*;

    fn stop(deadline: Option<Instant>) -> Stop {
        Stop { deadline, ..Stop::never() }
    }

    #[test]
    fn the_first_reason_stays() {
        let late = stop(Some(Instant::now()));
        assert_eq!(late.reason().map(Reason::name), Some("--time-limit"));
        late.ask(Reason(1));
        assert_eq!(late.reason(), Some(Reason::TIME_LIMIT));
        let told = stop(None);
        assert_eq!(told.reason(), None);
        told.ask(Reason(1));
        assert_eq!(told.reason().map(Reason::name), Some("SIGINT"));
    }
}
