//! A file that appears under its name only when it is complete: until then it is `NAME.part` beside it, and a job that
//! dies leaves what was there before.

use std::{
    fs::{self, File, OpenOptions, TryLockError},
    io,
    os::unix::fs::MetadataExt,
    path::{Path, PathBuf},
    sync::{Arc, atomic::AtomicBool},
};

use signal_hook::{consts::SIGXFSZ, flag};

use crate::{error::Error, visible::shown};

/// The folder in which `target` and what belongs to it are written.
#[must_use]
pub fn folder_of(target: &Path) -> &Path {
    match target.parent() {
        Some(folder) if !folder.as_os_str().is_empty() => folder,
        _ => Path::new("."),
    }
}

/// The name of `target` while it is incomplete.
#[must_use]
pub fn part_of(target: &Path) -> PathBuf {
    let mut name = target.file_name().unwrap_or_default().to_owned();
    name.push(".part");
    target.with_file_name(name)
}

/// Makes a write beyond the limit on a file's size (`ulimit -f`) an error that can be told, for the rest of the process; the
/// signal that comes with it would end the process without a word.
///
/// # Errors
/// Where the operating system takes no handler; a write beyond the limit then ends the process.
pub fn outlive_size_limit() -> io::Result<()> {
    flag::register(SIGXFSZ, Arc::new(AtomicBool::new(false))).map(|_| ())
}

/// A file being written.
#[derive(Debug)]
pub struct PartFile {
    file: File,
    part: PathBuf,
    target: PathBuf,
    /// Whether the unfinished file is of use to a later job.
    kept: bool,
}

impl PartFile {
    /// Creates `target`.part.
    ///
    /// # Errors
    /// [`Error::Output`] where `target` is a directory, its folder is missing or cannot be written, or another job is
    /// writing the same file.
    pub fn create(target: &Path) -> Result<Self, Error> {
        let part = Self::open(target, true)?;
        part.file.set_len(0).map_err(|source| part.failed(source))?;
        Ok(part)
    }

    /// Opens the `target`.part that an earlier job kept, with what is in it; it stays whatever happens.
    ///
    /// # Errors
    /// As [`Self::create`] has it, and where there is none.
    pub fn reopen(target: &Path) -> Result<Self, Error> {
        let mut part = Self::open(target, false)?;
        part.kept = true;
        Ok(part)
    }

    fn open(target: &Path, create: bool) -> Result<Self, Error> {
        let failed = |source| Error::Output { path: target.to_owned(), source };
        if target.file_name().is_none() {
            return Err(failed(io::Error::other("it names no file")));
        }
        if target.is_dir() {
            return Err(failed(io::Error::other("it is a directory; name a file in it")));
        }
        let folder = folder_of(target);
        if !folder.is_dir() {
            return Err(failed(io::Error::other(format!(
                "there is no such folder; make it with: mkdir -p {}",
                shown(folder)
            ))));
        }
        let part = part_of(target);
        let file = open_alone(&part, create).map_err(failed)?;
        Ok(Self { file, part, target: target.to_owned(), kept: false })
    }

    /// Makes what is written so far safe against a power cut. What could not be written in the background is told here, as
    /// a network file system does with a full disk or a quota; what was safe before stays so.
    ///
    /// # Errors
    /// [`Error::Output`] where the operating system cannot store it.
    pub fn sync(&self) -> Result<(), Error> {
        self.file.sync_data().map_err(|source| self.failed(source))
    }

    /// Leaves the file for a later job if this one fails.
    pub fn keep(&mut self) {
        self.kept = true;
    }

    /// The open file, for writing.
    #[must_use]
    pub fn file(&self) -> &File {
        &self.file
    }

    /// The error that a failed write to this file is.
    #[must_use]
    pub fn failed(&self, source: io::Error) -> Error {
        Error::Output { path: self.target.clone(), source }
    }

    /// Gives the complete file its name, in place of what was there, once its bytes are safe.
    ///
    /// # Errors
    /// [`Error::Output`] where the last bytes cannot be stored or the name cannot be given.
    pub fn complete(mut self) -> Result<(), Error> {
        self.sync()?;
        fs::rename(&self.part, &self.target).map_err(|source| self.failed(source))?;
        self.kept = true;
        // The new name is to outlive a power cut too. Not all file systems can sync a folder, and there is no other way.
        let _ = File::open(folder_of(&self.target)).and_then(|folder| folder.sync_all());
        Ok(())
    }
}

