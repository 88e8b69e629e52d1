//! What only all lines of a file together show: order, duplicates, gaps, two spellings of a host.
//! Knows entries, not the text they came from.

use std::collections::HashMap;

use super::code::Code;
use super::diagnostic::Diagnostic;
use super::entry::Entry;
use super::wording::clip;
use crate::launcher::{ByDialect, Dialect};
use crate::severity::Severity;

/// The findings. With `complete` false a line could not be read, and it may be the missing rank's.
pub(super) fn check(entries: &[Entry], complete: bool) -> Vec<Diagnostic> {
    let mut found = Vec::new();
    let lines = duplicates(entries, &mut found);
    spellings(entries, &mut found);
    found.extend(rank_zero_first(entries, &lines));
    if complete {
        found.extend(missing_rank(entries, &lines));
    }
    found
}

/// The last line of each rank.
fn duplicates(entries: &[Entry], found: &mut Vec<Diagnostic>) -> HashMap<u32, usize> {
    let mut last: HashMap<u32, &Entry> = HashMap::with_capacity(entries.len());
    for entry in entries {
        let Entry { rank, spans, .. } = entry;
        let Some(earlier) = last.insert(*rank, entry) else {
            continue;
        };
        let before = earlier.line;
        let message = format!("rank {rank} stands here again, after line {before}: give each rank one line");
        let diagnostic = Diagnostic::new(Code::DuplicateRank, spans[0], message);
        let is_same = earlier.short_host() == entry.short_host() && earlier.slots.items() == entry.slots.items();
        let refused = |_| Some(format!("\"rank {rank} is already assigned\", and starts nothing"));
        let last_wins = "lets the last line win, without a word; without -n it misses a rank";
        let of_others = |dialect| match dialect {
            Dialect::OpenMpi41 | Dialect::OpenMpi5 => Some(last_wins.to_owned()),
            Dialect::OpenMpi6 => refused(dialect),
        };
        let diagnostic =
            diagnostic.with_consequences(if *rank == 0 { ByDialect::of(refused) } else { ByDialect::of(of_others) });
        found.push(match rank {
            // Whichever line wins, the rank is where both say.
            1.. if is_same => Diagnostic { severity: Severity::Warning, ..diagnostic },
            _ => diagnostic,
        });
    }
    last.into_iter().map(|(rank, entry)| (rank, entry.line)).collect()
}

fn spellings(entries: &[Entry], found: &mut Vec<Diagnostic>) {
    let mut first_spellings: HashMap<String, &str> = HashMap::new();
    for entry in entries {
        let host = entry.short_host();
        let first = *first_spellings.entry(host.to_ascii_lowercase()).or_insert(host);
        if first != host {
            let message = format!("'{}' and '{}' are two spellings of one host: use one", clip(first), clip(host));
            found.push(Diagnostic::new(Code::HostCase, entry.spans[1], message));
        }
    }
}

fn rank_zero_first(entries: &[Entry], lines: &HashMap<u32, usize>) -> Option<Diagnostic> {
    let first = entries.first().filter(|entry| entry.rank != 0)?;
    let line = lines.get(&0)?;
    let message = format!("rank {} stands before rank 0: move line {line} to the top", first.rank);
    Some(Diagnostic::new(Code::RankZeroFirst, first.spans[0], message))
}

fn missing_rank(entries: &[Entry], lines: &HashMap<u32, usize>) -> Option<Diagnostic> {
    let missing = (0..).find(|rank| !lines.contains_key(rank))?;
    let after = entries.iter().filter(|entry| entry.rank > missing).min_by_key(|entry| entry.rank)?;
    let message = format!("rank {missing} has no line, but rank {} has: ranks run from 0 without a gap", after.rank);
    Some(Diagnostic::new(Code::MissingRank, after.spans[0], message))
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::rankfile::parse;

    #[test]
    fn each_disorder_is_found_once() {
        for (text, codes) in [
            ("rank 0=a slot=0\nrank 2=a slot=2\nrank 1=a slot=1\n", &[][..]),
            ("rank 1=a slot=1\nrank 0=a slot=0\n", &[Code::RankZeroFirst]),
            ("rank 0=a slot=0\nrank 1=a slot=1\nrank 1=a slot=2\n", &[Code::DuplicateRank]),
            ("rank 0=a slot=0\nrank 2=a slot=1\nrank 9=a slot=2\n", &[Code::MissingRank]),
            ("rank 1=a slot=0\nrank 2=a slot=1\n", &[Code::MissingRank]),
            ("rank 0=a slot=0\nrank 1=A slot=1\n", &[Code::HostCase]),
            ("rank 0=a slot=0\nrank 1=? slot=1\nrank 2=a slot=2\n", &[Code::HostSyntax]),
        ] {
            let found: Vec<Code> = parse(text.as_bytes()).diagnostics.iter().map(|d| d.code).collect();
            assert_eq!(found, codes, "{text}");
        }
    }

    #[test]
    fn a_line_that_stands_there_twice_is_a_warning_but_of_rank_zero() {
        let severity = |text: &str| parse(text.as_bytes()).diagnostics[0].severity;
        assert_eq!(severity("rank 0=a slot=0\nrank 1=a slot=1\nrank 1=a slot=1-1\n"), Severity::Warning);
        assert_eq!(severity("rank 0=a slot=0\nrank 1=a slot=1\nrank 1=b slot=1\n"), Severity::Error);
        assert_eq!(severity("rank 0=a slot=0\nrank 0=a slot=0\n"), Severity::Error);
    }

    #[test]
    fn a_second_rank_zero_is_refused_in_every_dialect() {
        let found = parse(b"rank 0=a slot=0\nrank 0=a slot=1\n").diagnostics;
        let refuses = |does: &Option<String>| does.as_deref().is_some_and(|does| does.contains("already assigned"));
        assert!(found[0].consequences.iter().all(|(_, does)| refuses(does)));
    }
}
