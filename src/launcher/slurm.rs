//! Slurm: `srun`, which starts programs of any MPI. It knows no rankfile and is told the PUs of each rank, by the operating
//! system's numbers, as a list for the ranks of a node; where nodes differ, each node becomes a part of the command of its own, or,
//! where ranks go to and fro between them, a file has a line for each rank. It gives ranks to hosts in an order of its own, unless a
//! file lists a host for each.

use std::collections::BTreeMap;

use super::{
    Job, JobRank, LaunchLine, OWN_VARIABLE, Untold,
    command_line::{CommandLine, Told, Unread, Words, bound, common_program, list, local_numbers, same_nodes},
    job::made_before,
    profile::{LocalSize, Profile, RankVariables, Start},
    shell_word,
};
use crate::{host_name::without_user, topology::CpuSet};

pub(super) static PROFILE: Profile = Profile {
    // Only inside a step started by srun, and not in the batch script around it.
    ranks: RankVariables {
        launcher: "srun",
        rank: "SLURM_PROCID",
        size: "SLURM_STEP_NUM_TASKS",
        mark: None,
        local_rank: "SLURM_LOCALID",
        local_size: LocalSize::List("SLURM_GTIDS"),
        job: &["SLURM_JOB_ID", "SLURM_STEP_ID"],
        daemons: &["slurmstepd"],
    },
    library: None,
    job_variables: &[],
    rankfile: None,
    binding_options: None,
    start: Start {
        name: "slurm",
        help: "srun of Slurm",
        program: "srun",
        plain: "srun -n {np}",
        is_version: |text| text.trim_start().starts_with("slurm"),
        line,
        read: Some(read),
    },
};

/// The variable that names a file with the host of each rank.
const HOST_FILE: &str = "SLURM_HOSTFILE";

const WHOLE_NODES: &str = "an allocation of whole nodes (--exclusive)";

