//! PALS, the launcher of Cray systems: an `mpiexec` that is told the PUs of each rank of a node as one list for all nodes, and how many
//! ranks each node gets, which is the same for all. The user guides of the ALCF were read (Aurora, Polaris); it was not run.

use super::{
    Job, LaunchLine, OWN_VARIABLE, Untold,
    command_line::{CommandLine, Told, Unread, bound, common_program, list},
    profile::{LocalSize, Profile, RankVariables, Start},
    shell_word,
};
use crate::{host_name::without_user, topology::CpuSet};

pub(super) static PROFILE: Profile = Profile {
    ranks: RankVariables {
        launcher: "the mpiexec of PALS",
        rank: "PMI_RANK",
        size: "PMI_SIZE",
        mark: Some("PALS_RANKID"),
        local_rank: "PALS_LOCAL_RANKID",
        local_size: LocalSize::Number("PALS_LOCAL_SIZE"),
        job: &["PALS_APID"],
        daemons: &["palsd", "mpiexec"],
    },
    library: None,
    job_variables: &[],
    rankfile: None,
    binding_options: None,
    start: Start {
        name: "pals",
        help: "mpiexec of PALS (Cray)",
        program: "mpiexec",
        plain: "mpiexec -n {np}",
        is_version: |text| text.contains("PALS"),
        line,
        read: Some(read),
    },
};

fn line(job: &Job<'_>) -> Result<LaunchLine, Untold> {
    let local = job.local_ranks();
    if !job.goes_host_by_host() {
        return Err(Untold(
            "the mpiexec of PALS gives ranks to one host after the other: number those of a host in a row".to_owned(),
        ));
    }
    if local.iter().any(|ranks| ranks.len() != local[0].len()) {
        return Err(Untold::uneven("the mpiexec of PALS"));
    }
    let sets = job.common_list().ok_or_else(|| Untold::one_list("the --cpu-bind of PALS"))?;
    let sets: Vec<String> = sets.into_iter().map(CpuSet::to_string).collect();
    let devices = if job.names_devices {
        format!(" --env {}", shell_word(&format!("{OWN_VARIABLE}={}", job.rankfile)))
    } else {
        String::new()
    };
    let hosts: Vec<&str> = local.iter().map(|ranks| without_user(ranks[0].host)).collect();
    Ok(LaunchLine::plain(format!(
        "mpiexec -n {} --ppn {} --hosts {} --cpu-bind list:{}{devices} {}",
        job.ranks.len(),
        local[0].len(),
        hosts.join(","),
        sets.join(":"),
        job.program
    )))
}

fn read(command: &CommandLine<'_>) -> Result<Told, Unread> {
    let mut words = command.only_part()?;
    command.allow_variables(&[])?;
    let (mut ranks, mut per_host, mut hosts, mut sets, mut rankfile) = (1, None, Vec::new(), Vec::new(), None);
    while let Some(option) = words.option() {
        match option {
            "-n" | "-np" => ranks = words.number(option)?,
            "--ppn" | "-ppn" => per_host = Some(words.number(option)?),
            "--hosts" | "--host" => hosts = words.value(option)?.split(',').map(str::to_owned).collect(),
            "--hostfile" => hosts = command.lines_of(words.value(option)?)?,
            "--cpu-bind" => {
                let text = words.value(option)?;
                let lists = text.strip_prefix("verbose,").unwrap_or(text).strip_prefix("list:");
                let lists = lists
                    .ok_or_else(|| Unread(format!("--cpu-bind {text} names no hardware threads: list:0-1:2-3 does")))?;
                sets = lists.split(':').map(list).collect::<Result<Vec<CpuSet>, _>>()?;
            }
            "--env" => {
                let setting = words.value(option)?;
                let name = setting.split('=').next().unwrap_or_default();
                if name != OWN_VARIABLE {
                    return Err(Unread::variable(name));
                }
                rankfile = setting
                    .strip_prefix(OWN_VARIABLE)
                    .and_then(|rest| rest.strip_prefix('='))
                    .map(str::to_owned)
                    .or(rankfile);
            }
            _ => return Err(Unread::word(option)),
        }
    }
    let (program, pus) = words.program()?;
    let per_host = per_host.unwrap_or(ranks);
    if hosts.len().saturating_mul(per_host) < ranks || per_host == 0 {
        return Err(Unread(format!(
            "it starts {ranks} ranks and has room for {}",
            hosts.len().saturating_mul(per_host)
        )));
    }
    let place = |rank: usize| {
        let pus = pus.clone().or_else(|| sets.get(rank % per_host).cloned());
        Ok((hosts[rank / per_host].clone(), bound(rank, pus)?))
    };
    let places = (0..ranks).map(place).collect::<Result<_, Unread>>()?;
    Ok(Told { places, program: common_program(vec![program])?, rankfile })
}
