//! The command that starts a plan with each launcher.
//!
//! Open MPI reads the rankfile. MPICH and Slurm know none: they are told the PUs of each rank, by the operating system's
//! numbers, as a list for the ranks of a node that holds for every node alike. Where nodes differ, each node or rank becomes
//! a part of the command of its own. Slurm gives ranks to hosts in an order of its own, unless a file lists a host for each.

use std::collections::BTreeSet;

use super::{Plan, PlannedRank};
use crate::{
    cli::rankfile::Launcher,
    rankfile::{options_5, options_41, shell_word},
    topology::CpuSet,
};

/// A command and what must be so for it to work.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct LaunchLine {
    /// For a shell.
    pub command: String,
    /// In words, where there is something to say.
    pub needs: Option<&'static str>,
}

/// The command that starts `program` (words for a shell) as planned; `file` holds the plan's rankfile.
#[must_use]
pub fn launch_line(plan: &Plan, launcher: Launcher, file: &str, program: &str) -> LaunchLine {
    match launcher {
        Launcher::OpenMpi4 => plain(format!("mpiexec -n {} {} {program}", plan.ranks.len(), options_41(file))),
        Launcher::OpenMpi5 => open_mpi_5(plan, file, program),
        Launcher::Mpich => mpich(plan, program),
        Launcher::Slurm => slurm(plan, file, program),
    }
}

fn plain(command: String) -> LaunchLine {
    LaunchLine { command, needs: None }
}

fn open_mpi_5(plan: &Plan, file: &str, program: &str) -> LaunchLine {
    let options = options_5(file, plan.shares_cores);
    // 4.1 tells its processes where the rankfile is; 5.x does not, and the devices in its comments would go unread.
    let devices = if plan.names_devices {
        format!(" -x {}", shell_word(&format!("HYBRID_RANKFILE={file}")))
    } else {
        String::new()
    };
    // 4.1 takes the hosts from the rankfile; 5.x knows of them what it is told elsewhere.
    let mut hosts: Vec<&str> = plan.by_host().map(|ranks| ranks[0].host.as_str()).collect();
    let mut seen = BTreeSet::new();
    hosts.retain(|host| seen.insert(*host));
    let slots = |host: &&str| plan.ranks.iter().filter(|rank| rank.host == **host).count();
    let hosts: Vec<String> = hosts.iter().map(|host| format!("{host}:{}", slots(host))).collect();
    let hosts = if hosts.len() > 1 { format!(" -H {}", hosts.join(",")) } else { String::new() };
    LaunchLine {
        command: format!("mpiexec -n {}{hosts} {options}{devices} {program}", plan.ranks.len()),
        // 5.0.7 refuses a path with `-` as an unknown qualifier; 5.0.11 takes it.
        needs: file.contains([':', '-']).then_some(
            "a file whose path has no `:`, where Open MPI 5 cuts its option, and no `-`, which 5.0.7 refuses",
        ),
    }
}

fn mpich(plan: &Plan, program: &str) -> LaunchLine {
    let hosts: Vec<String> = plan.by_host().map(|ranks| format!("{}:{}", ranks[0].host, ranks.len())).collect();
    let hosts = hosts.join(",");
    if let Some(sets) = common_list(plan) {
        let sets: Vec<String> = sets.iter().map(|pus| pus_joined(pus, "+")).collect();
        let ranks = plan.ranks.len();
        return plain(format!("mpiexec -n {ranks} -hosts {hosts} -bind-to user:{} {program}", sets.join(",")));
    }
    let part = |rank: &PlannedRank| format!("-n 1 taskset -c {} {program}", rank.cpuset);
    let parts: Vec<String> = plan.ranks.iter().map(part).collect();
    LaunchLine {
        command: format!("mpiexec -hosts {hosts} -bind-to none {}", parts.join(" : ")),
        needs: Some("taskset on every node: MPICH's -bind-to user: is one list for all nodes, and these differ"),
    }
}

fn slurm(plan: &Plan, file: &str, program: &str) -> LaunchLine {
    if let Some(sets) = common_list(plan) {
        let command = format!("srun {} --cpu-bind={} {program}", slurm_ranks(plan), cpu_bind(sets));
        return LaunchLine {
            command: if plan.by_host().count() > 1 { with_host_file(plan, file, &command) } else { command },
            needs: Some("an allocation of whole nodes (--exclusive)"),
        };
    }
    let part = |ranks: &[PlannedRank]| {
        let sets: Vec<&CpuSet> = ranks.iter().map(|rank| &rank.cpuset).collect();
        format!("-w {} -N 1 -n {} --cpu-bind={} {program}", ranks[0].host, ranks.len(), cpu_bind(sets))
    };
    let parts: Vec<String> = plan.by_host().map(part).collect();
    LaunchLine {
        command: format!("srun {}", parts.join(" : ")),
        needs: Some("an allocation of whole nodes (--exclusive), and Slurm 20.11 or later for a step of several parts"),
    }
}

/// How many ranks there are and on which hosts. `-w` names hosts and gives them no order: srun sorts them.
fn slurm_ranks(plan: &Plan) -> String {
    let ranks = plan.ranks.len();
    let mut hosts = plan.by_host().map(|ranks| ranks[0].host.as_str());
    match (hosts.next(), hosts.next()) {
        (Some(only), None) => format!("-w {only} -N 1 -n {ranks}"),
        _ => format!("-n {ranks} --distribution=arbitrary"),
    }
}

