//! Processes that this one has started, and those that these have started, as the kernel tells.

use std::fs;

use crate::output::file::process::Stat;

/// A process that is not taken for another one that gets its number later.
#[derive(Clone, Copy, Debug)]
pub(super) struct Process {
    pub(super) pid: u32,
    stat: Stat,
}

impl Process {
    /// The process of that number, where there is one.
    pub(super) fn of(pid: u32) -> Option<Self> {
        Some(Self { pid, stat: Stat::of(pid)? })
    }

    /// Whether it has not ended.
    pub(super) fn is_there(&self) -> bool {
        Stat::of(self.pid).is_some_and(|stat| stat.began == self.stat.began)
    }
}

/// A process and those that it has started, as far as they are there.
pub(super) fn family(pid: u32) -> Vec<u32> {
    let mut all = vec![pid];
    let mut next = 0;
    while let Some(&pid) = all.get(next) {
        for thread in entries(&format!("/proc/{pid}/task")) {
            let children = fs::read_to_string(format!("/proc/{pid}/task/{thread}/children")).unwrap_or_default();
            all.extend(children.split_whitespace().filter_map(|child| child.parse::<u32>().ok()));
        }
        next += 1;
    }
    all
}

/// The names in a folder of the kernel's; none where it is gone.
pub(super) fn entries(folder: &str) -> Vec<String> {
    let entries = fs::read_dir(folder).map(|entries| entries.flatten().map(|entry| entry.file_name()));
    entries.map_or_else(|_| Vec::new(), |names| names.map(|name| name.to_string_lossy().into_owned()).collect())
}
