//! Outputs that take bytes one after the other: devices, pipes, and what a shell has opened for this process.

use std::{
    fs::File,
    io::{self, Write, stderr, stdout},
    os::fd::AsFd,
    path::{Path, PathBuf},
    thread,
    time::{Duration, Instant},
};

use rustix::{
    fs::{self, CWD, Mode, OFlags},
    io::Errno,
};

use crate::error::Error;

/// How long somebody may take to begin to read from a pipe.
const READER_PATIENCE: Duration = Duration::from_secs(10);
const PAUSE: Duration = Duration::from_millis(10);

/// A device, a pipe or an open descriptor.
#[derive(Debug)]
pub struct Stream {
    /// As the user named it.
    shown: PathBuf,
    /// Where that leads.
    path: PathBuf,
}

impl Stream {
    pub(super) fn new(shown: &Path, path: PathBuf) -> Self {
        Self { shown: shown.to_owned(), path }
    }

    /// The error that `source` is where this stream cannot be written.
    #[must_use]
    pub fn failed(&self, source: io::Error) -> Error {
        Error::Output { path: self.shown.clone(), source }
    }

    /// Writes all of `bytes`.
    ///
    /// # Errors
    /// [`Error::Output`] where the bytes are not taken.
    pub fn write(&self, bytes: &[u8]) -> Result<(), Error> {
        let written = self.open().and_then(|mut file| file.write_all(bytes));
        written.map_err(|source| self.failed(source))
    }

    fn open(&self) -> io::Result<File> {
        let own =
            |number| ["/proc/self/fd", "/dev/fd"].iter().any(|folder| self.path == Path::new(folder).join(number));
        // What a shell opened has a position of its own, which a second opening would not share.
        if own("1") {
            stdout().flush()?;
            return Ok(stdout().as_fd().try_clone_to_owned()?.into());
        }
        if own("2") {
            return Ok(stderr().as_fd().try_clone_to_owned()?.into());
        }
        self.open_path()
    }

    /// Opens the path; a pipe, once somebody reads from it.
    fn open_path(&self) -> io::Result<File> {
        let flags = OFlags::WRONLY | OFlags::APPEND | OFlags::NONBLOCK | OFlags::NOCTTY | OFlags::CLOEXEC;
        let started = Instant::now();
        loop {
            match fs::openat(CWD, &self.path, flags, Mode::empty()) {
                Ok(file) => {
                    let now = fs::fcntl_getfl(&file)?;
                    fs::fcntl_setfl(&file, now - OFlags::NONBLOCK)?;
                    return Ok(file.into());
                }
                Err(Errno::NXIO) if started.elapsed() < READER_PATIENCE => thread::sleep(PAUSE),
                Err(Errno::NXIO) => {
                    let seconds = READER_PATIENCE.as_secs();
                    return Err(io::Error::other(format!("nobody has read from it for {seconds} s: start a reader")));
                }
                Err(error) => return Err(error.into()),
            }
        }
    }
}
