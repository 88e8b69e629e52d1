//! Which launcher a user would start here: the one on the PATH, asked for its version.

use std::{
    env,
    process::{Command, Stdio},
};

use crate::{cli::rankfile::Launcher, plan};

/// Variables of a running Open MPI job: with them another version's `mpiexec` takes itself for a part of that job.
const OF_A_JOB: [&str; 4] = ["OMPI_", "PMIX_", "PRTE_", "PMI_"];

/// The launcher that the user would start.
pub(super) fn launcher() -> Option<Launcher> {
    ["mpiexec", "srun"].into_iter().find_map(|program| plan::of_version(&version(program)?))
}

/// What `program --version` says; `None` where there is no such program.
fn version(program: &str) -> Option<String> {
    let mut command = Command::new(program);
    command.arg("--version").stdin(Stdio::null());
    for (name, _) in env::vars_os() {
        if OF_A_JOB.iter().any(|prefix| name.to_string_lossy().starts_with(prefix)) {
            command.env_remove(name);
        }
    }
    command.output().ok().map(|output| String::from_utf8_lossy(&output.stdout).into_owned())
}
