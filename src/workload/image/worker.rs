//! One rank's part: bands computed on its device and encoded, and what it tells rank 0 of each assignment.

use std::{
    ops::ControlFlow,
    sync::{
        Mutex,
        atomic::{AtomicU64, Ordering},
    },
    time::{Duration, Instant},
};

use serde::{Deserialize, Serialize};

use super::{Job, verify::Sample};
use crate::{
    device::{Device, DeviceError},
    error::Error,
    kernel::band::Band,
    output::image::{color::PixelBytes, encode::EncodedBand},
    timeline::{self, Track, What},
    workload::{
        schedule::{Assignment, Measured},
        stop::{Reason, Stop},
    },
};

/// Opens what stands in for a device that fails.
pub type Fallback<'a> = &'a (dyn Fn() -> Result<Box<dyn Device>, Error> + Sync);

/// What a rank did and measured. Times in seconds.
#[derive(Clone, Debug, Default)]
pub struct Share {
    /// Pixels.
    pub pixels: u64,
    /// Iterations that the counts tell of.
    pub iterations: u64,
    /// Of these the iterations that the device made: an orbit that repeats is followed no further.
    pub computed: u64,
    /// Computing.
    pub compute_s: f64,
    /// Filtering and compressing.
    pub encode_s: f64,
    /// Of a device of its own, in which it computed; meanwhile its cores may have encoded.
    pub busy_s: Option<f64>,
    /// Waiting for chunks.
    pub wait_s: f64,
    /// What the user should know.
    pub notes: Vec<String>,
}

/// What a rank tells the coordinator.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub(super) enum FromWorker {
    /// It has a reason to stop.
    Stop(Reason),
    /// What it has done of an assignment; the bands are behind it.
    Done(Done),
}

/// What is said of the bands of a delivery.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub(super) struct Done {
    elapsed_s: f64,
    round_trip_s: f64,
    sample: Option<Sample>,
    failed: bool,
}

/// What was done of an assignment, or the news that nothing will be.
#[derive(Clone, Debug, Default, PartialEq)]
pub(super) struct Delivery {
    /// Seconds that it took.
    pub(super) elapsed_s: f64,
    /// Seconds from an earlier delivery until the assignment was there in answer; 0 where it answered none.
    pub(super) round_trip_s: f64,
    /// The bands that were begun, in order.
    pub(super) bands: Vec<EncodedBand>,
    /// Counts to be checked, where that is wanted.
    pub(super) sample: Option<Sample>,
    /// Whether the rank has failed and does no more.
    pub(super) failed: bool,
}

impl Delivery {
    /// Its form on the way to rank 0: what is said of it, and the bytes of the bands.
    pub(super) fn to_message(&self) -> (FromWorker, Vec<u8>) {
        let mut bytes = Vec::new();
        self.bands.iter().for_each(|band| band.write_to(&mut bytes));
        let Self { elapsed_s, round_trip_s, failed, .. } = *self;
        (FromWorker::Done(Done { elapsed_s, round_trip_s, sample: self.sample.clone(), failed }), bytes)
    }

    /// What the scheduler learns of the rank.
    pub(super) fn measured(&self) -> Measured {
        let bands = u32::try_from(self.bands.len()).expect("bands are numbered in 32 bits");
        Measured { bands, elapsed_s: self.elapsed_s, round_trip_s: self.round_trip_s }
    }

    /// What [`Self::to_message`] tells.
    pub(super) fn of_message(done: Done, bytes: &[u8]) -> Self {
        let Done { elapsed_s, round_trip_s, sample, failed } = done;
        Self { elapsed_s, round_trip_s, bands: EncodedBand::read_all(bytes).collect(), sample, failed }
    }
}

/// The part of one rank in a job.
#[derive(Debug)]
pub(super) struct Worker<'a> {
    pub(super) job: &'a Job,
    pub(super) rank: usize,
    pub(super) pixels: PixelBytes,
    pub(super) device: &'a mut Box<dyn Device>,
    /// Once there is a reason to stop, no further band is begun.
    pub(super) stop: &'a Stop,
    pub(super) share: Share,
}

