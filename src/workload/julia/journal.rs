//! What a killed job continues from: how much of the image is in the files. A small JSON file beside the picture, replaced
//! as a whole, written from time to time and removed at the end.

use std::{
    fs, io,
    path::{Path, PathBuf},
};

use serde::{Deserialize, Serialize};

use super::Job;
use crate::{
    error::Error,
    output::{encode::EncodedBand, part_file::PartFile, png::PngState},
};

/// Changes with the meaning of the file's fields, and with anything that changes an image's bytes.
const KIND: &str = "hybrid julia journal 1";
/// A journal is far shorter; a longer file is something else.
const MAX_BYTES: u64 = 1 << 16;

/// The state of an image: its bands from the top, without a gap, are in the files.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct Journal {
    kind: String,
    /// All that decides the bytes.
    picture: String,
    bands: u32,
    min: u16,
    max: u16,
    /// Sum of all counts.
    sum: u64,
    png: PngState,
    #[serde(skip)]
    path: PathBuf,
}

impl Journal {
    /// The journal of a picture that has not begun.
    #[must_use]
    pub fn start(job: &Job, output: &Path) -> Self {
        let mut path = output.as_os_str().to_owned();
        path.push(".journal");
        Self {
            kind: KIND.to_owned(),
            picture: job.picture(),
            bands: 0,
            min: u16::MAX,
            max: 0,
            sum: 0,
            png: PngState::default(),
            path: path.into(),
        }
    }

    /// What an earlier job left beside `output`; `None` where there is nothing.
    ///
    /// # Errors
    /// [`Error::Resume`] where that is no journal of the same picture.
    pub fn read(job: &Job, output: &Path) -> Result<Option<Self>, Error> {
        let start = Self::start(job, output);
        let refused = |reason: String| Error::Resume { path: start.path.clone(), reason };
        let length = match fs::metadata(&start.path) {
            Ok(metadata) => metadata.len(),
            Err(error) if error.kind() == io::ErrorKind::NotFound => return Ok(None),
            Err(error) => return Err(refused(error.to_string())),
        };
        if length > MAX_BYTES {
            return Err(refused(format!("{length} bytes are too many for a journal")));
        }
        let text = fs::read_to_string(&start.path).map_err(|error| refused(error.to_string()))?;
        let found: Self = serde_json::from_str(&text)
            .map_err(|error| refused(format!("it is no journal, or was cut short: {error}")))?;
        if found.kind != KIND {
            return Err(refused(format!("it is of `{}`, this program reads `{KIND}`", found.kind)));
        }
        if found.picture != start.picture {
            return Err(refused(format!("it is of another picture, {}, and not of {}", found.picture, start.picture)));
        }
        if found.bands > job.bands().len() {
            return Err(refused(format!("{} bands are more than the picture's {}", found.bands, job.bands().len())));
        }
        Ok(Some(Self { path: start.path, ..found }))
    }

    /// The journal's own file.
    #[must_use]
    pub fn path(&self) -> &Path {
        &self.path
    }

    /// Bands in the files.
    #[must_use]
    pub fn bands(&self) -> u32 {
        self.bands
    }

    /// State of the picture's file.
    #[must_use]
    pub fn png(&self) -> PngState {
        self.png
    }

    /// Smallest and largest count so far, and the sum of all.
    #[must_use]
    pub fn range(&self) -> (u16, u16, u64) {
        (self.min, self.max, self.sum)
    }

    /// These bands are in the files too.
    pub fn add(&mut self, bands: &[EncodedBand]) {
        let count = |count: u64| u16::try_from(count).expect("counts lie between 1 and max_iter");
        for band in bands {
            self.bands += 1;
            self.min = self.min.min(count(band.facts.min));
            self.max = self.max.max(count(band.facts.max));
            self.sum += band.facts.sum;
        }
    }

    /// Puts the state, with that of the picture's file, in place of the last one.
    ///
    /// # Errors
    /// [`Error::Output`] where it cannot be written.
    pub fn write(&mut self, png: PngState) -> Result<(), Error> {
        self.png = png;
        let part = PartFile::create(&self.path)?;
        serde_json::to_writer_pretty(part.file(), self).map_err(|error| part.failed(error.into()))?;
        part.complete()
    }

    /// Removes the file: the picture is complete.
    ///
    /// # Errors
    /// [`Error::Output`] where it cannot be removed.
    pub fn remove(self) -> Result<(), Error> {
        match fs::remove_file(&self.path) {
            Err(error) if error.kind() != io::ErrorKind::NotFound => {
                Err(Error::Output { path: self.path, source: error })
            }
            _ => Ok(()),
        }
    }
}
