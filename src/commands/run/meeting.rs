//! Where the processes of a node meet that know each other by their launcher's variables alone: a small file in memory that each
//! writes to, that all read once it is complete, and that the last reader removes. Knows nothing of what they tell each other.
//!
//! The file is called by the process that started them all, the daemon of the launcher on this node, and by when that one began: no
//! later job comes upon what a killed one has left. It is opened as outputs are: no link is followed, and only a plain file of
//! this user is taken.

use std::{
    ffi::{OsStr, OsString},
    fs::{self, File, TryLockError},
    io::{self, ErrorKind, Read, Seek, Write},
    os::unix::process::parent_id,
    path::{Path, PathBuf},
    thread,
    time::{Duration, Instant},
};

use serde::{Deserialize, Serialize, de::DeserializeOwned};

use crate::output::file::{
    folder::{Access, Folder},
    process::{Stat, pid_namespace},
};

/// How long a process that is not stopped may hold the file, on a machine that is busy with others.
const LONGEST_HOLD: Duration = Duration::from_secs(2);

/// Between two looks at the file.
const PAUSE: Duration = Duration::from_millis(2);

/// Memory that the processes of a node share, where Linux has it.
const SHARED: &str = "/dev/shm";

/// What stands in the file.
#[derive(Serialize, Deserialize)]
struct Told<T> {
    /// What each process has told, by its number on the node.
    by: Vec<Option<Word<T>>>,
    /// Whether all have told at one time: from then on all may go, and what they told stays.
    is_complete: bool,
}

/// What a process tells.
#[derive(Serialize, Deserialize)]
struct Word<T> {
    told: T,
    of: Process,
    /// Whether it has heard all others.
    has_heard: bool,
    /// Whether it has waited long enough.
    gave_up: bool,
}

/// A process, and no other that has its number later.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
struct Process {
    pid: u32,
    began: u64,
}

impl Process {
    fn of(pid: u32) -> Self {
        Self { pid, began: Stat::of(pid).map_or(0, |stat| stat.began) }
    }

    fn is_alive(self) -> bool {
        Stat::of(self.pid).is_some_and(|stat| stat.began == self.began)
    }
}

/// Why processes have not met.
#[derive(Debug)]
pub(super) enum NotMet {
    /// Some have not come in time; `None` where another one tells of it.
    Missing(Option<String>),
    /// What the operating system says, or what is in the way.
    Failed(io::Error),
}

impl From<io::Error> for NotMet {
    fn from(error: io::Error) -> Self {
        Self::Failed(error)
    }
}

/// A place to meet.
#[derive(Debug)]
pub(super) struct Meeting {
    folder: Folder,
    name: OsString,
}

/// What a look at the file came to.
enum Look<T> {
    /// All have told.
    Complete(Vec<T>),
    /// Somebody has still to come: who.
    Open(String),
    /// Somebody else has waited long enough.
    GivenUp,
    /// Another process holds the file, in words. They hold it for moments, so this says nothing of who has come.
    Held(String),
}

impl Meeting {
    /// The one of processes that have this variable of a launcher, and these names of their job, in common; one for each matter.
    /// `daemons` are the names of the launcher's processes.
    ///
    /// # Errors
    /// What the operating system says.
    pub(super) fn of_job(rank: &str, daemons: &[&str], job: &[String], matter: &str) -> io::Result<Self> {
        let folder = if Path::new(SHARED).is_dir() { PathBuf::from(SHARED) } else { std::env::temp_dir() };
        let Process { pid, began } = launcher(rank, daemons);
        let user = rustix::process::geteuid().as_raw();
        let words = [user.to_string(), pid_namespace(), pid.to_string(), began.to_string()];
        let plain = |c: char| if c.is_ascii_alphanumeric() { c } else { '_' };
        let matter = Some(matter.to_owned()).filter(|matter| !matter.is_empty());
        let words = words.iter().chain(job).chain(&matter).map(|word| word.chars().map(plain).collect::<String>());
        let name = ["hybrid-run".to_owned()].into_iter().chain(words).collect::<Vec<_>>().join(".");
        Ok(Self { folder: Folder::open(&folder)?, name: name.into() })
    }

