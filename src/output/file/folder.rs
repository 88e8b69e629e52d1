//! A folder that stays the same whatever happens to its name, and what is done to the files in it: by descriptor, without
//! following links, and only to plain files of this user. What others have put in the way is named and left alone.

use crate::visible;
use std::{
    ffi::OsStr,
    fs::File,
    io,
    path::{Path, PathBuf},
    sync::OnceLock,
};

use rustix::{
    fd::OwnedFd,
    fs::{self, AtFlags, CWD, FileType, Mode, OFlags, Stat},
    io::Errno,
};

/// A folder only has to be found to work in it, not to be read.
#[cfg(target_os = "linux")]
const FOLDER: OFlags = OFlags::PATH.union(OFlags::DIRECTORY).union(OFlags::CLOEXEC);
#[cfg(not(target_os = "linux"))]
const FOLDER: OFlags = OFlags::DIRECTORY.union(OFlags::CLOEXEC);
/// No link is followed, and no pipe waited for.
const EXISTING: OFlags = OFlags::NOFOLLOW.union(OFlags::NONBLOCK).union(OFlags::CLOEXEC);
const NEW: OFlags =
    OFlags::RDWR.union(OFlags::CREATE).union(OFlags::EXCL).union(OFlags::NOFOLLOW).union(OFlags::CLOEXEC);
/// What the user's mask leaves of it is the mode of a new file.
const MODE: Mode = Mode::from_raw_mode(0o666);

/// What a file that is there is opened for.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Access {
    /// To be read.
    Read,
    /// To be read and written in place: such a file has one name only.
    Write,
}

/// An open folder.
#[derive(Debug)]
pub struct Folder {
    folder: OwnedFd,
    path: PathBuf,
    stat: Stat,
    /// Whom a file that this user makes here belongs to: not always this user, on network file systems.
    user: OnceLock<u32>,
}

impl Folder {
    /// Opens the folder at `path`.
    ///
    /// # Errors
    /// What the operating system says.
    pub fn open(path: &Path) -> io::Result<Self> {
        let folder = fs::openat(CWD, path, FOLDER, Mode::empty())?;
        let stat = fs::fstat(&folder)?;
        Ok(Self { folder, path: path.to_owned(), stat, user: OnceLock::new() })
    }

    /// As the user or a link named it.
    #[must_use]
    pub fn path(&self) -> &Path {
        &self.path
    }

    /// Device and number, the same for all names of a folder.
    #[must_use]
    #[allow(clippy::unnecessary_cast, reason = "of other widths on other systems")]
    pub fn identity(&self) -> (u64, u64) {
        (self.stat.st_dev as u64, self.stat.st_ino as u64)
    }

    /// The open folder.
    #[must_use]
    pub fn descriptor(&self) -> &OwnedFd {
        &self.folder
    }

    /// What is known of `name`, without following it; `None` where there is nothing.
    ///
    /// # Errors
    /// What the operating system says.
    pub fn stat(&self, name: &OsStr) -> io::Result<Option<Stat>> {
        match fs::statat(&self.folder, name, AtFlags::SYMLINK_NOFOLLOW) {
            Ok(stat) => Ok(Some(stat)),
            Err(Errno::NOENT) => Ok(None),
            Err(error) => Err(error.into()),
        }
    }

    /// Whether a link of user `owner` in this folder may be followed. In a folder that everybody may write to, only those of
    /// this user and of the folder's owner: the rule of Linux's `protected_symlinks`.
    #[must_use]
    pub fn trusts_links_of(&self, owner: u32) -> bool {
        let for_all = Mode::from_raw_mode(self.stat.st_mode).contains(Mode::WOTH);
        !for_all || owner == self.stat.st_uid || owner == rustix::process::geteuid().as_raw()
    }

    /// Where the link `name` leads.
    ///
    /// # Errors
    /// What the operating system says.
    pub fn read_link(&self, name: &OsStr) -> io::Result<PathBuf> {
        use std::os::unix::ffi::OsStringExt;
        let target = fs::readlinkat(&self.folder, name, Vec::new())?;
        Ok(std::ffi::OsString::from_vec(target.into_bytes()).into())
    }

    /// Creates `name`, which must not be there, for reading and writing.
    ///
    /// # Errors
    /// What the operating system says.
    pub fn create(&self, name: &OsStr) -> io::Result<File> {
        let file = fs::openat(&self.folder, name, NEW, MODE)?;
        if let Ok(made) = fs::fstat(&file) {
            self.user.get_or_init(|| made.st_uid);
        }
        Ok(file.into())
    }

    /// The same, and for nobody else to read or write, whatever the user's mask lets pass.
    ///
    /// # Errors
    /// What the operating system says.
    pub fn create_private(&self, name: &OsStr) -> io::Result<File> {
        Ok(fs::openat(&self.folder, name, NEW, Mode::RUSR | Mode::WUSR)?.into())
    }

