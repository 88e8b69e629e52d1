//! MPICH: `mpiexec` of Hydra. It knows no rankfile and is told the PUs of each rank, by the operating system's numbers, as a list
//! for the ranks of a node that holds for every node alike. Where nodes differ, and where ranks go to and fro between hosts, each
//! rank becomes a part of the command of its own: to Hydra a host that it is told of twice is two, each with a list from its start.

use super::{
    Job, LaunchLine, Untold,
    command_line::{CommandLine, Told, Unread, bound},
    hydra::{self, Parts},
    profile::{Profile, Start},
};
use crate::topology::CpuSet;

pub(super) static PROFILE: Profile = Profile {
    ranks: hydra::RANKS,
    library: Some(|library| library.contains("MPICH")),
    job_variables: &["PMI_"],
    rankfile: None,
    binding_options: Some(|_, cores| format!("-bind-to core:{cores}")),
    start: Start {
        name: "mpich",
        help: "mpiexec of MPICH (Hydra)",
        program: "mpiexec",
        plain: "mpiexec -n {np}",
        is_version: |text| text.contains("HYDRA build details") && !text.contains("Intel"),
        line,
        read: Some(read),
    },
};

fn line(job: &Job<'_>) -> Result<LaunchLine, Untold> {
    let (program, devices) = (job.program, hydra::devices(job));
    let hosts: Vec<String> = job.by_host().map(|ranks| format!("{}:{}", ranks[0].host, ranks.len())).collect();
    let hosts = hosts.join(",");
    if let Some(sets) = job.common_list().filter(|_| job.goes_host_by_host()) {
        let sets: Vec<String> = sets.into_iter().map(joined).collect();
        let ranks = job.ranks.len();
        return Ok(LaunchLine::plain(format!(
            "mpiexec {devices}-n {ranks} -hosts {hosts} -bind-to user:{} {program}",
            sets.join(",")
        )));
    }
    let parts: Vec<String> = job.ranks.iter().map(|rank| hydra::part(rank, program, "")).collect();
    Ok(LaunchLine {
        command: format!("mpiexec {devices}-hosts {hosts} -bind-to none {}", parts.join(" : ")),
        needs: Some("taskset on every node: MPICH's -bind-to user: is one list for all nodes, and these differ"),
    })
}

/// `0+1+4+5`.
fn joined(pus: &CpuSet) -> String {
    pus.iter().map(|pu| pu.to_string()).collect::<Vec<_>>().join("+")
}

fn read(command: &CommandLine<'_>) -> Result<Told, Unread> {
    let parts = Parts::read(command, "bind-to", false)?;
    let sets = parts.binding.as_deref().map(user_list).transpose()?.unwrap_or_default();
    let hosts = parts.hosts_in_turn()?;
    let mut places = Vec::new();
    let mut local = 0;
    for (rank, (host, told)) in hosts.iter().zip(&parts.ranks).enumerate() {
        local = if rank > 0 && hosts[rank - 1] == *host { local + 1 } else { 0 };
        let in_list = || sets.get(local).cloned();
        places.push((host.clone(), bound(rank, told.pus.clone().or_else(in_list))?));
    }
    parts.told(places, &[])
}

/// The sets of `user:0+1,4+5`; none of `none`.
fn user_list(text: &str) -> Result<Vec<CpuSet>, Unread> {
    let unread = || Unread(format!("-bind-to {text} names no hardware threads: user:0+1,2+3 does"));
    match text.strip_prefix("user:") {
        None if text == "none" => Ok(Vec::new()),
        None => Err(unread()),
        Some(sets) => sets.split(',').map(|set| set.replace('+', ",").parse().map_err(|_| unread())).collect(),
    }
}
