//! Which launcher a user would start here: the one on the PATH, asked for its version.

use std::{
    env,
    process::{Command, Stdio},
};

use crate::launcher::Launcher;

/// The launcher that the user would start.
pub(super) fn launcher() -> Option<Launcher> {
    Launcher::programs().find_map(|program| Launcher::of_version(&version(program)?))
}

/// What `program --version` says; `None` where there is no such program.
fn version(program: &str) -> Option<String> {
    let mut command = Command::new(program);
    command.arg("--version").stdin(Stdio::null());
    for (name, _) in env::vars_os() {
        if Launcher::is_variable_of_a_job(&name.to_string_lossy()) {
            command.env_remove(name);
        }
    }
    command.output().ok().map(|output| String::from_utf8_lossy(&output.stdout).into_owned())
}
