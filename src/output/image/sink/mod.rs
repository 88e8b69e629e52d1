//! The files of a job that grow band by band: whatever their format, they are opened, written, digested, kept and completed
//! here, and here alone.
//!
//! A file is a head, which the format knows from the start and once more at the end; the bands from the top, whose bytes are
//! final as soon as they are written, cut into stretches with a digest each; and a tail. Knows no format.

mod attribute;
mod growth;
pub mod layout;
pub mod verify;

use crate::visible;
use std::{
    fs::File,
    io,
    ops::Range,
    os::unix::fs::{FileExt, MetadataExt},
};

use serde::{Deserialize, Serialize};

use self::{
    growth::Growth,
    layout::{Counted, Layout},
};
use super::encode::EncodedBand;
use crate::{
    error::Error,
    output::file::{
        digest::{Digest, Digesting},
        folder::Access,
        location::{Location, PART},
        part_file::PartFile,
    },
};

/// How far a file is: what a later job continues from.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct State {
    /// Its length in bytes.
    pub bytes: u64,
    /// What the format carries from band to band.
    pub carry: u32,
    /// Of the bytes since the last stretch ended.
    pub digest: Digest,
}

/// What a file comes to, in bytes: no less than the first figure, and seldom more than the second.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Room {
    /// Certainly.
    pub min_bytes: u64,
    /// Usually at most.
    pub usual_bytes: u64,
    /// What is there already of the unfinished file, on its disk.
    pub held_bytes: u64,
}

/// A file of a job.
#[derive(Debug)]
pub struct Sink {
    layout: Box<dyn Layout>,
    place: Location,
    /// `None` before the job has begun.
    part: Option<PartFile>,
    growth: Growth,
}

impl Sink {
    /// A file of this format that is to be at `place`. Nothing is opened yet.
    #[must_use]
    pub fn new(layout: Box<dyn Layout>, place: Location) -> Self {
        Self { layout, place, part: None, growth: Growth::default() }
    }

