//! What launchers of given dialects will misread. Chooses among the findings of the parser; looks
//! for nothing itself but the number of ranks. Knows no topology.

use super::code::Code;
use super::diagnostic::{Diagnostic, Span};
use super::entry::Rankfile;

/// Everything in a rankfile that is misread in these dialects, in the order of the file; nothing for a
/// clean file.
#[cfg(any(test, feature = "inside"))]
#[must_use]
pub fn lint(bytes: &[u8], dialects: &[crate::launcher::Dialect]) -> Vec<Diagnostic> {
    let mut diagnostics = super::parse::parse(bytes).diagnostics;
    diagnostics.retain(|diagnostic| diagnostic.concerns(dialects));
    diagnostics
}

/// Whether the file has a line for each of the ranks that `mpiexec -n ranks` starts, and no other. Where lines could not
/// be read the rank may be theirs; that was said of them.
#[must_use]
pub fn lint_rank_count(rankfile: &Rankfile, ranks: u32) -> Option<Diagnostic> {
    let last = rankfile.entries.iter().max_by_key(|entry| entry.rank);
    let named = last.map_or(0, |entry| entry.rank + 1);
    let span = last.map_or(Span::start_of_file(), |entry| entry.spans[0]);
    if named == 0 || (named < ranks && rankfile.has_unread_lines) {
        return None;
    }
    let (code, way_out) = match named.cmp(&ranks) {
        std::cmp::Ordering::Equal => return None,
        std::cmp::Ordering::Less => (Code::TooFewRanks, "add lines"),
        std::cmp::Ordering::Greater => (Code::UnusedRanks, "remove lines"),
    };
    let message = format!(
        "the file ends at rank {}, -n {ranks} starts {}: {way_out}, or start {named}",
        named - 1,
        if ranks == 1 { "rank 0 alone".to_owned() } else { format!("ranks 0 to {}", i64::from(ranks) - 1) }
    );
    Some(Diagnostic::new(code, span, message))
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::{launcher::Dialect, rankfile::parse::parse};

    #[test]
    fn a_dialect_hears_only_what_concerns_it() {
        let codes = |text: &str, dialects: &[Dialect]| {
            lint(text.as_bytes(), dialects).iter().map(|d| d.code).collect::<Vec<_>>()
        };
        let prefix = "rank 0=a slot=P1\n";
        assert_eq!(codes(prefix, &Dialect::ALL), [Code::PackagePrefix]);
        assert_eq!(codes(prefix, &[Dialect::OpenMpi41]), [Code::PackagePrefix]);
        assert_eq!(codes(prefix, &[Dialect::OpenMpi5]), []);
        assert_eq!(codes("rank 0=a slot=0 # gpu=1\n", &[Dialect::OpenMpi5]), [Code::BadBusId]);
    }

    #[test]
    fn the_number_of_ranks_is_compared_with_the_lines() {
        let rankfile = parse(b"rank 0=a slot=0\nrank 1=a slot=1\n").rankfile;
        let code = |ranks| lint_rank_count(&rankfile, ranks).map(|diagnostic| diagnostic.code);
        assert_eq!(code(2), None);
        assert_eq!(code(3), Some(Code::TooFewRanks));
        assert_eq!(code(1), Some(Code::UnusedRanks));
        assert_eq!(lint_rank_count(&Rankfile::default(), 4), None);
        let broken = parse(b"rank 0=a slot=0\nrank 1=a, slot=1\n").rankfile;
        assert_eq!(lint_rank_count(&broken, 2), None);
    }
}
