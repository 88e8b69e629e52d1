//! MPICH: `mpiexec` of Hydra. It knows no rankfile and is told the PUs of each rank, by the operating system's numbers, as a list
//! for the ranks of a node that holds for every node alike; where nodes differ, each rank becomes a part of the command of its own.

use super::{
    Job, JobRank, LaunchLine, OWN_VARIABLE,
    profile::{Profile, RankVariables, Start},
    shell_word,
};
use crate::topology::CpuSet;

pub(super) static PROFILE: Profile = Profile {
    ranks: RankVariables { launcher: "the mpiexec of MPICH or one of its kin", rank: "PMI_RANK", size: "PMI_SIZE" },
    library: Some(|library| library.contains("MPICH")),
    job_variables: &["PMI_"],
    rankfile: None,
    binding_options: Some(|_, cores| format!("-bind-to core:{cores}")),
    start: Start {
        name: "mpich",
        help: "mpiexec of MPICH (Hydra)",
        program: "mpiexec",
        // Intel MPI is of Hydra's kin, but binds by variables of its own.
        is_version: |text| text.contains("HYDRA build details") && !text.contains("Intel"),
        line,
    },
};

fn line(job: &Job<'_>) -> LaunchLine {
    let program = job.program;
    let hosts: Vec<String> = job.by_host().map(|ranks| format!("{}:{}", ranks[0].host, ranks.len())).collect();
    let hosts = hosts.join(",");
    // Of the rankfile the ranks hear through a variable alone, and of the devices in its comments with it.
    let devices =
        if job.names_devices { format!("-genv {OWN_VARIABLE} {} ", shell_word(job.rankfile)) } else { String::new() };
    if let Some(sets) = job.common_list() {
        let sets: Vec<String> = sets.into_iter().map(joined).collect();
        let ranks = job.ranks.len();
        return LaunchLine::plain(format!(
            "mpiexec {devices}-n {ranks} -hosts {hosts} -bind-to user:{} {program}",
            sets.join(",")
        ));
    }
    let part = |rank: &JobRank<'_>| format!("-n 1 taskset -c {} {program}", rank.pus);
    let parts: Vec<String> = job.ranks.iter().map(part).collect();
    LaunchLine {
        command: format!("mpiexec {devices}-hosts {hosts} -bind-to none {}", parts.join(" : ")),
        needs: Some("taskset on every node: MPICH's -bind-to user: is one list for all nodes, and these differ"),
    }
}

/// `0+1+4+5`.
fn joined(pus: &CpuSet) -> String {
    pus.iter().map(|pu| pu.to_string()).collect::<Vec<_>>().join("+")
}
