//! The Python environments: one whose making was stopped, or that does not run any more, does not count as done.

use super::{System, assert_installs, assert_refuses, assert_says};

/// A system with both environments.
fn with_environments() -> System {
    let system = System::complete();
    let answer = system.setup("test");
    let made = "setup: installing numpy, pandas, matplotlib, papermill and the launcher of Open MPI 5 in ~/checkout/target/venv\n\
                setup: installing the launcher of MPICH in ~/checkout/target/venv-mpich";
    assert_says(&answer, 0, made);
    assert_eq!(system.changes(), ["pip for venv", "pip for venv-mpich"]);
    std::fs::remove_file(system.path("log")).unwrap();
    system
}

#[test]
fn done_is_done() {
    let system = with_environments();
    assert_says(&system.setup("test"), 0, "");
}

#[test]
fn stopped_and_repeated_is_made_again() {
    let system = System::complete();
    let words = "ERROR: Could not find a version that satisfies the requirement numpy";
    system.write("pip_fails", words);
    let begun = "setup: installing numpy, pandas, matplotlib, papermill and the launcher of Open MPI 5 in ~/checkout/target/venv";
    let end = "setup: pip cannot install numpy, pandas, matplotlib, papermill and the launcher of Open MPI 5: is there a network? \
               behind a proxy set https_proxy";
    assert_says(&system.setup("test"), 1, &format!("{begun}\n{end} ({words})"));
    assert!(system.path("checkout/target/venv/bin/mpiexec").exists(), "half of it is there");
    system.remove("pip_fails");
    assert!(system.setup("test").printed.starts_with(begun));
    assert_says(&system.setup("test"), 0, "");
}

#[test]
fn what_does_not_run_any_more_is_made_again() {
    for program in ["python", "mpiexec"] {
        let system = with_environments();
        system.script(&format!("checkout/target/venv-mpich/bin/{program}"), "exit 127");
        assert_says(
            &system.setup("test"),
            0,
            "setup: installing the launcher of MPICH in ~/checkout/target/venv-mpich",
        );
        assert_eq!(system.changes(), ["pip for venv-mpich"]);
    }
}

#[test]
fn other_requirements_are_installed() {
    let system = with_environments();
    system.write("checkout/tests/reference/requirements.txt", "numpy>=99\n");
    assert_eq!(system.setup("test").code, Some(0));
    assert_eq!(system.changes(), ["pip for venv"]);
}

#[test]
fn python_without_ensurepip_lacks_its_package() {
    let system = with_environments();
    let words = "if [ \"$1 $2\" = '-c import venv, ensurepip' ]; then echo \"ModuleNotFoundError: No module named 'ensurepip'\"; exit 1; fi";
    system.program(
        "python3",
        &format!("[ -e \"$world/ensurepip\" ] || {{ {words}; }}\n{}", include_str!("made_up/python3")),
    );
    assert_installs(&system, "test", "python3-venv", "touch \"$world/ensurepip\"");
}

#[test]
fn without_python_the_package_is_asked_of_root() {
    let system = with_environments();
    system.remove("bin/python3");
    system.remove("bin/sudo");
    assert_refuses(
        &system,
        "test",
        "setup: there is no sudo: let root run this line, all that `make demo` and `make test` need, then call this again\n\
         apt-get install -y --no-install-recommends --no-remove python3-venv",
    );
}
