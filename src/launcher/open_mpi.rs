//! Open MPI: `mpiexec` up to 4.1, which is that of ORTE, and from 5 on, which is that of PRRTE. The only launchers that read
//! rankfiles, each in a way of its own.
//!
//! 4.1 has `-rf`. 5 and 6 have it not, refuse a core that another rank has, and some of them (5.0.7 and 6.0, not 5.0.11)
//! also more ranks than there are cores, unless both are allowed. `--bind-to core` makes no difference to what is bound, but
//! without it they bind nothing where a variable allows to oversubscribe, and refuse a file name with `pe` in it, which they
//! take for the option `PE=`.

use std::collections::BTreeSet;

use super::{
    Dialect, Following, Job, LaunchLine, OWN_VARIABLE,
    profile::{LocalSize, Profile, RankVariables, RankfileReader, Start},
    shell_word,
};
use crate::topology::SlotUnit;

/// Up to 4.1.
pub(super) static UP_TO_4: Profile = Profile {
    ranks: RANKS,
    library: Some(|library| Family::of_library(library) == Some(Family::UpTo4)),
    job_variables: JOB_VARIABLES,
    rankfile: Some(RankfileReader {
        dialect: Dialect::OpenMpi41,
        options: options_4,
        // The option `-rf`, and the parameter that `--mca` sets.
        path_variables: &["OMPI_MCA_orte_rankfile", "OMPI_MCA_rmaps_rank_file_path"],
        // The option `--use-hwthread-cpus`, and `--bind-to hwthread`, which means it too.
        thread_settings: &[
            ("OMPI_MCA_hwloc_base_use_hwthreads_as_cpus", &["1", "true", "yes", "t", "y", "enabled"]),
            ("OMPI_MCA_hwloc_base_binding_policy", &["hwthread"]),
        ],
        process_names: &["mpiexec", "mpirun", "orterun"],
    }),
    binding_options: Some(binding_options),
    start: Start {
        name: "openmpi4",
        help: "mpiexec of Open MPI up to 4.1",
        program: "mpiexec",
        plain: "mpiexec -n {np}",
        is_version: |text| Family::of_version(text) == Some(Family::UpTo4),
        line: |job| Ok(LaunchLine::plain(line_4(job))),
        read: None,
    },
};

/// 5.x.
pub(super) static ONLY_5: Profile = Profile {
    ranks: RANKS,
    library: Some(|library| Family::of_library(library) == Some(Family::Only5)),
    job_variables: JOB_VARIABLES,
    rankfile: Some(reader_of_prrte(Dialect::OpenMpi5)),
    binding_options: Some(binding_options),
    start: Start {
        name: "openmpi5",
        help: "mpiexec of Open MPI 5",
        program: "mpiexec",
        plain: "mpiexec -n {np}",
        is_version: |text| Family::of_version(text) == Some(Family::Only5),
        line: |job| {
            Ok(LaunchLine {
                // 5.0.7 refuses a path with `-` as an unknown qualifier; 5.0.11 takes it.
                needs: job.rankfile.contains([':', '-']).then_some(
                    "a file whose path has no `:`, where Open MPI 5 cuts its option, and no `-`, which 5.0.7 refuses",
                ),
                command: line_of_prrte(job),
            })
        },
        read: None,
    },
};

/// From 6 on.
pub(super) static FROM_6: Profile = Profile {
    ranks: RANKS,
    library: Some(|library| Family::of_library(library) == Some(Family::From6)),
    job_variables: JOB_VARIABLES,
    rankfile: Some(reader_of_prrte(Dialect::OpenMpi6)),
    binding_options: Some(binding_options),
    start: Start {
        name: "openmpi6",
        help: "mpiexec of Open MPI 6 and later",
        program: "mpiexec",
        plain: "mpiexec -n {np}",
        is_version: |text| Family::of_version(text) == Some(Family::From6),
        line: |job| {
            Ok(LaunchLine {
                needs: job
                    .rankfile
                    .contains([':', ' '])
                    .then_some("a file whose path has no `:` and no blank, where Open MPI 6 cuts its option"),
                command: line_of_prrte(job),
            })
        },
        read: None,
    },
};

/// It tells its ranks of no rankfile.
const fn reader_of_prrte(dialect: Dialect) -> RankfileReader {
    RankfileReader { dialect, options: options_5, path_variables: &[], thread_settings: &[], process_names: &[] }
}

/// Versions that are alike to a launcher's user.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Family {
    UpTo4,
    Only5,
    From6,
}

impl Family {
    /// By the version of Open MPI.
    const fn of(major: u32) -> Self {
        match major {
            0..5 => Self::UpTo4,
            5 => Self::Only5,
            6.. => Self::From6,
        }
    }

    /// By what a library says of itself: `Open MPI v4.1.4`.
    fn of_library(library: &str) -> Option<Self> {
        version_after("Open MPI", library).map(Self::of)
    }

