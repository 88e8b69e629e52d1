//! A job whose places are planned, as a launcher is told of it, and the command that starts it.

use crate::topology::CpuSet;

/// What is to be started, and where.
#[derive(Clone, Debug)]
pub(crate) struct Job<'a> {
    /// In the order of the ranks; not empty.
    pub(crate) ranks: Vec<JobRank<'a>>,
    /// Whether the places of any two ranks have a core in common.
    pub(crate) shares_cores: bool,
    /// Whether all ranks are on the machine that starts them, as far as is known.
    pub(crate) starts_here: bool,
    /// Whether comments of the rankfile tell ranks what to compute on.
    pub(crate) names_devices: bool,
    /// The rankfile that has these places.
    pub(crate) rankfile: &'a str,
    /// What each rank runs: words for a shell.
    pub(crate) program: &'a str,
}

/// The place of one rank.
#[derive(Clone, Copy, Debug)]
pub(crate) struct JobRank<'a> {
    /// The host's name.
    pub(crate) host: &'a str,
    /// PUs by operating system index.
    pub(crate) pus: &'a CpuSet,
}

/// A command and what must be so for it to work.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct LaunchLine {
    /// For a shell.
    pub(crate) command: String,
    /// In words, where there is something to say.
    pub(crate) needs: Option<&'static str>,
}

impl LaunchLine {
    /// A command that works as it is.
    pub(super) fn plain(command: String) -> Self {
        Self { command, needs: None }
    }
}

impl<'a> Job<'a> {
    /// The ranks of each host, in the order of the hosts.
    pub(super) fn by_host(&self) -> impl Iterator<Item = &[JobRank<'a>]> {
        self.ranks.chunk_by(|one, next| one.host == next.host)
    }

    /// The PUs of each rank of a node, where one list serves all nodes: a node with fewer ranks uses the start of it.
    pub(super) fn common_list(&self) -> Option<Vec<&'a CpuSet>> {
        let longest = self.by_host().max_by_key(|ranks| ranks.len())?;
        let fits = |ranks: &[JobRank<'_>]| ranks.iter().zip(longest).all(|(rank, model)| rank.pus == model.pus);
        self.by_host().all(fits).then(|| longest.iter().map(|rank| rank.pus).collect())
    }
}
