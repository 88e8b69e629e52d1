//! One job at a time for an output, from before it looks at what is there to after its last file has its name: `NAME.lock`
//! beside it.
//!
//! Where the file system has locks, the kernel holds it, and what a killed job leaves is held by nobody. Where it has none,
//! the file itself is the lock: it is created exclusively and names the host and the process that hold it. What a process of
//! this host has left, which is gone, is taken over; what another host has left is for the user to judge.

use crate::visible;
use std::{
    fs::{File, TryLockError},
    io::{self, ErrorKind, Read, Write},
    thread,
    time::{Duration, Instant},
};

use super::{
    folder::Access,
    holder::{Holder, Life},
    location::{LOCK, Location},
};
use crate::error::Error;

/// What a lock file says is far shorter.
const MOST_BYTES: u64 = 4096;
/// Somebody who has created the file is about to say so in it: how often that is looked for, and after which pause.
const LOOKS: usize = 50;
const PAUSE: Duration = Duration::from_millis(10);
/// Others may come and go while the lock is taken, but not without end.
const MOST_TRIES: usize = 100;

/// How long a job waits for another one that runs: the ranks of a job whose launcher has just ended, or was killed, may live for
/// a moment.
const PATIENCE: Duration = Duration::from_secs(3);

/// An output that no other job has while this is there.
#[derive(Debug)]
pub struct Lock {
    location: Location,
    /// Held by the kernel's lock on it, where there are locks.
    file: File,
}

impl Lock {
    /// Holds `output`; waits some seconds for a job that has it.
    ///
    /// # Errors
    /// [`Error::Output`] where another job has it still, or no lock file can be made beside it.
    pub fn take(output: &Location) -> Result<Self, Error> {
        let location = output.with(LOCK);
        let started = Instant::now();
        let mut tries = 0;
        while tries < MOST_TRIES {
            match attempt(&location, output) {
                Ok(Some(lock)) => return Ok(lock),
                Ok(None) => tries += 1,
                Err(error) if error.kind() == ErrorKind::ResourceBusy && started.elapsed() < PATIENCE => {
                    thread::sleep(PAUSE);
                }
                Err(source) => return Err(output.failed(source)),
            }
        }
        let (lock, claim) = (visible::shown(location.shown()), location.with(LOCK));
        Err(output.failed(io::Error::other(format!(
            "other jobs take {lock} over and over: if there are none, remove it and {}",
            visible::shown(claim.shown())
        ))))
    }
}

impl Lock {
    /// The open lock file, for a process that this one starts: where the file system has locks, no other job gets the output before
    /// that process has closed it too.
    ///
    /// # Errors
    /// Where this process may open no more files.
    pub fn share(&self) -> io::Result<File> {
        self.file.try_clone()
    }
}

impl Drop for Lock {
    fn drop(&mut self) {
        // Only what is still this job's: somebody may have removed it, to start another.
        if self.location.folder().names(self.location.name(), &self.file) {
            let _ = self.location.folder().remove(self.location.name());
        }
    }
}

/// Takes the lock if it is free; `None` where it has changed meanwhile.
fn attempt(location: &Location, output: &Location) -> io::Result<Option<Lock>> {
    let (mut file, is_new) = match location.folder().create(location.name()) {
        Ok(file) => (file, true),
        Err(error) if error.kind() == ErrorKind::AlreadyExists => {
            match location.folder().open_own(location.name(), Access::Write) {
                Ok(file) => (file, false),
                Err(error) if error.kind() == ErrorKind::NotFound => return Ok(None),
                Err(error) => return Err(error),
            }
        }
        Err(error) => return Err(error),
    };
    let locked = match file.try_lock() {
        Ok(()) => true,
        Err(TryLockError::WouldBlock) => return Err(held(location, output, read_patiently(&mut file).as_ref())),
        Err(TryLockError::Error(error)) if has_no_locks(&error) => false,
        Err(TryLockError::Error(error)) => return Err(error),
    };
    if locked && !location.folder().names(location.name(), &file) {
        // It was removed, by its last holder, between the opening and the lock.
        return Ok(None);
    }
    if !is_new && !is_abandoned(location, output, &mut file, locked)? {
        return Ok(None);
    }
    let holder = Holder::this(locked);
    if let Err(error) = write(&mut file, &holder) {
        // This job's alone, and it says nothing.
        let _ = location.folder().remove(location.name());
        return Err(error);
    }
    Ok(Some(Lock { location: location.clone(), file }))
}

/// Whether the file system, or the way to its server, knows no locks.
fn has_no_locks(error: &io::Error) -> bool {
    use rustix::io::Errno;
    let none = [Errno::OPNOTSUPP, Errno::NOTSUP, Errno::NOLCK, Errno::NOSYS, Errno::INVAL];
    none.iter().any(|none| error.raw_os_error() == Some(none.raw_os_error()))
}

/// Whether an earlier lock file, which is `locked` now or cannot be, is nobody's any more and this job's to write. One that is
/// nobody's and cannot be locked is removed, so that the next attempt creates it.
fn is_abandoned(location: &Location, output: &Location, file: &mut File, locked: bool) -> io::Result<bool> {
    let holder = if locked { read(file) } else { read_patiently(file) };
    if locked && holder.as_ref().is_none_or(|holder| holder.locked || holder.life() == Life::IsGone) {
        return Ok(true);
    }
    match holder {
        Some(holder) if holder.life() == Life::IsGone => {
            remove(location, &holder)?;
            Ok(false)
        }
        holder => Err(held(location, output, holder.as_ref())),
    }
}