    /// By what a launcher prints: `mpirun (Open MPI) 4.1.6`, `mpiexec (OpenRTE) 4.1.4`, `prterun (PRRTE) 3.0.7`, the last of which
    /// comes with Open MPI 5.
    fn of_version(text: &str) -> Option<Self> {
        let of_prrte = |major| if major < 4 { Self::Only5 } else { Self::From6 };
        ["(Open MPI)", "(OpenRTE)"].into_iter().find(|name| text.contains(name)).map_or_else(
            || version_after("(PRRTE)", text).map(of_prrte),
            |name| version_after(name, text).map(Self::of),
        )
    }
}

/// All versions tell a rank the same.
const RANKS: RankVariables = RankVariables {
    launcher: "Open MPI's mpiexec",
    rank: "OMPI_COMM_WORLD_RANK",
    size: "OMPI_COMM_WORLD_SIZE",
    mark: None,
    local_rank: "OMPI_COMM_WORLD_LOCAL_RANK",
    local_size: LocalSize::Number("OMPI_COMM_WORLD_LOCAL_SIZE"),
    job: &["PMIX_NAMESPACE"],
    daemons: &["mpiexec", "mpirun", "orterun", "prterun", "orted", "prted"],
};

const JOB_VARIABLES: &[&str] = &["OMPI_", "PMIX_", "PRTE_", "PMI_"];

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

fn options_4(Following { file, slot_unit, .. }: Following<'_>) -> String {
    let threads = match slot_unit {
        SlotUnit::Core => "",
        SlotUnit::Thread => "--use-hwthread-cpus ",
    };
    format!("{threads}-rf {}", shell_word(file))
}

fn options_5(Following { file, shares_cores, slot_unit }: Following<'_>) -> String {
    let [slots, overload] = if shares_cores { [":oversubscribe", ":overload-allowed"] } else { [""; 2] };
    let [threads, to] = match slot_unit {
        SlotUnit::Core => ["", "core"],
        SlotUnit::Thread => [":hwtcpus", "hwthread"],
    };
    format!("--map-by {} --bind-to {to}{overload}", shell_word(&format!("rankfile:file={file}{threads}{slots}")))
}

/// Mapping by slot would give a node with free slots more ranks than it has now, and so fewer cores a rank.
fn binding_options(ranks: usize, cores: usize) -> String {
    format!("--map-by ppr:{ranks}:node:PE={cores} --bind-to core")
}

fn line_4(job: &Job<'_>) -> String {
    format!("mpiexec -n {} {} {}", job.ranks.len(), options_4(job.following()), job.program)
}

fn line_of_prrte(job: &Job<'_>) -> String {
    let Job { rankfile, program, .. } = job;
    // 4.1 tells its processes where the rankfile is; later ones do not, and the devices in its comments would go unread.
    let devices = if job.names_devices {
        format!(" -x {}", shell_word(&format!("{OWN_VARIABLE}={rankfile}")))
    } else {
        String::new()
    };
    // 4.1 takes the hosts from the rankfile; later ones know of them what they are told elsewhere, and of themselves the machine
    // they are on.
    let mut hosts: Vec<&str> = job.by_host().map(|ranks| ranks[0].host).collect();
    let mut seen = BTreeSet::new();
    hosts.retain(|host| seen.insert(*host));
    let slots = |host: &&str| job.ranks.iter().filter(|rank| rank.host == *host).count();
    let hosts: Vec<String> = hosts.iter().map(|host| format!("{host}:{}", slots(host))).collect();
    let hosts = if !job.starts_here { format!(" -H {}", hosts.join(",")) } else { String::new() };
    let options = options_5(job.following());
    format!("mpiexec -n {}{hosts} {options}{devices} {program}", job.ranks.len())
}

#[cfg(test)]
mod tests {
    use super::*;

    fn following(file: &str) -> Following<'_> {
        Following { file, shares_cores: false, slot_unit: SlotUnit::Core }
    }

    #[test]
    fn launchers_are_told_where_slots_are_hardware_threads() {
        let threads = Following { slot_unit: SlotUnit::Thread, ..following("FILE") };
        assert_eq!(options_4(threads), "--use-hwthread-cpus -rf FILE");
        assert_eq!(options_5(threads), "--map-by rankfile:file=FILE:hwtcpus --bind-to hwthread");
        assert_eq!(
            options_5(Following { shares_cores: true, ..threads }),
            "--map-by rankfile:file=FILE:hwtcpus:oversubscribe --bind-to hwthread:overload-allowed"
        );
    }

    #[test]
    fn a_core_for_two_ranks_and_more_ranks_than_cores_are_allowed_together() {
        assert_eq!(options_5(Following { shares_cores: true, ..following("FILE") }), sharing!());
        assert_eq!(options_5(following("FILE")), "--map-by rankfile:file=FILE --bind-to core");
    }

    #[test]
    fn a_shell_reads_the_file_as_one_word() {
        assert_eq!(options_4(following("my file")), "-rf 'my file'");
        assert_eq!(
            options_5(Following { shares_cores: true, ..following("my file") }),
            "--map-by 'rankfile:file=my file:oversubscribe' --bind-to core:overload-allowed"
        );
    }
}
