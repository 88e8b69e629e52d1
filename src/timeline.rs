//! What a process did when: pieces of work, waits, messages, writes, dispatches, for whoever wants to see them side by side. One recorder a
//! process, which is off until somebody turns it on; then every place that measures a time notes it here as well. Knows no MPI and no form
//! of output.

use std::{
    collections::BTreeMap,
    sync::{
        Mutex,
        atomic::{AtomicBool, Ordering},
    },
    time::{Duration, Instant},
};

use serde::{Deserialize, Serialize};

/// What a span of time went to.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
pub enum What {
    /// Until MPI was up.
    Start,
    /// Finding the place and opening the device.
    Device,
    /// Computing a piece of work and encoding it; its size is in bands or darts.
    Compute,
    /// Waiting for work or for other ranks.
    Wait,
    /// Taking over a message; its size is in bytes.
    Receive,
    /// Writing files.
    Write,
    /// A dispatch of a GPU.
    Dispatch,
}

/// Who spends it: spans of one track do not overlap.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
pub enum Track {
    /// The thread that speaks MPI.
    Main,
    /// The thread that computes.
    Work,
    /// The GPU.
    Gpu,
}

/// A span of time, in nanoseconds since the recorder's zero.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Span {
    /// What it went to.
    pub what: What,
    /// Who spent it.
    pub track: Track,
    /// When it began.
    pub begin_ns: u64,
    /// How long it took.
    pub length_ns: u64,
    /// The size of what was done; 0 where it has none.
    pub size: u64,
}

/// Spans of one kind that were too many to be kept.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct LeftOut {
    /// How many.
    pub spans: u64,
    /// How long all of them took.
    pub length_ns: u64,
}

/// All that a process has recorded.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct Record {
    /// In the order in which they ended.
    pub spans: Vec<Span>,
    /// Sums of those that are not among them.
    pub left_out: BTreeMap<What, LeftOut>,
}

/// Spans that a process keeps: 40 bytes each here, and some 100 in a file.
const MOST_SPANS: usize = 50_000;

static IS_ON: AtomicBool = AtomicBool::new(false);
static RECORDER: Mutex<Option<Recorder>> = Mutex::new(None);

struct Recorder {
    zero: Instant,
    record: Record,
}

/// Records from now on; times count from `zero`.
pub fn turn_on(zero: Instant) {
    *RECORDER.lock().expect("no thread panics while it records") = Some(Recorder { zero, record: Record::default() });
    IS_ON.store(true, Ordering::Release);
}

/// Notes a span that began then and took so long; does nothing where nobody wants to know.
pub fn note(track: Track, what: What, began: Instant, length: Duration, size: u64) {
    if !IS_ON.load(Ordering::Acquire) {
        return;
    }
    if let Some(recorder) = &mut *RECORDER.lock().expect("no thread panics while it records") {
        recorder.note(track, what, began, length, size);
    }
}

/// All that was recorded; from now on nothing is any more.
pub fn take() -> Record {
    IS_ON.store(false, Ordering::Release);
    let recorder = RECORDER.lock().expect("no thread panics while it records").take();
    recorder.map(|recorder| recorder.record).unwrap_or_default()
}

impl Recorder {
    fn note(&mut self, track: Track, what: What, began: Instant, length: Duration, size: u64) {
        let nanoseconds = |time: Duration| u64::try_from(time.as_nanos()).unwrap_or(u64::MAX);
        let length_ns = nanoseconds(length);
        if self.record.spans.len() < MOST_SPANS {
            let begin_ns = nanoseconds(began.saturating_duration_since(self.zero));
            self.record.spans.push(Span { what, track, begin_ns, length_ns, size });
        } else {
            let sum = self.record.left_out.entry(what).or_default();
            sum.spans += 1;
            sum.length_ns = sum.length_ns.saturating_add(length_ns);
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_is_too_much_to_keep_is_summed() {
        let zero = Instant::now();
        let mut recorder = Recorder { zero, record: Record::default() };
        for _ in 0..MOST_SPANS + 3 {
            recorder.note(Track::Work, What::Wait, zero + Duration::from_nanos(5), Duration::from_nanos(7), 0);
        }
        let Record { spans, left_out } = recorder.record;
        assert_eq!(spans.len(), MOST_SPANS);
        assert_eq!(spans[0], Span { what: What::Wait, track: Track::Work, begin_ns: 5, length_ns: 7, size: 0 });
        assert_eq!(left_out, BTreeMap::from([(What::Wait, LeftOut { spans: 3, length_ns: 21 })]));
    }
}
