//! Open MPI: `mpiexec` up to 4.1, which is that of ORTE, and from 5 on, which is that of PRRTE. The only launchers that read
//! rankfiles, each in a way of its own.
//!
//! 4.1 has `-rf`. 5 and 6 have it not, refuse a core that another rank has, and some of them (5.0.7 and 6.0, not 5.0.11)
//! also more ranks than there are cores, unless both are allowed. `--bind-to core` makes no difference to what is bound, but
//! without it they bind nothing where a variable allows to oversubscribe, and refuse a file name with `pe` in it, which they
//! take for the option `PE=`.

use std::collections::BTreeSet;

use super::{
    Dialect, Job, LaunchLine, OWN_VARIABLE,
    profile::{Profile, RankVariables, RankfileReader, Start},
    shell_word,
};

/// Up to 4.1.
pub(super) static UP_TO_4: Profile = Profile {
    ranks: RANKS,
    library: Some(|library| version_after("Open MPI", library).is_some_and(|major| major < FIRST_OF_PRRTE)),
    job_variables: JOB_VARIABLES,
    rankfile: Some(RankfileReader {
        dialect: Dialect::OpenMpi41,
        options: |file, _| options_4(file),
        // The option `-rf`, and the parameter that `--mca` sets.
        path_variables: &["OMPI_MCA_orte_rankfile", "OMPI_MCA_rmaps_rank_file_path"],
        process_names: &["mpiexec", "mpirun", "orterun"],
    }),
    binding_options: Some(binding_options),
    start: Start {
        name: "openmpi4",
        help: "mpiexec of Open MPI up to 4.1",
        program: "mpiexec",
        is_version: |text| version(text).is_some_and(|major| major < FIRST_OF_PRRTE),
        line: line_4,
    },
};

/// From 5 on.
pub(super) static FROM_5: Profile = Profile {
    ranks: RANKS,
    library: Some(|library| version_after("Open MPI", library).is_some_and(|major| major >= FIRST_OF_PRRTE)),
    job_variables: JOB_VARIABLES,
    rankfile: Some(RankfileReader {
        dialect: Dialect::OpenMpi5,
        options: options_5,
        // It tells its ranks of no rankfile.
        path_variables: &[],
        process_names: &[],
    }),
    binding_options: Some(binding_options),
    start: Start {
        name: "openmpi5",
        help: "mpiexec of Open MPI 5 and later",
        program: "mpiexec",
        is_version: |text| version(text).is_some_and(|major| major >= FIRST_OF_PRRTE),
        line: line_5,
    },
};

/// The first version whose launcher is PRRTE's.
const FIRST_OF_PRRTE: u32 = 5;

/// All versions tell a rank the same.
const RANKS: RankVariables =
    RankVariables { launcher: "Open MPI's mpiexec", rank: "OMPI_COMM_WORLD_RANK", size: "OMPI_COMM_WORLD_SIZE" };

const JOB_VARIABLES: &[&str] = &["OMPI_", "PMIX_", "PRTE_", "PMI_"];

/// The version of Open MPI whose launcher prints this text: `mpirun (Open MPI) 4.1.6`, `mpiexec (OpenRTE) 4.1.4`,
/// `prterun (PRRTE) 3.0.7`.
fn version(text: &str) -> Option<u32> {
    ["(Open MPI)", "(OpenRTE)"]
        .into_iter()
        .find(|name| text.contains(name))
        .map_or_else(|| version_after("(PRRTE)", text).map(|_| FIRST_OF_PRRTE), |name| version_after(name, text))
}

/// The major version that stands behind a name.
fn version_after(name: &str, text: &str) -> Option<u32> {
    let (_, after) = text.split_once(name)?;
    after.trim_start().trim_start_matches('v').split(|c: char| !c.is_ascii_digit()).next()?.parse().ok()
}

/// The options for a file whose ranks share cores, as 5 and later want them: for texts that name no file.
macro_rules! sharing {
    () => {
        "--map-by rankfile:file=FILE:oversubscribe --bind-to core:overload-allowed"
    };
}

pub(crate) use sharing;

fn options_4(file: &str) -> String {
    format!("-rf {}", shell_word(file))
}

fn options_5(file: &str, shares_cores: bool) -> String {
    let [slots, cores] = if shares_cores { [":oversubscribe", ":overload-allowed"] } else { [""; 2] };
    format!("--map-by {} --bind-to core{cores}", shell_word(&format!("rankfile:file={file}{slots}")))
}

/// Mapping by slot would give a node with free slots more ranks than it has now, and so fewer cores a rank.
fn binding_options(ranks: usize, cores: usize) -> String {
    format!("--map-by ppr:{ranks}:node:PE={cores} --bind-to core")
}

fn line_4(job: &Job<'_>) -> LaunchLine {
    LaunchLine::plain(format!("mpiexec -n {} {} {}", job.ranks.len(), options_4(job.rankfile), job.program))
}

fn line_5(job: &Job<'_>) -> LaunchLine {
    let Job { rankfile, program, .. } = job;
    // 4.1 tells its processes where the rankfile is; 5.x does not, and the devices in its comments would go unread.
    let devices = if job.names_devices {
        format!(" -x {}", shell_word(&format!("{OWN_VARIABLE}={rankfile}")))
    } else {
        String::new()
    };
    // 4.1 takes the hosts from the rankfile; 5.x knows of them what it is told elsewhere, and of itself the machine it is on.
    let mut hosts: Vec<&str> = job.by_host().map(|ranks| ranks[0].host).collect();
    let mut seen = BTreeSet::new();
    hosts.retain(|host| seen.insert(*host));
    let slots = |host: &&str| job.ranks.iter().filter(|rank| rank.host == *host).count();
    let hosts: Vec<String> = hosts.iter().map(|host| format!("{host}:{}", slots(host))).collect();
    let hosts = if !job.starts_here { format!(" -H {}", hosts.join(",")) } else { String::new() };
    let options = options_5(rankfile, job.shares_cores);
    LaunchLine {
        command: format!("mpiexec -n {}{hosts} {options}{devices} {program}", job.ranks.len()),
        // 5.0.7 refuses a path with `-` as an unknown qualifier; 5.0.11 takes it.
        needs: rankfile.contains([':', '-']).then_some(
            "a file whose path has no `:`, where Open MPI 5 cuts its option, and no `-`, which 5.0.7 refuses",
        ),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_core_for_two_ranks_and_more_ranks_than_cores_are_allowed_together() {
        assert_eq!(options_5("FILE", true), sharing!());
        assert_eq!(options_5("FILE", false), "--map-by rankfile:file=FILE --bind-to core");
    }

    #[test]
    fn a_shell_reads_the_file_as_one_word() {
        assert_eq!(options_4("my file"), "-rf 'my file'");
        assert_eq!(
            options_5("my file", true),
            "--map-by 'rankfile:file=my file:oversubscribe' --bind-to core:overload-allowed"
        );
    }
}
