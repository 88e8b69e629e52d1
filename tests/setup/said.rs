//! What is quoted of other programs: the line that tells the cause, whatever is printed around it, and in whichever language the
//! user is spoken to.

use std::process::Command;

use super::{System, assert_refuses};

/// What the set-up would quote of a complaint.
#[track_caller]
fn assert_gist(complaint: &str, quoted: &str) {
    let call = ". .ci/probe/say.sh; gist <<<\"$1\"";
    let root = env!("CARGO_MANIFEST_DIR");
    let output = Command::new("bash").current_dir(root).args(["-c", call, "gist", complaint]).output().unwrap();
    assert_eq!(String::from_utf8(output.stdout).unwrap().trim_end(), quoted, "{complaint}");
}

#[test]
fn the_cause_is_quoted_and_no_ornament() {
    let dashes = "-".repeat(74);
    let box_of_open_mpi = format!(
        "{dashes}\nThe Open MPI wrapper compiler was unable to find the specified compiler\ngcc-99 in your PATH.\n\n\
         Note that this compiler was either specified at configure time or in\n\
         one of several possible environment variables.\n{dashes}"
    );
    for (complaint, quoted) in [
        (
            box_of_open_mpi.as_str(),
            "The Open MPI wrapper compiler was unable to find the specified compiler gcc-99 in your PATH.",
        ),
        ("first\nlast\n======\n\n  ^~~~\n", "last"),
        (
            "note: this\nx.c:1:2: fatal error: mpi.h: No such file\ncompilation terminated.",
            "x.c:1:2: fatal error: mpi.h: No such file",
        ),
        (
            "/usr/bin/ld: cannot find -lmpi\ncollect2: error: ld returned 1 exit status",
            "/usr/bin/ld: cannot find -lmpi",
        ),
        ("collect2: error: ld returned 1 exit status", "collect2: error: ld returned 1 exit status"),
        ("------", ""),
        ("", ""),
    ] {
        assert_gist(complaint, quoted);
    }
}

#[test]
fn the_lines_of_a_script_are_nobodys_business() {
    assert_gist(".ci/probe/hwloc.sh: line 4: pkg-config: command not found", "pkg-config: command not found");
    let system = System::complete();
    for program in ["pkg-config", "apt-get"] {
        system.remove(&format!("bin/{program}"));
    }
    assert_refuses(
        &system,
        "build",
        "setup: please install, with your system's package manager, and call this again:\n  \
         - pkg-config (there is no pkg-config)\n  \
         - hwloc 2, with headers (pkg-config: command not found)",
    );
}

/// A user whom apt answers in German, where it is let.
#[test]
fn answers_are_asked_for_in_english() {
    let mut system = System::complete();
    system.remove("include/mpi.h");
    for (name, value) in [("LC_ALL", None), ("LANG", Some("de_DE.UTF-8")), ("LANGUAGE", Some("de"))] {
        system.variable(name, value);
    }
    system.program(
        "apt-get",
        "case \" $* \" in *' update '*) exit 0 ;; esac
        if [ \"$LC_ALL\" = C ] && [ -z \"$LANGUAGE\" ]; then
          echo \"E: Failed to fetch http://deb/x.deb  Temporary failure resolving 'deb'\"
        else
          echo 'E: Fehlschlag beim Holen von http://deb/x.deb  Temporärer Fehlschlag beim Auflösen von »deb«'
        fi
        exit 100",
    );
    // Some sudo lets the user's language pass and not the set-up's.
    system.program("sudo", "[ \"$1\" = -n ] && shift\nunset LC_ALL\nLANGUAGE=de exec \"$@\"");
    assert_refuses(
        &system,
        "build",
        "setup: installing libopenmpi-dev\n\
         setup: there is no network, nothing was installed: connect, then call this again \
         (apt-get: E: Failed to fetch http://deb/x.deb  Temporary failure resolving 'deb')",
    );
}
