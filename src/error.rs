//! What can go wrong, as one enum, and the exit code each case ends with.
//!
//! A message says what failed, the value, the limit with its unit, and the way out. Which rank failed is added where the
//! ranks agree on a failure, in [`crate::comm`].

use std::{
    io::{self, ErrorKind},
    path::PathBuf,
};

use crate::visible::{shown, visible};

/// Anything that ends a job before its result is complete.
#[derive(Debug, thiserror::Error)]
pub enum Error {
    /// The command line asks for something that cannot be.
    #[error("{0}")]
    Usage(String),
    /// MPI is there, but not as this program needs it.
    #[error("{0}")]
    Mpi(String),
    /// hwloc could not describe this node.
    #[error("hwloc cannot read this node's topology: {0}")]
    Topology(String),
    /// A file or text is not a topology that anything can be placed on.
    #[error("cannot use the hwloc topology {}: {}", visible(name), visible(reason))]
    StoredTopology {
        /// The file as the user named it.
        name: String,
        /// What is wrong with it.
        reason: String,
    },
    /// A rankfile that was named cannot be used.
    #[error("cannot use the rankfile {}: {}", visible(name), visible(reason))]
    Rankfile {
        /// The file as the user named it, with the line where one is to blame.
        name: String,
        /// What is wrong with it.
        reason: String,
    },
    /// The ranks and the node do not fit together.
    #[error("ranks cannot be placed: {0}")]
    Placement(String),
    /// A GPU was demanded and there is none for this rank.
    #[error("no GPU for this rank: {reason}; {way_out}")]
    NoGpu {
        /// What was looked for, and why nothing was found.
        reason: String,
        /// What the user can do.
        way_out: String,
    },
    /// A GPU that was there failed.
    #[error("GPU {adapter}: {step}: {cause}")]
    Gpu {
        /// The adapter's name and PCI bus id.
        adapter: String,
        /// What was being done.
        step: &'static str,
        /// What the driver said.
        cause: String,
    },
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
    /// The operating system starts no thread.
    #[error(
        "a thread to compute on cannot be started: {source}: raise the limits on processes (ulimit -u) and on memory (ulimit -v), or start fewer ranks on this node"
    )]
    Thread {
        /// What it says.
        source: io::Error,
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
    /// The job was told to stop.
    #[error("stopped by {by} with {done} of {all} {what} done: {}", if *is_kept { "start it again with --resume to continue" } else { "with --resume FILE they would have been kept" })]
    Stopped {
        /// A signal's name or an option.
        by: &'static str,
        /// What is done; of bands those, from the top, that are in the files.
        done: u64,
        /// What the whole job is.
        all: u64,
        /// Of what.
        what: &'static str,
        /// Whether a later job can go on from there.
        is_kept: bool,
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
    /// A strict look at the placement found something wrong or wasteful.
    #[error("--strict lets no warning pass: {}", warnings.join("; "))]
    Strict {
        /// The code of each warning, with the ranks that it concerns.
        warnings: Vec<String>,
    },
    /// A file cannot be read.
    #[error("cannot read {}: {source}", shown(path))]
    Input {
        /// The file as the user named it.
        path: PathBuf,
        /// What the operating system said.
        source: io::Error,
    },
    /// A rankfile that a launcher would refuse or misread; what is wrong was printed.
    #[error("{}: {findings}", shown(path))]
    BadRankfile {
        /// The file as the user named it.
        path: PathBuf,
        /// How many findings there are of which kind.
        findings: String,
    },
    /// A file cannot be written.
    #[error(
        "cannot write {}: {source}{}",
        shown(path),
        remedy(source).map(|remedy| format!(": {remedy}")).unwrap_or_default()
    )]
    Output {
        /// The file as the user named it.
        path: PathBuf,
        /// What the operating system said.
        source: io::Error,
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

/// What the user can do so that a write succeeds; `None` where that follows from what went wrong, or is not known.
fn remedy(error: &io::Error) -> Option<&'static str> {
    match error.kind() {
        ErrorKind::StorageFull => Some("make room on its file system"),
        ErrorKind::QuotaExceeded => Some("make room within your quota"),
        ErrorKind::FileTooLarge => Some("raise the limit on the size of a file (ulimit -f, or the file system's own)"),
        ErrorKind::ReadOnlyFilesystem => Some("have its file system mounted for writing"),
        ErrorKind::StaleNetworkFileHandle => Some("have its network file system mounted anew"),
        _ => None,
    }
}

impl Error {
    /// Exit code of a job that ends with this error: 2 where the command line is to blame, 3 where a strict look at the
    /// placement found something, 4 where the job was told to stop and can be resumed, else 1. A full disk is 1 although the
    /// job can be resumed: starting it again does not help before somebody has made room.
    #[must_use]
    pub fn exit_code(&self) -> u8 {
        match self {
            Self::Usage(_) => 2,
            Self::Stopped { is_kept: true, .. } => 4,
            Self::Strict { .. } => 3,
            Self::Mpi(_)
            | Self::Stopped { .. }
            | Self::Topology(_)
            | Self::StoredTopology { .. }
            | Self::Rankfile { .. }
            | Self::Placement(_)
            | Self::NoGpu { .. }
            | Self::Gpu { .. }
            | Self::Memory { .. }
            | Self::Thread { .. }
            | Self::Space { .. }
            | Self::Resume { .. }
            | Self::Leftover { .. }
            | Self::Wrong { .. }
            | Self::Input { .. }
            | Self::BadRankfile { .. }
            | Self::Output { .. }
            | Self::Unfinished { .. } => 1,
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

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
            let error = Error::Unfinished { path: "a.png".into(), source: kind.into(), done: 3, bands: 10 };
            let message = error.to_string();
            assert!(message.starts_with("cannot write a.png: ") && message.contains(expected), "{message}");
            assert!(message.ends_with("the same command with --resume: 3 of 10 bands are safe"), "{message}");
            assert_eq!(error.exit_code(), 1);
        }
        let plain = |kind: ErrorKind| Error::Output { path: "a.svg".into(), source: kind.into() }.to_string();
        assert!(plain(ErrorKind::StorageFull).ends_with(": make room on its file system"));
        assert_eq!(plain(ErrorKind::PermissionDenied), "cannot write a.svg: permission denied");
    }
}
