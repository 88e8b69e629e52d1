//! Dispatches, some in flight: while the host takes over what one has computed, the next one computes.
//!
//! A [`Work`] goes to the device batch by batch through the [`Slots`]. Knows nothing of kernels.

use std::{
    collections::VecDeque,
    sync::mpsc,
    time::{Duration, Instant},
};

use super::{
    context::Context,
    launch::Dispatch,
    slot::{Output, Slots},
};
use crate::{
    device::DeviceError,
    timeline::{self, Track, What},
};

/// Work that goes to the device in batches.
pub(super) trait Work {
    /// One dispatch's share.
    type Batch;

    /// Decides what the next dispatch takes; `None` where nothing is left.
    fn next(&mut self) -> Option<Self::Batch>;

    /// The launch for `batch` in the slot with this number.
    fn dispatch(&self, batch: &Self::Batch, slot: usize) -> Dispatch<'_>;

    /// Takes over a batch that is done, in the order of the launches: how long it took and what it put out. Its slot is free
    /// for another batch when the output is dropped, by whatever thread.
    fn finish(&mut self, batch: Self::Batch, seconds: f64, out: Output);
}

/// Takes all of `work` through `slots`; all of them are free again when it returns.
///
/// # Errors
/// The device's first failure.
pub(super) fn run<W: Work>(context: &Context, slots: &Slots, work: &mut W) -> Result<(), DeviceError> {
    let (give_back, given_back) = mpsc::channel();
    let mut free: Vec<usize> = (0..slots.len()).rev().collect();
    let mut in_flight = VecDeque::from([]);
    let mut last_done = Instant::now();
    loop {
        free.extend(given_back.try_iter());
        while let Some(&slot) = free.last() {
            let Some(batch) = work.next() else { break };
            let launched = slots.get(slot).launch(context, &work.dispatch(&batch, slot));
            context.check("starting a dispatch")?;
            in_flight.push_back((slot, batch, launched));
            free.pop();
        }
        let Some((slot, batch, launched)) = in_flight.pop_front() else {
            if free.len() == slots.len() {
                return Ok(());
            }
            free.extend(given_back.recv());
            continue;
        };
        let started = last_done.max(launched.at);
        let (seconds, out) = slots.get(slot).finish(context, launched)?;
        last_done = Instant::now();
        // By the device's clock where it was read. By the host's, a dispatch that was done before the host came to look seems
        // longer than it was, which makes the next ones shorter than they need be.
        let seconds = seconds.unwrap_or((last_done - started).as_secs_f64());
        // It ended before the host came to look, and nothing ran beside it.
        let took = Duration::from_secs_f64(seconds.max(0.0)).min(last_done - started);
        timeline::note(Track::Gpu, What::Dispatch, last_done - took, took, 0);
        work.finish(batch, seconds, out.then_free(&give_back, slot));
    }
}
