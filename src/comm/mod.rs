//! MPI: start and end of the job, agreement on failures, and the few collectives the workloads need. The only folder
//! that names `mpi`.
//!
//! Values cross MPI in one format, which `wire` defines; only the bytes of bands and sums of `u64` go as they are. Knows nothing of what
//! they mean.

#![deny(clippy::disallowed_methods, reason = "they spin until other ranks have come, see `pause`")]

mod agree;
mod builds;
mod clock;
mod error;
mod gather;
mod group;
mod hello;
mod library;
mod mail;
mod mixed;
mod node;
mod pause;
mod sockets;
mod wire;

use std::{fmt, panic, sync::Once};

use mpi::{
    Threading,
    environment::Universe,
    topology::{Communicator, SimpleCommunicator},
};

pub(crate) use self::builds::{Admission, LIMIT as BUILD_LIMIT, Refused};
#[cfg(test)]
pub use self::clock::ClockOffset;
pub use self::{agree::Failure, clock::Beginning, error::MpiError, group::Group, node::NodeGroup, pause::Pause};
use crate::{environment, error::Error, host_name::short_name, launcher::Launch, streams, visible::visible};

/// Exit code of a job that was aborted because one of its ranks panicked; Rust's own for a panic.
const PANIC_EXIT_CODE: i32 = 101;

/// The running MPI job as this rank sees it: one value on each rank, made by [`of_job`](Self::of_job). MPI ends when it is dropped,
/// so it lives as long as the job.
// Fields drop in this order: a communicator freed after MPI is finalized would abort the job.
pub struct World {
    /// The ranks of this rank's node, and collectives over them.
    pub node: NodeGroup,
    /// All ranks of the job, and collectives over them.
    pub all: Group,
    host: String,
    library: String,
    launch: Launch,
    settings: Vec<String>,
    mixed_builds: Option<String>,
    _universe: Universe,
}

/// Why there is no job.
#[derive(Debug)]
pub(crate) enum NoWorld {
    /// MPI is not there as it is needed.
    Mpi(MpiError),
    /// Its ranks are of different builds.
    Refused(Refused),
}

impl From<MpiError> for NoWorld {
    fn from(error: MpiError) -> Self {
        Self::Mpi(error)
    }
}

impl fmt::Debug for World {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("World").field("rank", &self.rank()).field("size", &self.size()).finish_non_exhaustive()
    }
}

impl World {
    /// Starts MPI. Before, it sets in the environment what the user has not set: where there is no fast network, Open MPI need not look
    /// for one. Call it first, before any thread is started, and once.
    ///
    /// From then on a panic on any thread of any rank prints one line and ends the whole job with the exit code 101: otherwise the
    /// ranks that wait for it would wait for ever.
    ///
    /// # Errors
    /// Where MPI is running already, cannot be called from this thread, or was started by the launcher of another MPI; and where ranks
    /// were built from different sources of this library.
    pub fn of_job() -> Result<Self, Error> {
        Self::start(environment::prepare(false), Admission::STRICT).map_err(|none| match none {
            NoWorld::Mpi(error) => error.into(),
            NoWorld::Refused(refused) => refused.error(),
        })
    }

    /// As [`of_job`](Self::of_job), where `settings` were made in the environment, for the ranks that `admission` lets in.
    ///
    /// # Errors
    /// As those of [`of_job`](Self::of_job).
    pub(crate) fn start(settings: Vec<String>, admission: Admission) -> Result<Self, NoWorld> {
        let (universe, provided) = mpi::initialize_with_threading(Threading::Funneled).ok_or(MpiError::StartedTwice)?;
        let world = universe.world();
        let host = host_name();
        abort_on_panic(world.rank(), host.clone());
        if provided < Threading::Funneled {
            return Err(MpiError::Threads { provided }.into());
        }
        let library = mpi::environment::library_version().unwrap_or_default();
        let launch = Launch::of_environment();
        library::check(&launch, world.size().unsigned_abs(), &library)?;
        let library = library::name_and_version(&library);
        if !settings.is_empty() {
            sockets::send_at_once();
        }
        let mixed_builds = match builds::compare(&world, &host, admission) {
            Ok(mixed) => mixed,
            Err(message) => return Err(NoWorld::Refused(Refused::new(message, world.rank() == 0, universe))),
        };
        let all = Group::new(world);
        let node = NodeGroup::of(&all, &host);
        Ok(Self { node, all, host, library, launch, settings, mixed_builds, _universe: universe })
    }

