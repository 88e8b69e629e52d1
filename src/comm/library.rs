//! The MPI library that this program is linked to: what it calls itself, and whether the launcher is one that it knows.
//!
//! The `mpiexec` of one MPI starts a program linked to another as N jobs of one rank each, which would all do the whole
//! work and write the same file.

use super::MpiError;
use crate::launcher::Launch;

/// Compares what the launcher told with the number of ranks that MPI found.
///
/// # Errors
/// [`MpiError::Launcher`] where the launcher started several processes and MPI sees this one alone.
pub(super) fn check(launch: &Launch, size: u32, library: &str) -> Result<(), MpiError> {
    match launch.company() {
        Some((launcher, processes)) if size == 1 => Err(MpiError::Launcher {
            launcher: launcher.to_string(),
            processes: processes.to_string(),
            library: name_and_version(library),
        }),
        _ => Ok(()),
    }
}

/// Name and version of an MPI library, from its own description: `Open MPI v4.1.4`, `MPICH 5.0.2`.
pub(super) fn name_and_version(library: &str) -> String {
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
    fn another_mpis_launcher_is_found_out() {
        let hydra = launch(&[("PMI_RANK", "1"), ("PMI_SIZE", "3")]);
        let message = check(&hydra, 1, "Open MPI v4.1.4, package: x").unwrap_err().to_string();
        assert!(message.contains("3 processes") && message.contains("Open MPI v4.1.4:"), "{message}");
        assert!(check(&hydra, 3, "MPICH").is_ok());
    }

    #[test]
    fn a_job_of_one_rank_is_no_mistake() {
        assert!(check(&launch(&[]), 1, "Open MPI").is_ok());
        assert!(check(&launch(&[("OMPI_COMM_WORLD_RANK", "0"), ("OMPI_COMM_WORLD_SIZE", "1")]), 1, "MPICH").is_ok());
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
}
