//! A file that appears under its name only when it is complete: until then it is `NAME.part` beside it, and a job that
//! dies leaves what was there before.
//!
//! Knows nothing of locks: whoever writes a file holds it.

use std::{
    fs::File,
    io,
    sync::{Arc, atomic::AtomicBool},
};

use signal_hook::{consts::SIGXFSZ, flag};

use super::{
    folder::Access,
    location::{Location, PART},
};
use crate::error::Error;

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
    part: Location,
    target: Location,
    /// Whether the unfinished file is of use to a later job.
    kept: bool,
}

impl PartFile {
    /// Creates `target`.part, in place of what a killed job has left of it.
    ///
    /// # Errors
    /// [`Error::Output`] where the folder cannot be written, or something is in the way that is no plain file of this user.
    pub fn create(target: &Location) -> Result<Self, Error> {
        let part = target.with(PART);
        let folder = part.folder();
        let created = match folder.open_own(part.name(), Access::Write) {
            Ok(_) => folder.remove(part.name()),
            Err(error) if error.kind() == io::ErrorKind::NotFound => Ok(()),
            Err(error) => Err(error),
        };
        let file = created.and_then(|()| folder.create(part.name())).map_err(|source| target.failed(source))?;
        Ok(Self { file, part, target: target.clone(), kept: false })
    }

    /// Opens the `target`.part that an earlier job kept, with what is in it; it stays whatever happens.
    ///
    /// # Errors
    /// [`Error::Output`] where it is no plain file of this user.
    pub fn reopen(target: &Location) -> Result<Self, Error> {
        let part = target.with(PART);
        let file = part.folder().open_own(part.name(), Access::Write).map_err(|source| target.failed(source))?;
        Ok(Self { file, part, target: target.clone(), kept: true })
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
        self.target.failed(source)
    }

    /// Gives the complete file its name, in place of what was there, once its bytes are safe.
    ///
    /// # Errors
    /// [`Error::Output`] where the last bytes cannot be stored or the name cannot be given.
    pub fn complete(mut self) -> Result<(), Error> {
        self.sync()?;
        let folder = self.part.folder();
        if !folder.names(self.part.name(), &self.file) {
            let reason = format!("somebody has removed or replaced {}", self.part.shown().display());
            return Err(self.failed(io::Error::other(reason)));
        }
        folder.rename(self.part.name(), self.target.name()).map_err(|source| self.failed(source))?;
        folder.sync();
        self.kept = true;
        Ok(())
    }
}

impl Drop for PartFile {
    fn drop(&mut self) {
        if !self.kept && self.part.folder().names(self.part.name(), &self.file) {
            // Nothing is to be done where even this fails, and the next job takes the file over.
            let _ = self.part.folder().remove(self.part.name());
        }
    }
}

#[cfg(test)]
mod tests {
    use std::{
        fs,
        io::Write,
        os::unix::fs::{MetadataExt, symlink},
        path::{Path, PathBuf},
    };

    use super::*;
    use crate::output::file::{location::Target, whole::WholeFile};

    fn location(path: &Path) -> Location {
        let Ok(Target::File(location)) = Target::of(path) else { panic!("{} is no file", path.display()) };
        location
    }

    fn old_file(folder: &tempfile::TempDir) -> PathBuf {
        let target = folder.path().join("a.png");
        fs::write(&target, "old").unwrap();
        target
    }

    #[test]
    fn an_incomplete_file_leaves_the_old_one_and_no_litter() {
        let folder = tempfile::tempdir().unwrap();
        let target = old_file(&folder);
        let part = PartFile::create(&location(&target)).unwrap();
        part.file().write_all(b"new").unwrap();
        drop(part);
        drop(WholeFile::create(&target).unwrap());
        assert_eq!(fs::read(&target).unwrap(), b"old");
        assert_eq!(fs::read_dir(folder.path()).unwrap().count(), 1);
    }

    #[test]
    fn a_complete_file_replaces_the_old_one() {
        let folder = tempfile::tempdir().unwrap();
        let target = old_file(&folder);
        WholeFile::create(&target).unwrap().complete(b"new").unwrap();
        assert_eq!(fs::read(&target).unwrap(), b"new");
        assert_eq!(fs::read_dir(folder.path()).unwrap().count(), 1);
    }

