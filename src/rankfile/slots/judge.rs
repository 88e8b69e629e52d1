//! A slot list judged: does a launcher bind other cores than its author asks for? Joins the
//! readings of the text; knows its host by the length of the name alone.

use std::ops::Range;

use super::meant;
use super::read_as::{MAX_HOST_AND_SLOTS, MAX_SLOTS_5, lexed, read_as};
use super::spelling::{canonical_text, in_words};
use super::{Item, Misfit, SlotList, normalise};
use crate::launcher::{ByDialect, Dialect};
use crate::rankfile::code::Code;
use crate::rankfile::wording::clip;
use crate::topology::SlotUnit;

/// A slot list as far as it can be understood, and what is wrong with it.
#[derive(Debug)]
pub(in crate::rankfile) struct Judgement {
    pub(in crate::rankfile) list: Option<SlotList>,
    pub(in crate::rankfile) finding: Option<SlotFinding>,
}

/// What is wrong with a slot list.
#[derive(Debug)]
pub(in crate::rankfile) struct SlotFinding {
    pub(in crate::rankfile) code: Code,
    /// Bytes of the slot list.
    pub(in crate::rankfile) at: Range<usize>,
    pub(in crate::rankfile) message: String,
    /// What each dialect does; `None` where it does what is asked.
    pub(in crate::rankfile) consequences: ByDialect<Option<String>>,
    /// The slot list as it should be, where that is plain.
    pub(in crate::rankfile) corrected: Option<String>,
}

/// Judges the text after `slot=` on the line of a host, whose name is cut at the first dot; its numbers count `unit`s.
pub(in crate::rankfile) fn judge(slots: &str, host: &str, unit: SlotUnit) -> Judgement {
    let list = meant::read(slots);
    let plain = list.slip.as_ref().is_none_or(|slip| slip.meaning_is_plain) && !list.items.is_empty();
    let wanted = plain.then_some(list.items.as_slice());
    let text = lexed(slots);
    let consequences = ByDialect::of(|dialect| {
        let deed = deed(read_as(dialect, slots), wanted, unit);
        match dialect {
            Dialect::OpenMpi41 if length(host, &text) > MAX_HOST_AND_SLOTS => {
                Some("mpiexec aborts: \"buffer overflow detected\"".to_owned())
            }
            Dialect::OpenMpi5 if text.len() > MAX_SLOTS_5 => {
                deed.map(|deed| format!("drops what comes after {MAX_SLOTS_5} characters of slots: {deed}"))
            }
            Dialect::OpenMpi41 | Dialect::OpenMpi5 | Dialect::OpenMpi6 => deed,
        }
    });
    let place = match list.slip {
        Some(slip) => Some((slip.code, slip.at.start.min(slots.len())..slip.at.end.min(slots.len()))),
        None if consequences.is_none() => None,
        None => Some((difference(slots, host), 0..slots.len())),
    };
    let finding = place.map(|(code, at)| {
        let corrected = canonical_text(&list.items);
        SlotFinding {
            code,
            message: wording(code, &slots[at.clone()], slots, host),
            at,
            consequences,
            corrected: (plain && length(host, &corrected) <= MAX_HOST_AND_SLOTS).then_some(corrected),
        }
    });
    let list = plain.then(|| SlotList { text: slots.to_owned(), items: list.items, unit });
    Judgement { list, finding }
}

/// Characters that Open MPI 4.1 prints for a line.
fn length(host: &str, slots: &str) -> usize {
    host.len() + " slot=".len() + slots.len()
}

/// What a launcher does with the list, in words; `None` where it does what is asked. Where it is not
/// plain what is asked, all that it does counts.
fn deed(read: Result<Vec<Item>, Misfit>, asked: Option<&[Item]>, unit: SlotUnit) -> Option<String> {
    let binds_something = |item: &Item| !matches!(item, Item::PackageCores(_, cores) if cores.is_empty());
    match read {
        Err(Misfit::Crash) => Some("mpiexec dies of a segmentation fault".to_owned()),
        Err(_) => Some("refuses the slot list, without a line number".to_owned()),
        Ok(mut items) => {
            let also_needs = needed_packages(&items, asked.unwrap_or_default());
            items.retain(binds_something);
            let items = normalise(&items);
            let is_asked = asked.is_some_and(|asked| without_contained(asked) == without_contained(&items));
            (!is_asked || !also_needs.is_empty()).then(|| match in_words(&items, unit) {
                words if words.is_empty() => "binds the rank to no core: it runs unbound, without a word".to_owned(),
                words => format!("binds {words}, without a word{also_needs}"),
            })
        }
    }
}

