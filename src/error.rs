//! What can go wrong, as one enum, and the exit code each case ends with. Modules with errors of their own say so with
//! [`ModuleError`]; this one knows none of them.
//!
//! A message says what failed, the value, the limit with its unit, and the way out. Which rank failed is added where the
//! ranks agree on a failure, in [`crate::comm`].

use std::{
    error::Error as StdError,
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
    /// What a module says that has errors of its own.
    #[error(transparent)]
    Module(Box<dyn StdError + Send + Sync>),
    /// A rankfile that was named cannot be used.
    #[error("cannot use the rankfile {}: {}", visible(name), visible(reason))]
    Rankfile {
        /// The file as the user named it, with the line where one is to blame.
        name: String,
        /// What is wrong with it.
        reason: String,
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
    /// A sweep was told to stop.
    #[error("stopped by {by} with {done} of {all} runs measured: start it again with the same words to go on")]
    SweepStopped {
        /// A signal's name.
        by: &'static str,
        /// Runs that are in the file.
        done: usize,
        /// Runs of the whole sweep.
        all: usize,
    },
    /// All runs of a sweep were made, and not all of them with success.
    #[error(
        "{failed} of {all} runs failed, as their records in {} say: the same words with --again failed make them again",
        shown(path)
    )]
    RunsFailed {
        /// How many.
        failed: usize,
        /// Runs of the whole sweep.
        all: usize,
        /// The file of the records.
        path: PathBuf,
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
}

/// An error of a module, which becomes an [`Error`] as it is. This module knows none of them.
pub trait ModuleError: StdError + Send + Sync + 'static {}

impl<E: ModuleError> From<E> for Error {
    fn from(error: E) -> Self {
        Self::Module(Box::new(error))
    }
}

/// What the user can do so that a write succeeds; `None` where that follows from what went wrong, or is not known.
pub(crate) fn remedy(error: &io::Error) -> Option<&'static str> {
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
    /// placement found something, 4 where the job was told to stop and can be resumed, 5 where runs of a sweep failed, else 1. A full disk is 1 although the
    /// job can be resumed: starting it again does not help before somebody has made room.
    #[must_use]
    pub fn exit_code(&self) -> u8 {
        match self {
            Self::Usage(_) => 2,
            Self::Stopped { is_kept: true, .. } | Self::SweepStopped { .. } => 4,
            Self::RunsFailed { .. } => 5,
            Self::Strict { .. } => 3,
            Self::Module(_)
            | Self::Stopped { .. }
            | Self::Rankfile { .. }
            | Self::Input { .. }
            | Self::BadRankfile { .. }
            | Self::Output { .. } => 1,
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_stops_a_write_is_told_with_the_way_out_if_there_is_one() {
        let plain = |kind: ErrorKind| Error::Output { path: "a.svg".into(), source: kind.into() }.to_string();
        assert!(plain(ErrorKind::StorageFull).ends_with(": make room on its file system"));
        assert_eq!(plain(ErrorKind::PermissionDenied), "cannot write a.svg: permission denied");
    }
}
