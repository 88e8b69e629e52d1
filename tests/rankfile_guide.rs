//! The guide to rankfiles holds what it says: every file in it is checked, every command run, every row of its table of traps
//! found.
//!
//! Blocks are marked behind their language: `rankfile name=F` is saved as F and clean, with `trap=RF040` that is found;
//! `sh run` succeeds, `sh fails=1` ends with that code, and a `text` block behind either is what it prints; `sh cluster` needs
//! hosts that are not here, and only its words for `hybrid` are tried.

#![allow(clippy::unwrap_used, reason = "a test fails where it cannot go on")]

mod support;

use std::{env, ffi::OsString, fs, os::unix::fs::symlink, path::Path, process::Command};

use hybrid::cli::{Parsed, parse};
use support::{Finished, HYBRID, Job, topology};

const GUIDE: &str = include_str!("../docs/rankfiles.md");

/// A fenced block: the words behind the fence, and what is in it.
struct Block {
    marks: Vec<String>,
    text: String,
}

impl Block {
    fn mark(&self, name: &str) -> Option<&str> {
        self.marks.iter().find_map(|mark| mark.strip_prefix(name)?.strip_prefix('='))
    }

    fn is(&self, mark: &str) -> bool {
        self.marks.iter().any(|known| known == mark)
    }
}

fn blocks(guide: &str) -> Vec<Block> {
    let mut blocks = Vec::new();
    let mut lines = guide.lines();
    while let Some(line) = lines.next() {
        if let Some(marks) = line.strip_prefix("```") {
            let text = lines.by_ref().take_while(|line| *line != "```").map(|line| format!("{line}\n")).collect();
            blocks.push(Block { marks: marks.split_whitespace().map(str::to_owned).collect(), text });
        }
    }
    blocks
}

/// A folder in which the guide's commands can be run.
fn folder() -> tempfile::TempDir {
    let folder = tempfile::tempdir().unwrap();
    for name in ["rankfiles", "tests"] {
        symlink(Path::new(env!("CARGO_MANIFEST_DIR")).join(name), folder.path().join(name)).unwrap();
    }
    folder
}

fn shell(folder: &Path, script: &str) -> Finished {
    let mut command = Command::new("sh");
    let path = env::var_os("PATH").unwrap();
    let own = [Path::new(HYBRID).parent().unwrap().to_owned()];
    let path = env::join_paths(own.into_iter().chain(env::split_paths(&path))).unwrap();
    command.args(["-e", "-c", script]).env("PATH", path);
    Job::of(command, folder).run()
}

/// What in the guide is not so, in words.
fn faults(guide: &str) -> Vec<String> {
    let folder = folder();
    let mut faults = Vec::new();
    let mut printed: Option<String> = None;
    for block in blocks(guide) {
        let before = printed.take();
        if let Some(name) = block.mark("name") {
            fs::write(folder.path().join(name), &block.text).unwrap();
            let found = Job::alone(folder.path(), &format!("rankfile check {name}")).run().stdout;
            let as_told = block.mark("trap").map_or(found.is_empty(), |code| found.contains(&format!("[{code}]")));
            faults.extend((!as_told).then(|| format!("{name}: {found}")));
        } else if block.is("run") || block.mark("fails").is_some() {
            let code = block.mark("fails").map_or(0, |code| code.parse().unwrap());
            let job = shell(folder.path(), &block.text);
            faults.extend((job.code != Some(code)).then(|| format!("{}: {job:?}", block.text)));
            printed = Some(job.stdout);
        } else if block.is("text") {
            let printed = before.expect("a text block stands behind the command that prints it");
            faults.extend((printed != block.text).then(|| format!("printed:\n{printed}\ntold:\n{}", block.text)));
        } else {
            assert!(block.is("cluster"), "a block that nothing tries: {:?}", block.marks);
            faults.extend(block.text.lines().filter(|line| !is_command(line)).map(str::to_owned));
        }
    }
    faults
}

/// Whether what stands from `hybrid` on is a command of this program.
fn is_command(line: &str) -> bool {
    let words = line.split_whitespace().skip_while(|word| *word != "hybrid").map(OsString::from);
    matches!(parse(words), Parsed::Run(_))
}

/// Rows of the table of traps that `check` does not find.
fn rows_not_found(guide: &str) -> (usize, Vec<String>) {
    let folder = tempfile::tempdir().unwrap();
    let spans = |cell: &str| cell.split('`').skip(1).step_by(2).map(str::to_owned).collect::<Vec<_>>();
    let rows: Vec<Vec<&str>> = guide
        .lines()
        .filter(|line| line.contains("| RF"))
        .map(|line| line.trim_matches('|').split(" | ").map(str::trim).collect())
        .collect();
    let mut not_found = Vec::new();
    for row in &rows {
        let (file, code) = (row[0], row.last().unwrap());
        fs::write(folder.path().join("file"), spans(file).join("\n") + "\n").unwrap();
        let options = match spans(code).first().map(String::as_str) {
            Some("--topology") => format!("--topology a={}", topology("raspberry-pi.xml")),
            Some(option) => option.to_owned(),
            None => String::new(),
        };
        let found = Job::alone(folder.path(), &format!("rankfile check file {options}")).run().stdout;
        let is_found =
            found.contains(&format!("[{}]", code.split(' ').next().unwrap())) && found.matches("see:").count() == 1;
        not_found.extend((!is_found).then(|| format!("{file}: {found}")));
    }
    (rows.len(), not_found)
}

#[test]
fn every_file_and_every_command_of_the_guide_does_as_it_says() {
    let found = faults(GUIDE);
    assert!(found.is_empty(), "{}", found.join("\n\n"));
}

#[test]
fn every_row_of_the_guides_table_of_traps_is_found() {
    let (rows, not_found) = rows_not_found(GUIDE);
    assert!(rows >= 15, "{rows}");
    assert!(not_found.is_empty(), "{}", not_found.join("\n\n"));
}

#[test]
fn commands_in_the_guides_tables_are_commands_of_this_program() {
    let lines: Vec<&str> = GUIDE.lines().filter(|line| line.starts_with("| Open MPI")).collect();
    assert!(lines.len() >= 3);
    for line in lines {
        let command = line.split('`').nth(1).unwrap();
        assert!(is_command(command), "{command}");
    }
}

#[test]
fn a_guide_that_is_wrong_is_found_out() {
    for wrong in [
        "```rankfile name=f\nrank 0=a slot=P1\n```\n",
        "```rankfile name=f trap=RF040\nrank 0=a slot=1\n```\n",
        "```sh run\nhybrid rankfile check missing\n```\n",
        "```sh fails=1\ntrue\n```\n",
        "```sh run\necho a\n```\n```text\nb\n```\n",
        "```sh cluster\nmpiexec hybrid rankfile wriet\n```\n",
    ] {
        assert_eq!(faults(wrong).len(), 1, "{wrong}");
    }
    assert_eq!(rows_not_found("| `rank 0=a slot=1` | x | y | RF040 |").1.len(), 1);
}
