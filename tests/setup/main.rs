//! The set-up, `.ci/setup`, on systems on which something is missing or wrong: what it prints and its exit status, and that it has
//! changed nothing where it says so. The systems are made up, so each fault can be had anywhere, by root and by anybody else.

#![allow(clippy::unwrap_used, reason = "a test fails where it cannot go on")]
#![allow(unreachable_pub, reason = "one binary of several files")]

mod arm64;
#[allow(dead_code, reason = "the build calls its main")]
#[path = "../../build.rs"]
mod build;
mod libclang;
mod people;
mod places;
mod probes;
mod python;
mod run_paths;
mod rust;
mod said;
mod sources;
mod system;
mod variables;

use system::{Answer, System};

/// The whole answer, compared to the letter.
#[track_caller]
fn assert_says(answer: &Answer, code: i32, printed: &str) {
    assert_eq!((answer.code, answer.printed.as_str()), (Some(code), printed));
}

/// The set-up ends with this word, and nothing was installed.
#[track_caller]
fn assert_refuses(system: &System, scope: &str, printed: &str) {
    assert_says(&system.setup(scope), 1, printed);
    assert_eq!(system.changes(), [""; 0]);
}

/// The set-up installs this package and no other, which `mends` what is missing; called again it has nothing to do.
#[track_caller]
fn assert_installs(system: &System, scope: &str, package: &str, mends: &str) {
    system.package_brings(package, mends);
    assert_says(&system.setup(scope), 0, &format!("setup: installing {package}"));
    assert_eq!(system.changes(), [format!("apt {package}")]);
    assert_says(&system.setup(scope), 0, "");
    assert_eq!(system.changes(), [format!("apt {package}")]);
}

#[test]
fn silent_where_nothing_is_missing() {
    let system = System::complete();
    assert_says(&system.setup("build"), 0, "");
    assert_eq!(system.changes(), [""; 0]);
}
