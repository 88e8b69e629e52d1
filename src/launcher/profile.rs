//! What there is to know of a launcher, for each file of this folder to say. There are no defaults, so that a new launcher
//! answers every question.

use super::{
    Dialect, Following, Job, LaunchLine, Untold,
    command_line::{CommandLine, Told, Unread},
};

/// All that is known of a launcher.
pub(super) struct Profile {
    /// How a process of its jobs knows it.
    pub(super) ranks: RankVariables,
    /// Whether an MPI library, of which this is the name and version, is the one that the launcher comes with; `None` for a
    /// launcher that starts programs of any MPI.
    pub(super) library: Option<fn(&str) -> bool>,
    /// Prefixes of variables that mark the processes of its jobs: with them a launcher of another version takes itself for a part
    /// of that job.
    pub(super) job_variables: &'static [&'static str],
    /// How it reads rankfiles; `None` where it reads none.
    pub(super) rankfile: Option<RankfileReader>,
    /// The options that bind each rank to so many cores, where there are any.
    pub(super) binding_options: Option<fn(usize, usize) -> String>,
    /// How it starts a planned job.
    pub(super) start: Start,
}

/// The variables in which a launcher tells a process its place in the job.
pub(super) struct RankVariables {
    /// The launcher in sentences, as far as these variables tell it.
    pub(super) launcher: &'static str,
    /// The process's rank.
    pub(super) rank: &'static str,
    /// The number of ranks.
    pub(super) size: &'static str,
    /// A variable that it sets besides, where others set the two above as well.
    pub(super) mark: Option<&'static str>,
    /// The process's number among those of its node.
    pub(super) local_rank: &'static str,
    /// The number of those.
    pub(super) local_size: LocalSize,
    /// What tells its job from others of the same launcher process.
    pub(super) job: &'static [&'static str],
    /// How the names begin of its processes that start those of a node.
    pub(super) daemons: &'static [&'static str],
}

/// Where a launcher says how many processes a node has.
#[derive(Clone, Copy)]
pub(super) enum LocalSize {
    /// In this variable.
    Number(&'static str),
    /// By a list of their ranks, with commas.
    List(&'static str),
    /// Nowhere, but each of so many nodes has as many as any other.
    EvenOver(&'static str),
}

/// How a launcher reads rankfiles, and tells of them.
pub(super) struct RankfileReader {
    /// What it makes of each statement.
    pub(super) dialect: Dialect,
    /// The options for a file.
    pub(super) options: fn(Following<'_>) -> String,
    /// The variables in which it tells its ranks where the file is, the first that is set counts.
    pub(super) path_variables: &'static [&'static str],
    /// Variables with values in which it tells its ranks that slots count hardware threads.
    pub(super) thread_settings: &'static [(&'static str, &'static [&'static str])],
    /// How names of its process begin, which is the parent of the ranks on its own node; of a launcher that tells of the file.
    pub(super) process_names: &'static [&'static str],
}

/// What a launcher's command says of places.
pub(crate) type ReadCommand = fn(&CommandLine<'_>) -> Result<Told, Unread>;

/// How a launcher starts a job.
pub(crate) struct Start {
    /// What the option `--launcher` calls it.
    pub(crate) name: &'static str,
    /// The help for that word.
    pub(crate) help: &'static str,
    /// Its program.
    pub(crate) program: &'static str,
    /// The command that starts so many ranks of a program where it likes, `{np}` for their number.
    pub(crate) plain: &'static str,
    /// Whether the program prints this text for `--version`.
    pub(super) is_version: fn(&str) -> bool,
    /// The command that starts a job, or why there is none.
    pub(crate) line: fn(&Job<'_>) -> Result<LaunchLine, Untold>,
    /// What such a command says of places; `None` of a launcher to which a rankfile says it.
    pub(crate) read: Option<ReadCommand>,
}
