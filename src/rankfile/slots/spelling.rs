//! Requests for cores as text: as a slot list that is read alike in all dialects, and in words for people.
//! Knows no launcher and no topology.

use std::ops::Range;

use super::{Item, normalise};
use crate::topology::SlotUnit;

/// The shortest text that means these items in all dialects: no comma after a colon, no letters.
pub(in crate::rankfile) fn canonical_text(items: &[Item]) -> String {
    let (mut cores, mut rest) = (Vec::new(), Vec::new());
    for item in normalise(items) {
        match item {
            Item::Slots(range) => cores.push(range_text(&range)),
            Item::PackageCores(package, range) => {
                rest.push(format!("{package}:{}", range_text(&range)));
            }
            Item::Packages(range) if range.len() == 1 => rest.push(format!("{}:*", range.start)),
            Item::Packages(range) => rest.push(format!("S{}", range_text(&range))),
            Item::WholeNode => rest.push("S*".to_owned()),
        }
    }
    if !cores.is_empty() {
        rest.insert(0, cores.join(","));
    }
    rest.join(";")
}

fn range_text(range: &Range<u32>) -> String {
    match range.len() {
        1 => range.start.to_string(),
        _ => format!("{}-{}", range.start, range.end.saturating_sub(1)),
    }
}

/// The request in words: "cores 0-1, core 2 of package 1"; `unit` is what numbers of the node count.
pub(in crate::rankfile) fn in_words(items: &[Item], unit: SlotUnit) -> String {
    let words: Vec<String> = normalise(items)
        .iter()
        .filter_map(|item| match item {
            Item::Slots(range) => Some(range_in_words(unit, range)),
            Item::PackageCores(_, range) if range.is_empty() => None,
            Item::PackageCores(package, range) => {
                Some(format!("{} of package {package}", range_in_words(SlotUnit::Core, range)))
            }
            Item::Packages(range) if range.len() == 1 => Some(format!("every core of package {}", range.start)),
            Item::Packages(range) => Some(format!("every core of packages {}", range_text(range))),
            Item::WholeNode => Some("every core of the node".to_owned()),
        })
        .take(8)
        .collect();
    words.join(", ")
}

fn range_in_words(unit: SlotUnit, range: &Range<u32>) -> String {
    format!("{}{} {}", unit.noun(), if range.len() == 1 { "" } else { "s" }, range_text(range))
}

#[cfg(test)]
mod tests {
    use super::super::meant;
    use super::*;

    #[test]
    fn canonical_text_joins_what_touches() {
        for (text, canonical) in [
            ("2,1,0,5", "0-2,5"),
            ("1:0;1:1;0:3", "0:3;1:0-1"),
            ("S0,1", "S0-1"),
            ("S1;0", "0;1:*"),
            ("0:0,1", "0:0-1"),
            ("0:0-2,1:3", "0:0-2;1:3"),
            ("S*", "S*"),
        ] {
            assert_eq!(canonical_text(&meant::read(text).items), canonical, "{text}");
        }
    }
}