impl Drop for PartFile {
    fn drop(&mut self) {
        if !self.kept {
            // Nothing is to be done where even this fails, and the next job takes the file over.
            let _ = fs::remove_file(&self.part);
        }
    }
}

/// Opens `path` and holds it against every other job.
fn open_alone(path: &Path, create: bool) -> io::Result<File> {
    loop {
        let file = OpenOptions::new().create(create).truncate(false).read(true).write(true).open(path)?;
        match file.try_lock() {
            Ok(()) => {}
            Err(TryLockError::WouldBlock) => {
                return Err(io::Error::other(format!("another job is writing {}", shown(path))));
            }
            // Some network file systems have no locks; there, two jobs at once are the user's to avoid.
            Err(TryLockError::Error(error)) if error.kind() == io::ErrorKind::Unsupported => {}
            Err(TryLockError::Error(error)) => return Err(error),
        }
        // A job that completed between the opening and the lock has renamed this very file: it is a result now.
        if fs::metadata(path).is_ok_and(|named| file.metadata().is_ok_and(|open| open.ino() == named.ino())) {
            return Ok(file);
        }
    }
}

#[cfg(test)]
mod tests {
    use std::io::Write;

    use super::*;

    #[test]
    fn an_incomplete_file_leaves_the_old_one_and_no_litter() {
        let folder = tempfile::tempdir().unwrap();
        let target = folder.path().join("a.png");
        fs::write(&target, "old").unwrap();
        let part = PartFile::create(&target).unwrap();
        part.file().write_all(b"new").unwrap();
        drop(part);
        assert_eq!(fs::read(&target).unwrap(), b"old");
        assert_eq!(fs::read_dir(folder.path()).unwrap().count(), 1);
    }

    #[test]
    fn a_complete_file_replaces_the_old_one() {
        let folder = tempfile::tempdir().unwrap();
        let target = folder.path().join("a.png");
        fs::write(&target, "old").unwrap();
        let part = PartFile::create(&target).unwrap();
        part.file().write_all(b"new").unwrap();
        part.complete().unwrap();
        assert_eq!(fs::read(&target).unwrap(), b"new");
        assert_eq!(fs::read_dir(folder.path()).unwrap().count(), 1);
    }

    #[test]
    fn what_a_killed_job_left_is_taken_over() {
        let folder = tempfile::tempdir().unwrap();
        fs::write(folder.path().join("a.png.part"), "half a file").unwrap();
        PartFile::create(&folder.path().join("a.png")).unwrap().complete().unwrap();
        assert_eq!(fs::read(folder.path().join("a.png")).unwrap(), b"");
    }

    #[test]
    fn what_a_job_kept_outlives_its_failure_and_is_continued() {
        let folder = tempfile::tempdir().unwrap();
        let target = folder.path().join("a.png");
        assert!(PartFile::reopen(&target).is_err(), "there is none yet");
        let mut part = PartFile::create(&target).unwrap();
        part.file().write_all(b"half").unwrap();
        part.keep();
        drop(part);
        let part = PartFile::reopen(&target).unwrap();
        assert_eq!(fs::read(folder.path().join("a.png.part")).unwrap(), b"half");
        drop(part);
        PartFile::reopen(&target).unwrap().complete().unwrap();
        assert_eq!(fs::read(&target).unwrap(), b"half");
    }

    #[test]
    fn two_jobs_do_not_write_one_file() {
        let folder = tempfile::tempdir().unwrap();
        let target = folder.path().join("a.png");
        let _first = PartFile::create(&target).unwrap();
        let message = PartFile::create(&target).unwrap_err().to_string();
        assert!(message.contains("another job"), "{message}");
    }

    #[test]
    fn bad_paths_are_named() {
        let folder = tempfile::tempdir().unwrap();
        for (path, expected) in
            [(folder.path().to_owned(), "is a directory"), (folder.path().join("no/a.png"), "mkdir -p")]
        {
            let message = PartFile::create(&path).unwrap_err().to_string();
            assert!(message.contains(expected) && message.contains(&path.display().to_string()), "{message}");
        }
    }
}
