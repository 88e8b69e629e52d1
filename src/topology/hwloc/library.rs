//! Which hwloc library this process has loaded, and what tells it to list less: to be named where it lists too little. A library
//! path may lead to another one than the system's, built without PCI devices.

use std::{env, fs};

use crate::visible::visible;

/// Part of the library's file name, before its version.
const NAME: &str = "/libhwloc.so";
/// What is mapped into this process.
const MAPS: &str = "/proc/self/maps";
/// Variables by which hwloc leaves out ways to look, or reads a file in place of looking.
const SETTINGS: [&str; 2] = ["HWLOC_COMPONENTS", "HWLOC_XMLFILE"];

/// The library's path; `None` off Linux and in a program that has hwloc linked in.
pub(super) fn path() -> Option<String> {
    path_in(&fs::read_to_string(MAPS).ok()?)
}

/// The first variable that changes what hwloc lists, as `NAME=value`.
pub(super) fn setting() -> Option<String> {
    SETTINGS.into_iter().find_map(|name| {
        let value = env::var_os(name).filter(|value| !value.is_empty())?;
        Some(format!("{name}={}", visible(&value.to_string_lossy())))
    })
}

/// The path in the lines of `maps`, of which it is the sixth column and may have spaces.
fn path_in(maps: &str) -> Option<String> {
    let is_of_library =
        |path: &&str| path.rsplit_once('/').is_some_and(|(folder, _)| path[folder.len()..].starts_with(NAME));
    let path = maps.lines().filter_map(|line| Some(&line[line.find('/')?..])).find(is_of_library)?;
    Some(visible(path.trim_end_matches(" (deleted)")).into_owned())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_library_is_found_among_what_is_mapped() {
        let maps = "55e0-55e1 r--p 00000000 fe:01 12 /opt/libhwloc.so.d/hybrid\n\
                    7f00-7f01 rw-p 00000000 00:00 0 \n\
                    7f10-7f11 r--p 00000000 fe:01 34                         /home/me/my venv/lib/libhwloc.so.15.5.2\n\
                    7f11-7f12 r-xp 00001000 fe:01 34                         /home/me/my venv/lib/libhwloc.so.15.5.2\n\
                    7fff-8000 r-xp 00000000 00:00 0                          [vdso]\n";
        assert_eq!(path_in(maps).as_deref(), Some("/home/me/my venv/lib/libhwloc.so.15.5.2"));
        assert_eq!(
            path_in("7f10-7f11 r--p 0 fe:01 34 /usr/lib/libhwloc.so.15 (deleted)\n").as_deref(),
            Some("/usr/lib/libhwloc.so.15")
        );
        assert_eq!(path_in(""), None);
    }

    #[test]
    fn this_process_has_loaded_one() {
        if cfg!(target_os = "linux") {
            assert!(path().is_some_and(|path| path.starts_with('/')), "{:?}", path());
        }
    }
}
