//! A job whose places are planned, as a launcher is told of it, and the command that starts it.

use std::collections::BTreeMap;

use super::{OWN_VARIABLE, shell_word};
use crate::topology::{CpuSet, SlotUnit};

/// What is to be started, and where.
#[derive(Clone, Debug)]
pub(crate) struct Job<'a> {
    /// In the order of the ranks; not empty.
    pub(crate) ranks: Vec<JobRank<'a>>,
    /// Whether the places of any two ranks have a core in common.
    pub(crate) shares_cores: bool,
    /// Whether all ranks are on the machine that starts them, as far as is known.
    pub(crate) starts_here: bool,
    /// What the rankfile's slots count.
    pub(crate) slot_unit: SlotUnit,
    /// Whether comments of the rankfile tell ranks what to compute on.
    pub(crate) names_devices: bool,
    /// The rankfile that has these places.
    pub(crate) rankfile: &'a str,
    /// What each rank runs: words for a shell.
    pub(crate) program: &'a str,
}

/// A rankfile as a launcher that follows it is told of it.
#[derive(Clone, Copy, Debug)]
pub struct Following<'a> {
    /// The file.
    pub file: &'a str,
    /// Whether any two of its ranks share a core.
    pub shares_cores: bool,
    /// What its slots count.
    pub slot_unit: SlotUnit,
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

/// What makes a file of these lines, which are words for a shell, before a command.
pub(super) fn made_before<'a>(lines: impl IntoIterator<Item = &'a str>, file: &str) -> String {
    let lines: Vec<&str> = lines.into_iter().collect();
    format!(r"printf '%s\n' {} >{} && ", lines.join(" "), shell_word(file))
}

/// Why a launcher cannot be told where the ranks of a job belong, in words.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Untold(pub(crate) String);

impl Untold {
    /// A launcher that gives each node as many ranks as any other.
    pub(super) fn uneven(what: &str) -> Self {
        Self(format!("{what} gives each node as many ranks as any other, and these have not as many: {ELSEWHERE}"))
    }

    /// An option that has one list for the ranks of all nodes.
    pub(super) fn one_list(what: &str) -> Self {
        Self(format!("{what} is one list for all nodes, and these differ: {ELSEWHERE}"))
    }
}

/// The way out of a job that a launcher cannot be told of.
const ELSEWHERE: &str = "make a job of each kind of node, or let each rank take its own place with `hybrid run`";

impl<'a> Job<'a> {
    /// The rankfile, for a launcher that reads it.
    pub(super) fn following(&self) -> Following<'a> {
        Following { file: self.rankfile, shares_cores: self.shares_cores, slot_unit: self.slot_unit }
    }

    /// The ranks that follow one another on a host, in their order.
    pub(super) fn by_host(&self) -> impl Iterator<Item = &[JobRank<'a>]> {
        self.ranks.chunk_by(|one, next| one.host == next.host)
    }

    /// The variable that tells ranks of the rankfile, and of the devices in its comments with it, set for a launcher that hands its
    /// environment on to them.
    pub(super) fn devices_in_environment(&self) -> String {
        if self.names_devices { format!("{OWN_VARIABLE}={} ", shell_word(self.rankfile)) } else { String::new() }
    }

    /// The ranks of each host, wherever they stand, the hosts in the order of their first ranks. Not empty, and none in it.
    pub(super) fn local_ranks(&self) -> Vec<Vec<JobRank<'a>>> {
        let mut places: BTreeMap<&str, usize> = BTreeMap::new();
        let mut hosts: Vec<Vec<JobRank<'a>>> = Vec::new();
        for rank in &self.ranks {
            let place = *places.entry(rank.host).or_insert(hosts.len());
            if place == hosts.len() {
                hosts.push(Vec::new());
            }
            hosts[place].push(*rank);
        }
        hosts
    }

    /// Whether the ranks of each host follow one another.
    pub(super) fn goes_host_by_host(&self) -> bool {
        self.by_host().count() == self.local_ranks().len()
    }

    /// The PUs of each rank of a node, where one list serves all nodes: a node with fewer ranks uses the start of it.
    pub(super) fn common_list(&self) -> Option<Vec<&'a CpuSet>> {
        let hosts = self.local_ranks();
        let longest = hosts.iter().max_by_key(|ranks| ranks.len())?;
        let fits = |ranks: &Vec<JobRank<'_>>| ranks.iter().zip(longest).all(|(rank, model)| rank.pus == model.pus);
        hosts.iter().all(fits).then(|| longest.iter().map(|rank| rank.pus).collect())
    }
}
