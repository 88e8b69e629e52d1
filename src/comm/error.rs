//! What can be wrong with MPI itself. What fails on a rank for other reasons is shared by [`Failure`](super::Failure).

use mpi::Threading;

/// MPI is there, but not as this program needs it.
#[derive(Debug, thiserror::Error)]
pub enum MpiError {
    /// Something else in this process has started MPI.
    #[error("MPI was started twice in one process")]
    StartedTwice,
    /// The library cannot be called while other threads run.
    #[error(
        "this MPI library provides thread level {provided:?}, Funneled is needed: use a library built with thread support"
    )]
    Threads {
        /// What it provides.
        provided: Threading,
    },
    /// The launcher belongs to another MPI.
    #[error(
        "{launcher} started {processes} processes, but each is alone in its MPI job, since this program is linked to {library}: start it with that library's own mpiexec, or build it with the MPI whose launcher you use"
    )]
    Launcher {
        /// The launcher's name.
        launcher: String,
        /// How many processes it says that it started.
        processes: String,
        /// Name and version of the library.
        library: String,
    },
}

impl crate::error::ModuleError for MpiError {}
