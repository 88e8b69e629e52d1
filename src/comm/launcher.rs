//! What the environment tells of the launcher, before and beside MPI: which rank this process is meant to be.
//!
//! The `mpiexec` of one MPI starts a program linked to another as N jobs of one rank each, which would all do the whole
//! work and write the same file.

use std::env;

use crate::error::Error;

const SRUN: &str = "srun";

/// Launchers and the variables in which each tells a process its rank and the number of ranks.
const LAUNCHERS: [(&str, &str, &str); 4] = [
    ("Open MPI's mpiexec", "OMPI_COMM_WORLD_RANK", "OMPI_COMM_WORLD_SIZE"),
    ("MVAPICH's launcher", "MV2_COMM_WORLD_RANK", "MV2_COMM_WORLD_SIZE"),
    ("the mpiexec of MPICH or one of its kin", "PMI_RANK", "PMI_SIZE"),
    // Only inside a step started by srun, and not in the batch script around it.
    (SRUN, "SLURM_PROCID", "SLURM_STEP_NUM_TASKS"),
];

/// What a launcher told this process.
#[derive(Clone, Debug, PartialEq, Eq, Default)]
pub struct Launch {
    /// The launcher's name, this process's rank and the number of ranks.
    pub told: Option<(&'static str, u32, u32)>,
}

impl Launch {
    /// Reads the environment.
    #[must_use]
    pub fn of_environment() -> Self {
        Self::of(|name| env::var(name).ok())
    }

    fn of(variable: impl Fn(&str) -> Option<String>) -> Self {
        let number = |name| variable(name).and_then(|value| value.trim().parse::<u32>().ok());
        let told = LAUNCHERS.iter().find_map(|(name, rank, size)| Some((*name, number(rank)?, number(size)?)));
        Self { told }
    }

    /// Whether this process is the one that may speak for all, as far as the environment knows.
    #[must_use]
    pub fn speaks(&self) -> bool {
        self.told.is_none_or(|(_, rank, _)| rank == 0)
    }

    /// Whether `srun` started this process.
    #[must_use]
    pub fn is_srun(&self) -> bool {
        self.told.is_some_and(|(name, ..)| name == SRUN)
    }

    /// Whether a launcher started other processes beside this one.
    #[must_use]
    pub fn has_company(&self) -> bool {
        self.told.is_some_and(|(_, _, size)| size > 1)
    }
}

/// Compares what the launcher told with the number of ranks that MPI found.
///
/// # Errors
/// [`Error::Mpi`] where the launcher started several processes and MPI sees this one alone.
pub fn check(launch: &Launch, size: u32, library: &str) -> Result<(), Error> {
    match launch.told {
        Some((launcher, _, told)) if told > 1 && size == 1 => Err(Error::Mpi(format!(
            "{launcher} started {told} processes, but each is alone in its MPI job, since this program is linked to {}: \
             start it with that library's own mpiexec, or build it with the MPI whose launcher you use",
            name_and_version(library)
        ))),
        _ => Ok(()),
    }
}

/// Name and version of an MPI library, from its own description: `Open MPI v4.1.4`, `MPICH 5.0.2`.
#[must_use]
pub fn name_and_version(library: &str) -> String {
    let first = library.split([',', '\n', '\0']).next().unwrap_or_default();
    let words = first.split_whitespace().filter(|word| !matches!(*word, "Version" | "Version:" | ":"));
    words.collect::<Vec<_>>().join(" ")
}

#[cfg(test)]
mod tests {
    use super::*;

    fn launch(variables: &[(&str, &str)]) -> Launch {
        Launch::of(|name| variables.iter().find(|(key, _)| *key == name).map(|(_, value)| (*value).to_owned()))
    }

    #[test]
    fn no_launcher_is_one_rank_that_speaks() {
        let alone = launch(&[]);
        assert!(alone.speaks() && !alone.has_company());
        assert!(check(&alone, 1, "Open MPI").is_ok());
    }

    #[test]
    fn only_rank_0_speaks() {
        assert!(launch(&[("PMI_RANK", "0"), ("PMI_SIZE", "3")]).speaks());
        assert!(!launch(&[("PMI_RANK", "2"), ("PMI_SIZE", "3")]).speaks());
    }

    #[test]
    fn another_mpis_launcher_is_found_out() {
        let hydra = launch(&[("PMI_RANK", "1"), ("PMI_SIZE", "3")]);
        let message = check(&hydra, 1, "Open MPI v4.1.4, package: x").unwrap_err().to_string();
        assert!(message.contains("3 processes") && message.contains("Open MPI v4.1.4:"), "{message}");
        assert!(check(&hydra, 3, "MPICH").is_ok());
    }

    #[test]
    fn a_library_is_named_by_name_and_version() {
        for (text, expected) in [
            ("Open MPI v4.1.4, package: Debian OpenMPI, ident: 4.1.4", "Open MPI v4.1.4"),
            ("Open MPI v6.0.0rc2, package: x\0\0", "Open MPI v6.0.0rc2"),
            ("MPICH Version:      5.0.2\nMPICH Release date: Fri Sep 25\nMPICH ABI:          17:2:5", "MPICH 5.0.2"),
            ("MVAPICH2 Version      :\t2.3.7\nMVAPICH2 Release date : x", "MVAPICH2 2.3.7"),
            ("Intel(R) MPI Library 2021.19 for Linux* OS\n", "Intel(R) MPI Library 2021.19 for Linux* OS"),
            ("", ""),
        ] {
            assert_eq!(name_and_version(text), expected);
        }
    }

    #[test]
    fn a_job_of_one_rank_is_no_mistake() {
        assert!(check(&launch(&[("OMPI_COMM_WORLD_RANK", "0"), ("OMPI_COMM_WORLD_SIZE", "1")]), 1, "MPICH").is_ok());
    }

    #[test]
    fn a_batch_script_is_no_step() {
        assert!(!launch(&[("SLURM_PROCID", "0"), ("SLURM_NTASKS", "8")]).has_company());
    }
}
