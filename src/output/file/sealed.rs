//! Small states of a job as JSON with a checksum: what is read is either what was written, to the byte, or refused. And the small
//! files that they are kept in: read up to a limit, replaced as a whole.

use std::io::{self, Read as _, Write as _};

use serde::{Deserialize, Serialize, de::DeserializeOwned};

use super::{digest::Digest, folder::Access, location::Location, part_file::PartFile};
use crate::error::Error;

#[derive(Serialize)]
struct Written<'a, T> {
    kind: &'a str,
    version: u32,
    #[serde(flatten)]
    content: &'a T,
    #[serde(skip_serializing_if = "Option::is_none")]
    checksum: Option<Digest>,
}

#[derive(Deserialize)]
struct Read<T> {
    #[serde(flatten)]
    content: T,
}

/// What a file says it is.
#[derive(Deserialize)]
struct Head {
    kind: String,
    #[serde(default)]
    version: u32,
}

/// The text of `content`, as a file of this `kind` and `version`.
///
/// # Panics
/// Where `content` has no form in JSON: it is made of numbers and texts with names.
#[must_use]
pub fn seal<T: Serialize>(kind: &str, version: u32, content: &T) -> Vec<u8> {
    let text = |checksum| {
        let written = Written { kind, version, content, checksum };
        serde_json::to_vec_pretty(&written).expect("numbers and texts with names have a form in JSON")
    };
    text(Some(Digest::of(&text(None))))
}

/// The content of `bytes`, where they are what [`seal`] made of it.
///
/// # Errors
/// Why they are not, as the second part of a sentence.
pub fn unseal<T: Serialize + DeserializeOwned>(kind: &str, version: u32, bytes: &[u8]) -> Result<T, String> {
    let broken = |error: serde_json::Error| format!("it is damaged, was cut short, or is no {kind}: {error}");
    let head: Head = serde_json::from_slice(bytes).map_err(broken)?;
    if head.kind != kind || head.version != version {
        return Err(format!(
            "it is of `{}` version {}, this program reads `{kind}` version {version}",
            head.kind, head.version
        ));
    }
    let read: Read<T> = serde_json::from_slice(bytes).map_err(broken)?;
    if seal(kind, version, &read.content) != bytes {
        return Err("it is damaged: its checksum does not fit".to_owned());
    }
    Ok(read.content)
}

/// Why a file has no state to be read.
#[derive(Debug, thiserror::Error)]
pub enum Unreadable {
    /// It does not open.
    #[error(transparent)]
    Closed(io::Error),
    /// It opens, but gives no bytes.
    #[error(transparent)]
    Broken(io::Error),
    /// It is something else.
    #[error("more than {max_bytes} bytes are too many for a {what}")]
    TooLong {
        /// Bytes that it may have.
        max_bytes: u64,
        /// What it was taken for.
        what: &'static str,
    },
}

/// The bytes at `place`, at most `max_bytes` for such a `what`; `None` where there is no file.
///
/// # Errors
/// Why they cannot be had.
pub fn read(location: &Location, what: &'static str, max_bytes: u64) -> Result<Option<Vec<u8>>, Unreadable> {
    let file = match location.folder().open_own(location.name(), Access::Read) {
        Ok(file) => file,
        Err(error) if error.kind() == io::ErrorKind::NotFound => return Ok(None),
        Err(error) => return Err(Unreadable::Closed(error)),
    };
    let mut bytes = Vec::new();
    file.take(max_bytes + 1).read_to_end(&mut bytes).map_err(Unreadable::Broken)?;
    if bytes.len() as u64 > max_bytes { Err(Unreadable::TooLong { max_bytes, what }) } else { Ok(Some(bytes)) }
}

/// Puts `bytes` in place of what is at `place`.
///
/// # Errors
/// [`Error::Output`] where they cannot be written; the old file then stays.
pub fn replace(location: &Location, bytes: &[u8]) -> Result<(), Error> {
    let part = PartFile::create(location)?;
    let mut file = part.file();
    file.write_all(bytes).map_err(|source| part.failed(source))?;
    part.complete()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
    struct Some {
        number: u64,
        error: Option<f64>,
        list: Vec<u32>,
    }

    fn sealed() -> (Some, Vec<u8>) {
        let content = Some { number: u64::MAX, error: Some(1e-5), list: vec![1, 2] };
        let bytes = seal("thing", 3, &content);
        (content, bytes)
    }

    #[test]
    fn what_was_sealed_is_read_to_the_last_bit() {
        let (content, bytes) = sealed();
        assert_eq!(unseal::<Some>("thing", 3, &bytes).unwrap(), content);
        for error in [0.1 + 0.2, 4.9e-324, 3.3e-7, f64::MAX] {
            let content = Some { error: Some(error), ..content.clone() };
            assert_eq!(unseal::<Some>("thing", 3, &seal("thing", 3, &content)).unwrap(), content);
        }
    }

    #[test]
    fn no_byte_can_be_changed_or_removed() {
        let (_, bytes) = sealed();
        for at in 0..bytes.len() {
            for bit in 0..8 {
                let mut damaged = bytes.clone();
                damaged[at] ^= 1 << bit;
                assert!(unseal::<Some>("thing", 3, &damaged).is_err(), "byte {at} bit {bit}");
            }
            assert!(unseal::<Some>("thing", 3, &bytes[..at]).is_err(), "cut at {at}");
            let mut shorter = bytes.clone();
            shorter.remove(at);
            assert!(unseal::<Some>("thing", 3, &shorter).is_err(), "without byte {at}");
        }
    }

    #[test]
    fn another_version_is_named() {
        let (_, bytes) = sealed();
        assert!(unseal::<Some>("thing", 4, &bytes).unwrap_err().contains("version 3"));
        assert!(unseal::<Some>("other", 3, &bytes).unwrap_err().contains("`thing`"));
    }
}
