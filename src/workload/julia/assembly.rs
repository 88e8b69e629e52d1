//! Rank 0's part: bands that arrive in any order become files that grow from the top.

use std::{
    collections::BTreeMap,
    time::{Duration, Instant},
};

use super::{Job, journal::Journal};
use crate::{
    error::Error,
    output::{encode::EncodedBand, npy::NpyFile, png::PngFile},
};

/// Time between two entries in the journal: what a killed job may have to compute again.
const JOURNAL_PAUSE: Duration = Duration::from_secs(1);

/// The files of a job that is under way.
#[derive(Debug)]
pub struct Assembly {
    png: PngFile,
    counts: Option<NpyFile>,
    journal: Journal,
    /// Bands, from the top, of which the journal's file tells; `None` before there is one.
    safe_bands: Option<u32>,
    /// Bands of the image.
    all_bands: u32,
    /// Bands that wait for one above them.
    waiting: BTreeMap<u64, EncodedBand>,
    /// Memory that these take, in bytes.
    waiting_bytes: u64,
    noted: Instant,
}

impl Assembly {
    /// Files of `job` in the state that `journal` tells, which an earlier job has left or not.
    #[must_use]
    pub fn new(job: &Job, png: PngFile, counts: Option<NpyFile>, journal: Journal, left: bool) -> Self {
        let safe_bands = left.then_some(journal.bands());
        let (waiting, waiting_bytes) = (BTreeMap::new(), 0);
        let all_bands = job.bands().len();
        Self { png, counts, journal, safe_bands, all_bands, waiting, waiting_bytes, noted: Instant::now() }
    }

    /// Number of bands, from the top, that are in the files.
    #[must_use]
    pub fn bands(&self) -> u32 {
        self.journal.bands()
    }

    /// Number of bands that wait for one above them, and the bytes that these take.
    #[must_use]
    pub fn waiting(&self) -> (usize, u64) {
        (self.waiting.len(), self.waiting_bytes)
    }

    /// Takes bands, and writes those that have none missing above them.
    ///
    /// # Errors
    /// [`Error::Unfinished`] where a file cannot be written. Whatever fails, the journal's file stays as it was, and so do
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

    fn write(&mut self, bands: &[EncodedBand]) -> Result<(), Error> {
        self.png.append(bands)?;
        if let Some(counts) = &mut self.counts {
            counts.append(bands)?;
        }
        self.journal.add(bands);
        Ok(())
    }

    /// Makes what is in the files safe, and notes it in the journal: a job may continue from here.
    ///
    /// # Errors
    /// [`Error::Unfinished`] as [`Self::add`] has it.
    pub fn note(&mut self) -> Result<(), Error> {
        self.noted = Instant::now();
        self.write_journal().map_err(|error| self.unfinished(error))
    }

    fn write_journal(&mut self) -> Result<(), Error> {
        let png = self.png.sync()?;
        if let Some(counts) = &self.counts {
            counts.sync()?;
        }
        self.journal.write(png)?;
        // Not before: a part that no journal tells of is of use to nobody.
        self.safe_bands = Some(self.journal.bands());
        self.png.keep();
        if let Some(counts) = &mut self.counts {
            counts.keep();
        }
        Ok(())
    }

    /// Completes the files of an image that is whole and removes the journal. Returns the smallest and the largest count
    /// and the sum of all.
    ///
    /// # Errors
    /// [`Error::Unfinished`] as [`Self::add`] has it.
    ///
    /// # Panics
    /// Where bands are missing.
    pub fn complete(mut self, job: &Job) -> Result<(u16, u16, u64), Error> {
        assert_eq!(self.bands(), job.bands().len(), "all bands are assembled");
        // A job that has a journal is long: should it end between here and the last name, nothing is computed again.
        if self.safe_bands.is_some_and(|safe| safe < self.all_bands) {
            self.note()?;
        }
        let range = self.journal.range();
        let (done, bands) = (self.safe_bands.unwrap_or(0), self.all_bands);
        self.name_files(job.julia.max_iter).map_err(|error| unfinished(error, done, bands))?;
        Ok(range)
    }

    fn name_files(self, max_iter: u16) -> Result<(), Error> {
        let (min, max, _) = self.journal.range();
        self.png.end(max_iter, min, max)?;
        if let Some(counts) = self.counts {
            counts.complete()?;
        }
        self.png.complete()?;
        self.journal.remove()
    }

    fn unfinished(&self, error: Error) -> Error {
        unfinished(error, self.safe_bands.unwrap_or(0), self.all_bands)
    }
}

/// Adds to a failed write what is left for a later job.
fn unfinished(error: Error, done: u32, bands: u32) -> Error {
    match error {
        Error::Output { path, source } => Error::Unfinished { path, source, done, bands },
        other => other,
    }
}
