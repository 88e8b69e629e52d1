//! What a run prints, read while it runs: the last line that matters, and the end of all. No more is kept, however much there is.

use std::{
    io::Read,
    sync::{Arc, Condvar, Mutex},
    thread,
    time::{Duration, Instant},
};

use regex_lite::Regex;

/// A line that is longer is no figure and no report of this program; the report of a large job has some hundred bytes a rank.
const LONGEST_LINE: usize = 64 << 20;
/// The end of what was said that a record keeps.
const TAIL: usize = 2048;
/// Processes that a run has left behind may hold its output; what it has printed itself is there by then.
const PATIENCE: Duration = Duration::from_secs(2);

/// Which line is looked for.
#[derive(Clone, Debug)]
pub(super) enum Wanted {
    /// The last in which the pattern's group is found.
    Pattern(Regex),
    /// The last that is a report of this program.
    Report,
    /// None.
    Nothing,
}

/// How the report of a run begins.
const REPORT: &[u8] = b"{\"command\":";

/// A stream that is being read.
pub(super) struct Reading(Arc<(Mutex<Read_>, Condvar)>);

#[derive(Default)]
struct Read_ {
    found: Option<Vec<u8>>,
    tail: Vec<u8>,
    is_over: bool,
}

impl Reading {
    /// Reads `stream` on a thread of its own until its end.
    pub(super) fn start(mut stream: impl Read + Send + 'static, wanted: Wanted) -> Self {
        let shared = Arc::new((Mutex::new(Read_::default()), Condvar::new()));
        let read = Arc::clone(&shared);
        thread::spawn(move || {
            let mut buffer = vec![0; 64 << 10];
            let mut line = Vec::new();
            while let Ok(bytes @ 1..) = stream.read(&mut buffer) {
                let mut state = read.0.lock().expect("no thread panics while it reads");
                state.take(&buffer[..bytes], &mut line, &wanted);
            }
            let mut state = read.0.lock().expect("no thread panics while it reads");
            state.line(&line, &wanted);
            state.is_over = true;
            read.1.notify_all();
        });
        Self(shared)
    }

    /// What was found, and the end of all that was read; waits a moment for the end of the stream.
    pub(super) fn finish(self) -> (Option<Vec<u8>>, Vec<u8>) {
        let until = Instant::now() + PATIENCE;
        let (state, over) = &*self.0;
        let mut state = state.lock().expect("no thread panics while it reads");
        while let Some(left) = until.checked_duration_since(Instant::now()).filter(|_| !state.is_over) {
            state = over.wait_timeout(state, left).expect("no thread panics while it reads").0;
        }
        (state.found.take(), std::mem::take(&mut state.tail))
    }
}

impl Read_ {
    fn take(&mut self, bytes: &[u8], line: &mut Vec<u8>, wanted: &Wanted) {
        self.tail.extend_from_slice(bytes);
        let beyond = self.tail.len().saturating_sub(TAIL);
        self.tail.drain(..beyond);
        if matches!(wanted, Wanted::Nothing) {
            return;
        }
        for part in bytes.split_inclusive(|byte| *byte == b'\n') {
            if line.len() <= LONGEST_LINE {
                line.extend_from_slice(part);
            }
            if part.ends_with(b"\n") {
                self.line(line, wanted);
                line.clear();
            }
        }
    }

    fn line(&mut self, line: &[u8], wanted: &Wanted) {
        let line = line.strip_suffix(b"\n").unwrap_or(line);
        let line = line.strip_suffix(b"\r").unwrap_or(line);
        if line.len() > LONGEST_LINE {
            return;
        }
        let found = match wanted {
            Wanted::Pattern(pattern) => {
                let line = String::from_utf8_lossy(line);
                pattern.captures(&line).and_then(|groups| groups.get(1)).map(|group| group.as_str().into())
            }
            Wanted::Report => line.starts_with(REPORT).then(|| line.into()),
            Wanted::Nothing => None,
        };
        self.found = found.or(self.found.take());
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn found(text: &'static str, wanted: Wanted) -> Option<String> {
        Reading::start(text.as_bytes(), wanted).finish().0.map(|found| String::from_utf8(found).unwrap())
    }

    #[test]
    fn the_last_line_that_matters_is_found() {
        let time = || Wanted::Pattern(Regex::new("time: ([0-9.]+)").unwrap());
        assert_eq!(found("time: 1\r\nx\ntime: 2.5 s\nend", time()).as_deref(), Some("2.5"));
        assert_eq!(found("a\ntime: 3", time()).as_deref(), Some("3"));
        assert_eq!(found("nothing\n", time()), None);
        // A byte that is no text stands for one character.
        let broken = b"\xb5\xff time: 4\n".as_slice();
        let loop_time = Wanted::Pattern(Regex::new("^.. time: (4)").unwrap());
        assert_eq!(Reading::start(broken, loop_time).finish().0.as_deref(), Some(&b"4"[..]));
        assert_eq!(found("x\n{\"command\":\"pi\"}\ny\n", Wanted::Report).as_deref(), Some("{\"command\":\"pi\"}"));
    }

    #[test]
    fn of_much_the_end_is_kept() {
        let (_, tail) = Reading::start(std::io::repeat(b'x').take(1 << 20), Wanted::Nothing).finish();
        assert_eq!(tail.len(), TAIL);
    }

    #[test]
    fn a_stream_that_somebody_holds_open_is_not_waited_for_without_end() {
        let (reader, mut writer) = std::io::pipe().unwrap();
        std::io::Write::write_all(&mut writer, b"time: 7\n").unwrap();
        let reading = Reading::start(reader, Wanted::Pattern(Regex::new("time: (.)").unwrap()));
        assert_eq!(reading.finish().0.as_deref(), Some(&b"7"[..]));
        drop(writer);
    }
}
