//! Slurm: `srun`, which starts programs of any MPI. It knows no rankfile and is told the PUs of each rank, by the operating
//! system's numbers, as a list for the ranks of a node; where nodes differ, each node becomes a part of the command of its own. It
//! gives ranks to hosts in an order of its own, unless a file lists a host for each.

use super::{
    Job, JobRank, LaunchLine, OWN_VARIABLE,
    profile::{Profile, RankVariables, Start},
    shell_word,
};
use crate::{host_name::without_user, topology::CpuSet};

pub(super) static PROFILE: Profile = Profile {
    // Only inside a step started by srun, and not in the batch script around it.
    ranks: RankVariables { launcher: "srun", rank: "SLURM_PROCID", size: "SLURM_STEP_NUM_TASKS" },
    library: None,
    job_variables: &[],
    rankfile: None,
    binding_options: None,
    start: Start {
        name: "slurm",
        help: "srun of Slurm",
        program: "srun",
        is_version: |text| text.trim_start().starts_with("slurm"),
        line,
    },
};

fn line(job: &Job<'_>) -> LaunchLine {
    let program = job.program;
    // srun hands its environment on to the ranks, which hear of the rankfile, and of the devices in its comments, by that alone.
    let devices =
        if job.names_devices { format!("{OWN_VARIABLE}={} ", shell_word(job.rankfile)) } else { String::new() };
    if let Some(sets) = job.common_list() {
        let command = format!("{devices}srun {} --cpu-bind={} {program}", ranks(job), cpu_bind(&sets));
        return LaunchLine {
            command: if job.by_host().count() > 1 { with_host_file(job, &command) } else { command },
            needs: Some("an allocation of whole nodes (--exclusive)"),
        };
    }
    let part = |ranks: &[JobRank<'_>]| {
        let sets: Vec<&CpuSet> = ranks.iter().map(|rank| rank.pus).collect();
        format!("-w {} -N 1 -n {} --cpu-bind={} {program}", host(&ranks[0]), ranks.len(), cpu_bind(&sets))
    };
    let parts: Vec<String> = job.by_host().map(part).collect();
    LaunchLine {
        command: format!("{devices}srun {}", parts.join(" : ")),
        needs: Some("an allocation of whole nodes (--exclusive), and Slurm 20.11 or later for a step of several parts"),
    }
}

/// The host's name: srun starts ranks as the user that calls it, by no ssh, and takes no other user.
fn host<'a>(rank: &JobRank<'a>) -> &'a str {
    without_user(rank.host)
}

/// How many ranks there are and on which hosts. `-w` names hosts and gives them no order: srun sorts them.
fn ranks(job: &Job<'_>) -> String {
    let ranks = job.ranks.len();
    let mut hosts = job.by_host().map(|ranks| host(&ranks[0]));
    match (hosts.next(), hosts.next()) {
        (Some(only), None) => format!("-w {only} -N 1 -n {ranks}"),
        _ => format!("-n {ranks} --distribution=arbitrary"),
    }
}

/// `command`, and before it what makes the file that tells srun the host of each rank.
fn with_host_file(job: &Job<'_>, command: &str) -> String {
    let hosts: Vec<&str> = job.ranks.iter().map(host).collect();
    let list = shell_word(&format!("{}.hosts", job.rankfile));
    format!("printf '%s\\n' {} >{list} && SLURM_HOSTFILE={list} {command}", hosts.join(" "))
}

/// A list of PUs where each rank has one, else of masks.
fn cpu_bind(sets: &[&CpuSet]) -> String {
    let single = sets.iter().all(|pus| pus.len() == 1);
    let words: Vec<String> = sets.iter().map(|pus| if single { pus.to_string() } else { mask(pus) }).collect();
    format!("{}:{}", if single { "map_cpu" } else { "mask_cpu" }, words.join(","))
}

/// The set as a number in hexadecimal, its lowest bit PU 0.
fn mask(pus: &CpuSet) -> String {
    let digits = pus.iter().max().map_or(1, |last| last / 4 + 1);
    let digit = |index: usize| (0..4).filter(|bit| pus.contains(4 * index + bit)).map(|bit| 1 << bit).sum();
    let digits: String =
        (0..digits).rev().map(|index| char::from_digit(digit(index), 16).expect("four bits are a digit")).collect();
    format!("0x{digits}")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn masks_have_a_digit_for_four_pus() {
        for (pus, expected) in [("0", "0x1"), ("0-3", "0xf"), ("4", "0x10"), ("0,64-65", "0x30000000000000001")] {
            assert_eq!(mask(&pus.parse().unwrap()), expected);
        }
    }
}
