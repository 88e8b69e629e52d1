//! Ranks of one host that ask for the same core, as far as the file alone shows it: logical cores against logical cores,
//! and cores of a package against those of the same package. Knows no topology; where that is known,
//! [`lint_against`](super::lint_against) finds all of them.

use std::collections::{BTreeMap, BTreeSet, HashMap};
use std::ops::Range;

use super::code::Code;
use super::diagnostic::Diagnostic;
use super::entry::{Entry, Rankfile};
use super::slots::Item;

/// What cores are counted in: the node or one of its packages.
type Unit = Option<u32>;

/// Cores that one entry asks for, and the entry's index.
type Request = (Range<u32>, usize);

/// Packages of one item that are looked at; no node has more.
const MAX_PACKAGES: u32 = 1024;

/// Entries that share a core with an entry before them, on hosts that `is_known` does not know, each told once.
#[must_use]
pub fn lint_overlaps(rankfile: &Rankfile, is_known: impl Fn(&str) -> bool) -> Vec<Diagnostic> {
    let last: HashMap<u32, usize> = rankfile.entries.iter().enumerate().map(|(i, entry)| (entry.rank, i)).collect();
    let mut asked: BTreeMap<(&str, Unit), Vec<Request>> = BTreeMap::new();
    for (index, entry) in rankfile.entries.iter().enumerate() {
        // Of several lines of a rank the last one counts.
        if last.get(&entry.rank) == Some(&index) && !is_known(entry.short_host()) {
            for (unit, cores) in entry.slots.items().iter().flat_map(parts) {
                asked.entry((entry.short_host(), unit)).or_default().push((cores, index));
            }
        }
    }
    let pairs: BTreeSet<(usize, usize)> = asked.into_values().flat_map(shared).collect();
    let mut told = BTreeSet::new();
    let first_of_each = pairs.into_iter().filter(|(later, _)| told.insert(*later));
    first_of_each.map(|(later, earlier)| finding(&rankfile.entries[earlier], &rankfile.entries[later])).collect()
}

fn finding(earlier: &Entry, later: &Entry) -> Diagnostic {
    let noun = later.slots.unit.noun();
    let message = format!("ranks {} and {} of host '{}' share {noun}s", earlier.rank, later.rank, later.host);
    Diagnostic::new(Code::SharedCore, later.slots_span(), message)
}

fn parts(item: &Item) -> Vec<(Unit, Range<u32>)> {
    match item {
        Item::Slots(cores) => vec![(None, cores.clone())],
        Item::PackageCores(package, cores) => vec![(Some(*package), cores.clone())],
        Item::Packages(packages) => {
            packages.clone().zip(0..MAX_PACKAGES).map(|(package, _)| (Some(package), 0..u32::MAX)).collect()
        }
        Item::WholeNode => vec![(None, 0..u32::MAX)],
    }
}

/// Pairs (later, earlier) of entries whose ranges overlap; at least one for each entry that overlaps an earlier one.
fn shared(mut ranges: Vec<Request>) -> Vec<(usize, usize)> {
    ranges.retain(|(cores, _)| !cores.is_empty());
    ranges.sort_by_key(|(cores, index)| (cores.start, *index));
    let mut pairs = Vec::new();
    // The range so far that reaches farthest: whatever overlaps one before it overlaps this one too.
    let mut farthest: Option<(u32, usize)> = None;
    for (cores, index) in ranges {
        if let Some((end, owner)) = farthest.filter(|(end, owner)| cores.start < *end && *owner != index) {
            pairs.push((index.max(owner), index.min(owner)));
            farthest = Some(if cores.end > end { (cores.end, index) } else { (end, owner) });
        } else if farthest.is_none_or(|(end, _)| cores.end > end) {
            farthest = Some((cores.end, index));
        }
    }
    pairs
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::rankfile::parse;

    fn lines(text: &str) -> Vec<usize> {
        let found = lint_overlaps(&parse(text.as_bytes()).rankfile, |host| host == "known");
        assert!(found.iter().all(|diagnostic| diagnostic.code == Code::SharedCore));
        found.iter().map(|diagnostic| diagnostic.span.line).collect()
    }

    #[test]
    fn ranks_that_share_a_core_are_found_without_a_topology() {
        for (text, expected) in [
            ("rank 0=a slot=0\nrank 1=a slot=0\n", &[2][..]),
            ("rank 0=a slot=0-7\nrank 1=a slot=1\nrank 2=a slot=5,9\n", &[2, 3]),
            ("rank 0=a slot=2-3\nrank 1=a slot=0-2\n", &[2]),
            ("rank 0=a slot=1:0-3\nrank 1=a slot=1:3\n", &[2]),
            ("rank 0=a slot=S1\nrank 1=a slot=1:3\n", &[2]),
            ("rank 0=a slot=0;2\nrank 1=a slot=S*\n", &[2]),
        ] {
            assert_eq!(lines(text), expected, "{text}");
        }
    }

    #[test]
    fn ranks_that_share_none_or_may_share_none_are_not() {
        for text in [
            "rank 0=a slot=0\nrank 1=b slot=0\n",
            "rank 0=a slot=0,2\nrank 1=a slot=1,3\n",
            "rank 0=a slot=0:0\nrank 1=a slot=1:0\n",
            "rank 0=a slot=4\nrank 1=a slot=0:0\n",
            "rank 0=known slot=0\nrank 1=known slot=0\n",
            "rank 0=a slot=0\nrank 1=a slot=0\nrank 1=a slot=1\n",
            "rank 0=a slot=0;0;0-1\n",
        ] {
            assert_eq!(lines(text), [0; 0], "{text}");
        }
    }

    #[test]
    fn a_hundred_thousand_ranks_and_huge_ranges_take_no_time_to_speak_of() {
        let mut text: String = (0..100_000).map(|rank| format!("rank {rank}=a slot=0-2147483646\n")).collect();
        text += "rank 100000=a slot=S0-2147483646\n";
        assert_eq!(lines(&text).len(), 99_999);
    }
}
