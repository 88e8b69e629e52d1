//! Progress of a long run, from rank 0, on stderr.
//!
//! On a terminal one line is rewritten. Elsewhere, where it was asked for, lines come at times that double, so that a log
//! of days has a few lines more than a log of minutes. Launchers hand ranks a pipe as stderr, so there it takes asking.

use std::{
    io::{IsTerminal, Write, stderr},
    sync::Mutex,
    time::{Duration, Instant},
};

use crate::cli::ProgressRequest;

/// Nothing is shown before a run has lasted this long.
const FIRST: Duration = Duration::from_secs(2);
/// Pause between two updates of a terminal's line.
const TERMINAL_PAUSE: Duration = Duration::from_millis(500);

/// Knows how much of the work is done and shows it.
#[derive(Debug)]
pub struct Progress {
    state: Option<Mutex<State>>,
}

#[derive(Debug)]
struct State {
    started: Instant,
    next: Duration,
    on_terminal: bool,
    shown: bool,
    what: &'static str,
    total: u64,
}

impl Progress {
    /// Progress over a `total` of `what`; shows nothing where `speaks` is false or the request and the terminal say so.
    #[must_use]
    pub fn new(speaks: bool, request: ProgressRequest, quiet: bool, what: &'static str, total: u64) -> Self {
        let on_terminal = stderr().is_terminal();
        let wanted = match request {
            ProgressRequest::Auto => on_terminal && !quiet,
            ProgressRequest::Always => true,
            ProgressRequest::Never => false,
        };
        let state =
            State { started: Instant::now(), next: FIRST, on_terminal, shown: false, what, total: total.max(1) };
        Self { state: (speaks && wanted).then(|| Mutex::new(state)) }
    }

    /// `done` of the total are done.
    pub fn reach(&self, done: u64) {
        let Some(state) = &self.state else { return };
        let mut state = state.lock().expect("no thread panics while it counts");
        let elapsed = state.started.elapsed();
        if elapsed >= state.next {
            state.next = if state.on_terminal { elapsed + TERMINAL_PAUSE } else { elapsed * 2 };
            state.shown = true;
            let line = line(state.what, done, state.total, elapsed);
            // A stderr that is closed takes nothing from the result.
            let _ = if state.on_terminal { write!(stderr(), "\r{line}\x1b[K") } else { writeln!(stderr(), "{line}") };
        }
    }

    /// Removes what is left on a terminal.
    pub fn finish(&self) {
        let Some(state) = &self.state else { return };
        let state = state.lock().expect("no thread panics while it counts");
        if state.shown && state.on_terminal {
            let _ = write!(stderr(), "\r\x1b[K");
        }
    }
}

#[expect(clippy::cast_precision_loss, reason = "shown with few digits")]
fn line(what: &str, done: u64, total: u64, elapsed: Duration) -> String {
    let fraction = done as f64 / total as f64;
    let elapsed_s = elapsed.as_secs_f64();
    let left_s = elapsed_s * (1.0 - fraction) / fraction.max(f64::MIN_POSITIVE);
    format!("hybrid: {:3.0} % of {what} in {elapsed_s:.0} s, about {left_s:.0} s left", (100.0 * fraction).floor())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_time_left_follows_from_the_work_done() {
        assert_eq!(
            line("the darts", 25, 100, Duration::from_secs(10)),
            "hybrid:  25 % of the darts in 10 s, about 30 s left"
        );
    }

    #[test]
    fn a_quiet_run_or_another_rank_shows_nothing() {
        for progress in [
            Progress::new(false, ProgressRequest::Always, false, "the darts", 3),
            Progress::new(true, ProgressRequest::Never, false, "the darts", 3),
            Progress::new(true, ProgressRequest::Auto, true, "the darts", 3),
        ] {
            assert!(progress.state.is_none());
            progress.reach(1);
            progress.finish();
        }
    }
}
