//! What is looked at while a job computes, by whichever schedule.

use std::time::Instant;

use super::{Job, assembly::Assembly};
use crate::{
    error::Error,
    output::report::progress::Progress,
    timeline::{self, Track, What},
    workload::stop::{Reason, Stop},
};

/// What rank 0 looks at meanwhile.
#[derive(Debug)]
pub struct Watch<'a> {
    /// Is told how many bands are done.
    pub progress: &'a Progress,
    /// Tells when the job is to stop.
    pub stop: &'a Stop,
}

/// What a job ends with that stops before all its bands are in the files.
pub(super) fn stopped(job: &Job, assembly: &Assembly, reason: Reason) -> Error {
    Error::Stopped {
        by: reason.name(),
        done: assembly.bands().into(),
        all: job.bands().len().into(),
        what: "bands",
        is_kept: true,
    }
}

/// Seconds since files began to be written.
pub(super) fn written(began: Instant) -> f64 {
    let took = began.elapsed();
    timeline::note(Track::Main, What::Write, began, took, 0);
    took.as_secs_f64()
}
