//! A text beside the bytes of a file, where the operating system and the file system have such a thing.

use std::fs::File;

/// More than file systems keep.
#[cfg(any(target_os = "linux", target_os = "macos"))]
const MOST_BYTES: usize = 64 << 10;
#[cfg(any(target_os = "linux", target_os = "macos"))]
const NAME: &str = "user.hybrid";

/// Keeps `text` with `file`, if that can be.
#[cfg(any(target_os = "linux", target_os = "macos"))]
pub(super) fn set(file: &File, text: &[u8]) {
    let _ = rustix::fs::fsetxattr(file, NAME, text, rustix::fs::XattrFlags::empty());
}

/// The text that is kept with `file`.
#[cfg(any(target_os = "linux", target_os = "macos"))]
pub(super) fn get(file: &File) -> Option<Vec<u8>> {
    let mut text = vec![0; MOST_BYTES];
    let length = rustix::fs::fgetxattr(file, NAME, &mut text[..]).ok()?;
    text.truncate(length);
    Some(text)
}

/// Keeps nothing.
#[cfg(not(any(target_os = "linux", target_os = "macos")))]
pub(super) fn set(_file: &File, _text: &[u8]) {}

/// Nothing is kept.
#[cfg(not(any(target_os = "linux", target_os = "macos")))]
pub(super) fn get(_file: &File) -> Option<Vec<u8>> {
    None
}