    /// Tells the others `mine` and hears what all of them tell, in the order of their numbers. `number` is this process's, `of` is how
    /// many there are.
    ///
    /// # Errors
    /// Others that have not come in time, of which the first tells that gives up; a file that is not this user's, or not one of these.
    pub(super) fn tell<T: Serialize + DeserializeOwned>(
        &self,
        number: usize,
        of: usize,
        mine: &T,
        patience: Duration,
    ) -> Result<Vec<T>, NotMet> {
        let started = Instant::now();
        loop {
            let is_late = started.elapsed() > patience;
            match self.look(number, of, mine, is_late)? {
                Look::Complete(all) => return Ok(all),
                Look::GivenUp => return Err(NotMet::Missing(None)),
                Look::Open(missing) if is_late => return Err(NotMet::Missing(Some(missing))),
                Look::Held(holder) if started.elapsed() > patience + LONGEST_HOLD => {
                    return Err(NotMet::Missing(Some(holder)));
                }
                Look::Open(_) | Look::Held(_) => thread::sleep(PAUSE),
            }
        }
    }

    /// Tells what has not been told, and hears; where it is late, gives up for all.
    fn look<T: Serialize + DeserializeOwned>(
        &self,
        number: usize,
        of: usize,
        mine: &T,
        is_late: bool,
    ) -> io::Result<Look<T>> {
        let Some(mut file) = self.locked()? else {
            let name = self.folder.path_of(&self.name);
            return Ok(Look::Held(format!(
                "another process holds {}, over which the processes of this node meet",
                name.display()
            )));
        };
        let fresh = || Told { by: (0..of).map(|_| None).collect(), is_complete: false };
        let mut told = self.read::<T>(&mut file)?.unwrap_or_else(fresh);
        if told.by.len() != of {
            return Err(io::Error::other(format!(
                "the launcher tells this process of {of} on this node, and another one of {}",
                told.by.len()
            )));
        }
        let me = Process::of(std::process::id());
        let mine_before = told.by[number].as_ref().map(|word| (word.of, word.has_heard));
        match mine_before {
            // Of a job that was killed, whose processes are gone: nobody hears it any more.
            Some((other, _)) if other != me && !other.is_alive() => told = fresh(),
            // The ones before this one, or this one before it became this program, have still to be heard.
            Some((other, has_heard)) if other != me || has_heard => {
                return Ok(Look::Open("the others are still at what they told each other before".to_owned()));
            }
            _ => {}
        }
        if !told.is_complete {
            // Whoever is gone before all have come does not take part.
            told.by.iter_mut().for_each(|word| drop(word.take_if(|word| !word.of.is_alive())));
            told.by[number].get_or_insert(Word { told: again(mine)?, of: me, has_heard: false, gave_up: false });
        }
        let missing: Vec<String> = told
            .by
            .iter()
            .enumerate()
            .filter(|(_, word)| word.is_none())
            .map(|(number, _)| number.to_string())
            .collect();
        if missing.is_empty() {
            return self.hear(&mut file, told, number);
        }
        if told.by.iter().flatten().any(|word| word.gave_up) {
            self.leave(&mut file, told, number)?;
            return Ok(Look::GivenUp);
        }
        let missing = format!(
            "of {of} processes that the launcher started on this node number {} has not come",
            missing.join(", ")
        );
        if is_late {
            self.leave(&mut file, told, number)?;
        } else {
            write(&mut file, &told)?;
        }
        Ok(Look::Open(missing))
    }

    /// Hears all, and removes the file as the last one.
    fn hear<T: Serialize>(&self, file: &mut File, mut told: Told<T>, number: usize) -> io::Result<Look<T>> {
        told.is_complete = true;
        told.by[number].iter_mut().for_each(|word| word.has_heard = true);
        if told.by.iter().flatten().all(|word| word.has_heard) {
            self.folder.remove(&self.name)?;
        } else {
            write(file, &told)?;
        }
        Ok(Look::Complete(told.by.into_iter().flatten().map(|word| word.told).collect()))
    }

    /// Gives up, and removes the file as the last one.
    fn leave<T: Serialize>(&self, file: &mut File, mut told: Told<T>, number: usize) -> io::Result<()> {
        told.by[number].iter_mut().for_each(|word| word.gave_up = true);
        if told.by.iter().flatten().all(|word| word.gave_up) {
            return self.folder.remove(&self.name);
        }
        write(file, &told)
    }

