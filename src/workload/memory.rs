//! Memory named before it is taken: an estimate for the ranks of a node against what the node has left.

use std::fs;

use crate::{comm::Group, error::Error};

/// Bytes that the operating system and the job's memory limit leave to new work; `None` where neither tells.
fn available_bytes() -> Option<u64> {
    let limit = || {
        let read = |name: &str| fs::read_to_string(format!("/sys/fs/cgroup/{name}")).ok()?.trim().parse::<u64>().ok();
        Some(read("memory.max")?.saturating_sub(read("memory.current")?))
    };
    let left = fs::read_to_string("/proc/meminfo").ok().and_then(|text| available_in(&text));
    left.into_iter().chain(limit()).min()
}

/// The kernel's own estimate in `/proc/meminfo`, in bytes.
fn available_in(meminfo: &str) -> Option<u64> {
    let line = meminfo.lines().find_map(|line| line.strip_prefix("MemAvailable:"))?;
    let kib: u64 = line.trim().strip_suffix("kB")?.trim().parse().ok()?;
    Some(kib * 1024)
}

/// Compares what the ranks of a node need together with what the node has left. Collective over the node.
///
/// # Errors
/// [`Error::Memory`] on every rank of a node that has too little.
pub fn check(node: &Group, what: &str, needed_bytes: u64) -> Result<(), Error> {
    let together = node.sum(needed_bytes.min(u64::MAX / node.size() as u64));
    verdict(what, together, available_bytes())
}

fn verdict(what: &str, needed_bytes: u64, available_bytes: Option<u64>) -> Result<(), Error> {
    match available_bytes {
        Some(available_bytes) if needed_bytes > available_bytes => Err(Error::Memory {
            what: what.to_owned(),
            needed_bytes,
            available_bytes,
            way_out: "take a smaller image, fewer ranks or threads on the node, or a node with more memory",
        }),
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
        let message = verdict("a band", 2000, Some(1000)).unwrap_err().to_string();
        assert!(message.contains("2000 bytes") && message.contains("1000 bytes"), "{message}");
        assert!(verdict("a band", 1000, Some(1000)).is_ok());
        assert!(verdict("a band", u64::MAX, None).is_ok());
    }
}