/// The request without cores of packages that are asked for as a whole: `0:*,1` is `0:*`.
fn without_contained(items: &[Item]) -> Vec<&Item> {
    let is_whole =
        |package: u32| items.iter().any(|item| matches!(item, Item::Packages(all) if all.contains(&package)));
    items.iter().filter(|item| !matches!(item, Item::PackageCores(package, _) if is_whole(*package))).collect()
}

/// In `0:0,1` the 1 is a package to Open MPI 4.1: nothing of it is bound, but it must exist.
fn needed_packages(items: &[Item], asked: &[Item]) -> String {
    let named = |package: u32| {
        asked.iter().any(|item| match item {
            Item::PackageCores(of, _) => *of == package,
            Item::Packages(range) => range.contains(&package),
            Item::Slots(_) | Item::WholeNode => false,
        })
    };
    let needed = items.iter().find_map(|item| match item {
        Item::PackageCores(package, cores) if cores.is_empty() && !named(*package) => Some(package),
        _ => None,
    });
    needed.map(|package| format!("; without a package {package} it stops at \"Not found\"")).unwrap_or_default()
}

/// Why the dialects differ about a list without a slip.
fn difference(slots: &str, host: &str) -> Code {
    let comma_after_colon = |item: &str| item.split_once(':').is_some_and(|(_, rest)| rest.contains(','));
    if length(host, slots) > MAX_HOST_AND_SLOTS {
        Code::SlotsTooLong
    } else if slots.split([',', ';']).any(|part| part.starts_with(['P', 'p'])) {
        Code::PackagePrefix
    } else if slots.split(';').any(comma_after_colon) {
        Code::CommaAfterPackage
    } else {
        Code::MixedCounts
    }
}