    /// The file, held against the others; `None` where they hold it, or have just removed it.
    fn locked(&self) -> io::Result<Option<File>> {
        let name: &OsStr = &self.name;
        let file = match self.folder.open_own(name, Access::Write) {
            Err(error) if error.kind() == ErrorKind::NotFound => match self.folder.create_private(name) {
                Err(error) if error.kind() == ErrorKind::AlreadyExists => return Ok(None),
                made => made?,
            },
            opened => opened?,
        };
        match file.try_lock() {
            Ok(()) => Ok(Some(file).filter(|file| self.folder.names(name, file))),
            Err(TryLockError::WouldBlock) => Ok(None),
            Err(TryLockError::Error(error)) => Err(error),
        }
    }

    /// What stands in the file; `None` of a new one.
    fn read<T: DeserializeOwned>(&self, file: &mut File) -> io::Result<Option<Told<T>>> {
        let mut bytes = Vec::new();
        file.rewind()?;
        file.take(MOST_BYTES).read_to_end(&mut bytes)?;
        if bytes.is_empty() {
            return Ok(None);
        }
        let path = self.folder.path_of(&self.name);
        serde_json::from_slice(&bytes).map(Some).map_err(|_| {
            io::Error::other(format!("what stands in {} is not of this program: remove it", path.display()))
        })
    }
}

/// Far more than the processes of a node have to tell.
const MOST_BYTES: u64 = 64 << 20;

/// A value as the others read it.
fn again<T: Serialize + DeserializeOwned>(value: &T) -> io::Result<T> {
    serde_json::from_value(serde_json::to_value(value)?).map_err(io::Error::from)
}

fn write<T: Serialize>(file: &mut File, told: &Told<T>) -> io::Result<()> {
    let bytes = serde_json::to_vec(told)?;
    file.rewind()?;
    file.set_len(0)?;
    file.write_all(&bytes)
}