    /// What the file is in its job.
    #[must_use]
    pub fn role(&self) -> &'static str {
        self.layout.role()
    }

    /// Where it is to be.
    #[must_use]
    pub fn place(&self) -> &Location {
        &self.place
    }

    /// Bytes before the first band.
    #[must_use]
    pub fn head_bytes(&self) -> u64 {
        self.layout.head(None).len() as u64
    }

    /// Length of the complete file whose last band ends in `state`.
    #[must_use]
    pub fn complete_bytes(&self, state: &State) -> u64 {
        self.layout.reserved_bytes().max(state.bytes.saturating_add(self.layout.tail(state.carry).len() as u64))
    }

    /// What the file comes to when `rows` rows in `bands` bands follow `state`.
    #[must_use]
    pub fn room(&self, state: Option<&State>, rows: u32, bands: u32) -> Room {
        let (min, usual) = self.layout.rows_bytes(rows, bands);
        let there = state.map_or(0, |state| state.bytes);
        let part = self.place.with(PART);
        // Blocks of 512 bytes, whatever the file system's own are; holes take none.
        let held = part.folder().open_own(part.name(), Access::Read).and_then(|file| file.metadata());
        Room {
            min_bytes: there.saturating_add(min),
            usual_bytes: there.saturating_add(usual),
            held_bytes: held.map_or(0, |metadata| metadata.blocks().saturating_mul(512)),
        }
    }

    /// Creates the file, with its head.
    ///
    /// # Errors
    /// [`Error::Output`] where it cannot be created, or is too large for its file system.
    pub fn create(&mut self) -> Result<(), Error> {
        self.begin(PartFile::create(&self.place)?, self.head_bytes(), Digesting::default())
    }

    /// Opens what an earlier job left of the file, with what is in it; `complete` tells that it was to be completed and may
    /// have its name already, which is taken from it if all is as it should be.
    ///
    /// # Errors
    /// [`Error::Output`] where there is nothing, or no plain file of this user.
    pub fn left(&self, complete: Option<&State>) -> Result<File, Error> {
        let part = self.place.with(PART);
        let found = part.folder().open_own(part.name(), Access::Read);
        if let (Err(error), Some(state)) = (&found, complete)
            && error.kind() == io::ErrorKind::NotFound
            && let Ok(file) = self.place.folder().open_own(self.place.name(), Access::Read)
            && file.metadata().is_ok_and(|metadata| metadata.len() == self.complete_bytes(state))
        {
            return Ok(file);
        }
        found.map_err(|source| match source.kind() {
            io::ErrorKind::NotFound => self.missing(),
            _ => self.place.failed(source),
        })
    }

    /// The error that it is where there is no part of the file.
    #[must_use]
    pub fn missing(&self) -> Error {
        let reason = format!("{}, of which it tells, is missing", visible::shown(self.place.with(PART).shown()));
        self.place.failed(io::Error::new(io::ErrorKind::NotFound, reason))
    }

    /// Whether `file`, of [`Self::left`], has its name already.
    #[must_use]
    pub fn is_named(&self, file: &File) -> bool {
        self.place.folder().names(self.place.name(), file)
    }

    /// Takes the name back from a complete file.
    ///
    /// # Errors
    /// [`Error::Output`] where that fails.
    pub fn take_back(&self) -> Result<(), Error> {
        let part = self.place.with(PART);
        part.folder().rename(self.place.name(), part.name()).map_err(|source| self.place.failed(source))
    }

    /// Goes on with what an earlier job left, up to `state`, which is to be found in the file: what was written later is cut
    /// off, and the head written anew. Without a state the file begins anew. `stretch` is where the stretch in work began.
    ///
    /// # Errors
    /// [`Error::Output`] where it cannot be opened or written.
    pub fn resume(&mut self, state: Option<&State>, stretch: u64) -> Result<(), Error> {
        let part = PartFile::reopen(&self.place)?;
        let Some(state) = state else { return self.begin(part, self.head_bytes(), Digesting::default()) };
        self.layout.resume(state.carry);
        let digesting = verify::digesting(part.file(), stretch..state.bytes).map_err(|source| part.failed(source))?;
        self.begin(part, state.bytes, digesting)
    }

    fn begin(&mut self, part: PartFile, bytes: u64, digesting: Digesting) -> Result<(), Error> {
        let head = self.layout.head(None);
        let file = part.file();
        let begun = file.set_len(bytes).and_then(|()| {
            file.set_len(bytes.max(self.layout.reserved_bytes()))?;
            file.write_all_at(&head, 0)
        });
        begun.map_err(|source| part.failed(source))?;
        (self.part, self.growth) = (Some(part), Growth::new(bytes, digesting));
        Ok(())
    }

    /// Appends the bands that follow the last one.
    ///
    /// # Errors
    /// [`Error::Output`] where they cannot be written.
    pub fn append(&mut self, bands: &[EncodedBand]) -> Result<(), Error> {
        let Some(part) = &self.part else { return Ok(()) };
        let mut own = Vec::new();
        for band in bands {
            own.clear();
            self.growth.add(part, self.layout.append(band, &mut own))?;
        }
        self.growth.flush(part)
    }

    /// How far the file is.
    #[must_use]
    pub fn state(&self) -> State {
        State { bytes: self.growth.written(), carry: self.layout.carry(), digest: self.growth.digest() }
    }

    /// Ends the stretch in work: the next band begins another.
    #[must_use]
    pub fn end_stretch(&mut self) -> State {
        let state = self.state();
        self.growth.end_stretch();
        state
    }

    /// Makes what is written safe.
    ///
    /// # Errors
    /// [`Error::Output`] where the operating system cannot store it.
    pub fn sync(&self) -> Result<(), Error> {
        self.part.as_ref().map_or(Ok(()), PartFile::sync)
    }

    /// Leaves the unfinished file for a later job if this one fails.
    pub fn keep(&mut self) {
        if let Some(part) = &mut self.part {
            part.keep();
        }
    }

    /// Writes the head of an image with counts in `counted`, and the tail. [`Self::resume`] undoes it.
    ///
    /// # Errors
    /// [`Error::Output`] where they cannot be written.
    pub fn end(&mut self, counted: Counted) -> Result<(), Error> {
        let Some(part) = &self.part else { return Ok(()) };
        let (head, tail) = self.ends(counted, self.layout.carry());
        let ended =
            part.file().write_all_at(&tail, self.growth.written()).and_then(|()| part.file().write_all_at(&head, 0));
        ended.map_err(|source| part.failed(source))
    }

    /// What stands before the first and behind the last band of the complete file.
    #[must_use]
    pub fn ends(&self, counted: Counted, carry: u32) -> (Vec<u8>, Vec<u8>) {
        (self.layout.head(Some(counted)), self.layout.tail(carry))
    }

    /// Lets the file say something of itself that is not in its bytes. A file system that cannot keep it is no failure.
    pub fn say(&self, text: &[u8]) {
        if let Some(part) = &self.part {
            attribute::set(part.file(), text);
        }
    }

    /// The complete file that is there under its name, with what it says of itself.
    #[must_use]
    pub fn said(&self) -> Option<(File, Vec<u8>)> {
        let file = self.place.folder().open_own(self.place.name(), Access::Read).ok()?;
        let text = attribute::get(&file)?;
        Some((file, text))
    }

    /// Gives the file, which [`Self::end`] has ended, its name.
    ///
    /// # Errors
    /// [`Error::Output`] where the last bytes cannot be stored or the name cannot be given.
    pub fn complete(self) -> Result<(), Error> {
        self.part.map_or(Ok(()), PartFile::complete)
    }
}

/// Where a stretch lies in a file.
pub type Stretch = Range<u64>;
