//! An output that is written in one go: a text, a drawing, a plot.

use std::{io::Write, path::Path};

use super::part_file::PartFile;
use super::{
    location::{Location, Target},
    lock::Lock,
};
use crate::error::Error;

/// Where the output goes.
#[derive(Debug)]
enum Destination {
    File(Box<Held>),
    Other(Target),
}

/// A file that no other job has.
#[derive(Debug)]
struct Held {
    /// Comes before the lock: it is removed while the name is still held.
    part: PartFile,
    _lock: Lock,
}

/// An output that was found to be possible and is still to be written.
#[derive(Debug)]
pub struct WholeFile(Destination);

impl WholeFile {
    /// Prepares to write to `path`: a file is locked and gets a part beside it, a device or a pipe is left for later.
    ///
    /// # Errors
    /// As [`Target::of`], [`Lock::take`] and [`PartFile::create`] have it.
    pub fn create(path: &Path) -> Result<Self, Error> {
        match Target::of(path)? {
            Target::File(location) => Self::at(&location),
            other => Ok(Self(Destination::Other(other))),
        }
    }

    fn at(location: &Location) -> Result<Self, Error> {
        let lock = Lock::take(location)?;
        Ok(Self(Destination::File(Box::new(Held { part: PartFile::create(location)?, _lock: lock }))))
    }

    /// Writes the output and gives it its name.
    ///
    /// # Errors
    /// [`Error::Output`] where it cannot be written.
    pub fn complete(self, bytes: &[u8]) -> Result<(), Error> {
        match self.0 {
            Destination::File(held) => {
                // The lock is the last to go.
                let Held { _lock, part } = *held;
                part.file().write_all(bytes).map_err(|source| part.failed(source))?;
                part.complete()
            }
            Destination::Other(Target::Stream(stream)) => stream.write(bytes),
            Destination::Other(_) => Ok(()),
        }
    }
}
