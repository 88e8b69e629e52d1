//! The bytes of a file that only grows: small pieces are written together, and all of them are digested on their way.

use std::os::unix::fs::FileExt;

use crate::{
    error::Error,
    output::file::{
        digest::{Digest, Digesting},
        part_file::PartFile,
    },
};

/// Pieces shorter than this, in bytes, are written together.
const SMALL_BYTES: usize = 64 << 10;
/// Bytes that are collected before they are written.
const PENDING_BYTES: usize = 1 << 20;

/// The end of a growing file.
#[derive(Debug, Default)]
pub(super) struct Growth {
    /// Bytes of the file that are written.
    written: u64,
    /// Bytes that follow them and wait to be written.
    pending: Vec<u8>,
    /// Of the stretch in work, as far as it is written.
    digesting: Digesting,
}

impl Growth {
    /// Of a file of `written` bytes, whose stretch in work is digested.
    pub(super) fn new(written: u64, digesting: Digesting) -> Self {
        Self { written, pending: Vec::new(), digesting }
    }

    /// Length of what is written.
    pub(super) fn written(&self) -> u64 {
        self.written
    }

    /// Of what is written of the stretch in work.
    pub(super) fn digest(&self) -> Digest {
        self.digesting.digest()
    }

    /// The next byte begins another stretch.
    pub(super) fn end_stretch(&mut self) {
        self.digesting = Digesting::default();
    }

    /// Adds a piece, which may wait to be written.
    pub(super) fn add(&mut self, part: &PartFile, piece: &[u8]) -> Result<(), Error> {
        if piece.len() >= SMALL_BYTES {
            self.flush(part)?;
            return self.write(part, piece);
        }
        self.pending.extend_from_slice(piece);
        if self.pending.len() >= PENDING_BYTES { self.flush(part) } else { Ok(()) }
    }

    /// Writes what waits.
    pub(super) fn flush(&mut self, part: &PartFile) -> Result<(), Error> {
        let mut pending = std::mem::take(&mut self.pending);
        let written = self.write(part, &pending);
        pending.clear();
        self.pending = pending;
        written
    }

    fn write(&mut self, part: &PartFile, bytes: &[u8]) -> Result<(), Error> {
        if !bytes.is_empty() {
            part.file().write_all_at(bytes, self.written).map_err(|source| part.failed(source))?;
            self.digesting.update(bytes);
            self.written += bytes.len() as u64;
        }
        Ok(())
    }
}