/// Removes the lock file that `gone` has left, where there are no locks. Two jobs may be about to: the one that creates a
/// second file may remove the first, if that is still what `gone` has left.
fn remove(location: &Location, gone: &Holder) -> io::Result<()> {
    let claim = location.with(LOCK);
    match location.folder().create(claim.name()) {
        Ok(_) => {}
        Err(error) if error.kind() == ErrorKind::AlreadyExists => {
            thread::sleep(PAUSE);
            return Ok(());
        }
        Err(error) => return Err(error),
    }
    let named = location.folder().open_own(location.name(), Access::Write);
    let removed = match named.map(|mut file| read(&mut file)) {
        Ok(Some(holder)) if holder == *gone => location.folder().remove(location.name()),
        _ => Ok(()),
    };
    location.folder().remove(claim.name()).and(removed)
}

fn write(file: &mut File, holder: &Holder) -> io::Result<()> {
    file.set_len(0)?;
    io::Seek::rewind(file)?;
    file.write_all(&serde_json::to_vec(holder).expect("texts and numbers have a form in JSON"))
}

/// What the lock file says.
fn read(file: &mut File) -> Option<Holder> {
    let mut text = Vec::new();
    io::Seek::rewind(file).and_then(|()| Read::take(&*file, MOST_BYTES).read_to_end(&mut text)).ok()?;
    serde_json::from_slice(&text).ok()
}

/// As [`read`], where somebody may be about to write it.
fn read_patiently(file: &mut File) -> Option<Holder> {
    (0..LOOKS).find_map(|look| {
        if look > 0 {
            thread::sleep(PAUSE);
        }
        read(file)
    })
}

/// The refusal of an output that another job has.
fn held(location: &Location, output: &Location, holder: Option<&Holder>) -> io::Error {
    let who = holder.map_or_else(String::new, |holder| format!(" ({})", holder.words()));
    let (kind, way_out) = match holder {
        Some(holder) if holder.locked || holder.life() == Life::Runs => {
            (ErrorKind::ResourceBusy, "wait for its end, or take another name".to_owned())
        }
        _ => {
            (ErrorKind::Other, format!("wait for its end; if it is gone, remove {}", visible::shown(location.shown())))
        }
    };
    io::Error::new(kind, format!("another job{who} is writing {}: {way_out}", visible::shown(output.shown())))
}

#[cfg(test)]
mod tests {
    use std::{fs, path::PathBuf};

    use super::*;
    use crate::output::file::location::Target;

    fn location(folder: &tempfile::TempDir) -> (Location, PathBuf) {
        let path = folder.path().join("a.png");
        let Ok(Target::File(location)) = Target::of(&path) else { panic!("a new file") };
        (location, folder.path().join("a.png.lock"))
    }

    #[test]
    fn one_has_it_and_the_next_when_it_is_over() {
        let folder = tempfile::tempdir().unwrap();
        let (location, file) = location(&folder);
        let lock = Lock::take(&location).unwrap();
        let message = Lock::take(&location).unwrap_err().to_string();
        assert!(message.contains("another job (process "), "{message}");
        drop(lock);
        assert!(!file.exists());
        Lock::take(&location).unwrap();
    }

    #[test]
    fn a_job_that_ends_soon_is_waited_for() {
        let folder = tempfile::tempdir().unwrap();
        let (location, _) = location(&folder);
        let lock = Lock::take(&location).unwrap();
        thread::scope(|scope| {
            scope.spawn(|| {
                thread::sleep(20 * PAUSE);
                drop(lock);
            });
            Lock::take(&location).unwrap();
        });
    }

    fn left(file: &std::path::Path, holder: &Holder) {
        fs::write(file, serde_json::to_vec(holder).unwrap()).unwrap();
    }

    #[test]
    fn what_a_killed_job_left_is_taken_and_what_nobody_can_judge_is_not() {
        let folder = tempfile::tempdir().unwrap();
        let (location, file) = location(&folder);
        let this = Holder::this(false);
        let mut gone = serde_json::to_value(&this).unwrap();
        gone["began"] = "1".into();
        left(&file, &serde_json::from_value(gone.clone()).unwrap());
        drop(Lock::take(&location).unwrap());
        gone["locked"] = true.into();
        gone["boot"] = "another".into();
        left(&file, &serde_json::from_value(gone.clone()).unwrap());
        drop(Lock::take(&location).unwrap());
        // Where there are no locks, only the file says that it is held.
        gone["locked"] = false.into();
        left(&file, &serde_json::from_value(gone).unwrap());
        let message = Lock::take(&location).unwrap_err().to_string();
        assert!(message.contains("if it is gone, remove ") && message.contains("a.png.lock"), "{message}");
        left(&file, &this);
        assert!(Lock::take(&location).unwrap_err().to_string().contains("wait for its end"));
        assert!(file.exists());
    }

    #[test]
    fn of_many_at_once_one_has_it() {
        let folder = tempfile::tempdir().unwrap();
        let (location, _) = location(&folder);
        for _ in 0..20 {
            let barrier = std::sync::Barrier::new(8);
            let taken: Vec<_> = thread::scope(|scope| {
                let one = || {
                    barrier.wait();
                    Lock::take(&location).ok()
                };
                let threads: Vec<_> = (0..8).map(|_| scope.spawn(one)).collect();
                threads.into_iter().map(|thread| thread.join().unwrap()).collect()
            });
            assert_eq!(taken.iter().flatten().count(), 1);
        }
    }
}
