//! Bytes that may not be UTF-8 as text that can be shown. Knows no rankfile.

use std::borrow::Cow;

/// The bytes as text in which `?` stands for each that is not UTF-8, so that every place stays where it is.
pub(super) fn readable(bytes: &[u8]) -> Cow<'_, str> {
    if let Ok(text) = str::from_utf8(bytes) {
        return Cow::Borrowed(text);
    }
    let mut text = String::with_capacity(bytes.len());
    for chunk in bytes.utf8_chunks() {
        text.push_str(chunk.valid());
        text.extend(chunk.invalid().iter().map(|_| '?'));
    }
    Cow::Owned(text)
}
