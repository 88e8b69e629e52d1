//! A rankfile's bytes, with a limit: what is too large is something else.

use std::{
    fs::File,
    io::{self, Read},
    path::Path,
};

use crate::{error::Error, rankfile::MAX_BYTES};

/// Reads the file.
///
/// # Errors
/// [`Error::Input`] where it cannot be read or has more than [`MAX_BYTES`].
pub(super) fn read(path: &Path) -> Result<Vec<u8>, Error> {
    let limit = u64::try_from(MAX_BYTES).expect("a size fits in 64 bits");
    let failed = |source| Error::Input { path: path.to_owned(), source };
    let too_large = |bytes: String| {
        failed(io::Error::other(format!("it has {bytes} bytes, a rankfile may have {limit}: is this the right file?")))
    };
    let file = File::open(path).map_err(failed)?;
    let bytes = file.metadata().map_err(failed)?.len();
    if bytes > limit {
        return Err(too_large(bytes.to_string()));
    }
    // Devices and pipes do not know their length.
    let mut text = Vec::new();
    file.take(limit + 1).read_to_end(&mut text).map_err(failed)?;
    if text.len() > MAX_BYTES { Err(too_large(format!("over {limit}"))) } else { Ok(text) }
}
