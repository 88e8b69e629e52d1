//! The standard streams: the only file that writes lines to them. A stream may be closed, full or a terminal that is gone; that
//! never panics, and what it means for the job is for the caller to say.

use std::{
    io::{self, ErrorKind, IsTerminal, Write},
    os::fd::AsFd,
    sync::atomic::{AtomicBool, Ordering},
    thread,
    time::{Duration, Instant},
};

use rustix::{
    fs::{FileType, fstat},
    io::ioctl_fionread,
};

use crate::visible::visible_lines;

/// Who reads a rank's lines has this long for them: a launcher needs some milliseconds.
const READERS_TIME: Duration = Duration::from_secs(2);
/// And this long where nothing tells whether it has read: Open MPI reads a rank's stdout from a terminal, which the kernel fills by a
/// thread of its own.
const TERMINAL_TIME: Duration = Duration::from_millis(200);

/// Whether anything was printed to stdout.
static HAS_PRINTED: AtomicBool = AtomicBool::new(false);

/// Prints a line on stderr in one piece: a launcher forwards what it is given piece by piece, and puts lines of its own between.
/// There is nobody to tell where that fails.
pub fn tell(line: &str) {
    let _ = io::stderr().lock().write_all(format!("{}\n", visible_lines(line)).as_bytes());
}

/// As [`tell`], for the last words of a job that a launcher is about to be told has failed: they come when what was printed has
/// been read, and this returns when they have been read. A launcher throws away what it has not read by the end of the job, and
/// keeps no order between the two streams.
pub fn tell_at_last(line: &str) {
    if HAS_PRINTED.load(Ordering::Relaxed) {
        wait_until_read(io::stdout());
    }
    tell(line);
    wait_until_read(io::stderr());
}

/// Waits until a pipe is empty, or its reader has had time enough.
fn wait_until_read(stream: impl AsFd) {
    if stream.as_fd().is_terminal() {
        return thread::sleep(TERMINAL_TIME);
    }
    let told = Instant::now();
    while is_unread(&stream) && told.elapsed() < READERS_TIME {
        thread::sleep(Duration::from_millis(1));
    }
}

/// Whether a pipe holds what nobody has read yet. Of anything else that cannot be known.
fn is_unread(stream: impl AsFd) -> bool {
    let is_pipe = fstat(&stream).is_ok_and(|status| FileType::from_raw_mode(status.st_mode) == FileType::Fifo);
    is_pipe && ioctl_fionread(&stream).is_ok_and(|bytes| bytes > 0)
}

/// Prints to stdout. Who has read enough, as `head` has, is not told more, nor is a terminal that is gone.
///
/// # Errors
/// Whatever else keeps the text from being written, such as a full disk.
pub fn print(text: &str) -> io::Result<()> {
    let mut stdout = io::stdout().lock();
    HAS_PRINTED.store(true, Ordering::Relaxed);
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
    use std::io::Read;

    use super::*;

    #[test]
    fn what_a_pipe_holds_is_unread_until_somebody_has_read_it() {
        let (mut reader, mut writer) = io::pipe().unwrap();
        assert!(!is_unread(&writer));
        writer.write_all(b"last words").unwrap();
        assert!(is_unread(&writer));
        reader.read_exact(&mut [0; 10]).unwrap();
        assert!(!is_unread(&writer));
        let mut file = tempfile::tempfile().unwrap();
        file.write_all(b"kept").unwrap();
        assert!(!is_unread(&file));
    }

    #[test]
    fn last_words_are_waited_for_until_they_are_read() {
        let (mut reader, mut writer) = io::pipe().unwrap();
        writer.write_all(b"a table").unwrap();
        let slow_reader = thread::spawn(move || {
            thread::sleep(Duration::from_millis(50));
            reader.read_exact(&mut [0; 7]).unwrap();
            reader
        });
        wait_until_read(&writer);
        assert!(!is_unread(&writer));
        slow_reader.join().unwrap();
    }

    #[test]
    fn a_reader_that_is_gone_is_not_a_full_disk() {
        assert!(is_gone(&ErrorKind::BrokenPipe.into()));
        assert!(is_gone(&io::Error::from_raw_os_error(rustix::io::Errno::IO.raw_os_error())));
        assert!(!is_gone(&ErrorKind::StorageFull.into()));
    }
}
