//! The tables of docs/rankfiles.md: each trap in them is found by `hybrid rankfile check`, each command is one of this program.

use std::fs;

use crate::{
    page::is_command,
    support::{Job, topology},
};

const PAGE: &str = include_str!("../../docs/rankfiles.md");

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
fn every_row_of_the_table_of_traps_is_found() {
    let (rows, not_found) = rows_not_found(PAGE);
    assert!(rows >= 15, "{rows}");
    assert!(not_found.is_empty(), "{}", not_found.join("\n\n"));
}

#[test]
fn commands_in_the_tables_are_commands_of_this_program() {
    let lines: Vec<&str> = PAGE.lines().filter(|line| line.starts_with("| Open MPI")).collect();
    assert!(lines.len() >= 3);
    for line in lines {
        let command = line.split('`').nth(1).unwrap();
        assert!(is_command(command), "{command}");
    }
}

#[test]
fn a_row_that_is_wrong_is_found_out() {
    assert_eq!(rows_not_found("| `rank 0=a slot=1` | x | y | RF040 |").1.len(), 1);
}
