//! What is wrong with a job, in words for somebody who learns MPI. Knows nothing of how it was run.

use std::{fmt::Write, process::ExitStatus};

use crate::{
    job::{End, Outcome},
    state::reason,
};

/// Whether a job has done what it should.
#[derive(Debug)]
pub enum Verdict {
    Right,
    /// What is wrong, and what to do.
    Wrong(String),
}

const TOO_LONG: &str = "a message was longer than the buffer it was received into: make room first, or use receive_vec";
const NO_SUCH_RANK: &str = "a message for a rank that there is not: ranks count from 0 to size - 1";
const NO_SUCH_TAG: &str = "a tag that MPI does not take: tags are not negative";

/// Messages of MPI libraries that a beginner meets, by words in them, and what they mean.
const MEANINGS: [(&str, &str); 6] = [
    ("MPI_ERR_TRUNCATE", TOO_LONG),
    ("Message truncated", TOO_LONG),
    ("MPI_ERR_RANK", NO_SUCH_RANK),
    ("Invalid rank", NO_SUCH_RANK),
    ("MPI_ERR_TAG", NO_SUCH_TAG),
    ("called \"exit\" ", "a rank left the program before MPI had ended: return from main instead of calling exit"),
];

/// What Open MPI's exit codes mean, which are its classes of errors: its launcher loses a message now and then, and says so by
/// `ORTE_ERROR_LOG`.
const CODES: [(i32, &str); 3] = [(15, TOO_LONG), (6, NO_SUCH_RANK), (4, NO_SUCH_TAG)];

/// Compares what a job has printed with the lines that it should print, in any order.
pub fn judge(outcome: &Outcome, expected: &[String]) -> Verdict {
    if let Some(text) = panic(&outcome.stderr) {
        return Verdict::Wrong(text);
    }
    match &outcome.end {
        End::Itself(status) if status.success() => {
            difference(&outcome.stdout, expected).map_or(Verdict::Right, Verdict::Wrong)
        }
        End::Itself(status) => Verdict::Wrong(crash(&outcome.stderr, *status)),
        End::Hangs => Verdict::Wrong(hang(outcome)),
        End::Endless => Verdict::Wrong("it does not come to an end, though its ranks go on calling MPI".to_owned()),
    }
}

/// A panic: where, and its message.
fn panic(stderr: &str) -> Option<String> {
    let mut lines = stderr.lines().skip_while(|line| !line.contains("panicked at "));
    let (_, place) = lines.next()?.split_once("panicked at ")?;
    // What happens inside rsmpi is named by its file alone.
    let place = place.trim_end_matches(':');
    let place = place.split_once("/mpi-").map_or(place.to_owned(), |(_, inside)| format!("rsmpi, mpi-{inside}"));
    let message = lines.next().unwrap_or_default();
    if message.contains("not yet implemented") {
        return Some(format!(
            "there is still a todo!() at {place}: {}",
            message.trim_start_matches("not yet implemented: ")
        ));
    }
    let advice = if message.contains("target_size") {
        "Ranks count from 0 to size - 1: is there such a rank?"
    } else if place.contains("collective.rs") {
        "Root and others make different calls: gather_into_root is the root's, gather_into that of the others."
    } else {
        "The other ranks wait for it in vain."
    };
    Some(format!("a rank panicked at {place}:\n  {message}\n{advice}"))
}

/// The job ended with an error of MPI or by a signal.
fn crash(stderr: &str, status: ExitStatus) -> String {
    let said = MEANINGS.iter().find(|(words, _)| stderr.contains(words)).map(|(_, meaning)| *meaning);
    let is_lost = stderr.contains("ORTE_ERROR_LOG");
    let code = CODES.iter().find(|(code, _)| is_lost && status.code() == Some(*code)).map(|(_, meaning)| *meaning);
    match said.or(code) {
        Some(meaning) => format!("MPI ended it: {meaning}"),
        None => {
            let last: Vec<&str> = stderr.lines().filter(|line| !line.trim().is_empty()).take(12).collect();
            format!("it ended with {status}. What it said:\n  {}", last.join("\n  "))
        }
    }
}

/// Who waits for whom.
fn hang(outcome: &Outcome) -> String {
    let mut text = "it hangs.".to_owned();
    if outcome.states.is_empty() {
        text += " Where its ranks were is not known.";
    }
    for (rank, state) in outcome.states.iter().enumerate() {
        write!(text, "\n  rank {rank} {state}").expect("text can be written to");
    }
    if let Some(reason) = reason(&outcome.states) {
        write!(text, "\n{reason}").expect("text can be written to");
    }
    text
}

/// The lines that are missing and those that should not be there; none where all are right.
fn difference(stdout: &str, expected: &[String]) -> Option<String> {
    let mut printed: Vec<&str> = stdout.lines().map(str::trim_end).filter(|line| !line.is_empty()).collect();
    let mut missing = Vec::new();
    for line in expected {
        match printed.iter().position(|printed| printed == line) {
            Some(place) => drop(printed.remove(place)),
            None => missing.push(line),
        }
    }
    if missing.is_empty() && printed.is_empty() {
        return None;
    }
    let mut text = "it ends, with another result (- wanted, + printed):".to_owned();
    for line in missing {
        write!(text, "\n  - {line}").expect("text can be written to");
    }
    for line in printed {
        write!(text, "\n  + {line}").expect("text can be written to");
    }
    Some(text)
}
