//! Who holds a file: the process, in words that another process can check, on this host or on another.

use std::{fs, process, time::SystemTime};

use serde::{Deserialize, Serialize};

use super::process::{Stat, pid_namespace};

/// A process, told apart from every other one of any host and time.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub(super) struct Holder {
    host: String,
    /// Changes whenever the host starts.
    boot: String,
    /// In which process ids are counted.
    pid_namespace: String,
    process: u32,
    /// When it began, in the kernel's ticks: process ids are used again.
    began: String,
    /// Whether the kernel tells others that it is held; else the file itself does, as long as it is there.
    pub(super) locked: bool,
    /// Of this holding, among all of this process.
    number: u128,
}

/// What can be found out about a holder.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Life {
    Runs,
    IsGone,
    /// It is on another host, or in another container.
    Unknown,
}

impl Holder {
    /// This process.
    pub(super) fn this(locked: bool) -> Self {
        let process = process::id();
        let since = SystemTime::now().duration_since(SystemTime::UNIX_EPOCH);
        Self {
            host: read("/proc/sys/kernel/hostname"),
            boot: read("/proc/sys/kernel/random/boot_id"),
            pid_namespace: pid_namespace(),
            process,
            began: began(process).unwrap_or_default(),
            locked,
            number: since.map_or(0, |since| since.as_nanos()),
        }
    }

    /// Whether the process still runs. Only the host that it ran on can tell.
    pub(super) fn life(&self) -> Life {
        let this = Self::this(self.locked);
        let is_near = !this.boot.is_empty() && (&self.boot, &self.pid_namespace) == (&this.boot, &this.pid_namespace);
        match began(self.process) {
            _ if !is_near => Life::Unknown,
            Some(began) if began == self.began => Life::Runs,
            _ => Life::IsGone,
        }
    }

    /// The process in words.
    pub(super) fn words(&self) -> String {
        format!("process {} on {}", self.process, self.host)
    }
}

/// A line of a file that the kernel makes, or nothing.
fn read(path: &str) -> String {
    fs::read_to_string(path).map(|text| text.trim().to_owned()).unwrap_or_default()
}

/// When a process began; one that has ended is gone.
fn began(process: u32) -> Option<String> {
    Stat::of(process).map(|stat| stat.began.to_string())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_process_runs_until_it_is_gone_and_is_unknown_elsewhere() {
        let this = Holder::this(false);
        assert_eq!(this.life(), Life::Runs);
        assert_eq!(Holder { began: "1".to_owned(), ..this.clone() }.life(), Life::IsGone, "its id is used again");
        assert_eq!(Holder { process: u32::MAX, ..this.clone() }.life(), Life::IsGone);
        assert_eq!(Holder { boot: "other".to_owned(), ..this.clone() }.life(), Life::Unknown);
        assert_eq!(Holder { pid_namespace: "other".to_owned(), ..this }.life(), Life::Unknown);
    }
}
