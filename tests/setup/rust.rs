//! Faults of the Rust toolchain: all are said before any package is thought of.

use std::fs;

use super::{System, assert_refuses, assert_says};

const OLD: &str = "echo 'cargo 1.65.0'";

/// Cargo where rustup puts it, which is on the PATH of the next login only.
fn move_home(system: &System) {
    fs::create_dir_all(system.path("home/.cargo/bin")).unwrap();
    fs::rename(system.path("bin/cargo"), system.path("home/.cargo/bin/cargo")).unwrap();
}

#[test]
fn missing_is_said_before_packages() {
    let system = System::complete();
    system.remove("bin/cargo");
    system.remove("bin/cc");
    let words = "setup: Rust is missing: install 1.89 or newer (https://rustup.rs), then call this again";
    assert_refuses(&system, "build", words);
}

#[test]
fn outside_the_path_is_found() {
    let system = System::complete();
    move_home(&system);
    assert_says(&system.setup("build"), 0, "");
    assert_says(&system.call(&[".ci/cargo", "build"]), 0, "cargo build");
}

#[test]
fn too_old_is_said_with_both_versions() {
    let system = System::complete();
    system.program("cargo", OLD);
    assert_refuses(
        &system,
        "build",
        "setup: Rust 1.65.0 (~/bin/cargo) is too old, hybrid needs 1.89 or newer: rustup update, or https://rustup.rs",
    );
}

#[test]
fn too_old_on_the_path_gives_way_to_that_of_rustup() {
    let system = System::complete();
    move_home(&system);
    system.program("cargo", OLD);
    assert_says(&system.setup("build"), 0, "");
    assert_says(&system.call(&[".ci/cargo", "build"]), 0, "cargo build");
}

#[test]
fn without_a_toolchain_is_said_in_rustups_words() {
    let system = System::complete();
    let words = "error: rustup could not choose a version of cargo to run";
    system.program("cargo", &format!("echo '{words}' >&2; exit 1"));
    let advice = "mend it, or install Rust 1.89 or newer: https://rustup.rs";
    assert_refuses(&system, "build", &format!("setup: ~/bin/cargo does not run: {words}: {advice}"));
}

#[test]
fn crates_that_cannot_be_fetched_are_one_line() {
    let system = System::complete();
    let words = "error: failed to download from the index: Could not resolve host";
    let fails = format!("if [ $1 = fetch ]; then echo '{words}' >&2; exit 101; fi");
    system.program("cargo", &format!("{fails}\n{}", include_str!("made_up/cargo")));
    let advice = "is there a network? behind a proxy set https_proxy";
    assert_refuses(&system, "build", &format!("setup: cargo cannot fetch the crates: {advice} ({words})"));
}
