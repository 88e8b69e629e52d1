//! A rankfile's bytes, with a limit: what is too large is something else.

use std::{
    fs::File,
    io::{self, Read},
    path::Path,
};

use crate::{error::Error, rankfile::MAX_BYTES};

/// The word that stands for standard input in the place of a file's name.
const STANDARD_INPUT: &str = "-";

/// What findings call the file.
pub(super) fn name_of(path: &Path) -> String {
    if path == Path::new(STANDARD_INPUT) { "<stdin>".to_owned() } else { path.display().to_string() }
}

/// Reads the file; `-` is standard input.
///
/// # Errors
/// [`Error::Input`] where it cannot be read or has more than [`MAX_BYTES`].
pub(super) fn read(path: &Path) -> Result<Vec<u8>, Error> {
    let limit = u64::try_from(MAX_BYTES).expect("a size fits in 64 bits");
    let failed = |source| Error::Input { path: name_of(path).into(), source };
    let too_large = |bytes: String| {
        failed(io::Error::other(format!("it has {bytes} bytes, a rankfile may have {limit}: is this the right file?")))
    };
    // Devices and pipes do not know their length.
    let mut text = Vec::new();
    if path == Path::new(STANDARD_INPUT) {
        io::stdin().lock().take(limit + 1).read_to_end(&mut text).map_err(failed)?;
    } else {
        let file = File::open(path).map_err(failed)?;
        let bytes = file.metadata().map_err(failed)?.len();
        if bytes > limit {
            return Err(too_large(bytes.to_string()));
        }
        file.take(limit + 1).read_to_end(&mut text).map_err(failed)?;
    }
    if text.len() > MAX_BYTES { Err(too_large(format!("over {limit}"))) } else { Ok(text) }
}
