//! What can go wrong, as one enum, and the exit code each case ends with.
//!
//! A message says what failed, the value, the limit with its unit, and the way out. Which rank failed is added where the
//! ranks agree on a failure, in [`crate::comm`].

use std::{io, path::PathBuf};

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
    #[error("cannot use the hwloc topology {name}: {reason}")]
    StoredTopology {
        /// The file as the user named it.
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
    #[error(
        "{what} needs {needed_bytes} bytes of memory, {available_bytes} bytes are available on this node: {way_out}"
    )]
    Memory {
        /// What the memory is for.
        what: String,
        /// Bytes needed by this node's ranks together.
        needed_bytes: u64,
        /// Bytes the operating system has left.
        available_bytes: u64,
        /// What the user can do.
        way_out: &'static str,
    },
    /// A file cannot be read.
    #[error("cannot read {}: {source}", path.display())]
    Input {
        /// The file as the user named it.
        path: PathBuf,
        /// What the operating system said.
        source: io::Error,
    },
    /// A rankfile that a launcher would refuse or misread; what is wrong was printed.
    #[error("{}: {findings}", path.display())]
    BadRankfile {
        /// The file as the user named it.
        path: PathBuf,
        /// How many findings there are of which kind.
        findings: String,
    },
    /// A file cannot be written.
    #[error("cannot write {}: {source}", path.display())]
    Output {
        /// The file as the user named it.
        path: PathBuf,
        /// What the operating system said.
        source: io::Error,
    },
}

impl Error {
    /// Exit code of a job that ends with this error: 2 where the command line is to blame, else 1.
    #[must_use]
    pub fn exit_code(&self) -> u8 {
        match self {
            Self::Usage(_) => 2,
            Self::Mpi(_)
            | Self::Topology(_)
            | Self::StoredTopology { .. }
            | Self::Placement(_)
            | Self::NoGpu { .. }
            | Self::Gpu { .. }
            | Self::Memory { .. }
            | Self::Input { .. }
            | Self::BadRankfile { .. }
            | Self::Output { .. } => 1,
        }
    }
}