    /// Opens `name`, which must be a plain file of this user.
    ///
    /// # Errors
    /// What the operating system says, or what the file is instead.
    pub fn open_own(&self, name: &OsStr, access: Access) -> io::Result<File> {
        let stat = fs::statat(&self.folder, name, AtFlags::SYMLINK_NOFOLLOW)?;
        self.judge(name, &stat, access)?;
        let mode = if access == Access::Write { OFlags::RDWR } else { OFlags::RDONLY };
        let file: File = fs::openat(&self.folder, name, EXISTING | mode, Mode::empty())?.into();
        // The name may have got another file between the two calls.
        self.judge(name, &fs::fstat(&file)?, access)?;
        Ok(file)
    }

    fn judge(&self, name: &OsStr, stat: &Stat, access: Access) -> io::Result<()> {
        let user = rustix::process::geteuid().as_raw();
        let fault = if FileType::from_raw_mode(stat.st_mode) != FileType::RegularFile {
            format!("is {}, and no plain file", kind_of(stat))
        } else if stat.st_uid != user && self.user.get() != Some(&stat.st_uid) {
            format!("belongs to user {}, and this is user {user}", stat.st_uid)
        } else if stat.st_nlink > 1 && access == Access::Write {
            format!("has {} names (hard links)", stat.st_nlink)
        } else {
            return Ok(());
        };
        let shown = self.path_of(name);
        Err(io::Error::other(format!("{} {fault}: remove it, or take another name", visible::shown(&shown))))
    }

    /// Gives the file `from` the name `to`, in place of what has it.
    ///
    /// # Errors
    /// What the operating system says.
    pub fn rename(&self, from: &OsStr, to: &OsStr) -> io::Result<()> {
        Ok(fs::renameat(&self.folder, from, &self.folder, to)?)
    }

    /// Removes the file `name`.
    ///
    /// # Errors
    /// What the operating system says.
    pub fn remove(&self, name: &OsStr) -> io::Result<()> {
        Ok(fs::unlinkat(&self.folder, name, AtFlags::empty())?)
    }

    /// Makes the names safe against a power cut. Not all file systems can sync a folder, and there is no other way.
    pub fn sync(&self) {
        let folder = fs::openat(&self.folder, ".", OFlags::DIRECTORY | OFlags::CLOEXEC, Mode::empty());
        let _ = folder.and_then(fs::fsync);
    }

    /// Whether `file` is still what `name` names.
    #[must_use]
    pub fn names(&self, name: &OsStr, file: &File) -> bool {
        let named = fs::statat(&self.folder, name, AtFlags::SYMLINK_NOFOLLOW);
        named.is_ok_and(|named| {
            fs::fstat(file).is_ok_and(|open| (open.st_dev, open.st_ino) == (named.st_dev, named.st_ino))
        })
    }

    /// The path of `name`, as short as the user gave it.
    #[must_use]
    pub fn path_of(&self, name: &OsStr) -> PathBuf {
        if self.path == Path::new(".") { name.into() } else { self.path.join(name) }
    }
}

/// What `stat` describes, with its article.
#[must_use]
pub fn kind_of(stat: &Stat) -> &'static str {
    match FileType::from_raw_mode(stat.st_mode) {
        FileType::RegularFile => "a plain file",
        FileType::Directory => "a folder",
        FileType::Symlink => "a symbolic link",
        FileType::Fifo => "a pipe",
        FileType::Socket => "a socket",
        FileType::CharacterDevice | FileType::BlockDevice => "a device",
        FileType::Unknown => "something unknown",
    }
}

#[cfg(test)]
mod tests {
    use std::os::unix::fs::symlink;

    use super::*;

    #[test]
    fn what_is_no_plain_file_of_one_name_is_named_and_left_alone() {
        let temporary = tempfile::tempdir().unwrap();
        let at = |name: &str| temporary.path().join(name);
        std::fs::write(at("precious"), "precious").unwrap();
        symlink("precious", at("link")).unwrap();
        std::fs::hard_link(at("precious"), at("hard")).unwrap();
        std::fs::create_dir(at("folder")).unwrap();
        fs::mkfifoat(CWD, at("pipe"), MODE).unwrap();
        let folder = Folder::open(temporary.path()).unwrap();
        for (name, expected) in
            [("link", "a symbolic link"), ("hard", "2 names"), ("folder", "a folder"), ("pipe", "a pipe")]
        {
            let message = folder.open_own(OsStr::new(name), Access::Write).unwrap_err().to_string();
            assert!(message.contains(expected) && message.contains(name), "{message}");
            assert_eq!(folder.create(OsStr::new(name)).unwrap_err().kind(), io::ErrorKind::AlreadyExists);
        }
        assert!(folder.open_own(OsStr::new("hard"), Access::Read).is_ok(), "it is not written to");
        assert_eq!(std::fs::read(at("precious")).unwrap(), b"precious");
    }
}
