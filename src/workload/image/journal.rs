//! What a killed job continues from: how much of the image is in which files, with digests to tell whether it still is. A
//! small file beside the first of them, with a checksum of its own, replaced as a whole, written from time to time and
//! removed at the end.
//!
//! The image is cut into stretches of bands, the same for every job of it. Each that is done has a mark, and so has the last
//! band in the files. Knows no format of files.

use std::{io, path::PathBuf};

use serde::{Deserialize, Serialize};

use super::{Job, tally::Tally};
use crate::{
    error::Error,
    output::{
        file::part_file::PartFile,
        file::{
            location::{JOURNAL, Location},
            sealed::{self, Unreadable},
        },
        image::sink::{Sink, State},
    },
    workload::WorkloadError,
};

/// The name in the file, so that nothing else is taken for one.
const KIND: &str = "hybrid image journal";
/// Changes with the meaning of the file's fields, and with anything that changes an image's bytes.
const VERSION: u32 = 3;
/// A journal is far shorter; a longer file is something else.
const MAX_BYTES: u64 = 4 << 20;
/// Stretches that an image is cut into at most: damage costs one of them, and what follows.
const MAX_STRETCHES: u32 = 128;

/// Bands from the top that are in the files, whose bytes are final.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Mark {
    /// What is known of the bands.
    pub tally: Tally,
    /// How far each file is, with the digest of what it has of the stretch that ends here.
    pub files: Vec<State>,
}

/// A file of the job.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
struct Named {
    role: String,
    name: PathBuf,
}

#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
struct Content {
    /// All that decides the bytes.
    picture: String,
    files: Vec<Named>,
    marks: Vec<Mark>,
}

/// The state of an image that is being computed.
#[derive(Clone, Debug)]
pub struct Journal {
    /// Its own file; `None` where nothing is kept of the image.
    place: Option<Location>,
    content: Content,
    /// Bands of a stretch.
    stretch_bands: u32,
    /// Bytes of each file before its first band.
    heads: Vec<u64>,
}

impl Journal {
    /// The journal of an image that has not begun, for these files.
    #[must_use]
    pub fn start(job: &Job, sinks: &[Sink]) -> Self {
        let beside = sinks.first().map(Sink::place);
        let named = |sink: &Sink| Named {
            role: sink.role().to_owned(),
            name: beside.map_or_else(PathBuf::new, |beside| sink.place().seen_from(beside)),
        };
        let files = sinks.iter().map(named).collect();
        Self {
            place: beside.map(|beside| beside.with(JOURNAL)),
            content: Content { picture: job.picture(), files, marks: Vec::new() },
            stretch_bands: job.bands().len().div_ceil(MAX_STRETCHES),
            heads: sinks.iter().map(Sink::head_bytes).collect(),
        }
    }

    /// Finds out whether the journal can be written, before there is anything to be noted.
    ///
    /// # Errors
    /// [`Error::Output`] where it cannot.
    pub fn probe(&self) -> Result<(), Error> {
        self.place.as_ref().map_or(Ok(()), |place| PartFile::create(place).map(drop))
    }

    /// What an earlier job left in place of this journal, which is at its start; `None` where there is nothing.
    ///
    /// # Errors
    /// [`WorkloadError::Resume`] where that is no whole journal of the same picture and the same files.
    pub fn read(&self, job: &Job) -> Result<Option<Self>, Error> {
        let Some(place) = &self.place else { return Ok(None) };
        let refused = |reason: String| Error::from(WorkloadError::Resume { path: place.shown().to_owned(), reason });
        match sealed::read(place, "journal", MAX_BYTES) {
            Ok(Some(bytes)) => self.continued(job, &bytes).map(Some).map_err(refused),
            Ok(None) => Ok(None),
            Err(Unreadable::Closed(error)) => Err(place.failed(error)),
            Err(other) => Err(refused(other.to_string())),
        }
    }