/// The process by which the launcher started those of this node: the nearest ancestor that has the name of one of its daemons, or is
/// itself none of the job's, as those are that stand between, such as a shell. Where the system hides it, its number has to do.
fn launcher(rank: &str, daemons: &[&str]) -> Process {
    let mark = format!("{rank}=");
    let mut pid = parent_id();
    loop {
        let Some(stat) = Stat::of(pid) else { return Process { pid, began: 0 } };
        let name = fs::read_to_string(format!("/proc/{pid}/comm")).unwrap_or_default();
        let is_daemon = daemons.iter().any(|daemon| name.starts_with(daemon));
        let environment = fs::read(format!("/proc/{pid}/environ")).unwrap_or_default();
        let is_of_job = environment.split(|&byte| byte == 0).any(|setting| setting.starts_with(mark.as_bytes()));
        if is_daemon || !is_of_job || stat.parent == 0 {
            return Process { pid, began: stat.began };
        }
        pid = stat.parent;
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn meeting(folder: &Path) -> Meeting {
        Meeting { folder: Folder::open(folder).unwrap(), name: "here".into() }
    }

    fn error(outcome: Result<Vec<i32>, NotMet>) -> String {
        match outcome.unwrap_err() {
            NotMet::Missing(words) => words.unwrap_or_else(|| "another one tells".to_owned()),
            NotMet::Failed(error) => error.to_string(),
        }
    }

    const SHORT: Duration = Duration::from_millis(30);

    #[test]
    fn all_hear_what_all_tell_and_nothing_is_left() {
        let folder = tempfile::tempdir().unwrap();
        let place = meeting(folder.path());
        let told = |number: usize| (number, vec![number; 3]);
        let heard: Vec<_> = thread::scope(|scope| {
            let place = &place;
            let all: Vec<_> = (0..5)
                .map(|number| {
                    scope.spawn(move || place.tell(number, 5, &told(number), Duration::from_secs(20)).unwrap())
                })
                .collect();
            all.into_iter().map(|one| one.join().unwrap()).collect()
        });
        let expected: Vec<_> = (0..5).map(told).collect();
        assert!(heard.iter().all(|heard| *heard == expected), "{heard:?}");
        assert_eq!(fs::read_dir(folder.path()).unwrap().count(), 0);
    }

    #[test]
    fn who_does_not_come_is_named_once_and_nothing_is_left() {
        let folder = tempfile::tempdir().unwrap();
        let place = meeting(folder.path());
        let mut said: Vec<String> = thread::scope(|scope| {
            let place = &place;
            let all = [1, 3].map(|number| scope.spawn(move || error(place.tell(number, 4, &0, SHORT))));
            all.into_iter().map(|one| one.join().unwrap()).collect()
        });
        said.sort();
        assert_eq!(said[0], "another one tells");
        assert!(said[1].contains("number 0, 2 has not come"), "{said:?}");
        assert_eq!(fs::read_dir(folder.path()).unwrap().count(), 0);
    }

    #[test]
    fn what_a_killed_job_has_left_is_not_heard() {
        let folder = tempfile::tempdir().unwrap();
        let mut gone = std::process::Command::new("sleep").arg("100").spawn().unwrap();
        let of = Process::of(gone.id());
        gone.kill().unwrap();
        gone.wait().unwrap();
        let word = |told| Some(Word { told, of, has_heard: false, gave_up: false });
        for (by, is_complete) in [(vec![word(7), None], false), (vec![word(7), word(8)], true)] {
            let mut file = File::create(folder.path().join("here")).unwrap();
            write(&mut file, &Told { by, is_complete }).unwrap();
            let said = error(meeting(folder.path()).tell(1, 2, &1, SHORT));
            assert!(said.contains("number 0 has not come"), "{said}");
            assert_eq!(fs::read_dir(folder.path()).unwrap().count(), 0);
        }
    }

    #[test]
    fn a_process_that_comes_again_waits_until_all_have_heard_it_before() {
        let folder = tempfile::tempdir().unwrap();
        let me = Process::of(std::process::id());
        let word = |has_heard| Some(Word { told: 1, of: me, has_heard, gave_up: false });
        let mut file = File::create(folder.path().join("here")).unwrap();
        write(&mut file, &Told { by: vec![word(true), word(false)], is_complete: true }).unwrap();
        let said = error(meeting(folder.path()).tell(0, 2, &1, SHORT));
        assert!(said.contains("told each other before"), "{said}");
        assert_eq!(meeting(folder.path()).tell(1, 2, &2, SHORT).unwrap(), [1, 1]);
        assert_eq!(fs::read_dir(folder.path()).unwrap().count(), 0, "the last one removes it");
    }

    #[test]
    fn nobody_else_can_read_or_write_the_file() {
        use std::os::unix::fs::PermissionsExt;
        let folder = tempfile::tempdir().unwrap();
        let place = meeting(folder.path());
        let file = place.locked().unwrap().unwrap();
        assert_eq!(file.metadata().unwrap().permissions().mode() & 0o777, 0o600);
        assert!(place.locked().unwrap().is_none(), "it is held");
        let said = error(place.tell(0, 2, &1, SHORT));
        assert!(said.contains("another process holds") && said.contains("here"), "{said}");
    }

    #[test]
    fn a_file_of_others_is_named_and_left_as_it_is() {
        let folder = tempfile::tempdir().unwrap();
        let precious = folder.path().join("precious");
        fs::write(&precious, "precious").unwrap();
        std::os::unix::fs::symlink(&precious, folder.path().join("here")).unwrap();
        let tell = || error(meeting(folder.path()).tell(0, 1, &1, SHORT));
        assert!(tell().contains("a symbolic link"));
        fs::remove_file(folder.path().join("here")).unwrap();
        fs::write(folder.path().join("here"), "not of this program").unwrap();
        assert!(tell().contains("remove it"));
        assert_eq!(fs::read_to_string(precious).unwrap(), "precious");
    }

    #[test]
    fn processes_that_were_told_of_another_number_are_refused() {
        let folder = tempfile::tempdir().unwrap();
        let place = meeting(folder.path());
        thread::scope(|scope| {
            let first = scope.spawn(|| place.tell(0, 2, &0, Duration::from_millis(300)));
            thread::sleep(Duration::from_millis(100));
            let said = error(place.tell(1, 3, &1, Duration::from_millis(300)));
            assert!(said.contains("of 3 on this node, and another one of 2"), "{said}");
            assert!(first.join().unwrap().is_err());
        });
    }
}
