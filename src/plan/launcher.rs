//! Which launcher an `mpiexec` or `srun` is, from what it says of itself. Runs nothing.

use crate::cli::rankfile::Launcher;

/// The launcher that prints this text for `--version`; `None` for one that is not known here.
#[must_use]
pub fn of_version(text: &str) -> Option<Launcher> {
    // `mpirun (Open MPI) 4.1.6`, `mpiexec (OpenRTE) 4.1.4`, `prterun (PRRTE) 3.0.7`.
    for (name, first_version_of_prrte) in [("(Open MPI)", 5), ("(OpenRTE)", 5), ("(PRRTE)", 0)] {
        let Some((_, after)) = text.split_once(name) else { continue };
        let major = after.trim_start().trim_start_matches('v').split(|c: char| !c.is_ascii_digit()).next();
        let major: u32 = major?.parse().ok()?;
        return Some(if major < first_version_of_prrte { Launcher::OpenMpi4 } else { Launcher::OpenMpi5 });
    }
    // Intel MPI is of Hydra's kin, but binds by variables of its own.
    if text.contains("HYDRA build details") && !text.contains("Intel") {
        return Some(Launcher::Mpich);
    }
    text.trim_start().starts_with("slurm").then_some(Launcher::Slurm)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn launchers_are_known_by_what_they_say() {
        for (text, expected) in [
            (
                "mpiexec (OpenRTE) 4.1.4\n\nReport bugs to http://www.open-mpi.org/community/help/",
                Some(Launcher::OpenMpi4),
            ),
            ("mpirun (Open MPI) 3.1.3", Some(Launcher::OpenMpi4)),
            ("mpirun (Open MPI) 4.1.6", Some(Launcher::OpenMpi4)),
            ("mpiexec (Open MPI) 5.0.11\n", Some(Launcher::OpenMpi5)),
            ("mpirun (Open MPI) v5.0.0rc12", Some(Launcher::OpenMpi5)),
            ("mpirun (Open MPI) 10.0.0", Some(Launcher::OpenMpi5)),
            ("prterun (PRRTE) 3.0.7", Some(Launcher::OpenMpi5)),
            ("HYDRA build details:\n    Version:                                 4.0.2\n", Some(Launcher::Mpich)),
            ("slurm-wlm 22.05.8\n", Some(Launcher::Slurm)),
            ("slurm 23.11.4", Some(Launcher::Slurm)),
            ("Intel(R) MPI Library for Linux* OS, Version 2021.11 Build 20231005", None),
            ("mpiexec (Open MPI)", None),
            ("", None),
        ] {
            assert_eq!(of_version(text), expected, "{text}");
        }
    }
}