    #[test]
    fn what_a_killed_job_left_is_taken_over() {
        let folder = tempfile::tempdir().unwrap();
        fs::write(folder.path().join("a.png.part"), "half a file").unwrap();
        PartFile::create(&location(&folder.path().join("a.png"))).unwrap().complete().unwrap();
        assert_eq!(fs::read(folder.path().join("a.png")).unwrap(), b"");
    }

    #[test]
    fn what_a_job_kept_outlives_its_failure_and_is_continued() {
        let folder = tempfile::tempdir().unwrap();
        let target = folder.path().join("a.png");
        assert!(PartFile::reopen(&location(&target)).is_err(), "there is none yet");
        let mut part = PartFile::create(&location(&target)).unwrap();
        part.file().write_all(b"half").unwrap();
        part.keep();
        drop(part);
        let part = PartFile::reopen(&location(&target)).unwrap();
        assert_eq!(fs::read(folder.path().join("a.png.part")).unwrap(), b"half");
        drop(part);
        PartFile::reopen(&location(&target)).unwrap().complete().unwrap();
        assert_eq!(fs::read(&target).unwrap(), b"half");
    }

    #[test]
    fn a_part_that_somebody_replaced_is_not_given_the_name() {
        let folder = tempfile::tempdir().unwrap();
        let target = old_file(&folder);
        let part = PartFile::create(&location(&target)).unwrap();
        fs::remove_file(folder.path().join("a.png.part")).unwrap();
        fs::write(folder.path().join("a.png.part"), "another's").unwrap();
        assert!(part.complete().unwrap_err().to_string().contains("replaced"));
        assert_eq!(fs::read(&target).unwrap(), b"old");
        assert_eq!(fs::read(folder.path().join("a.png.part")).unwrap(), b"another's");
    }

    #[test]
    fn what_was_planted_is_not_followed_and_stays() {
        let folder = tempfile::tempdir().unwrap();
        let at = |name: &str| folder.path().join(name);
        fs::write(at("precious"), "precious").unwrap();
        for end in ["part", "lock"] {
            for plant in [|from: &Path, to: &Path| symlink(from, to), |from: &Path, to: &Path| fs::hard_link(from, to)]
            {
                let planted = at(&format!("a.png.{end}"));
                plant(&at("precious"), &planted).unwrap();
                let message = WholeFile::create(&at("a.png")).unwrap_err().to_string();
                assert!(message.contains(&planted.display().to_string()), "{message}");
                assert_eq!(fs::read(at("precious")).unwrap(), b"precious");
                fs::remove_file(planted).unwrap();
            }
        }
        assert_eq!(fs::read_dir(folder.path()).unwrap().count(), 1);
    }

    #[test]
    fn a_link_is_followed_to_the_place_of_its_target() {
        let folder = tempfile::tempdir().unwrap();
        let at = |name: &str| folder.path().join(name);
        fs::create_dir(at("sub")).unwrap();
        symlink("sub/b.png", at("a.png")).unwrap();
        for text in ["new", "newer"] {
            WholeFile::create(&at("a.png")).unwrap().complete(text.as_bytes()).unwrap();
            assert_eq!(fs::read_to_string(at("sub/b.png")).unwrap(), text);
        }
        assert!(fs::symlink_metadata(at("a.png")).unwrap().is_symlink());
        assert_eq!(fs::symlink_metadata(at("sub/b.png")).unwrap().nlink(), 1);
    }

    #[test]
    fn bad_paths_are_named_with_their_cause() {
        let folder = tempfile::tempdir().unwrap();
        symlink("round", folder.path().join("round")).unwrap();
        let long = "x".repeat(250);
        for (path, expected) in [
            (folder.path().to_owned(), "is a directory"),
            (folder.path().join("no/a.png"), "mkdir -p"),
            (folder.path().join("no/"), "names a folder"),
            (folder.path().join("no/.."), "names no file"),
            (folder.path().join("round"), "round in a circle"),
            (folder.path().join("round/a.png"), "symbolic links"),
            (folder.path().join(&long), "a name of 250 bytes leaves no room"),
            (folder.path().join(format!("{long}{long}")), "a name of 500 bytes is too long"),
        ] {
            let message = Target::of(&path).unwrap_err().to_string();
            assert!(message.contains(expected) && message.contains(&path.display().to_string()), "{message}");
        }
        for end in ["part", "journal", "lock"] {
            let message = Target::of(&folder.path().join(format!("a.{end}"))).unwrap_err().to_string();
            assert!(message.contains(&format!("names that end in .{end}")), "{message}");
        }
    }
}
