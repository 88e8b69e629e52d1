//! The standard streams: the only file that writes lines to them. A stream may be closed, full or a terminal that is gone; that
//! never panics, and what it means for the job is for the caller to say.

use std::io::{self, ErrorKind, Write};

use crate::visible::visible_lines;

/// Prints a line on stderr in one piece: a launcher forwards what it is given piece by piece, and puts lines of its own between.
/// There is nobody to tell where that fails.
pub fn tell(line: &str) {
    let _ = io::stderr().lock().write_all(format!("{}\n", visible_lines(line)).as_bytes());
}

/// Prints to stdout. Who has read enough, as `head` has, is not told more, nor is a terminal that is gone.
///
/// # Errors
/// Whatever else keeps the text from being written, such as a full disk.
pub fn print(text: &str) -> io::Result<()> {
    let mut stdout = io::stdout().lock();
    match stdout.write_all(visible_lines(text).as_bytes()).and_then(|()| stdout.flush()) {
        Err(error) if is_gone(&error) => Ok(()),
        written => written,
    }
}

/// Whether nobody is left who could read.
fn is_gone(error: &io::Error) -> bool {
    let gone_terminal = error.raw_os_error() == Some(rustix::io::Errno::IO.raw_os_error());
    error.kind() == ErrorKind::BrokenPipe || gone_terminal
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_reader_that_is_gone_is_not_a_full_disk() {
        assert!(is_gone(&ErrorKind::BrokenPipe.into()));
        assert!(is_gone(&io::Error::from_raw_os_error(rustix::io::Errno::IO.raw_os_error())));
        assert!(!is_gone(&ErrorKind::StorageFull.into()));
    }
}
