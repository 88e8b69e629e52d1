//! A rankfile's bytes, from a file or from standard input.

use std::{fs::File, io, path::Path};

use crate::{
    commands::bounded::{self, MAX_BYTES, Unread},
    error::Error,
    output::file::location::Target,
};

/// The word that stands for standard input in the place of a file's name.
const STANDARD_INPUT: &str = "-";

/// Whether the name stands for standard input.
pub(super) fn is_standard(path: &Path) -> bool {
    path == Path::new(STANDARD_INPUT)
}

/// Whether another program that is given the name later would not find what this one reads: standard input, pipes, and what
/// the names of this process's own descriptors lead to.
pub(super) fn is_stream(path: &Path) -> bool {
    is_standard(path) || Target::keeps_nothing(path)
}

/// What findings call the file.
pub(super) fn name_of(path: &Path) -> String {
    if is_standard(path) { "<stdin>".to_owned() } else { path.display().to_string() }
}

/// Reads the file; `-` is standard input.
///
/// # Errors
/// [`Error::Input`] where it cannot be read or has more than [`MAX_BYTES`].
pub(super) fn read(path: &Path) -> Result<Vec<u8>, Error> {
    let read = if is_standard(path) {
        bounded::read(io::stdin().lock())
    } else {
        File::open(path).map_err(Unread::Failed).and_then(|file| bounded::read_file(&file))
    };
    read.map_err(|unread| {
        let source = match unread {
            Unread::Failed(source) => source,
            Unread::TooLarge(bytes) => {
                let bytes = bytes.map_or_else(|| format!("over {MAX_BYTES}"), |bytes| bytes.to_string());
                io::Error::other(format!(
                    "it has {bytes} bytes, a rankfile may have {MAX_BYTES}: is this the right file?"
                ))
            }
        };
        Error::Input { path: name_of(path).into(), source }
    })
}
