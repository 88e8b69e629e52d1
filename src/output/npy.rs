//! The counts as a NumPy array: rows x columns, uint8 or uint16.

use std::{
    io::{self, Seek, SeekFrom},
    os::unix::fs::FileExt,
    path::Path,
};

use ndarray_npy::{WriteNpyError, write_zeroed_npy};

use super::{encode::EncodedBand, part_file::PartFile};
use crate::error::Error;

/// Bytes of `height` x `width` counts in a byte each or in two; a header of some 100 bytes comes before them.
#[must_use]
pub fn data_bytes(width: u32, height: u32, fits_u8: bool) -> u64 {
    u64::from(width) * u64::from(height) * if fits_u8 { 1 } else { 2 }
}

/// A file of counts being written.
#[derive(Debug)]
pub struct NpyFile {
    part: PartFile,
    next_byte: u64,
}

impl NpyFile {
    /// Creates the file at its final size, `height` x `width` counts in a byte each or in two.
    ///
    /// # Errors
    /// [`Error::Output`] where the file cannot be created or is too large for the file system.
    pub fn create(path: &Path, width: u32, height: u32, fits_u8: bool) -> Result<Self, Error> {
        let part = PartFile::create(path)?;
        let shape = (height as usize, width as usize);
        let header = if fits_u8 {
            write_zeroed_npy::<u8, _>(part.file(), shape)
        } else {
            write_zeroed_npy::<u16, _>(part.file(), shape)
        };
        let data_bytes = data_bytes(width, height, fits_u8);
        header
            .map_err(|error| match error {
                WriteNpyError::Io(source) => source,
                other => io::Error::other(other),
            })
            .and_then(|()| part.file().seek(SeekFrom::End(0)))
            .map_err(|source| part.failed(source))
            .map(|file_bytes| Self { next_byte: file_bytes - data_bytes, part })
    }

    /// Opens the file that an earlier job left, to continue at row `row`.
    ///
    /// # Errors
    /// [`Error::Output`] where the file is missing or too short.
    pub fn resume(path: &Path, width: u32, height: u32, fits_u8: bool, row: u32) -> Result<Self, Error> {
        let part = PartFile::reopen(path)?;
        let count_bytes = if fits_u8 { 1 } else { 2 };
        let row_bytes = u64::from(width) * count_bytes;
        let left_bytes = row_bytes * u64::from(height - row);
        let length = part.file().metadata().map_err(|source| part.failed(source))?.len();
        match length.checked_sub(left_bytes) {
            Some(next_byte) if next_byte > row_bytes * u64::from(row) => Ok(Self { part, next_byte }),
            _ => Err(part.failed(io::Error::other(format!("its .part of {length} bytes is too short")))),
        }
    }

    /// Makes the counts written so far safe, for a later job to continue from.
    ///
    /// # Errors
    /// [`Error::Output`] where the operating system cannot store them.
    pub fn sync(&self) -> Result<(), Error> {
        self.part.sync()
    }

    /// Leaves the unfinished file for a later job if this one fails.
    pub fn keep(&mut self) {
        self.part.keep();
    }

    /// Appends the counts of the bands that follow the last one.
    ///
    /// # Errors
    /// [`Error::Output`] where they cannot be written.
    pub fn append(&mut self, bands: &[EncodedBand]) -> Result<(), Error> {
        for band in bands {
            self.part.file().write_all_at(&band.counts, self.next_byte).map_err(|source| self.part.failed(source))?;
            self.next_byte += band.facts.counts_bytes;
        }
        Ok(())
    }

    /// Gives the file its name.
    ///
    /// # Errors
    /// [`Error::Output`] where the last bytes cannot be stored or the name cannot be given.
    pub fn complete(self) -> Result<(), Error> {
        self.part.complete()
    }
}

#[cfg(test)]
mod tests {
    use ndarray::Array2;

    use super::*;
    use crate::{
        cli::Color,
        device::Kind,
        kernel::{band::Band, julia::Counts},
        output::color::Coloring,
    };

    #[test]
    fn an_independent_reader_sees_the_counts() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("counts.npy");
        let counts = Array2::from_shape_fn((3, 4), |(row, column)| u16::try_from(1000 * row + column).unwrap());
        let pixels = Coloring::of(Color::Grey).pixel_bytes(3000, 0, Kind::Cpu);
        let band = EncodedBand::new(&Band { index: 0, rows: 0..3 }, Counts::U16(counts.view()), &pixels, true);
        let mut npy = NpyFile::create(&path, 4, 3, false).unwrap();
        npy.append(&[band]).unwrap();
        npy.complete().unwrap();
        assert_eq!(ndarray_npy::read_npy::<_, Array2<u16>>(&path).unwrap(), counts);
    }
}
