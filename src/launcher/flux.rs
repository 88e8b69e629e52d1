//! Flux: `flux run`, which starts programs of any MPI. It is told the PUs of each rank of a node as one list for all nodes, and the
//! host of each rank by a file, which orders ranks and chooses no hosts. Its manual was read (flux-run(1), flux-shell(1), RFC 34); it
//! was not run.

use super::{
    Job, LaunchLine, OWN_VARIABLE, Untold,
    command_line::{CommandLine, Told, Unread, bound, common_program, list, local_numbers, same_nodes},
    job::made_before,
    profile::{LocalSize, Profile, RankVariables, Start},
    shell_word,
};
use crate::{host_name::without_user, topology::CpuSet};

pub(super) static PROFILE: Profile = Profile {
    ranks: RankVariables {
        launcher: "flux",
        rank: "FLUX_TASK_RANK",
        size: "FLUX_JOB_SIZE",
        mark: None,
        local_rank: "FLUX_TASK_LOCAL_ID",
        local_size: LocalSize::EvenOver("FLUX_JOB_NNODES"),
        job: &["FLUX_JOB_ID"],
        daemons: &["flux-shell"],
    },
    library: None,
    job_variables: &[],
    rankfile: None,
    binding_options: None,
    start: Start {
        name: "flux",
        help: "flux run",
        program: "flux",
        plain: "flux run -n {np}",
        is_version: |text| text.contains("libflux-core"),
        line,
        read: Some(read),
    },
};

fn line(job: &Job<'_>) -> Result<LaunchLine, Untold> {
    let local = job.local_ranks();
    if local.iter().any(|ranks| ranks.len() != local[0].len()) {
        return Err(Untold::uneven("flux run"));
    }
    let sets = job.common_list().ok_or_else(|| Untold::one_list("the cpu-affinity of flux run"))?;
    let map: Vec<String> = sets.into_iter().map(CpuSet::to_string).collect();
    let map = shell_word(&format!("cpu-affinity=map:{}", map.join(";")));
    // It hands its environment on to the ranks.
    let devices = job.devices_in_environment();
    let hosts: Vec<&str> = local.iter().map(|ranks| without_user(ranks[0].host)).collect();
    let (ranks, nodes, program) = (job.ranks.len(), hosts.len(), job.program);
    let start = format!("flux run -n {ranks} -N {nodes} --exclusive --requires=host:{}", shell_word(&hosts.join(",")));
    let command = if nodes == 1 {
        format!("{devices}{start} -o {map} {program}")
    } else {
        let file = format!("{}.hosts", job.rankfile);
        let made = made_before(job.ranks.iter().map(|rank| without_user(rank.host)), &file);
        let option = shell_word(&format!("--taskmap=hostfile:{file}"));
        format!("{made}{devices}{start} {option} -o {map} {program}")
    };
    Ok(LaunchLine { command, needs: Some("nodes that no other job is on (--exclusive waits for them)") })
}

fn read(command: &CommandLine<'_>) -> Result<Told, Unread> {
    let mut words = command.only_part()?;
    words.subcommand("run")?;
    command.allow_variables(&[OWN_VARIABLE])?;
    let (mut ranks, mut sets, mut hosts, mut order, mut nodes) = (1, None, Vec::new(), None, None);
    while let Some(option) = words.option() {
        match option {
            "-n" | "--ntasks" => ranks = words.number(option)?,
            "-N" | "--nodes" => nodes = Some(words.number(option)?),
            "--exclusive" | "-x" => {}
            "--requires" => {
                let value = words.value(option)?;
                let names = value.strip_prefix("host:").ok_or_else(|| Unread::word(&format!("{option}={value}")))?;
                hosts = names.split(',').map(str::to_owned).collect();
            }
            "--taskmap" => {
                let value = words.value(option)?;
                let file = value.strip_prefix("hostfile:").ok_or_else(|| Unread::word(&format!("{option}={value}")))?;
                order = Some(command.lines_of(file)?);
            }
            "-o" | "--setopt" => {
                let value = words.value(option)?;
                let map =
                    value.strip_prefix("cpu-affinity=map:").ok_or_else(|| Unread::word(&format!("-o {value}")))?;
                sets = Some(map.split(';').map(list).collect::<Result<Vec<CpuSet>, _>>()?);
            }
            _ => return Err(Unread::word(option)),
        }
    }
    let (program, pus) = words.program()?;
    same_nodes(nodes, &hosts)?;
    let order = match (order, hosts.as_slice()) {
        (Some(order), _) => order,
        (None, [only]) => vec![only.clone(); ranks],
        (None, _) => {
            return Err(Unread("it does not say which host each rank gets: --taskmap=hostfile:FILE does".to_owned()));
        }
    };
    if order.len() != ranks {
        return Err(Unread(format!("it starts {ranks} ranks and names the hosts of {}", order.len())));
    }
    let sets = sets.unwrap_or_default();
    let local = local_numbers(&order);
    let in_list = |rank: usize| sets.get(local[rank]).cloned();
    let places = (0..ranks).map(|rank| Ok((order[rank].clone(), bound(rank, pus.clone().or_else(|| in_list(rank)))?)));
    let places = places.collect::<Result<_, Unread>>()?;
    let rankfile = command.variable(OWN_VARIABLE).map(str::to_owned);
    Ok(Told { places, program: common_program(vec![program])?, rankfile })
}
