//! Disk space named before it is taken: what files come to against what their file systems have left.
//!
//! A job is refused where it certainly does not fit, and warned where it may well not: it can be continued once there is room.

use std::{collections::BTreeMap, path::PathBuf};

use super::WorkloadError;
use crate::{
    output::{
        file::{folder::Folder, location::Location},
        image::sink::Room,
    },
    visible::shown,
};

/// A file that is to be written, in part or as a whole.
#[derive(Clone, Copy, Debug)]
pub struct PendingFile<'a> {
    /// Where it is to be when it is complete.
    pub place: &'a Location,
    /// What it comes to.
    pub room: Room,
}

/// What files on one file system still need, and what that has left.
#[derive(Clone, Debug, Default, PartialEq)]
struct Demand {
    files: Vec<String>,
    folder: PathBuf,
    min_bytes: u64,
    usual_bytes: u64,
    /// `None` where the file system does not tell.
    free_bytes: Option<u64>,
    /// Whether a file takes as much room as it has bytes.
    stores_as_is: bool,
}

/// Compares what `files` need beyond what an earlier job has left of them with what their file systems have left. Returns
/// what the user should know.
///
/// # Errors
/// [`WorkloadError::Space`] where they certainly do not fit.
pub fn check(files: &[PendingFile<'_>]) -> Result<Option<String>, WorkloadError> {
    let mut demands = BTreeMap::<u64, Demand>::new();
    for file in files {
        let PendingFile { place, room } = file;
        let folder = place.folder();
        let demand = demands.entry(folder.identity().0).or_insert_with(|| Demand {
            folder: folder.path().to_owned(),
            free_bytes: free_bytes(folder),
            stores_as_is: stores_as_is(folder),
            ..Demand::default()
        });
        demand.files.push(shown(place.shown()).to_string());
        let still = |bytes: u64| bytes.saturating_sub(room.held_bytes);
        demand.min_bytes = demand.min_bytes.saturating_add(still(room.min_bytes));
        demand.usual_bytes = demand.usual_bytes.saturating_add(still(room.usual_bytes));
    }
    let warnings = demands.into_values().map(verdict).collect::<Result<Vec<_>, _>>()?;
    let warnings: Vec<_> = warnings.into_iter().flatten().collect();
    Ok((!warnings.is_empty()).then(|| {
        format!("{}: where that is not enough, the job ends and can be continued with --resume", warnings.join("; "))
    }))
}

fn verdict(demand: Demand) -> Result<Option<String>, WorkloadError> {
    let Demand { files, folder, min_bytes, usual_bytes, free_bytes: Some(free_bytes), stores_as_is } = demand else {
        return Ok(None);
    };
    let files = files.join(" and ");
    if stores_as_is && min_bytes > free_bytes {
        return Err(WorkloadError::Space { files, needed_bytes: min_bytes, available_bytes: free_bytes, folder });
    }
    Ok((usual_bytes > free_bytes).then(|| {
        format!(
            "{files}: up to {usual_bytes} bytes are usually written for such an image, {free_bytes} bytes are free in {}",
            shown(&folder)
        )
    }))
}

/// Bytes that this user may still write; `None` where the file system does not tell. Only root is given the reserve that file
/// systems such as ext4 have.
fn free_bytes(folder: &Folder) -> Option<u64> {
    let told = rustix::fs::fstatvfs(folder.descriptor()).ok()?;
    let free_blocks = if rustix::process::geteuid().is_root() { told.f_bfree } else { told.f_bavail };
    let block_bytes = if told.f_frsize == 0 { told.f_bsize } else { told.f_frsize };
    credible_free_bytes(told.f_blocks, free_blocks, block_bytes)
}

/// A file system that does not know its size says 0, and some that are beyond their reserve wrap around.
fn credible_free_bytes(all_blocks: u64, free_blocks: u64, block_bytes: u64) -> Option<u64> {
    (all_blocks > 0 && free_blocks <= all_blocks && block_bytes > 0).then(|| free_blocks.saturating_mul(block_bytes))
}

/// Whether files in `folder` take as much room as they have bytes. Others may be compressed, where counts take a tenth: on
/// Btrfs and ZFS, and on servers of network file systems, of which a client cannot tell.
#[cfg(target_os = "linux")]
fn stores_as_is(folder: &Folder) -> bool {
    /// `statfs(2)`: ext2 to ext4, XFS, tmpfs, ramfs, FAT, exFAT.
    const TYPES: [u32; 6] = [0xef53, 0x5846_5342, 0x0102_1994, 0x8584_58f6, 0x4d44, 0x2011_bab0];
    rustix::fs::fstatfs(folder.descriptor())
        .is_ok_and(|told| u32::try_from(told.f_type).is_ok_and(|kind| TYPES.contains(&kind)))
}

#[cfg(not(target_os = "linux"))]
fn stores_as_is(_folder: &Folder) -> bool {
    false
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::output::file::location::Target;

    fn demand(free_bytes: Option<u64>, stores_as_is: bool) -> Demand {
        Demand {
            files: vec!["a.png".to_owned(), "b.npy".to_owned()],
            folder: "out".into(),
            min_bytes: 1000,
            usual_bytes: 5000,
            free_bytes,
            stores_as_is,
        }
    }

    #[test]
    fn what_certainly_does_not_fit_is_refused_with_both_figures() {
        let message = verdict(demand(Some(999), true)).unwrap_err().to_string();
        for text in ["a.png and b.npy", "1000 bytes", "999 bytes", "free in out", "make room"] {
            assert!(message.contains(text), "`{text}` in {message}");
        }
    }

    #[test]
    fn what_may_not_fit_is_a_warning() {
        for (free_bytes, stores_as_is) in [(1000, true), (4999, true), (0, false), (999, false)] {
            let warning = verdict(demand(Some(free_bytes), stores_as_is)).unwrap().unwrap();
            assert!(warning.contains("5000 bytes") && warning.contains(&format!("{free_bytes} bytes")), "{warning}");
        }
    }

    #[test]
    fn what_usually_fits_and_what_nobody_knows_passes_in_silence() {
        for free_bytes in [Some(5000), None] {
            assert_eq!(verdict(demand(free_bytes, true)).unwrap(), None);
        }
    }

    #[test]
    fn figures_that_cannot_be_are_not_believed() {
        assert_eq!(credible_free_bytes(0, 0, 4096), None);
        assert_eq!(credible_free_bytes(100, u64::MAX - 3, 4096), None);
        assert_eq!(credible_free_bytes(100, 50, 0), None);
        assert_eq!(credible_free_bytes(100, 0, 4096), Some(0));
        assert_eq!(credible_free_bytes(100, 50, 4096), Some(204_800));
    }

    #[test]
    fn files_of_one_file_system_count_together_and_what_is_there_of_them_counts() {
        let folder = tempfile::tempdir().unwrap();
        let place = |name: &str| match Target::of(&folder.path().join(name)) {
            Ok(Target::File(place)) => place,
            other => panic!("{other:?}"),
        };
        let (a, b) = (place("a.png"), place("b.npy"));
        let free = free_bytes(a.folder()).expect("a file system that tells");
        let room = |usual_bytes, held_bytes| Room { min_bytes: 0, usual_bytes, held_bytes };
        // Nearly all that is free, twice; another process may write some GiB meanwhile.
        let large = free / 4 * 3;
        let first = PendingFile { place: &a, room: room(large, 0) };
        assert_eq!(check(&[first]).unwrap(), None);
        let warning = check(&[first, PendingFile { place: &b, room: room(large, 0) }]).unwrap().unwrap();
        assert!(warning.contains("a.png and ") && warning.contains("--resume"), "{warning}");
        assert_eq!(check(&[first, PendingFile { place: &b, room: room(large, large) }]).unwrap(), None);
    }
}
