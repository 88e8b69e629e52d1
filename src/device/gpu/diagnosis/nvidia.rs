//! What NVIDIA's driver consists of on this node: its kernel module, its libraries, and what a container was given of them.
//! Sources: the README of the driver, and the documentation of NVIDIA's container toolkit.

use std::{
    fs,
    path::{Path, PathBuf},
};

use super::system::System;
use crate::{placement::NvidiaFacts, visible::visible};

const MODULE: &str = "/proc/driver/nvidia/version";
const COMPUTE: &str = "libcuda.so.1";
/// The libraries that an ICD file can name; the first needs X, the second does not.
const GRAPHICS: [&str; 2] = ["libGLX_nvidia.so.0", "libEGL_nvidia.so.0"];
const CAPABILITIES: &str = "NVIDIA_DRIVER_CAPABILITIES";

impl System<'_> {
    pub(super) fn nvidia(&self) -> NvidiaFacts {
        let graphics: Vec<(String, PathBuf)> =
            GRAPHICS.iter().filter_map(|name| Some(((*name).to_owned(), self.library(name, &[])?))).collect();
        NvidiaFacts {
            module_version: fs::read_to_string(self.at(MODULE)).ok().and_then(|text| module_version(&text)),
            library_version: graphics.iter().find_map(|(name, file)| library_version(name, file)),
            compute_library: self.library(COMPUTE, &[]).is_some(),
            graphics_libraries: graphics.into_iter().map(|(name, _)| name).collect(),
            capabilities: self.set(CAPABILITIES).map(|value| visible(&value).into_owned()),
        }
    }
}

/// The first number with a point in the line of the module: `NVRM version: NVIDIA UNIX x86_64 Kernel Module  580.159.04  …`.
fn module_version(text: &str) -> Option<String> {
    let line = text.lines().find(|line| line.starts_with("NVRM version:"))?;
    line.split_whitespace().find(|word| is_version(word)).map(str::to_owned)
}

/// The version in the name of the file that a library's name leads to: `libGLX_nvidia.so.580.159.04`.
fn library_version(name: &str, file: &Path) -> Option<String> {
    let stem = name.strip_suffix('0')?;
    let target = file.canonicalize().ok()?;
    let version = target.file_name()?.to_str()?.strip_prefix(stem)?;
    is_version(version).then(|| version.to_owned())
}

fn is_version(word: &str) -> bool {
    word.contains('.') && word.split('.').all(|number| !number.is_empty() && number.bytes().all(|b| b.is_ascii_digit()))
}

#[cfg(all(test, unix))]
mod tests {
    use super::{super::made_up::Made, *};

    #[test]
    fn the_parts_of_the_driver_and_their_versions_are_found() {
        let mut made = Made::with(&[
            (
                "proc/driver/nvidia/version",
                "NVRM version: NVIDIA UNIX x86_64 Kernel Module  580.159.04  Tue Sep  2 2025\nGCC version: 12.2.0\n",
            ),
            ("usr/lib/libcuda.so.1", ""),
            ("usr/lib/libEGL_nvidia.so.580.65.06", ""),
        ]);
        std::os::unix::fs::symlink("libEGL_nvidia.so.580.65.06", made.path("usr/lib/libEGL_nvidia.so.0")).unwrap();
        made.variables.push(("NVIDIA_DRIVER_CAPABILITIES", "compute,utility".to_owned()));
        let expected = NvidiaFacts {
            module_version: Some("580.159.04".to_owned()),
            library_version: Some("580.65.06".to_owned()),
            compute_library: true,
            graphics_libraries: vec!["libEGL_nvidia.so.0".to_owned()],
            capabilities: Some("compute,utility".to_owned()),
        };
        assert_eq!(made.system(|system| system.nvidia()), expected);
        assert_eq!(Made::with(&[("etc/hosts", "")]).system(|system| system.nvidia()), NvidiaFacts::default());
    }

    #[test]
    fn the_open_module_has_a_version_too() {
        let text = "NVRM version: NVIDIA UNIX Open Kernel Module for x86_64  570.86.15  Release Build\n";
        assert_eq!(module_version(text).as_deref(), Some("570.86.15"));
        assert_eq!(module_version("NVRM version: none\n"), None);
    }
}