impl Worker<'_> {
    /// Computes and encodes the bands of `assignment`, or of its first bands those that are begun in time and before a stop. A GPU
    /// that fails is replaced by `fallback` for the rest of the job, and the assignment is begun anew.
    pub(super) fn compute(&mut self, assignment: Assignment, fallback: Fallback<'_>) -> Result<Delivery, Error> {
        // Not before it has done something: a job whose start takes as long as its time limit comes on by a band each time.
        if self.stop.reason().is_some() && self.share.pixels > 0 {
            return Ok(Delivery::default());
        }
        match self.attempt(assignment) {
            Err(error @ DeviceError::Gpu { .. }) => {
                *self.device = fallback()?;
                let Job { image, coloring, .. } = self.job;
                self.pixels = coloring.pixel_bytes(image.max_iter, self.rank, self.device.identity().kind);
                self.share.notes.push(format!("rank {} lost its GPU and goes on with its cores: {error}", self.rank));
                Ok(self.attempt(assignment)?)
            }
            outcome => Ok(outcome?),
        }
    }

    fn attempt(&mut self, Assignment { chunk, limit_us, .. }: Assignment) -> Result<Delivery, DeviceError> {
        let Job { image, precision, .. } = self.job;
        let bands: Vec<Band> = chunk.bands().map(|index| self.job.bands().get(index)).collect();
        let encoded = Mutex::new(Vec::with_capacity(bands.len()));
        let sample = Mutex::new(None);
        let encode_ns = AtomicU64::new(0);
        let limit = (limit_us != Assignment::NO_LIMIT).then(|| Duration::from_micros(limit_us.into()));
        let started = Instant::now();
        let busy_before = self.device.busy_s();
        let (job, pixels, stop) = (self.job, &self.pixels, self.stop);
        let skipped = self.device.image(image, *precision, &bands, &|band, counts| {
            let encoding = Instant::now();
            if job.verify && band.index == chunk.first {
                *sample.lock().expect("no thread panics while it stores") = Some(Sample::of(band, counts));
            }
            let band = EncodedBand::new(band, counts, pixels, job.keep_counts);
            let nanoseconds = u64::try_from(encoding.elapsed().as_nanos()).unwrap_or(u64::MAX);
            encode_ns.fetch_add(nanoseconds, Ordering::Relaxed);
            encoded.lock().expect("no thread panics while it pushes").push(band);
            if limit.is_some_and(|limit| started.elapsed() >= limit) || stop.reason().is_some() {
                ControlFlow::Break(())
            } else {
                ControlFlow::Continue(())
            }
        })?;
        let elapsed = started.elapsed();
        let elapsed_s = elapsed.as_secs_f64();
        timeline::note(Track::Work, What::Compute, started, elapsed, bands.len() as u64);
        let threads = u32::try_from(self.device.identity().threads.max(1)).unwrap_or(u32::MAX);
        let encode_s = (Duration::from_nanos(encode_ns.into_inner()) / threads).as_secs_f64();
        self.share.encode_s += encode_s;
        if let Some((before_s, after_s)) = busy_before.zip(self.device.busy_s()) {
            *self.share.busy_s.get_or_insert_default() += after_s - before_s;
        }
        self.share.compute_s += (elapsed_s - encode_s).max(0.0);

        let mut encoded = encoded.into_inner().expect("no thread panicked while it pushed");
        encoded.sort_by_key(|band| band.facts.index);
        let mut iterations = 0;
        for (band, encoded) in bands.iter().zip(&encoded) {
            let band_px = u64::from(band.height()) * u64::from(image.width);
            self.share.pixels += band_px;
            iterations += band_px * u64::from(image.max_iter) - encoded.facts.sum;
        }
        self.share.iterations += iterations;
        // Where bands are left out, some that the device had computed are not among these.
        self.share.computed += iterations.saturating_sub(skipped);
        let sample = sample.into_inner().expect("no thread panicked while it stored");
        Ok(Delivery { elapsed_s, bands: encoded, sample, ..Delivery::default() })
    }
}
