//! Where an output goes: the folder and the name that a path comes to, once its links are followed, and what is there.

use crate::visible;
use std::{
    ffi::{OsStr, OsString},
    io,
    os::unix::ffi::OsStrExt,
    path::{Path, PathBuf},
    sync::Arc,
};

use rustix::fs::{FileType, Stat};

use super::{
    folder::{Folder, kind_of},
    stream::Stream,
};
use crate::error::Error;

/// Links that are followed one after the other at most, as many as Linux does.
const MAX_LINKS: usize = 40;
/// What is added to an output's name while it is unfinished.
pub const PART: &str = ".part";
/// And to that of the file that tells how far it is.
pub const JOURNAL: &str = ".journal";
/// And to that of the file that holds it against other jobs.
pub const LOCK: &str = ".lock";

/// A name in an open folder.
#[derive(Clone, Debug)]
pub struct Location {
    folder: Arc<Folder>,
    name: OsString,
    /// As the user named it.
    shown: PathBuf,
}

impl Location {
    /// The folder.
    #[must_use]
    pub fn folder(&self) -> &Folder {
        &self.folder
    }

    /// The name in it.
    #[must_use]
    pub fn name(&self) -> &OsStr {
        &self.name
    }

    /// The path as the user named it.
    #[must_use]
    pub fn shown(&self) -> &Path {
        &self.shown
    }

    /// The same for all paths to one place.
    #[must_use]
    pub fn identity(&self) -> ((u64, u64), &OsStr) {
        (self.folder.identity(), &self.name)
    }

    /// The place beside this one whose name has `end` added.
    #[must_use]
    pub fn with(&self, end: &str) -> Self {
        let mut name = self.name.clone();
        name.push(end);
        Self { shown: self.folder.path_of(&name), folder: Arc::clone(&self.folder), name }
    }

    /// How this place is called from `other`: by its name alone in the same folder, else by its whole path.
    #[must_use]
    pub fn seen_from(&self, other: &Self) -> PathBuf {
        if self.folder.identity() == other.folder.identity() {
            return self.name.clone().into();
        }
        let folder = self.folder.path();
        std::fs::canonicalize(folder).unwrap_or_else(|_| folder.to_owned()).join(&self.name)
    }

    /// The error that `source` is where this place cannot be written.
    #[must_use]
    pub fn failed(&self, source: io::Error) -> Error {
        Error::Output { path: self.shown.clone(), source }
    }
}

/// What a path that is to be written to comes to.
#[derive(Debug)]
pub enum Target {
    /// A plain file, or one that is still to be made.
    File(Location),
    /// A device, a pipe or an open descriptor: it takes bytes one after the other.
    Stream(Stream),
    /// The null device: whatever is written is gone.
    Nothing,
}

impl Target {
    /// Follows `path`.
    ///
    /// # Errors
    /// [`Error::Output`] where it leads to nowhere, and [`Error::Usage`] where its name is one that unfinished files have.
    pub fn of(path: &Path) -> Result<Self, Error> {
        let failed = |source| Error::Output { path: path.to_owned(), source };
        let mut at = path.to_owned();
        for _ in 0..MAX_LINKS {
            let name = name_in(&at).map_err(failed)?;
            let folder = open_folder(folder_of(&at)).map_err(failed)?;
            let Some(stat) = folder.stat(&name).map_err(|source| failed(in_folder(&folder, &name, source)))? else {
                return file(folder, name, path);
            };
            match FileType::from_raw_mode(stat.st_mode) {
                FileType::RegularFile => return file(folder, name, path),
                FileType::Directory => {
                    return Err(failed(io::Error::other("it is a directory; name a file in it")));
                }
                FileType::Symlink if is_of_descriptors(&folder) => return Ok(Self::Stream(Stream::new(path, at))),
                FileType::Symlink => at = follow(&folder, &name, &stat).map_err(failed)?,
                _ if is_null(&stat) => return Ok(Self::Nothing),
                _ => return Ok(Self::Stream(Stream::new(path, at))),
            }
        }
        Err(failed(io::Error::other("its symbolic links go round in a circle: remove one, or take another name")))
    }

    /// Whether `path` leads to what keeps nothing that could be read by that name later.
    #[must_use]
    pub fn keeps_nothing(path: &Path) -> bool {
        matches!(Self::of(path), Ok(Self::Stream(_) | Self::Nothing))
    }

