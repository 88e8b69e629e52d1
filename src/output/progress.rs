//! Progress of a long run, from rank 0, on stderr.
//!
//! On a terminal one line is rewritten. Elsewhere, where it was asked for, lines come at times that double, so that a log
//! of days has a few lines more than a log of minutes. Launchers hand ranks a pipe as stderr, so there it takes asking.

use std::{
    io::{IsTerminal, Write, stderr},
    sync::Mutex,
    time::{Duration, Instant},
};

use crate::cli::Progress as Wish;

/// Nothing is shown before a run has lasted this long.
const FIRST: Duration = Duration::from_secs(2);
/// Pause between two updates of a terminal's line.
const TERMINAL_PAUSE: Duration = Duration::from_millis(500);

/// Counts finished pieces of work and shows how far the run is.
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
    done: u64,
    total: u64,
}

impl Progress {
    /// Progress over `total` pieces; shows nothing where `speaks` is false or the user's wish and the terminal say so.
    #[must_use]
    pub fn new(speaks: bool, wish: Wish, quiet: bool, total: u64) -> Self {
        let on_terminal = stderr().is_terminal();
        let wanted = match wish {
            Wish::Auto => on_terminal && !quiet,
            Wish::Always => true,
            Wish::Never => false,
        };
        let state =
            State { started: Instant::now(), next: FIRST, on_terminal, shown: false, done: 0, total: total.max(1) };
        Self { state: (speaks && wanted).then(|| Mutex::new(state)) }
    }

    /// One more piece is done.
    pub fn advance(&self) {
        let Some(state) = &self.state else { return };
        let mut state = state.lock().expect("no thread panics while it counts");
        state.done += 1;
        let elapsed = state.started.elapsed();
        if elapsed >= state.next {
            state.next = if state.on_terminal { elapsed + TERMINAL_PAUSE } else { elapsed * 2 };
            state.shown = true;
            let line = line(state.done, state.total, elapsed);
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

fn line(done: u64, total: u64, elapsed: Duration) -> String {
    let percent = 100 * done / total;
    let left = elapsed.mul_f64(u32::try_from(total - done.min(total)).map_or(f64::INFINITY, f64::from).min(1e9))
        / u32::try_from(done.max(1)).unwrap_or(u32::MAX);
    format!(
        "hybrid: {percent:3} % of rank 0's share in {:.0} s, about {:.0} s left",
        elapsed.as_secs_f64(),
        left.as_secs_f64()
    )
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_time_left_follows_from_the_work_done() {
        assert_eq!(line(25, 100, Duration::from_secs(10)), "hybrid:  25 % of rank 0's share in 10 s, about 30 s left");
    }

    #[test]
    fn a_quiet_run_or_another_rank_shows_nothing() {
        for progress in [
            Progress::new(false, Wish::Always, false, 3),
            Progress::new(true, Wish::Never, false, 3),
            Progress::new(true, Wish::Auto, true, 3),
        ] {
            assert!(progress.state.is_none());
            progress.advance();
            progress.finish();
        }
    }
}
