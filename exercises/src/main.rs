//! The checker of `make exercise N=ring`: builds one exercise, runs it with 1 to 4 ranks, and says in plain words what is wrong.
//!
//! What each exercise prints is in `expected`, how a job is run and where its ranks are in `job`, the words in `verdict`.

mod expected;
mod job;
mod state;
mod verdict;

use std::{
    env,
    path::{Path, PathBuf},
    process::{Command, ExitCode},
};

use expected::EXERCISES;
use verdict::Verdict;

/// The most ranks that an exercise is run with.
const MOST_RANKS: usize = 4;
const RIGHT: u8 = 0;
const WRONG: u8 = 1;
const USAGE: u8 = 2;

fn main() -> ExitCode {
    let words: Vec<String> = env::args().skip(1).collect();
    let words: Vec<&str> = words.iter().map(String::as_str).collect();
    let (name, program) = match words[..] {
        [name] => (name, None),
        [name, "--program", path] => (name, Some(PathBuf::from(path))),
        _ => return explain("which exercise?"),
    };
    let Some(exercise) = EXERCISES.iter().find(|exercise| exercise.name == name) else {
        return explain(&format!("there is no exercise '{name}'"));
    };
    let Some(program) = program.or_else(|| build(name)) else {
        println!("{name}: it does not compile; the first message above is the one to begin with");
        return ExitCode::from(WRONG);
    };
    for ranks in 1..=MOST_RANKS {
        let s = if ranks == 1 { "" } else { "s" };
        let outcome = match job::run(&program, ranks) {
            Ok(outcome) => outcome,
            Err(reason) => {
                eprintln!("error: {reason}");
                return ExitCode::from(USAGE);
            }
        };
        match verdict::judge(&outcome, &(exercise.lines)(ranks)) {
            Verdict::Right => println!("{name}, {ranks} rank{s}: right"),
            Verdict::Wrong(text) => {
                println!("{name}, {ranks} rank{s}: {text}");
                return ExitCode::from(WRONG);
            }
        }
    }
    println!("{name}: done. A solution to compare with: exercises/examples/solution_{name}.rs");
    ExitCode::from(RIGHT)
}

/// What can be asked for.
fn explain(what: &str) -> ExitCode {
    eprintln!("error: {what} Say make exercise N=NAME with one of these, in an order to do them in:");
    for exercise in EXERCISES {
        eprintln!("  {:<15} {}", exercise.name, exercise.task);
    }
    ExitCode::from(USAGE)
}

/// Compiles the exercise, whose program lies beside this one; `None` where it does not compile.
fn build(name: &str) -> Option<PathBuf> {
    let cargo = env::var("CARGO").unwrap_or_else(|_| "cargo".to_owned());
    let me = env::current_exe().expect("the system knows which program this is");
    let folder = me.parent().expect("a program is in a folder");
    // target/PROFILE/exercises: the same folder and profile for the exercise.
    let target = folder.parent().expect("the folder of a profile is in one for all");
    let mut command = Command::new(cargo);
    command.args(["build", "--quiet", "--locked", "--bin", name, "--target-dir"]).arg(target);
    if folder.ends_with("release") {
        command.arg("--release");
    }
    let manifest = Path::new(env!("CARGO_MANIFEST_DIR")).join("Cargo.toml");
    let status = command.arg("--manifest-path").arg(manifest).status().ok()?;
    status.success().then(|| folder.join(name))
}
