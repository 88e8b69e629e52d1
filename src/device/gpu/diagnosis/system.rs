//! A file system and an environment: all that a diagnosis looks at. Tests make both up.

use std::{
    fs,
    path::{Path, PathBuf},
};

use super::read::Read;
use crate::{topology::FileAccess, visible::visible};

/// Where to look.
pub(super) struct System<'a> {
    /// `/`, but for tests.
    pub(super) root: &'a Path,
    variable: &'a dyn Fn(&str) -> Option<String>,
    /// What this process may do with a file.
    pub(super) access: &'a dyn Fn(&Path) -> FileAccess,
    /// What was read already.
    pub(super) read: Read,
}

impl<'a> System<'a> {
    pub(super) fn new(
        root: &'a Path,
        variable: &'a dyn Fn(&str) -> Option<String>,
        access: &'a dyn Fn(&Path) -> FileAccess,
    ) -> Self {
        Self { root, variable, access, read: Read::default() }
    }

    /// A variable that is not empty.
    pub(super) fn set(&self, name: &str) -> Option<String> {
        (self.variable)(name).filter(|value| !value.is_empty())
    }

    /// The file of that path.
    pub(super) fn at(&self, path: impl AsRef<Path>) -> PathBuf {
        let path = path.as_ref();
        self.root.join(path.strip_prefix("/").unwrap_or(path))
    }

    /// The path of a file, as a user knows it and harmless to show.
    pub(super) fn shown(&self, file: &Path) -> String {
        let path = Path::new("/").join(file.strip_prefix(self.root).unwrap_or(file));
        visible(&path.to_string_lossy()).into_owned()
    }

    /// The names in a folder, sorted; none where it cannot be read.
    pub(super) fn names(&self, folder: &str) -> Vec<String> {
        let entries = fs::read_dir(self.at(folder)).into_iter().flatten().flatten();
        let mut names: Vec<String> = entries.filter_map(|entry| entry.file_name().into_string().ok()).collect();
        names.sort();
        names
    }
}