/// `command`, and before it what makes the file that tells srun the host of each rank.
fn with_host_file(plan: &Plan, file: &str, command: &str) -> String {
    let hosts: Vec<&str> = plan.ranks.iter().map(|rank| rank.host.as_str()).collect();
    let list = shell_word(&format!("{file}.hosts"));
    format!("printf '%s\\n' {} >{list} && SLURM_HOSTFILE={list} {command}", hosts.join(" "))
}

/// The PUs of each rank of a node, where one list serves all nodes: a node with fewer ranks uses the start of it.
fn common_list(plan: &Plan) -> Option<Vec<&CpuSet>> {
    let longest = plan.by_host().max_by_key(|ranks| ranks.len())?;
    let fits = |ranks: &[PlannedRank]| ranks.iter().zip(longest).all(|(rank, model)| rank.cpuset == model.cpuset);
    plan.by_host().all(fits).then(|| longest.iter().map(|rank| &rank.cpuset).collect())
}

/// Slurm's list of PUs where each rank has one, else of masks.
fn cpu_bind(sets: Vec<&CpuSet>) -> String {
    let single = sets.iter().all(|pus| pus.len() == 1);
    let words: Vec<String> = sets.into_iter().map(|pus| if single { pus.to_string() } else { mask(pus) }).collect();
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

fn pus_joined(pus: &CpuSet, separator: &str) -> String {
    pus.iter().map(|pu| pu.to_string()).collect::<Vec<_>>().join(separator)
}

#[cfg(test)]
mod tests {
    use super::{super::tests::host, *};

    fn line(hosts: &[(&str, &str)], ranks: u32, launcher: Launcher) -> String {
        let hosts: Vec<_> = hosts.iter().map(|(name, topology)| host(name, topology)).collect();
        let plan = Plan::of(&hosts, Some(ranks), 1).unwrap();
        launch_line(&plan, launcher, "my.rf", "hybrid julia").command
    }

    #[test]
    fn open_mpi_reads_the_rankfile_and_5_is_told_where_ranks_share_cores() {
        let pi = [("a", "raspberry-pi")];
        assert_eq!(line(&pi, 4, Launcher::OpenMpi4), "mpiexec -n 4 -rf my.rf hybrid julia");
        assert_eq!(
            line(&pi, 4, Launcher::OpenMpi5),
            "mpiexec -n 4 --map-by rankfile:file=my.rf --bind-to core hybrid julia"
        );
        assert_eq!(
            line(&pi, 5, Launcher::OpenMpi5),
            "mpiexec -n 5 --map-by rankfile:file=my.rf:oversubscribe --bind-to core:overload-allowed hybrid julia"
        );
    }

    #[test]
    fn open_mpi_5_hands_on_the_rankfile_where_it_names_gpus() {
        assert_eq!(
            line(&[("a", "part-of-a-node")], 2, Launcher::OpenMpi5),
            "mpiexec -n 2 --map-by rankfile:file=my.rf --bind-to core -x HYBRID_RANKFILE=my.rf hybrid julia"
        );
    }

    #[test]
    fn open_mpi_5_is_told_the_slots_of_several_hosts() {
        assert_eq!(
            line(&[("b", "raspberry-pi"), ("a", "raspberry-pi")], 2, Launcher::OpenMpi5),
            "mpiexec -n 4 -H b:2,a:2 --map-by rankfile:file=my.rf --bind-to core hybrid julia"
        );
    }

    #[test]
    fn mpich_and_slurm_are_told_pus_by_the_operating_systems_numbers() {
        let laptops = [("a", "laptop"), ("b", "laptop")];
        assert_eq!(
            line(&laptops, 2, Launcher::Mpich),
            "mpiexec -n 4 -hosts a:2,b:2 -bind-to user:0+1+4+5,2+3+6+7 hybrid julia"
        );
        assert_eq!(
            line(&laptops, 2, Launcher::Slurm),
            r"printf '%s\n' a a b b >my.rf.hosts && SLURM_HOSTFILE=my.rf.hosts srun -n 4 --distribution=arbitrary --cpu-bind=mask_cpu:0x33,0xcc hybrid julia"
        );
        assert_eq!(
            line(&[("a", "raspberry-pi")], 4, Launcher::Slurm),
            "srun -w a -N 1 -n 4 --cpu-bind=map_cpu:0,1,2,3 hybrid julia"
        );
    }

    #[test]
    fn nodes_that_differ_become_parts_of_the_command() {
        let mixed = [("a", "laptop"), ("b", "raspberry-pi")];
        assert_eq!(
            line(&mixed, 1, Launcher::Mpich),
            "mpiexec -hosts a:1,b:1 -bind-to none -n 1 taskset -c 0-7 hybrid julia : -n 1 taskset -c 0-3 hybrid julia"
        );
        assert_eq!(
            line(&mixed, 2, Launcher::Slurm),
            "srun -w a -N 1 -n 2 --cpu-bind=mask_cpu:0x33,0xcc hybrid julia : \
             -w b -N 1 -n 2 --cpu-bind=mask_cpu:0x3,0xc hybrid julia"
        );
    }

    #[test]
    fn masks_have_a_digit_for_four_pus() {
        for (pus, expected) in [("0", "0x1"), ("0-3", "0xf"), ("4", "0x10"), ("0,64-65", "0x30000000000000001")] {
            assert_eq!(mask(&pus.parse().unwrap()), expected);
        }
    }
}