fn wording(code: Code, marked: &str, slots: &str, host: &str) -> String {
    let marked = clip(marked);
    match code {
        Code::PackagePrefix => {
            format!("'{marked}' names a package to Open MPI 5 and later only: write package:core, as in 1:* or 1:0-3")
        }
        Code::CorePrefix => format!("'{marked}' is no core: write the number alone"),
        Code::StarWithoutPackage => {
            "'*' needs a package before it, as in 0:*; for the whole node write its range or S*".to_owned()
        }
        Code::NotANumber => format!("'{marked}' is not a decimal number"),
        Code::CommaAfterPackage => format!(
            "'{marked}' has a comma after a colon, where versions of Open MPI split differently: write each part with its package, joined by ';'"
        ),
        Code::ReversedRange => format!("the range '{marked}' runs backwards"),
        Code::StrayPunctuation => "a sign stands here with no number beside it".to_owned(),
        Code::NegativeNumber => format!("'{marked}' is negative: cores count from 0"),
        Code::BadRange => format!("'{marked}' is no range: write FIRST-LAST"),
        Code::NumberTooLarge => format!("'{marked}' is larger than any core number"),
        Code::MissingNumber => format!("a number is missing at '{marked}': write package:core"),
        Code::SlotsTooLong => format!(
            "host ({}), ' slot=' (6) and slots ({}) have {} characters, Open MPI 4.1 has room for {MAX_HOST_AND_SLOTS}: use ranges, fewer cores or a shorter host name",
            host.len(),
            slots.len(),
            length(host, slots)
        ),
        _ => format!("'{marked}' mixes cores of the node and of packages: join the parts by ';'"),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_all_read_as_it_is_meant_is_silent() {
        for slots in ["0", "0-2,4", "01", "1:0-2;0:1", "0;2", "1:*", "S1", "s0-1", "1:c2", "1:2:3", "S*", "S0,1"] {
            let judgement = judge(slots, "node", SlotUnit::Core);
            assert!(judgement.finding.is_none() && judgement.list.is_some(), "{slots} {judgement:?}");
        }
    }

    #[test]
    fn what_one_of_them_reads_otherwise_is_told() {
        for (slots, code, by_41, by_5, by_6, corrected) in [
            ("P1", Code::PackagePrefix, Some("binds core 0,"), None, None, Some("1:*")),
            ("p1:2", Code::PackagePrefix, Some("binds core 2 of package 0,"), None, None, Some("1:2")),
            ("C1", Code::CorePrefix, Some("binds core 0,"), Some("binds core 0,"), Some("refuses"), Some("1")),
            ("*", Code::StarWithoutPackage, Some("binds core 0,"), Some("binds core 0,"), Some("refuses"), Some("S*")),
            ("0x3", Code::NotANumber, Some("binds core 0,"), Some("binds core 0,"), Some("refuses"), None),
            (
                "0:0,1",
                Code::CommaAfterPackage,
                Some("core 0 of package 0, without a word; without a package 1"),
                None,
                None,
                Some("0:0-1"),
            ),
            (
                "0:0-2,1:3",
                Code::CommaAfterPackage,
                None,
                Some("binds cores 0-3 of package 0"),
                Some("refuses"),
                Some("0:0-2;1:3"),
            ),
            (
                "0:0-2,4",
                Code::CommaAfterPackage,
                Some("package 4"),
                Some("binds cores 0-2 of package 0"),
                Some("refuses"),
                Some("0:0-2;0:4"),
            ),
            ("1:0-3,3", Code::CommaAfterPackage, Some("without a package 3"), None, Some("refuses"), Some("1:0-3")),
            ("0:*,1", Code::CommaAfterPackage, Some("without a package 1"), None, None, Some("0:1;0:*")),
            (
                "0,1:1",
                Code::MixedCounts,
                Some("core 1 of package 1"),
                Some("core 1 of package 0"),
                Some("refuses"),
                Some("0;1:1"),
            ),
            ("2-0", Code::ReversedRange, Some("unbound"), Some("unbound"), Some("unbound"), Some("0-2")),
            ("0,", Code::StrayPunctuation, None, None, None, Some("0")),
            ("-1", Code::NegativeNumber, Some("binds core 1,"), Some("binds core 1,"), Some("binds core 1,"), None),
            ("0-1-2", Code::BadRange, Some("refuses"), Some("refuses"), Some("segmentation"), None),
            ("4294967296", Code::NumberTooLarge, Some("binds core 0,"), Some("binds core 0,"), Some("refuses"), None),
            ("0:", Code::MissingNumber, Some("unbound"), Some("unbound"), Some("unbound"), None),
            ("S", Code::MissingNumber, Some("segmentation"), Some("segmentation"), Some("segmentation"), None),
        ] {
            let finding = judge(slots, "node", SlotUnit::Core).finding.unwrap_or_else(|| panic!("{slots}"));
            assert_eq!((finding.code, finding.corrected.as_deref()), (code, corrected), "{slots}");
            for (dialect, expected) in ByDialect::new([by_41, by_5, by_6]).iter() {
                match (finding.consequences[dialect].as_deref(), *expected) {
                    (Some(said), Some(expected)) => {
                        assert!(said.contains(expected), "{slots}: {said}");
                    }
                    (said, expected) => assert_eq!(said, expected, "{slots}"),
                }
            }
        }
    }

    #[test]
    fn the_room_of_each_version_ends_where_it_ended_when_it_was_run() {
        // Host of 2 characters: 55 characters of slots are taken, 56 abort 4.1, 65 are cut by 5.x, and 6.x takes them all.
        let of_length = |length: usize| format!("{}2", &"0;".repeat(64)[..length - 1]);
        let said = |length| {
            judge(&of_length(length), "vm", SlotUnit::Core)
                .finding
                .map(|f| (f.code, f.consequences.map(|does| does.is_some())))
        };
        let too_long = |by_41, by_5| Some((Code::SlotsTooLong, ByDialect::new([by_41, by_5, false])));
        assert_eq!(said(55), None);
        assert_eq!(said(56), too_long(true, false));
        assert_eq!(said(63), too_long(true, false));
        assert_eq!(said(65), too_long(true, true));
    }
}
