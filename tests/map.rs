//! The map from the tutorial to this project, docs/guide/src/17-programs.md: each program and each test that it names is there, and each
//! row says what holds it or why it was left out. So the map cannot rot. Knows nothing of what the rows claim: their tests do.

#![allow(clippy::unwrap_used, reason = "a test fails where it cannot go on")]

mod support;

use std::{
    collections::{BTreeMap, BTreeSet},
    fs,
    path::Path,
};

use support::Job;

fn root() -> &'static Path {
    Path::new(env!("CARGO_MANIFEST_DIR"))
}

fn chapter() -> String {
    fs::read_to_string(root().join("docs/guide/src/17-programs.md")).unwrap()
}

/// The rows of the table below a heading, as cells, without its head.
fn rows(chapter: &str, heading: &str) -> Vec<Vec<String>> {
    let (_, section) = chapter.split_once(&format!("\n## {heading}\n")).unwrap_or_else(|| panic!("no '{heading}'"));
    let lines = section.lines().take_while(|line| !line.starts_with("## ")).filter(|line| line.starts_with('|'));
    let cells = |line: &str| line.trim_matches('|').split('|').map(|cell| cell.trim().to_owned()).collect();
    lines.skip(2).map(cells).collect()
}

/// What stands between backticks.
fn names(cell: &str) -> impl Iterator<Item = &str> {
    cell.split('`').skip(1).step_by(2)
}

/// What `hybrid` says of a command's options; nothing where it has no such command.
fn help(command: &str) -> String {
    let folder = tempfile::tempdir().unwrap();
    let job = Job::alone(folder.path(), &format!("{command} --help")).run();
    if job.code == Some(0) { job.stdout } else { String::new() }
}

/// Whether something that a row calls by its name is there: an example, an exercise, a file, a target of the Makefile, or a command of
/// `hybrid` with its options. Of an option that stands alone, `julia` is the command.
fn is_there(name: &str) -> bool {
    let is_program = |folder: &str| {
        let path = root().join(folder).join(name);
        path.with_extension("rs").is_file() || path.join("main.rs").is_file()
    };
    match name.split(' ').collect::<Vec<_>>()[..] {
        ["hybrid", option, ..] if option.starts_with("--") => help("julia").contains(option),
        ["hybrid", command, ref options @ ..] => {
            let help = help(command);
            !help.is_empty() && options.iter().filter(|word| word.starts_with("--")).all(|option| help.contains(option))
        }
        ["make", target] => fs::read_to_string(root().join("Makefile")).unwrap().contains(&format!("\n{target}:")),
        [path] if path.contains('/') => root().join(path).exists(),
        [_] => ["examples", "examples/library", "exercises/src/bin"].into_iter().any(is_program),
        _ => false,
    }
}

/// Whether a file of tests has this one, and runs it.
fn is_test(file: &str, name: &str) -> bool {
    let Ok(text) = fs::read_to_string(root().join(file)) else { return false };
    let Some((before, _)) = text.split_once(&format!("\nfn {name}()")) else { return false };
    before.lines().rev().take_while(|line| line.starts_with("#[")).any(|line| line == "#[test]")
}

/// What is wrong with the map.
fn faults(chapter: &str) -> Vec<String> {
    let mut found = Vec::new();
    let mut held = BTreeMap::new();
    for row in rows(chapter, "What holds it") {
        let [word, _, file, tests] = &row[..] else { panic!("{row:?}") };
        let file = names(file).next().unwrap_or_default();
        let missing = names(tests).filter(|name| !is_test(file, name));
        found.extend(missing.map(|name| format!("{word}: no test {name} in {file}")));
        assert!(names(tests).next().is_some(), "{word}: no test");
        held.insert(word.clone(), false);
    }
    let mut called = BTreeSet::new();
    for (heading, place) in [("Programs", 2), ("Sections", 1), ("Assignments", 1)] {
        for row in rows(chapter, heading) {
            let (what, here, by) = (&row[0], &row[place], row.last().unwrap());
            called.extend(names(here).map(|name| (what.clone(), name.to_owned())));
            let is_left_out = here.contains("left out: ") || here.starts_with("[below]");
            if by == "-" && !is_left_out {
                found.push(format!("{what}: nothing holds it, and nothing says why"));
            }
            for word in by.split(", ").filter(|word| *word != "-") {
                match held.get_mut(word) {
                    Some(used) => *used = true,
                    None => found.push(format!("{what}: '{word}' is not in the last table")),
                }
            }
        }
    }
    let gone = called.into_iter().filter(|(_, name)| !is_there(name));
    found.extend(gone.map(|(what, name)| format!("{what}: there is no {name}")));
    found.extend(held.into_iter().filter(|(_, used)| !used).map(|(word, _)| format!("{word} holds nothing")));
    found
}

#[test]
fn each_program_and_each_test_that_the_map_names_is_there() {
    let chapter = chapter();
    assert_eq!(faults(&chapter), [""; 0]);
    for (heading, least) in [("Programs", 40), ("Sections", 45), ("Assignments", 15)] {
        assert!(rows(&chapter, heading).len() >= least, "{heading}");
    }
}

#[test]
fn a_name_that_is_wrong_is_found_out() {
    let chapter = chapter();
    for (right, wrong) in [
        ("`every_solution_passes`", "`every_solution_fails`"),
        ("`tests/exercises.rs`", "`tests/exercise.rs`"),
        // A function that is no test.
        ("`every_call_of_rsmpi_is_in_the_table`", "`calls`"),
        ("| `k_means` |", "| `means` |"),
        ("| `hybrid sweep` | goes on", "| `hybrid sweeps` | goes on"),
        ("`hybrid julia --counts`", "`hybrid julia --count-them`"),
        ("exercise `ring`", "exercise `ringing`"),
        ("`docs/rankfiles.md`", "`docs/rankfile.md`"),
        ("left out: links to other tutorials", "links to other tutorials"),
        ("| output, pi |", "| output, pies |"),
    ] {
        // A name may stand in several rows.
        let wrong_chapter = chapter.replacen(right, wrong, 1);
        assert_ne!(wrong_chapter, chapter, "{right}");
        assert!(!faults(&wrong_chapter).is_empty(), "{wrong}");
    }
}
