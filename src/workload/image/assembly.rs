//! Rank 0's part: bands that arrive in any order become files that grow from the top.

use std::{
    collections::BTreeMap,
    time::{Duration, Instant},
};

use super::{
    Job, done,
    journal::{Journal, Mark},
    tally::Tally,
};
use crate::{
    error::Error,
    output::{
        file::lock::Lock,
        image::{encode::EncodedBand, sink::Sink},
    },
    workload::WorkloadError,
};

/// Time between two entries in the journal: what a killed job may have to compute again.
const JOURNAL_PAUSE: Duration = Duration::from_secs(1);

/// The files of a job that is under way.
#[derive(Debug)]
pub struct Assembly {
    sinks: Vec<Sink>,
    journal: Journal,
    /// Of the bands that are in the files.
    tally: Tally,
    /// Bands, from the top, of which the journal's file tells; `None` before there is one.
    safe_bands: Option<u32>,
    /// Bands of the image.
    all_bands: u32,
    /// Bands that wait for one above them.
    waiting: BTreeMap<u64, EncodedBand>,
    /// Memory that these take, in bytes.
    waiting_bytes: u64,
    noted: Instant,
    /// The last to go: what the others do to the files is this job's alone.
    locks: Vec<Lock>,
}

impl Assembly {
    /// Files of `job` in the state of the journal's last mark. `left` tells whether the journal has a file.
    #[must_use]
    pub fn new(job: &Job, sinks: Vec<Sink>, journal: Journal, left: bool, locks: Vec<Lock>) -> Self {
        let tally = journal.marks().last().map_or(Tally::START, |mark| mark.tally);
        let safe_bands = left.then_some(tally.bands);
        let (waiting, waiting_bytes) = (BTreeMap::new(), 0);
        let (all_bands, noted) = (job.bands().len(), Instant::now());
        Self { sinks, journal, tally, safe_bands, all_bands, waiting, waiting_bytes, noted, locks }
    }

    /// The files of a job that was completed before, of which `tally` is known. There is nothing to be done to them.
    #[must_use]
    pub fn of_complete_files(job: &Job, journal: Journal, tally: Tally, locks: Vec<Lock>) -> Self {
        Self { tally, ..Self::new(job, Vec::new(), journal, false, locks) }
    }

    /// What is known of the bands that are in the files.
    #[must_use]
    pub fn tally(&self) -> Tally {
        self.tally
    }

    /// Number of bands, from the top, that are in the files.
    #[must_use]
    pub fn bands(&self) -> u32 {
        self.tally.bands
    }

    /// Number of bands that wait for one above them, and the bytes that these take.
    #[must_use]
    pub fn waiting(&self) -> (usize, u64) {
        (self.waiting.len(), self.waiting_bytes)
    }

    /// Takes bands, and writes those that have none missing above them.
    ///
    /// # Errors
    /// [`WorkloadError::Unfinished`] where a file cannot be written. Whatever fails, the journal's file stays as it was, and so do
    /// the bands that it tells of.
    pub fn add(&mut self, bands: Vec<EncodedBand>) -> Result<(), Error> {
        self.waiting_bytes += bands.iter().map(EncodedBand::kept_bytes).sum::<u64>();
        self.waiting.extend(bands.into_iter().map(|band| (band.facts.index, band)));
        let mut ready = Vec::new();
        let mut next = u64::from(self.bands());
        while let Some(band) = self.waiting.remove(&next) {
            self.waiting_bytes -= band.kept_bytes();
            ready.push(band);
            next += 1;
        }
        if ready.is_empty() {
            return Ok(());
        }
        self.write(&ready).map_err(|error| self.unfinished(error))?;
        if self.noted.elapsed() >= JOURNAL_PAUSE { self.note() } else { Ok(()) }
    }

    fn write(&mut self, mut bands: &[EncodedBand]) -> Result<(), Error> {
        while !bands.is_empty() {
            let (now, rest) = bands.split_at(self.journal.to_stretch_end(self.bands()).min(bands.len()));
            for sink in &mut self.sinks {
                sink.append(now)?;
            }
            self.tally.add(now);
            if self.journal.ends_stretch(self.bands()) {
                let files = self.sinks.iter_mut().map(Sink::end_stretch).collect();
                self.journal.mark(Mark { tally: self.tally, files });
            }
            bands = rest;
        }
        Ok(())
    }

    /// Makes what is in the files safe, and notes it in the journal: a job may continue from here.
    ///
    /// # Errors
    /// [`WorkloadError::Unfinished`] as [`Self::add`] has it.
    pub fn note(&mut self) -> Result<(), Error> {
        self.noted = Instant::now();
        self.write_journal().map_err(|error| self.unfinished(error))
    }

    fn write_journal(&mut self) -> Result<(), Error> {
        self.sinks.iter().try_for_each(Sink::sync)?;
        self.set_mark();
        self.journal.write()?;
        // Not before: a part that no journal tells of is of use to nobody.
        self.safe_bands = Some(self.bands());
        self.sinks.iter_mut().for_each(Sink::keep);
        Ok(())
    }

    /// Marks in the journal how far the files are.
    fn set_mark(&mut self) {
        if self.bands() > 0 {
            self.journal.mark(Mark { tally: self.tally, files: self.sinks.iter().map(Sink::state).collect() });
        }
    }

    /// Completes the files of an image that is whole and removes the journal. Returns what is known of all bands.
    ///
    /// # Errors
    /// [`WorkloadError::Unfinished`] as [`Self::add`] has it.
    ///
    /// # Panics
    /// Where bands are missing.
    pub fn complete(mut self, job: &Job) -> Result<Tally, Error> {
        assert_eq!(self.bands(), self.all_bands, "all bands are assembled");
        // A job that has a journal is long: should it end between here and the last name, nothing is computed again.
        if self.safe_bands.is_some_and(|safe| safe < self.all_bands) {
            self.note()?;
        }
        let (tally, done, bands) = (self.tally, self.safe_bands.unwrap_or(0), self.all_bands);
        self.name_files(job).map_err(|error| unfinished(error, done, bands))?;
        Ok(tally)
    }

    fn name_files(mut self, job: &Job) -> Result<(), Error> {
        self.set_mark();
        for (index, sink) in self.sinks.iter_mut().enumerate() {
            sink.end(self.tally.counted())?;
            done::say(job, sink, index, self.journal.marks());
        }
        // The first file, which the journal stands beside, comes last.
        for sink in self.sinks.into_iter().rev() {
            sink.complete()?;
        }
        self.journal.remove()?;
        drop(self.locks);
        Ok(())
    }

    fn unfinished(&self, error: Error) -> Error {
        unfinished(error, self.safe_bands.unwrap_or(0), self.all_bands)
    }
}

/// Adds to a failed write what is left for a later job.
fn unfinished(error: Error, done: u32, bands: u32) -> Error {
    match error {
        Error::Output { path, source } => WorkloadError::Unfinished { path, source, done, bands }.into(),
        other => other,
    }
}
