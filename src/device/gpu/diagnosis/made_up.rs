//! Made-up systems for the tests of this folder: files, variables, and libraries that a C compiler makes.

use std::{
    fs,
    path::{Path, PathBuf},
    process::Command,
};

use super::system::System;
use crate::topology::FileAccess;

/// A file system and an environment.
pub(super) struct Made {
    root: tempfile::TempDir,
    pub(super) variables: Vec<(&'static str, String)>,
    /// Files that the user may not use, from the root on.
    pub(super) forbidden: Vec<(&'static str, FileAccess)>,
}

impl Made {
    pub(super) fn with(files: &[(&str, &str)]) -> Self {
        let made = Self { root: tempfile::tempdir().unwrap(), variables: Vec::new(), forbidden: Vec::new() };
        files.iter().for_each(|(path, text)| made.write(path, text));
        made
    }

    pub(super) fn path(&self, path: &str) -> PathBuf {
        self.root.path().join(path)
    }

    pub(super) fn write(&self, path: &str, text: &str) {
        let file = self.path(path);
        fs::create_dir_all(file.parent().unwrap()).unwrap();
        fs::write(file, text).unwrap();
    }

    pub(super) fn system<T>(&self, look: impl FnOnce(&System<'_>) -> T) -> T {
        let variable = |name: &str| self.variables.iter().find(|(key, _)| *key == name).map(|(_, value)| value.clone());
        let access = |file: &Path| {
            let forbidden = self.forbidden.iter().find(|(path, _)| self.path(path) == file);
            forbidden.map_or(FileAccess::Open, |(_, access)| *access)
        };
        look(&System::new(self.root.path(), &variable, &access))
    }
}

/// Makes a shared library that needs others, and of which others need `version` where that is given. Needs no C library.
pub(super) fn library(file: &Path, needs: &[&Path], version: Option<&str>) {
    let folder = tempfile::tempdir().unwrap();
    let name = file.file_name().unwrap().to_str().unwrap();
    let symbol = |name: &str| name.replace(|c: char| !c.is_ascii_alphanumeric(), "_");
    let mut source = format!("int {}(void) {{ return 0; }}\n", symbol(name));
    for needed in needs {
        let needed = symbol(needed.file_name().unwrap().to_str().unwrap());
        source += &format!("int {needed}(void);\nint of_{needed}(void) {{ return {needed}(); }}\n");
    }
    let (c, map) = (folder.path().join("a.c"), folder.path().join("a.map"));
    fs::write(&c, source).unwrap();
    let mut command = Command::new("cc");
    command.args(["-shared", "-nostdlib", "-fPIC", "-Wl,--no-as-needed", &format!("-Wl,-soname,{name}"), "-o"]);
    command.arg(file).arg(&c).args(needs).arg("-Wl,--allow-shlib-undefined");
    if let Some(version) = version {
        fs::write(&map, format!("{version} {{ global: *; }};\n")).unwrap();
        command.arg(format!("-Wl,--version-script={}", map.display()));
    }
    fs::create_dir_all(file.parent().unwrap()).unwrap();
    assert!(command.status().unwrap().success(), "{command:?}");
}
