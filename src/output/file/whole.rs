//! An output that is written in one go: a text, a drawing, a plot.

use std::{io::Write, path::Path};

use super::{
    lock::Lock,
    place::{Place, Target},
};
use crate::{error::Error, output::part_file::PartFile};

/// Where the output goes.
#[derive(Debug)]
enum Destination {
    /// The part comes before the lock: it is removed while the name is still held.
    File(PartFile, Lock),
    Other(Target),
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
            Target::File(place) => Self::at(&place),
            other => Ok(Self(Destination::Other(other))),
        }
    }

    fn at(place: &Place) -> Result<Self, Error> {
        let lock = Lock::take(place)?;
        Ok(Self(Destination::File(PartFile::create(place)?, lock)))
    }

    /// Writes the output and gives it its name.
    ///
    /// # Errors
    /// [`Error::Output`] where it cannot be written.
    pub fn complete(self, bytes: &[u8]) -> Result<(), Error> {
        match self.0 {
            Destination::File(part, lock) => {
                part.file().write_all(bytes).map_err(|source| part.failed(source))?;
                part.complete()?;
                drop(lock);
                Ok(())
            }
            Destination::Other(Target::Stream(stream)) => stream.write(bytes),
            Destination::Other(_) => Ok(()),
        }
    }
}
