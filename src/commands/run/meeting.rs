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

use crate::output::file::folder::{Access, Folder};

/// Between two looks at the file.
const PAUSE: Duration = Duration::from_millis(2);

/// Memory that the processes of a node share, where Linux has it.
const SHARED: &str = "/dev/shm";

/// What stands in the file.
#[derive(Serialize, Deserialize)]
struct Told<T> {
    /// What each process has told, by its number on the node.
    by: Vec<Option<T>>,
    /// Whose words these are: a process that comes again has another number.
    pids: Vec<Option<u32>>,
    /// How many have read all of it.
    readers: usize,
}

/// A place to meet.
#[derive(Debug)]
pub(super) struct Meeting {
    folder: Folder,
    name: OsString,
}

impl Meeting {
    /// The one of processes that have the variable `rank` of a launcher, and these names of their job, in common; one for each matter.
    ///
    /// # Errors
    /// What the operating system says.
    pub(super) fn of_job(rank: &str, job: &[String], matter: &str) -> io::Result<Self> {
        let folder = if Path::new(SHARED).is_dir() { PathBuf::from(SHARED) } else { std::env::temp_dir() };
        let (pid, began) = launcher(rank)?;
        let space = fs::read_link("/proc/self/ns/pid")?;
        let user = rustix::process::geteuid().as_raw();
        let words = [user.to_string(), space.to_string_lossy().into_owned(), pid.to_string(), began.to_string()];
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
    /// Others that have not come in time; a file that is not this user's, or not one of these.
    pub(super) fn tell<T: Serialize + DeserializeOwned>(
        &self,
        number: usize,
        of: usize,
        mine: &T,
        patience: Duration,
    ) -> io::Result<Vec<T>> {
        let started = Instant::now();
        let mut has_told = false;
        loop {
            let outcome = self.look(number, of, mine, &mut has_told)?;
            match outcome {
                Look::Complete(all) => return Ok(all),
                Look::Open { missing } if started.elapsed() > patience => {
                    self.withdraw::<T>(number);
                    return Err(io::Error::new(ErrorKind::TimedOut, missing));
                }
                Look::Open { .. } => thread::sleep(PAUSE),
            }
        }
    }

    /// Tells what has not been told, and hears.
    fn look<T: Serialize + DeserializeOwned>(
        &self,
        number: usize,
        of: usize,
        mine: &T,
        has_told: &mut bool,
    ) -> io::Result<Look<T>> {
        let waits = |missing: &str| Ok(Look::Open { missing: missing.to_owned() });
        let Some(mut file) = self.locked(true)? else { return waits("the others hold what they tell each other") };
        let mut told = match self.read::<T>(&mut file)? {
            Some(told) => told,
            // It is new, or what this process told was removed with it.
            None => Told { by: (0..of).map(|_| None).collect(), pids: vec![None; of], readers: 0 },
        };
        if told.by.len() != of || told.pids.len() != of {
            return Err(io::Error::other(format!(
                "the launcher tells this process of {of} on this node, and another one of {}",
                told.by.len()
            )));
        }
        let me = std::process::id();
        if told.pids[number].is_some_and(|pid| pid != me) && told.by.iter().all(Option::is_some) {
            return waits("the others are still at what they told each other before");
        }
        if !*has_told {
            (told.by[number], told.pids[number]) = (Some(again(mine)?), Some(me));
            *has_told = true;
        }
        let missing: Vec<String> = told
            .by
            .iter()
            .enumerate()
            .filter(|(_, told)| told.is_none())
            .map(|(number, _)| number.to_string())
            .collect();
        if missing.is_empty() {
            told.readers += 1;
            if told.readers == of {
                self.folder.remove(&self.name)?;
            } else {
                write(&mut file, &told)?;
            }
            return Ok(Look::Complete(told.by.into_iter().flatten().collect()));
        }
        write(&mut file, &told)?;
        waits(&format!(
            "of {of} processes that the launcher started on this node number {} has not come",
            missing.join(", ")
        ))
    }

    /// Takes back what this process told, so that nobody starts without it.
    fn withdraw<T: Serialize + DeserializeOwned>(&self, number: usize) {
        let Ok(Some(mut file)) = self.locked(false) else { return };
        let Ok(Some(mut told)) = self.read::<T>(&mut file) else { return };
        if let Some(mine) = told.by.get_mut(number) {
            *mine = None;
        }
        let _ = match told.by.iter().any(Option::is_some) {
            true => write(&mut file, &told),
            false => self.folder.remove(&self.name),
        };
    }

    /// The file, held against the others; `None` where they hold it, or have just removed it.
    fn locked(&self, make: bool) -> io::Result<Option<File>> {
        let name: &OsStr = &self.name;
        let file = match self.folder.open_own(name, Access::Write) {
            Err(error) if error.kind() == ErrorKind::NotFound && make => match self.folder.create(name) {
                Err(error) if error.kind() == ErrorKind::AlreadyExists => return Ok(None),
                made => made?,
            },
            Err(error) if error.kind() == ErrorKind::NotFound => return Ok(None),
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

/// What a look at the file came to.
enum Look<T> {
    Complete(Vec<T>),
    Open { missing: String },
}

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

/// The process that the launcher started those of this node by, and when it began: the nearest ancestor that is itself none of the
/// job's, as those are that stand between, such as a shell.
fn launcher(rank: &str) -> io::Result<(u32, u64)> {
    let mark = format!("{rank}=");
    let mut pid = parent_id();
    loop {
        let stat = Stat::of(pid)?;
        let environment = fs::read(format!("/proc/{pid}/environ")).unwrap_or_default();
        let is_of_job = environment.split(|&byte| byte == 0).any(|setting| setting.starts_with(mark.as_bytes()));
        if !is_of_job || stat.parent == 0 {
            return Ok((pid, stat.began));
        }
        pid = stat.parent;
    }
}

/// What the kernel tells of a process (proc(5), /proc/PID/stat).
#[derive(Debug, PartialEq, Eq)]
struct Stat {
    parent: u32,
    /// In ticks since the machine was started.
    began: u64,
}

impl Stat {
    fn of(pid: u32) -> io::Result<Self> {
        let text = fs::read_to_string(format!("/proc/{pid}/stat"))?;
        Self::read(&text).ok_or_else(|| io::Error::other(format!("/proc/{pid}/stat has another form than is known")))
    }

    /// The name in it, in parentheses, may have blanks and parentheses itself.
    fn read(text: &str) -> Option<Self> {
        let (_, rest) = text.rsplit_once(')')?;
        let fields: Vec<&str> = rest.split_whitespace().collect();
        Some(Self { parent: fields.get(1)?.parse().ok()?, began: fields.get(19)?.parse().ok()? })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn meeting(folder: &Path) -> Meeting {
        Meeting { folder: Folder::open(folder).unwrap(), name: "here".into() }
    }

    #[test]
    fn all_hear_what_all_tell_and_nothing_is_left() {
        let folder = tempfile::tempdir().unwrap();
        let place = meeting(folder.path());
        let told = |number: usize| Some(vec![number; 3]).map(|words| (number, words)).unwrap();
        // Threads are one process, which comes again and again: their own numbers stand in for processes'.
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
    fn who_does_not_come_is_named_and_nothing_is_left() {
        let folder = tempfile::tempdir().unwrap();
        let error = meeting(folder.path()).tell(1, 3, &"here".to_owned(), Duration::from_millis(30)).unwrap_err();
        assert!(error.to_string().contains("number 0, 2 has not come"), "{error}");
        assert_eq!(fs::read_dir(folder.path()).unwrap().count(), 0);
    }

    #[test]
    fn a_file_of_others_is_named_and_left_as_it_is() {
        let folder = tempfile::tempdir().unwrap();
        let precious = folder.path().join("precious");
        fs::write(&precious, "precious").unwrap();
        std::os::unix::fs::symlink(&precious, folder.path().join("here")).unwrap();
        let tell = || meeting(folder.path()).tell(0, 1, &1, Duration::from_millis(30));
        assert!(tell().unwrap_err().to_string().contains("a symbolic link"));
        fs::remove_file(folder.path().join("here")).unwrap();
        fs::write(folder.path().join("here"), "not of this program").unwrap();
        assert!(tell().unwrap_err().to_string().contains("remove it"));
        assert_eq!(fs::read_to_string(precious).unwrap(), "precious");
    }

    #[test]
    fn processes_that_were_told_of_another_number_are_refused() {
        let folder = tempfile::tempdir().unwrap();
        let place = meeting(folder.path());
        let first = thread::scope(|scope| {
            let first = scope.spawn(|| place.tell(0, 2, &0, Duration::from_millis(300)));
            thread::sleep(Duration::from_millis(100));
            let error = place.tell(1, 3, &1, Duration::from_millis(300)).unwrap_err();
            assert!(error.to_string().contains("of 3 on this node, and another one of 2"), "{error}");
            first.join().unwrap()
        });
        assert!(first.is_err());
    }

    #[test]
    fn the_kernels_words_on_a_process_are_read_whatever_its_name() {
        let text = "7 (a) b (c)) S 3 7 7 0 -1 4194560 1 2 3 4 5 6 7 8 20 0 1 0 4242 9 9";
        assert_eq!(Stat::read(text), Some(Stat { parent: 3, began: 4242 }));
        assert_eq!(Stat::read("7 a"), None);
        assert_eq!(Stat::of(std::process::id()).unwrap().parent, parent_id());
    }
}