fn line(job: &Job<'_>) -> Result<LaunchLine, Untold> {
    let program = job.program;
    // srun hands its environment on to the ranks, which hear of the rankfile, and of the devices in its comments, by that alone.
    let devices = job.devices_in_environment();
    // Without it a node takes no more ranks than it has processors.
    let shares = if job.shares_cores { "--overcommit " } else { "" };
    if let Some(sets) = job.common_list() {
        let options = format!("{} {shares}--cpu-bind={}", ranks(job), cpu_bind(&sets));
        let command = format!("srun {options} {program}");
        return Ok(LaunchLine {
            command: if job.by_host().count() > 1 {
                with_host_file(job, &devices, &command)
            } else {
                devices + &command
            },
            needs: Some(WHOLE_NODES),
        });
    }
    if job.goes_host_by_host() {
        let part = |ranks: &[JobRank<'_>]| {
            let sets: Vec<&CpuSet> = ranks.iter().map(|rank| rank.pus).collect();
            format!("-w {} -N 1 -n {} {shares}--cpu-bind={} {program}", host(&ranks[0]), ranks.len(), cpu_bind(&sets))
        };
        let parts: Vec<String> = job.by_host().map(part).collect();
        return Ok(LaunchLine {
            command: format!("{devices}srun {}", parts.join(" : ")),
            needs: Some(
                "an allocation of whole nodes (--exclusive), and Slurm 20.11 or later for a step of several parts",
            ),
        });
    }
    // A step of several parts numbers its ranks part by part.
    if program.contains("%t") || program.contains("%o") {
        let reason = "srun --multi-prog puts numbers in the place of %t and %o in a program's words, and only that tells it of these \
                      places: write the words without them";
        return Err(Untold(reason.to_owned()));
    }
    let file = format!("{}.multi", job.rankfile);
    let lines: Vec<String> = (0..)
        .zip(&job.ranks)
        .map(|(rank, place): (u32, _)| shell_word(&format!("{rank} taskset -c {} {program}", place.pus)))
        .collect();
    let command = format!("srun {} {shares}--cpu-bind=none --multi-prog {}", ranks(job), shell_word(&file));
    let command = with_host_file(job, &devices, &command);
    Ok(LaunchLine {
        command: made_before(lines.iter().map(String::as_str), &file) + &command,
        needs: Some("an allocation of whole nodes (--exclusive), and taskset on every node"),
    })
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
fn with_host_file(job: &Job<'_>, devices: &str, command: &str) -> String {
    let file = format!("{}.hosts", job.rankfile);
    let made = made_before(job.ranks.iter().map(host), &file);
    format!("{made}{HOST_FILE}={} {devices}{command}", shell_word(&file))
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

fn read(command: &CommandLine<'_>) -> Result<Told, Unread> {
    let mut places = Vec::new();
    let mut programs = Vec::new();
    command.allow_variables(&[OWN_VARIABLE, HOST_FILE])?;
    for words in command.parts() {
        let Part { order, sets, program } = Part::read(words, command)?;
        let local = local_numbers(&order);
        for (rank, host) in order.iter().enumerate() {
            let (program, pus) = match &program {
                PartProgram::Common(program, pus) => (program, pus.clone().or_else(|| sets.get(local[rank]).cloned())),
                PartProgram::Each(programs) => {
                    let (program, pus) = programs
                        .get(&rank)
                        .ok_or_else(|| Unread(format!("the file of --multi-prog has no line for rank {rank}")))?;
                    (program, Some(pus.clone()))
                }
            };
            programs.push(program.clone());
            places.push((host.clone(), bound(rank, pus)?));
        }
    }
    let rankfile = command.variable(OWN_VARIABLE).map(str::to_owned);
    Ok(Told { places, program: common_program(programs)?, rankfile })
}

/// What stands between colons.
struct Part {
    /// The host of each of its ranks.
    order: Vec<String>,
    /// The PUs of the ranks of a host.
    sets: Vec<CpuSet>,
    program: PartProgram,
}

enum PartProgram {
    /// One for all, with its PUs where `taskset` stands before it.
    Common(Vec<String>, Option<CpuSet>),
    /// From a file, by rank.
    Each(BTreeMap<usize, (Vec<String>, CpuSet)>),
}

impl Part {
    fn read(mut words: Words<'_>, command: &CommandLine<'_>) -> Result<Self, Unread> {
        let (mut ranks, mut hosts, mut sets, mut nodes) = (1, Vec::new(), Vec::new(), None);
        let (mut is_arbitrary, mut is_multi) = (false, false);
        while let Some(option) = words.option() {
            match option {
                "-n" | "--ntasks" => ranks = words.number(option)?,
                "-N" | "--nodes" => nodes = Some(words.number(option)?),
                "-w" | "--nodelist" => hosts = words.value(option)?.split(',').map(str::to_owned).collect(),
                "-m" | "--distribution" => is_arbitrary = words.value(option)? == "arbitrary",
                "--cpu-bind" => sets = cpu_sets(words.value(option)?)?,
                "--multi-prog" => is_multi = true,
                "--exclusive" | "--overcommit" | "-O" => {}
                _ => return Err(Unread::word(option)),
            }
        }
        let (program, pus) = words.program()?;
        let order = match (hosts.as_slice(), command.variable(HOST_FILE).filter(|_| is_arbitrary)) {
            (_, Some(file)) => command.lines_of(file)?,
            ([only], None) if !only.contains('[') => vec![only.clone(); ranks],
            _ => {
                return Err(Unread(format!(
                    "srun itself divides the ranks among its hosts: --distribution=arbitrary with {HOST_FILE}=FILE says which host each rank gets"
                )));
            }
        };
        same_nodes(nodes, &order)?;
        if order.len() != ranks {
            return Err(Unread(format!("it starts {ranks} ranks and names the hosts of {}", order.len())));
        }
        let program = match program.as_slice() {
            [file, ..] if is_multi => PartProgram::Each(each(&command.lines_of(file)?)?),
            _ => PartProgram::Common(program, pus),
        };
        Ok(Self { order, sets, program })
    }
}

/// `RANKS taskset -c PUS PROGRAM`, line by line.
fn each(lines: &[String]) -> Result<BTreeMap<usize, (Vec<String>, CpuSet)>, Unread> {
    let mut programs = BTreeMap::new();
    for line in lines {
        let unread =
            || Unread(format!("'{line}' is no line 'RANKS taskset -c PUS PROGRAM' of a file for --multi-prog"));
        let words = shell_words::split(line).map_err(|_| unread())?;
        let [ranks, taskset, option, pus, program @ ..] = words.as_slice() else { return Err(unread()) };
        if taskset != "taskset" || option != "-c" {
            return Err(unread());
        }
        let ranks: CpuSet = ranks.parse().map_err(|_| unread())?;
        let pus = list(pus)?;
        programs.extend(ranks.iter().map(|rank| (rank, (program.to_vec(), pus.clone()))));
    }
    Ok(programs)
}

/// The sets of `map_cpu:0,1` or `mask_cpu:0x3,0xc`, each as often as `*N` says; none where nothing is bound.
fn cpu_sets(text: &str) -> Result<Vec<CpuSet>, Unread> {
    let unread =
        || Unread(format!("--cpu-bind={text} names no hardware threads: map_cpu:0,1 or mask_cpu:0x3,0xc does"));
    let text_of_sets = text.trim_start_matches("verbose,").trim_start_matches("v,").trim_start_matches("quiet,");
    let (kind, sets) = match text_of_sets.split_once(':') {
        None if text_of_sets == "none" => return Ok(Vec::new()),
        None => return Err(unread()),
        Some(parts) => parts,
    };
    let mut all = Vec::new();
    for word in sets.split(',') {
        let (set, times) = word.split_once('*').unwrap_or((word, "1"));
        let times: usize = times.parse().ok().filter(|times| *times <= MAX_TIMES).ok_or_else(unread)?;
        let set = match kind {
            "map_cpu" => set.parse::<usize>().ok().and_then(|pu| pu.to_string().parse().ok()),
            "mask_cpu" => CpuSet::of_mask(set.strip_prefix("0x").unwrap_or(set)),
            _ => None,
        };
        all.extend(std::iter::repeat_n(set.ok_or_else(unread)?, times));
    }
    Ok(all)
}

/// No node has more ranks.
const MAX_TIMES: usize = 1 << 16;

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn masks_have_a_digit_for_four_pus() {
        for (pus, expected) in [("0", "0x1"), ("0-3", "0xf"), ("4", "0x10"), ("0,64-65", "0x30000000000000001")] {
            assert_eq!(mask(&pus.parse().unwrap()), expected);
            assert_eq!(CpuSet::of_mask(&expected[2..]), Some(pus.parse().unwrap()));
        }
    }
}
