//! What can keep a job from its result: too little memory or room, files of another job, a device that is wrong.

use std::{io, path::PathBuf};

use crate::{error::remedy, visible::shown};

/// Why a job does not begin, or does not come to its end.
#[derive(Debug, thiserror::Error)]
pub enum WorkloadError {
    /// More memory than there is.
    #[error("{what} needs {needed_bytes} bytes of memory, {available_bytes} bytes {of}: {way_out}")]
    Memory {
        /// What the memory is for.
        what: String,
        /// Bytes needed.
        needed_bytes: u64,
        /// Bytes that there are.
        available_bytes: u64,
        /// Of what these are, as the end of a sentence.
        of: &'static str,
        /// What the user can do.
        way_out: &'static str,
    },
    /// More disk space than there is.
    #[error(
        "{files}: at least {needed_bytes} bytes are still to be written, {available_bytes} bytes are free in {}: make room there, name files on another file system, or take a smaller image",
        shown(folder)
    )]
    Space {
        /// The files, all on one file system.
        files: String,
        /// Bytes that they certainly take beyond what is there of them.
        needed_bytes: u64,
        /// Bytes that the file system has left.
        available_bytes: u64,
        /// A folder on it.
        folder: PathBuf,
    },
    /// The operating system starts no thread.
    #[error(
        "a thread to compute on cannot be started: {source}: raise the limits on processes (ulimit -u) and on memory (ulimit -v), or start fewer ranks on this node"
    )]
    Thread {
        /// What it says.
        source: io::Error,
    },
    /// The operating system takes no handler of signals.
    #[error("signals cannot be watched for: {source}")]
    Signals {
        /// What it says.
        source: io::Error,
    },
    /// A file that a run is to continue from is not of that run.
    #[error("cannot resume from {}: {reason}; name another file, or remove this one to start anew", shown(path))]
    Resume {
        /// The file as the user named it.
        path: PathBuf,
        /// What is wrong with it.
        reason: String,
    },
    /// An earlier job left an unfinished result where this one is to write.
    #[error("{} tells of an unfinished job: --resume continues it; remove the file to start anew", shown(path))]
    Leftover {
        /// The journal.
        path: PathBuf,
    },
    /// A device computed what the definition does not.
    #[error(
        "rank {rank} computed {found} in row {row}, column {column}, where the definition has {expected}: its device is not to be trusted; leave it out, or use --device cpu"
    )]
    Wrong {
        /// The rank that computed it.
        rank: usize,
        /// Row from the top.
        row: u32,
        /// Column from the left.
        column: usize,
        /// What was found.
        found: u16,
        /// What the definition has.
        expected: u16,
    },
    /// A file cannot be written any further, and what is safe of it is kept.
    #[error(
        "cannot write {}: {source}: {} and start the same command with --resume: {done} of {bands} bands are safe",
        shown(path),
        remedy(source).unwrap_or("see to that")
    )]
    Unfinished {
        /// The file as the user named it.
        path: PathBuf,
        /// What the operating system said.
        source: io::Error,
        /// Bands, from the top, that a later job need not compute.
        done: u32,
        /// Bands of the image.
        bands: u32,
    },
}

impl crate::error::ModuleError for WorkloadError {}

#[cfg(test)]
mod tests {
    use io::ErrorKind;

    use super::*;
    use crate::error::Error;

    #[test]
    fn what_stops_a_write_is_told_with_the_way_out() {
        for (kind, expected) in [
            (ErrorKind::StorageFull, "make room on its file system and start"),
            (ErrorKind::QuotaExceeded, "within your quota and start"),
            (ErrorKind::FileTooLarge, "ulimit -f"),
            (ErrorKind::ReadOnlyFilesystem, "mounted for writing and start"),
            (ErrorKind::StaleNetworkFileHandle, "mounted anew and start"),
            (ErrorKind::PermissionDenied, "see to that and start"),
        ] {
            let source = kind.into();
            let error = Error::from(WorkloadError::Unfinished { path: "a.png".into(), source, done: 3, bands: 10 });
            let message = error.to_string();
            assert!(message.starts_with("cannot write a.png: ") && message.contains(expected), "{message}");
            assert!(message.ends_with("the same command with --resume: 3 of 10 bands are safe"), "{message}");
            assert_eq!(error.exit_code(), 1);
        }
    }
}
