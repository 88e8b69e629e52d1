//! Intel MPI: an `mpiexec` of Hydra's kin that binds in a way of its own: a list for the ranks of a node, which must be as many on
//! each, or else it prints an error and binds some of them anywhere. A count behind a host (`-hosts a:2`) it ignores, so that each host
//! becomes a part of the command.

use std::collections::BTreeMap;

use super::{
    Job, JobRank, LaunchLine, Untold,
    command_line::{CommandLine, Told, Unread, bound, list, local_numbers},
    hydra::{self, HERE, Parts},
    profile::{Profile, RankVariables, Start},
};
use crate::{topology::CpuSet, words::counted};

pub(super) static PROFILE: Profile = Profile {
    ranks: RankVariables {
        launcher: "the mpiexec of Intel MPI",
        mark: Some("I_MPI_HYDRA_UUID"),
        job: &["I_MPI_HYDRA_UUID"],
        ..hydra::RANKS
    },
    library: Some(|library| library.contains("Intel(R) MPI Library")),
    job_variables: &["PMI_", "I_MPI_HYDRA_"],
    rankfile: None,
    binding_options: None,
    start: Start {
        name: "intelmpi",
        help: "mpiexec of Intel MPI",
        program: "mpiexec",
        plain: "mpiexec -n {np}",
        is_version: |text| text.contains("Intel(R) MPI Library"),
        line,
        read: Some(read),
    },
};

fn line(job: &Job<'_>) -> Result<LaunchLine, Untold> {
    let (program, devices) = (job.program, hydra::devices(job));
    let local = job.local_ranks();
    let is_even = local.iter().all(|ranks| ranks.len() == local[0].len());
    if let Some(sets) = job.common_list().filter(|_| is_even) {
        let sets: Vec<String> = sets.into_iter().map(CpuSet::to_string).collect();
        let part = |ranks: &[JobRank<'_>]| format!("-n {} -host {} {program}", ranks.len(), ranks[0].host);
        let parts: Vec<String> = job.by_host().map(part).collect();
        return Ok(LaunchLine::plain(format!(
            "mpiexec {devices}-cpu-bind list:{} {}",
            sets.join(":"),
            parts.join(" : ")
        )));
    }
    let part = |rank: &JobRank<'_>| hydra::part(rank, program, &format!("-host {} ", rank.host));
    let parts: Vec<String> = job.ranks.iter().map(part).collect();
    Ok(LaunchLine {
        command: format!("mpiexec {devices}-genv I_MPI_PIN off {}", parts.join(" : ")),
        needs: Some("taskset on every node: Intel MPI's -cpu-bind is one list for all nodes, and these differ"),
    })
}

fn read(command: &CommandLine<'_>) -> Result<Told, Unread> {
    let parts = Parts::read(command, "cpu-bind", true)?;
    let sets = match parts.binding.as_deref() {
        None => Vec::new(),
        Some(text) => {
            let sets = text.strip_prefix("list:");
            let sets = sets.ok_or_else(|| Unread(format!("-cpu-bind {text} is ignored: list:0-1:2-3 binds")))?;
            sets.split(':').map(list).collect::<Result<_, _>>()?
        }
    };
    let has_hosts_of_parts = parts.ranks.iter().any(|rank| rank.host.is_some());
    let hosts: Vec<String> = if has_hosts_of_parts {
        parts.ranks.iter().map(|rank| rank.host.clone().unwrap_or_else(|| HERE.to_owned())).collect()
    } else if parts.hosts.iter().any(|(_, count)| count.is_some()) {
        return Err(Unread(
            "-hosts HOST:COUNT is read without the count: write `-n COUNT -host HOST PROGRAM : ...`".to_owned(),
        ));
    } else {
        parts.hosts_in_turn()?
    };
    let local = local_numbers(&hosts);
    let mut ranks_of: BTreeMap<&str, usize> = BTreeMap::new();
    for (host, number) in hosts.iter().zip(&local) {
        ranks_of.insert(host, number + 1);
    }
    if !sets.is_empty() && ranks_of.values().any(|ranks| *ranks != sets.len()) {
        let lists = counted(sets.len(), "list");
        return Err(Unread(format!(
            "-cpu-bind has {lists} and not one for each rank of every host: it is ignored there"
        )));
    }
    let place = |rank: usize| {
        let pus = parts.ranks[rank].pus.clone().or_else(|| sets.get(local[rank]).cloned());
        Ok((hosts[rank].clone(), bound(rank, pus)?))
    };
    let places = (0..hosts.len()).map(place).collect::<Result<_, Unread>>()?;
    parts.told(places, &["I_MPI_PIN"])
}