    /// The journal that `bytes` are.
    ///
    /// # Errors
    /// Why they are not one of the same picture and the same files.
    pub fn continued(&self, job: &Job, bytes: &[u8]) -> Result<Self, String> {
        let content: Content = sealed::unseal(KIND, VERSION, bytes)?;
        if content.picture != self.content.picture {
            let (found, own) = (&content.picture, &self.content.picture);
            return Err(format!("it is of another picture, {found}, and not of {own}"));
        }
        if content.files != self.content.files {
            let (found, own) = (in_words(&content.files), in_words(&self.content.files));
            return Err(format!("it is of a job with other files, {found}, and not {own}"));
        }
        let found = Self { content, ..self.clone() };
        found.check(job)?;
        Ok(found)
    }

    /// Whether the marks can be those of `job`.
    fn check(&self, job: &Job) -> Result<(), String> {
        let all_bands = job.bands().len();
        let px = job.image.pixels();
        let files = self.content.files.len();
        let mut before = (0, 0, self.heads.clone());
        for mark in &self.content.marks {
            let Tally { bands, min, max, sum } = mark.tally;
            let bytes: Vec<u64> = mark.files.iter().map(|state| state.bytes).collect();
            let follows = bands > before.0 && sum >= before.1 && bytes.len() == files;
            let counts = (1..=max).contains(&min)
                && max <= job.image.max_iter
                && sum <= px.saturating_mul(job.image.max_iter.into());
            // A mark within a stretch is the last.
            if !follows
                || !counts
                || bands > all_bands
                || !before.0.is_multiple_of(self.stretch_bands)
                || bytes.iter().zip(&before.2).any(|(now, before)| now <= before)
            {
                return Err(format!("its marks contradict each other or the picture, at band {bands} of {all_bands}"));
            }
            before = (bands, sum, bytes);
        }
        Ok(())
    }

    /// The journal's own file.
    #[must_use]
    pub fn place(&self) -> Option<&Location> {
        self.place.as_ref()
    }

    /// The marks, from the top.
    #[must_use]
    pub fn marks(&self) -> &[Mark] {
        &self.content.marks
    }

    /// Forgets all but the first `marks` marks.
    pub fn keep(&mut self, marks: usize) {
        self.content.marks.truncate(marks);
    }

    /// The last mark at the end of a stretch.
    #[must_use]
    pub fn last_stretch(&self) -> Option<&Mark> {
        self.content.marks.iter().rev().find(|mark| self.ends_stretch(mark.tally.bands))
    }

    /// Bands that the stretch in work lacks when `bands` are done.
    #[must_use]
    pub fn to_stretch_end(&self, bands: u32) -> usize {
        (self.stretch_bands - bands % self.stretch_bands) as usize
    }

    /// Whether a stretch ends with the first `bands` bands.
    #[must_use]
    pub fn ends_stretch(&self, bands: u32) -> bool {
        bands.is_multiple_of(self.stretch_bands)
    }

    /// Sets a mark, in place of the last one if that is within the same stretch.
    pub fn mark(&mut self, mark: Mark) {
        if self.content.marks.last().is_some_and(|last| !self.ends_stretch(last.tally.bands)) {
            self.content.marks.pop();
        }
        if self.content.marks.last().is_none_or(|last| last.tally.bands < mark.tally.bands) {
            self.content.marks.push(mark);
        }
    }

    /// The journal's text.
    #[must_use]
    pub fn text(&self) -> Vec<u8> {
        sealed::seal(KIND, VERSION, &self.content)
    }

    /// Puts the journal in place of the last one.
    ///
    /// # Errors
    /// [`Error::Output`] where it cannot be written.
    pub fn write(&self) -> Result<(), Error> {
        let Some(place) = &self.place else { return Ok(()) };
        sealed::replace(place, &self.text())
    }

    /// Removes the file: the image is complete.
    ///
    /// # Errors
    /// [`Error::Output`] where it cannot be removed.
    pub fn remove(self) -> Result<(), Error> {
        let Some(place) = self.place else { return Ok(()) };
        match place.folder().remove(place.name()) {
            Err(error) if error.kind() != io::ErrorKind::NotFound => Err(place.failed(error)),
            _ => Ok(()),
        }
    }
}

fn in_words(files: &[Named]) -> String {
    let files = files.iter().map(|file| format!("{} {}", file.role, file.name.display()));
    files.collect::<Vec<_>>().join(" and ")
}