    /// This rank's number in the job, from 0.
    #[must_use]
    pub fn rank(&self) -> usize {
        self.all.rank()
    }

    /// Number of ranks in the job.
    #[must_use]
    pub fn size(&self) -> usize {
        self.all.size()
    }

    /// Whether this is the rank that assembles, writes and prints: rank 0.
    #[must_use]
    pub fn is_root(&self) -> bool {
        self.rank() == 0
    }

    /// Name of this rank's node, without its domain.
    #[must_use]
    pub fn host(&self) -> &str {
        &self.host
    }

    /// Name and version of the MPI library, such as `Open MPI v4.1.4`.
    #[must_use]
    pub fn library(&self) -> &str {
        &self.library
    }

    /// On rank 0, which builds the ranks are of, where they differ and that was allowed.
    #[must_use]
    pub(crate) fn mixed_builds(&self) -> Option<&str> {
        self.mixed_builds.as_deref()
    }

    /// What the launcher told this process.
    #[must_use]
    pub(crate) fn launch(&self) -> &Launch {
        &self.launch
    }

    /// What was set in the environment for MPI before it was started, as `NAME=value`.
    #[must_use]
    pub fn settings(&self) -> &[String] {
        &self.settings
    }

    /// Goes on with the value where `outcome` is `Ok` on every rank; otherwise returns the same failure on every rank.
    ///
    /// Collective. Each step that can fail on one rank goes through here before the next collective call, since a rank
    /// that returns early leaves the others waiting for ever.
    ///
    /// ```
    /// # fn main() -> Result<(), hybrid::Error> {
    /// let world = hybrid::World::of_job()?;
    /// let outcome = if world.is_root() { Err(hybrid::Error::Usage("nothing to do".to_owned())) } else { Ok(()) };
    /// let failure = world.agree(outcome).unwrap_err(); // on every rank
    /// assert_eq!(failure.exit_code(), 2);
    /// # Ok(())
    /// # }
    /// ```
    ///
    /// # Errors
    /// The failure of the lowest rank that failed, the same on every rank.
    pub fn agree<T>(&self, outcome: Result<T, Error>) -> Result<T, Failure> {
        agree::agree(&self.all, &self.host, outcome)
    }
}

/// The node's name as the operating system knows it, without the domain.
fn host_name() -> String {
    let name = mpi::environment::processor_name().unwrap_or_else(|_| "unknown".to_owned());
    visible(short_name(&name)).into_owned()
}

/// From now on a panic on any thread prints one line and aborts the job.
fn abort_on_panic(rank: i32, host: String) {
    static FIRST: Once = Once::new();
    panic::set_hook(Box::new(move |info| {
        // A second panic, on another thread or while aborting, has nothing to add.
        FIRST.call_once(|| {
            let message = info
                .payload()
                .downcast_ref::<&str>()
                .map(|text| (*text).to_owned())
                .or_else(|| info.payload().downcast_ref::<String>().cloned())
                .unwrap_or_default();
            let place = info.location().map(|at| format!(" ({}:{})", at.file(), at.line())).unwrap_or_default();
            let message = message.replace('\n', " ");
            streams::tell_at_last(&format!(
                "error: rank {rank} on {host} panicked: {message}{place}: this is a bug in hybrid"
            ));
            SimpleCommunicator::world().abort(PANIC_EXIT_CODE);
        });
    }));
}
