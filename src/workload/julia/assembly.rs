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
    /// Bands that wait for one above them.
    waiting: BTreeMap<u64, EncodedBand>,
    /// Memory that these take, in bytes.
    waiting_bytes: u64,
    noted: Instant,
}

impl Assembly {
    /// Files in the state that `journal` tells.
    #[must_use]
    pub fn new(png: PngFile, counts: Option<NpyFile>, journal: Journal) -> Self {
        Self { png, counts, journal, waiting: BTreeMap::new(), waiting_bytes: 0, noted: Instant::now() }
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
    /// [`Error::Output`] where a file cannot be written.
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
        self.png.append(&ready)?;
        if let Some(counts) = &mut self.counts {
            counts.append(&ready)?;
        }
        self.journal.add(&ready);
        if self.noted.elapsed() >= JOURNAL_PAUSE { self.note() } else { Ok(()) }
    }

    /// Makes what is in the files safe, and notes it in the journal: a job may continue from here.
    ///
    /// # Errors
    /// [`Error::Output`] where a file cannot be written.
    pub fn note(&mut self) -> Result<(), Error> {
        self.noted = Instant::now();
        let png = self.png.keep()?;
        if let Some(counts) = &mut self.counts {
            counts.keep()?;
        }
        self.journal.write(png)
    }

    /// Completes the files of an image that is whole and removes the journal. Returns the smallest and the largest count
    /// and the sum of all.
    ///
    /// # Errors
    /// [`Error::Output`] where a file cannot be completed.
    ///
    /// # Panics
    /// Where bands are missing.
    pub fn complete(self, job: &Job) -> Result<(u16, u16, u64), Error> {
        assert_eq!(self.bands(), job.bands().len(), "all bands are assembled");
        let (min, max, sum) = self.journal.range();
        if let Some(counts) = self.counts {
            counts.complete()?;
        }
        self.png.complete(job.julia.max_iter, min, max)?;
        self.journal.remove()?;
        Ok((min, max, sum))
    }
}
