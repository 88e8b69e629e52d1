//! The bytes of a file that people write, such as a rankfile, with a limit: what is too large is something else.

use std::{
    fs::File,
    io::{self, Read},
};

pub(super) use crate::rankfile::MAX_BYTES;

/// Why there are no bytes.
#[derive(Debug)]
pub(super) enum Unread {
    /// The system says so.
    Failed(io::Error),
    /// There are more than [`MAX_BYTES`]; so many, where that is known.
    TooLarge(Option<u64>),
}

/// All that there is to read.
pub(super) fn read(source: impl Read) -> Result<Vec<u8>, Unread> {
    let limit = u64::try_from(MAX_BYTES).expect("a size fits in 64 bits");
    let mut bytes = Vec::new();
    source.take(limit + 1).read_to_end(&mut bytes).map_err(Unread::Failed)?;
    if bytes.len() > MAX_BYTES { Err(Unread::TooLarge(None)) } else { Ok(bytes) }
}

/// All that a file holds.
pub(super) fn read_file(file: &File) -> Result<Vec<u8>, Unread> {
    // Devices and pipes do not know their length.
    let bytes = file.metadata().map_err(Unread::Failed)?.len();
    match usize::try_from(bytes) {
        Ok(bytes) if bytes <= MAX_BYTES => read(file),
        _ => Err(Unread::TooLarge(Some(bytes))),
    }
}
