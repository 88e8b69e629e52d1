//! What a beginner takes home: a crate as `cargo new` makes it, with the seven-line program and the Cargo.toml of the guide's chapter
//! on installation, runs; and every small example compiles in it, since it stands on the same few crates.

#![allow(clippy::unwrap_used, reason = "a test fails where it cannot go on")]

mod support;

use std::{
    fs,
    path::{Path, PathBuf},
    process::{Command, Output},
};

use support::Job;

/// Examples that need more: bytes of any plain type.
const ON_MORE: [&str; 1] = ["mpi_io"];

fn root() -> &'static Path {
    Path::new(env!("CARGO_MANIFEST_DIR"))
}

/// The first block of the chapter on installation that begins like this.
fn block(info: &str) -> String {
    let chapter = fs::read_to_string(root().join("docs/guide/src/01-installation.md")).unwrap();
    let (_, rest) = chapter.split_once(&format!("```{info}\n")).unwrap_or_else(|| panic!("no block {info}"));
    rest.split_once("```").unwrap().0.to_owned()
}

/// A crate of the chapter's, with the versions that this project has, so that nothing is downloaded or compiled twice.
fn new_crate(folder: &Path) {
    fs::create_dir_all(folder.join("src/bin")).unwrap();
    fs::write(folder.join("Cargo.toml"), block("toml")).unwrap();
    fs::write(folder.join("src/main.rs"), block("rust,ignore")).unwrap();
    fs::copy(root().join("Cargo.lock"), folder.join("Cargo.lock")).unwrap();
}

/// Where this project's own programs are compiled, and so the crates that the new one is built on.
fn target() -> &'static Path {
    Path::new(env!("CARGO_TARGET_TMPDIR")).parent().unwrap()
}

/// Cargo in that crate.
fn cargo(folder: &Path, command: &str, words: &[&str]) -> Output {
    let mut cargo = Command::new(env!("CARGO"));
    // As this project's own: a dependency that is compiled alike has the same name in the cache.
    let profile = ["profile.dev.opt-level=1", "profile.dev.debug='line-tables-only'"];
    cargo.arg(command).args(profile.map(|setting| format!("--config={setting}"))).args(["--offline", "--quiet"]);
    cargo.args(words).arg("--target-dir").arg(target()).current_dir(folder).output().unwrap()
}

fn assert_succeeded(output: &Output) {
    assert!(output.status.success(), "{}", String::from_utf8_lossy(&output.stderr));
}

/// The small examples: the file or the folder of each.
fn small_examples() -> Vec<PathBuf> {
    let paths = fs::read_dir(root().join("examples")).unwrap().map(|entry| entry.unwrap().path());
    let is_program = |path: &PathBuf| path.extension().is_some_and(|end| end == "rs") || path.join("main.rs").exists();
    let needs_more = |path: &PathBuf| ON_MORE.iter().any(|name| path.file_stem().unwrap() == *name);
    paths.filter(|path| is_program(path) && !needs_more(path)).collect()
}

fn copy(from: &Path, to: &Path) {
    if from.is_dir() {
        fs::create_dir_all(to).unwrap();
        for entry in fs::read_dir(from).unwrap() {
            let path = entry.unwrap().path();
            copy(&path, &to.join(path.file_name().unwrap()));
        }
    } else {
        fs::copy(from, to).unwrap();
    }
}

#[test]
fn the_first_program_runs_in_a_new_crate_and_the_small_examples_compile_there() {
    let folder = tempfile::tempdir().unwrap();
    let bin = folder.path().join("src/bin");
    new_crate(folder.path());
    assert_succeeded(&cargo(folder.path(), "build", &["--bin", "first"]));
    let program = target().join("debug/first");
    let job = Job::launched(folder.path(), &["-n", "3"], &[program.to_str().unwrap()], "").run().succeeded();
    let mut lines: Vec<&str> = job.stdout.lines().collect();
    lines.sort_unstable();
    assert_eq!(lines, [0, 1, 2].map(|rank| format!("Hello, World! I am process {rank} of 3")));

    let examples = small_examples();
    assert!(examples.len() > 20, "{examples:?}");
    for path in &examples {
        copy(path, &bin.join(path.file_name().unwrap()));
    }
    copy(&root().join("examples/data"), &bin.join("data"));
    assert_succeeded(&cargo(folder.path(), "check", &["--bins"]));

    // An example on another crate is found out.
    fs::write(bin.join("other.rs"), "fn main() { println!(\"{:?}\", tempfile::tempdir()); }").unwrap();
    assert!(!cargo(folder.path(), "check", &["--bins"]).status.success());
}

#[test]
fn the_first_program_of_the_guide_is_the_first_example() {
    let example = fs::read_to_string(root().join("examples/hello.rs")).unwrap();
    let (_, code) = example.split_once("\n\n").unwrap();
    assert_eq!(code, block("rust,ignore"));
    assert_eq!(code.lines().count(), 7);
}
