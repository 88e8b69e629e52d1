//! Who may install, and from where: what goes wrong is one line that says what to do, before anything is installed.

use super::{System, assert_installs, assert_refuses, assert_says};

const BRINGS_MPI: &str = "touch \"$world/include/mpi.h\"";

/// A system on which `make demo` lacks one package, and `make test` one more.
fn lacking() -> System {
    let system = System::complete();
    system.remove("include/mpi.h");
    system.remove("bin/pgrep");
    system
}

fn root_line(why: &str) -> String {
    format!(
        "setup: {why}: let root run this line, all that `make demo` and `make test` need, then call this again\n\
         apt-get install -y --no-install-recommends --no-remove libopenmpi-dev procps"
    )
}

#[test]
fn without_sudo_one_line_for_root_serves_both_commands() {
    let system = lacking();
    system.remove("bin/sudo");
    for scope in ["build", "test"] {
        assert_refuses(&system, scope, &root_line("there is no sudo"));
    }
}

#[test]
fn the_line_for_root_says_what_it_is_for() {
    let system = lacking();
    system.remove("bin/sudo");
    for (scope, what) in [
        ("mpich", "`make test-mpich` needs"),
        ("peers", "`make bench-peers` needs"),
        ("fresh", "making fresh systems needs"),
        ("emulator", "running programs of arm64 needs"),
        ("launchers", "`make test-launchers` needs"),
        ("pages", "`make test-pages` needs"),
        ("container", "building images of containers needs"),
    ] {
        let answer = system.setup(scope);
        let begun = format!("setup: there is no sudo: let root run this line, all that {what}, then call this again\n");
        assert!(answer.printed.starts_with(&begun), "{answer:?}");
    }
}

#[test]
fn a_scope_that_there_is_not_is_refused() {
    let system = lacking();
    for words in [&["bulid"][..], &["--help"], &["build", "test"]] {
        let what = words.join(" ");
        let line = "build, test, mpich, peers, fresh, arm64, emulator, launchers, pages or container; what each is for stands at the head of .ci/setup";
        let answer = system.call(&[&[".ci/setup"], words].concat());
        assert_says(&answer, 2, &format!("setup: there is no scope '{what}': {line}"));
    }
    assert_eq!(system.changes(), [""; 0]);
}

#[test]
fn sudo_that_wants_a_password_asks_at_a_terminal_only() {
    let system = lacking();
    system.program("sudo", "echo 'sudo: a password is required' >&2; exit 1");
    assert_refuses(&system, "build", &root_line("sudo wants a password, and there is no terminal to ask for it"));
}

#[test]
fn sudo_that_refuses_in_the_middle_is_not_a_broken_source() {
    let system = lacking();
    for refusal in [
        "Sorry, user ada is not allowed to execute '/usr/bin/env apt-get update' as root on here.",
        "sudo: a password is required",
    ] {
        let script = format!("if [ \"$2\" = true ]; then exit 0; fi\necho \"{refusal}\" >&2\nexit 1");
        system.program("sudo", &script);
        let line = root_line(&format!("sudo refuses ({refusal})"));
        assert_refuses(&system, "build", &format!("setup: installing libopenmpi-dev\n{line}"));
    }
}

/// sudo prints it before all that it does, where the machine's name is not in /etc/hosts.
#[test]
fn sudo_that_warns_does_not_refuse() {
    let system = lacking();
    let warns = "echo 'sudo: unable to resolve host here: Name or service not known' >&2";
    system.program("sudo", &format!("{warns}\n[ \"$1\" = -n ] && shift\nexec \"$@\""));
    assert_installs(&system, "build", "libopenmpi-dev", BRINGS_MPI);
}

#[test]
fn nothing_is_removed_for_what_is_installed() {
    let system = lacking();
    system.program(
        "apt-get",
        "case \" $* \" in
          *' update '*) ;;
          *' -s '*) printf '%s\\n' 'Remv vendor-mpi [4.1]' 'Inst libopenmpi-dev (4.1.4 Debian)' 'Remv vendor-ucx [1]' ;;
          *' --no-remove '*) echo 'E: Packages need to be removed but remove is disabled.'; exit 100 ;;
          *) echo \"apt $*\" >>\"$world/log\" ;;
        esac",
    );
    assert_refuses(
        &system,
        "build",
        "setup: installing libopenmpi-dev\n\
         setup: libopenmpi-dev cannot be installed beside vendor-mpi vendor-ucx, and nothing is removed unasked, \
         so nothing was installed: remove that yourself if it can be spared, then call this again",
    );
}

#[test]
fn sudo_is_for_apt_and_not_for_make() {
    let mut system = lacking();
    system.program("id", "case $1 in -u) echo 0 ;; *) echo root ;; esac");
    for (name, value) in [("SUDO_UID", "1000"), ("SUDO_USER", "ada")] {
        system.variable(name, Some(value));
    }
    assert_refuses(
        &system,
        "build",
        "setup: call make without sudo: it asks for sudo itself, for packages alone; with it ada could not build here any more",
    );
}

#[test]
fn root_of_a_container_needs_no_sudo() {
    let system = lacking();
    system.program("id", "echo 0");
    system.remove("bin/sudo");
    assert_installs(&system, "build", "libopenmpi-dev", BRINGS_MPI);
}

#[test]
fn without_apt_everything_is_listed_by_name() {
    let system = lacking();
    system.remove("bin/apt-get");
    assert_refuses(
        &system,
        "test",
        "setup: please install, with your system's package manager, and call this again:\n  \
         - MPI headers and library (Open MPI or MPICH), by mpicc (probe.c:1:10: fatal error: mpi.h: No such file or directory)\n  \
         - pgrep (procps) (there is no pgrep)",
    );
}

#[test]
fn without_a_network_nothing_is_begun() {
    let system = lacking();
    system.write("update_says", "W: Failed to fetch http://deb/InRelease  Temporary failure resolving 'deb'\n");
    system.write("get_fails", "E: Failed to fetch http://deb/libopenmpi.deb  Temporary failure resolving 'deb'\n");
    assert_refuses(
        &system,
        "build",
        "setup: installing libopenmpi-dev\n\
         setup: there is no network, nothing was installed: connect, then call this again \
         (apt-get: E: Failed to fetch http://deb/libopenmpi.deb  Temporary failure resolving 'deb')",
    );
}

#[test]
fn a_broken_source_that_is_not_needed_is_passed_over() {
    let system = lacking();
    system.package_brings("libopenmpi-dev", BRINGS_MPI);
    system.write("update_says", "E: The repository 'http://third trixie' does not have a Release file.\n");
    assert_says(
        &system.setup("build"),
        0,
        "setup: installing libopenmpi-dev\n\
         setup: apt cannot read one of its sources, which is not needed here \
         (E: The repository 'http://third trixie' does not have a Release file.)",
    );
}

#[test]
fn a_broken_source_that_is_needed_is_named() {
    let system = lacking();
    system.write("update_says", "E: The repository 'http://deb trixie' does not have a Release file.\n");
    system.write("get_fails", "E: Unable to locate package libopenmpi-dev\n");
    assert_refuses(
        &system,
        "build",
        "setup: installing libopenmpi-dev\n\
         setup: a source of apt is broken, nothing was installed: mend it in /etc/apt, or remove it \
         (apt-get: E: The repository 'http://deb trixie' does not have a Release file.; \
         E: Unable to locate package libopenmpi-dev)",
    );
}
