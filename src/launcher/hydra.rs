//! What the `mpiexec` of MPICH and those of its kin have in common: options, parts between colons, `taskset` where a list of places
//! does not do.

use std::collections::BTreeMap;

use super::{
    Job, JobRank, OWN_VARIABLE,
    command_line::{CommandLine, Told, Unread, common_program},
    profile::{LocalSize, RankVariables},
    shell_word,
};
use crate::topology::CpuSet;

/// What all of them tell their ranks.
pub(super) const RANKS: RankVariables = RankVariables {
    launcher: "the mpiexec of MPICH or one of its kin",
    rank: "PMI_RANK",
    size: "PMI_SIZE",
    mark: None,
    local_rank: "MPI_LOCALRANKID",
    local_size: LocalSize::Number("MPI_LOCALNRANKS"),
    job: &[],
    daemons: &["hydra_pmi_proxy", "mpiexec", "mpirun"],
};

/// The option that tells ranks of the rankfile, and of the devices in its comments with it.
pub(super) fn devices(job: &Job<'_>) -> String {
    if job.names_devices { format!("-genv {OWN_VARIABLE} {} ", shell_word(job.rankfile)) } else { String::new() }
}

/// A part of the command for one rank.
pub(super) fn part(rank: &JobRank<'_>, program: &str, options: &str) -> String {
    format!("-n 1 {options}taskset -c {} {program}", rank.pus)
}

/// A command taken apart.
pub(super) struct Parts {
    /// `-hosts`, each with its number of ranks where it says one.
    pub(super) hosts: Vec<(String, Option<usize>)>,
    /// `-ppn`.
    pub(super) per_host: Option<usize>,
    /// `-genv`.
    pub(super) variables: BTreeMap<String, String>,
    /// The option that binds, in the launcher's own words.
    pub(super) binding: Option<String>,
    /// For each rank what stands in its part.
    pub(super) ranks: Vec<Rank>,
}

/// What the part of a rank says.
pub(super) struct Rank {
    /// `-host`.
    pub(super) host: Option<String>,
    /// After `taskset`.
    pub(super) pus: Option<CpuSet>,
    program: Vec<String>,
}

impl Parts {
    /// Takes apart a command whose option `binding` binds. A host that stands before a part's program is that part's where
    /// `hosts_of_parts` says so, else all ranks'.
    pub(super) fn read(command: &CommandLine<'_>, binding: &str, hosts_of_parts: bool) -> Result<Self, Unread> {
        let mut found =
            Self { hosts: vec![], per_host: None, variables: BTreeMap::new(), binding: None, ranks: vec![] };
        command.allow_variables(&[])?;
        for mut words in command.parts() {
            let (mut count, mut host) = (1, None);
            while let Some(option) = words.option() {
                match option.trim_start_matches('-') {
                    "n" | "np" => count = words.number(option)?,
                    "host" if hosts_of_parts => host = Some(words.value(option)?.to_owned()),
                    "hosts" | "host" => {
                        once(found.hosts.is_empty(), option)?;
                        found.hosts = hosts(words.value(option)?)?;
                    }
                    "ppn" | "perhost" => {
                        once(found.per_host.is_none(), option)?;
                        found.per_host = Some(words.number(option)?);
                    }
                    "genv" => {
                        let name = words.value(option)?.to_owned();
                        found.variables.insert(name, words.value(option)?.to_owned());
                    }
                    word if word == binding => {
                        once(found.binding.is_none(), option)?;
                        found.binding = Some(words.value(option)?.to_owned());
                    }
                    _ => return Err(Unread::word(option)),
                }
            }
            let (program, pus) = words.program()?;
            let ranks = (0..count).map(|_| Rank { host: host.clone(), pus: pus.clone(), program: program.clone() });
            found.ranks.extend(ranks);
        }
        Ok(found)
    }

    /// The host of each rank, where all are told by `-hosts`: without it the machine that starts them.
    pub(super) fn hosts_in_turn(&self) -> Result<Vec<String>, Unread> {
        if self.hosts.is_empty() {
            return Ok(vec![HERE.to_owned(); self.ranks.len()]);
        }
        let mut all = Vec::new();
        for (host, count) in &self.hosts {
            if count.is_some() && self.per_host.is_some() {
                return Err(Unread(format!(
                    "{host}:COUNT and -ppn both say how many ranks host {host} gets: write one of them"
                )));
            }
            let count = count.or(self.per_host).ok_or_else(|| {
                Unread(format!("it does not say how many ranks host {host} gets: write {host}:COUNT"))
            })?;
            all.extend((0..count.min(self.ranks.len())).map(|_| host.clone()));
        }
        if all.len() < self.ranks.len() {
            return Err(Unread(format!("it starts {} ranks and has room for {}", self.ranks.len(), all.len())));
        }
        all.truncate(self.ranks.len());
        Ok(all)
    }

    /// The places, with the program; `known` are the variables that say nothing which is lost.
    pub(super) fn told(self, places: Vec<(String, CpuSet)>, known: &[&str]) -> Result<Told, Unread> {
        let lost = |name: &&String| *name != OWN_VARIABLE && !known.contains(&name.as_str());
        if let Some(name) = self.variables.keys().find(lost) {
            return Err(Unread::variable(name));
        }
        let program = common_program(self.ranks.into_iter().map(|rank| rank.program).collect())?;
        Ok(Told { places, program, rankfile: self.variables.get(OWN_VARIABLE).cloned() })
    }
}

/// Refuses an option that launchers take once.
fn once(is_first: bool, option: &str) -> Result<(), Unread> {
    if is_first { Ok(()) } else { Err(Unread(format!("{option} stands there twice"))) }
}

/// The machine that starts the job, as a rankfile may call it.
pub(super) const HERE: &str = "localhost";

/// `a:2,b`.
fn hosts(text: &str) -> Result<Vec<(String, Option<usize>)>, Unread> {
    let host = |word: &str| match word.split_once(':') {
        None => Ok((word.to_owned(), None)),
        Some((host, count)) => {
            let count =
                count.parse().map_err(|_| Unread(format!("host {host} has '{count}' ranks, which is no number")))?;
            Ok((host.to_owned(), Some(count)))
        }
    };
    text.split(',').filter(|word| !word.is_empty()).map(host).collect()
}
