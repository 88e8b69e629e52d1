//! Memory named before it is taken: an estimate for the ranks of a node against what the node has left, and for one rank
//! against what its process may have.

mod cgroup;

use std::{fs, path::Path};

use rustix::process::{Resource, getrlimit};

use super::WorkloadError;
use crate::comm::NodeGroup;

/// Bytes that the operating system and the job's memory limit leave to new work; `None` where neither tells.
fn available_bytes() -> Option<u64> {
    let left = fs::read_to_string("/proc/meminfo").ok().and_then(|text| available_in(&text));
    left.into_iter().chain(cgroup::left_bytes(Path::new("/"))).min()
}

/// The kernel's own estimate in `/proc/meminfo`, in bytes.
fn available_in(meminfo: &str) -> Option<u64> {
    let line = meminfo.lines().find_map(|line| line.strip_prefix("MemAvailable:"))?;
    let kib: u64 = line.trim().strip_suffix("kB")?.trim().parse().ok()?;
    Some(kib * 1024)
}

/// Bytes that this process may still map (`ulimit -v`); `None` without a limit.
fn mappable_bytes() -> Option<u64> {
    let limit = getrlimit(Resource::As).current?;
    let pages: u64 = fs::read_to_string("/proc/self/statm").ok()?.split(' ').next()?.parse().ok()?;
    Some(limit.saturating_sub(pages.saturating_mul(rustix::param::page_size() as u64)))
}

/// Compares what the ranks of a node need together with what the node has left, and what this rank needs, its `threads` with
/// it, with what it may have.
/// Collective over the node.
///
/// # Errors
/// [`WorkloadError::Memory`] on every rank of a node that has too little, and on a rank that may not have enough.
pub fn check(node: &NodeGroup, what: &str, needed_bytes: u64, threads: usize) -> Result<(), WorkloadError> {
    let together = node.sum(needed_bytes.min(u64::MAX / node.size() as u64));
    verdict(what, together, available_bytes(), "are available on this node", FEWER)?;
    let mapped = needed_bytes.saturating_add((threads as u64).saturating_mul(THREAD_BYTES));
    let what = format!("{what} with {threads} threads");
    verdict(&what, mapped, mappable_bytes(), "are left of the process's address space", RAISE)
}

/// Address space that a thread takes: its stack, and what the C library reserves for what it allocates (glibc's arena).
const THREAD_BYTES: u64 = (2 + 64) << 20;
const FEWER: &str = "take a smaller image, fewer ranks or threads on the node, or a node with more memory";
const RAISE: &str = "raise it (ulimit -v), or take a smaller image or fewer threads";

fn verdict(
    what: &str,
    needed_bytes: u64,
    available_bytes: Option<u64>,
    of: &'static str,
    way_out: &'static str,
) -> Result<(), WorkloadError> {
    match available_bytes {
        Some(available_bytes) if needed_bytes > available_bytes => {
            Err(WorkloadError::Memory { what: what.to_owned(), needed_bytes, available_bytes, of, way_out })
        }
        _ => Ok(()),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_kernels_estimate_is_read_in_bytes() {
        let meminfo = "MemTotal:       24000000 kB\nMemFree: 1 kB\nMemAvailable:    2048 kB\n";
        assert_eq!(available_in(meminfo), Some(2 << 20));
        assert_eq!(available_in("MemFree: 1 kB"), None);
    }

    #[test]
    fn too_much_is_refused_with_both_figures() {
        let message = verdict("a band", 2000, Some(1000), "are left", FEWER).unwrap_err().to_string();
        assert!(message.contains("2000 bytes") && message.contains("1000 bytes"), "{message}");
        assert!(verdict("a band", 1000, Some(1000), "are left", FEWER).is_ok());
        assert!(verdict("a band", u64::MAX, None, "are left", FEWER).is_ok());
    }
}