    /// The place of a file that is written here and there and not from its beginning to its end; `None` where nothing is
    /// to be kept. `what` is its content, with an article.
    ///
    /// # Errors
    /// [`Error::Output`] where there is a device or a pipe.
    pub fn seekable(self, what: &str) -> Result<Option<Location>, Error> {
        match self {
            Self::File(location) => Ok(Some(location)),
            Self::Nothing => Ok(None),
            Self::Stream(stream) => Err(stream.failed(io::Error::other(format!(
                "it is a pipe or a device, and {what} is not written from its beginning to its end: name a file"
            )))),
        }
    }
}

/// The folder in which `target` and what belongs to it are written.
fn folder_of(target: &Path) -> &Path {
    match target.parent() {
        Some(folder) if !folder.as_os_str().is_empty() => folder,
        _ => Path::new("."),
    }
}

/// The last part of `path`, which must be the name of a file.
fn name_in(path: &Path) -> io::Result<OsString> {
    let bytes = path.as_os_str().as_bytes();
    if bytes.ends_with(b"/") || bytes.ends_with(b"/.") {
        return Err(io::Error::other("it names a folder; name a file in it"));
    }
    path.file_name().map(OsStr::to_owned).ok_or_else(|| io::Error::other("it names no file"))
}

fn open_folder(path: &Path) -> io::Result<Folder> {
    Folder::open(path).map_err(|error| {
        let shown = visible::shown(path);
        match error.kind() {
            io::ErrorKind::NotFound => {
                io::Error::other(format!("there is no such folder; make it with: mkdir -p {shown}"))
            }
            kind => io::Error::new(kind, format!("its folder {shown}: {error}")),
        }
    })
}

/// A failure to look at `name`, with what belongs to it.
fn in_folder(folder: &Folder, name: &OsStr, source: io::Error) -> io::Error {
    match source.kind() {
        io::ErrorKind::PermissionDenied => {
            io::Error::new(source.kind(), format!("its folder {}: {source}", visible::shown(folder.path())))
        }
        _ if source.raw_os_error() == Some(rustix::io::Errno::NAMETOOLONG.raw_os_error()) => too_long(name),
        _ => source,
    }
}

fn too_long(name: &OsStr) -> io::Error {
    let bytes = name.len();
    io::Error::other(format!("a name of {bytes} bytes is too long for its file system: take a shorter one"))
}

/// A file in `folder`, where also what stands beside it can have its name.
fn file(folder: Folder, name: OsString, shown: &Path) -> Result<Target, Error> {
    let failed = |source| Error::Output { path: shown.to_owned(), source };
    if let Some(end) = [PART, JOURNAL, LOCK].iter().find(|end| name.as_bytes().ends_with(end.as_bytes())) {
        return Err(Error::Usage(format!(
            "{}: names that end in {end} are those of unfinished files; take another name",
            visible::shown(shown)
        )));
    }
    let longest = [JOURNAL, PART].concat();
    let mut beside = name.clone();
    beside.push(&longest);
    match folder.stat(&beside) {
        Err(error) if error.raw_os_error() == Some(rustix::io::Errno::NAMETOOLONG.raw_os_error()) => {
            return Err(failed(io::Error::other(format!(
                "a name of {} bytes leaves no room for the {} bytes of {longest}, which stand beside it for a time: take a shorter one",
                name.len(),
                longest.len()
            ))));
        }
        Err(error) => return Err(failed(in_folder(&folder, &name, error))),
        Ok(_) => {}
    }
    Ok(Target::File(Location { folder: Arc::new(folder), name, shown: shown.to_owned() }))
}

/// Where the link `name` leads, if it may be followed.
fn follow(folder: &Folder, name: &OsStr, link: &Stat) -> io::Result<PathBuf> {
    if !folder.trusts_links_of(link.st_uid) {
        return Err(io::Error::other(format!(
            "{} is {} of user {} in a folder that everybody may write to, and is not followed: remove it, or take another name",
            visible::shown(&folder.path_of(name)),
            kind_of(link),
            link.st_uid
        )));
    }
    Ok(folder.path().join(folder.read_link(name)?))
}

/// Whether the links in `folder` are open descriptors of a process, which have no name that could be followed.
#[cfg(target_os = "linux")]
fn is_of_descriptors(folder: &Folder) -> bool {
    const PROC: u32 = 0x9fa0;
    rustix::fs::fstatfs(folder.descriptor()).is_ok_and(|told| u32::try_from(told.f_type).is_ok_and(|kind| kind == PROC))
}

#[cfg(not(target_os = "linux"))]
fn is_of_descriptors(_folder: &Folder) -> bool {
    false
}

/// Whether this is the null device, under whatever name.
fn is_null(stat: &Stat) -> bool {
    let device = FileType::from_raw_mode(stat.st_mode) == FileType::CharacterDevice;
    device && rustix::fs::stat("/dev/null").is_ok_and(|null| null.st_rdev == stat.st_rdev)
}
