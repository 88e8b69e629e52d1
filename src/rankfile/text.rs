//! Bytes of a file into text, or one diagnostic that says why they are none. Knows no rankfile.

use std::borrow::Cow;

use super::code::Code;
use super::diagnostic::{Diagnostic, Span};
use super::line_ends;
use super::readable::readable;

/// The largest rankfile that is read, in bytes: room for a quarter of a million ranks.
pub const MAX_BYTES: usize = 16 << 20;

/// Byte order marks and what they tell; the longer ones first, since one starts as another does.
const MARKS: [(&[u8], &str); 4] =
    [(b"\xff\xfe\0\0", "UTF-32"), (b"\0\0\xfe\xff", "UTF-32"), (b"\xff\xfe", "UTF-16"), (b"\xfe\xff", "UTF-16")];

/// The text of a rankfile; owned where bytes are not UTF-8, see [`readable`].
///
/// # Errors
/// Text over [`MAX_BYTES`] and a NUL byte (a binary or UTF-16 file).
// The diagnostic is made once for a file, so that its size does not matter.
#[expect(clippy::result_large_err, reason = "made once for a file")]
pub(super) fn decode(bytes: &[u8]) -> Result<Cow<'_, str>, Diagnostic> {
    if bytes.len() > MAX_BYTES {
        let message =
            format!("the file has {} bytes, a rankfile may have {MAX_BYTES}: is this the right file?", bytes.len());
        return Err(Diagnostic::new(Code::FileTooLarge, Span::start_of_file(), message));
    }
    if let Some((mark, encoding)) = MARKS.iter().find(|(mark, _)| bytes.starts_with(mark)) {
        let span = Span { end: mark.len(), ..Span::start_of_file() };
        let message = format!(
            "the file is saved as {encoding}: convert it with `iconv -f {encoding} -t UTF-8 FILE`, or save it as UTF-8 without a byte order mark"
        );
        return Err(Diagnostic::new(Code::NotText, span, message));
    }
    if let Some(at) = bytes.iter().position(|&byte| byte == 0) {
        let message = format!("byte {at} is NUL: this is a binary file, or one saved as UTF-16");
        return Err(Diagnostic::new(Code::NotText, position(bytes, at), message));
    }
    Ok(readable(bytes))
}

/// Line and column of a byte; columns count characters.
pub(super) fn position(bytes: &[u8], at: usize) -> Span {
    Span {
        start: at,
        end: at + 1,
        line: line_ends::lines(bytes).take_while(|line| line.end <= at).count() + 1,
        column: readable(&bytes[line_ends::line_start(bytes, at)..at]).chars().count() + 1,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_is_no_text_gives_one_diagnostic_with_its_place() {
        for (bytes, code, line, column) in
            [(&b"rank 0=a slot=0\n\x7fELF\0"[..], Code::NotText, 2, 5), (&b"r\0a\0"[..], Code::NotText, 1, 2)]
        {
            let diagnostic = decode(bytes).unwrap_err();
            assert_eq!(diagnostic.code, code);
            assert_eq!((diagnostic.span.line, diagnostic.span.column), (line, column));
        }
    }

    #[test]
    fn a_byte_order_mark_tells_the_encoding() {
        for (bytes, encoding) in [
            (&b"\xff\xfer\0a\0"[..], "UTF-16"),
            (b"\xfe\xff\0r\0a", "UTF-16"),
            (b"\xff\xfe", "UTF-16"),
            (b"\xff\xfe\0\0r\0\0\0", "UTF-32"),
            (b"\0\0\xfe\xff\0\0\0r", "UTF-32"),
        ] {
            let Diagnostic { code, span, message, .. } = decode(bytes).unwrap_err();
            assert_eq!((code, span.line, span.column), (Code::NotText, 1, 1));
            let expected = format!("saved as {encoding}: convert it with `iconv -f {encoding} -t UTF-8 FILE`");
            assert!(message.contains(&expected) && !message.contains("NUL"), "{message}");
        }
    }

    #[test]
    fn bytes_that_are_not_utf_8_keep_their_places() {
        assert_eq!(readable(b"# caf\xe9 \xe2\x82 caf\xc3\xa9"), "# caf? ?? caf\u{e9}");
        assert!(matches!(readable("caf\u{e9}".as_bytes()), Cow::Borrowed(_)));
    }

    #[test]
    fn the_limit_is_the_last_size_that_is_read() {
        assert!(decode(&vec![b'\n'; MAX_BYTES]).is_ok());
        assert_eq!(decode(&vec![b'\n'; MAX_BYTES + 1]).unwrap_err().code, Code::FileTooLarge);
    }
}
