//! Slot lists as Open MPI reads them, dialect by dialect, with its own splitting and its `atoi`.
//!
//! Follows what the launchers do, not what their manuals say: `opal_hwloc_base_cpu_list_parse` of
//! Open MPI 4.1 and `prte_hwloc_base_cpu_list_parse` of the PRRTE in 5.x and in 6.x, which reads numbers strictly. Knows no
//! person's intent.

use std::ops::Range;

use super::{Item, Misfit};
use crate::launcher::Dialect;

/// Characters that a host (cut at the first dot), `" slot="` and the slots may have together: Open
/// MPI 4.1 prints them into 64 bytes and aborts beyond.
pub const MAX_HOST_AND_SLOTS: usize = 63;

/// Open MPI 5.x keeps this many bytes of a slot list and drops the rest without a word.
pub(in crate::rankfile) const MAX_SLOTS_5: usize = 64;

/// Above every core number of a node; stands for numbers that C turns negative.
const NOWHERE: u32 = i32::MAX as u32;

/// The cores that the text means in a dialect.
pub(in crate::rankfile) fn read_as(dialect: Dialect, text: &str) -> Result<Vec<Item>, Misfit> {
    match dialect {
        Dialect::OpenMpi41 => read_as_41(text),
        Dialect::OpenMpi5 => read_as_5(text),
        Dialect::OpenMpi6 => read_by_prrte(text, Numbers::Strict),
    }
}

/// Whether cores of a package are counted as `package * cores of that package + core` over the node: right only where all
/// packages are equal, and past the end of a package it goes on into the next one.
pub(in crate::rankfile) fn counts_flat(dialect: Dialect) -> bool {
    match dialect {
        Dialect::OpenMpi41 | Dialect::OpenMpi6 => false,
        Dialect::OpenMpi5 => true,
    }
}

/// How a launcher reads a number.
#[derive(Clone, Copy, PartialEq, Eq)]
enum Numbers {
    /// With `atoi`: what is none is 0, and a large one is cut to 32 bits.
    Lenient,
    /// With `strtol`, all of it: what is none, or is larger than C's `int`, is refused, and so is a list with a dash too many.
    Strict,
}

/// The cores that Open MPI 4.1 takes the text to mean.
fn read_as_41(text: &str) -> Result<Vec<Item>, Misfit> {
    let text = lexed(text);
    let mut items = Vec::new();
    for item in split_unchecked(&text, ';')? {
        let unprefixed = item.strip_prefix(['S', 's']);
        match (unprefixed, item.contains(':')) {
            (Some(packages), false) => read_packages(packages, Numbers::Lenient, &mut items)?,
            // The comma splits before the colon: in "0:0,1" the 1 is a package without cores.
            (_, true) => {
                for part in split_unchecked(unprefixed.unwrap_or(item), ',')? {
                    read_package_cores(part, Numbers::Lenient, &mut items)?;
                }
            }
            (None, false) => read_cores(item, Numbers::Lenient, &mut items)?,
        }
    }
    Ok(items)
}

/// The cores that Open MPI 5.x takes the text to mean.
fn read_as_5(text: &str) -> Result<Vec<Item>, Misfit> {
    let text = lexed(text);
    // All of it is ASCII, or there would be no slot list to read.
    read_by_prrte(text.get(..MAX_SLOTS_5).unwrap_or(&text), Numbers::Lenient)
}

/// The same by any version of PRRTE.
fn read_by_prrte(text: &str, numbers: Numbers) -> Result<Vec<Item>, Misfit> {
    let mut items = Vec::new();
    for item in split_unchecked(text, ';')? {
        let unprefixed = item.strip_prefix(['P', 'p', 'S', 's']);
        match (unprefixed, item.contains(':')) {
            (Some(packages), false) => read_packages(packages, numbers, &mut items)?,
            // The comma is split last: "0:0-2,4" is the range from 0 to "2,4".
            (_, true) => read_package_cores(unprefixed.unwrap_or(item), numbers, &mut items)?,
            (None, false) => read_cores(item, numbers, &mut items)?,
        }
    }
    Ok(items)
}

/// A list of digits alone is read as a number and printed again, which wraps it to 32 bits.
pub(in crate::rankfile) fn lexed(text: &str) -> String {
    if !text.is_empty() && text.bytes().all(|byte| byte.is_ascii_digit()) {
        atoi(text).to_string()
    } else {
        text.to_owned()
    }
}

/// Open MPI's `argv_split`: empty parts vanish.
fn split(text: &str, separator: char) -> impl Iterator<Item = &str> {
    text.split(separator).filter(|part| !part.is_empty())
}

/// The same where the launcher goes through the parts without asking whether there are any.
fn split_unchecked(text: &str, separator: char) -> Result<impl Iterator<Item = &str>, Misfit> {
    let mut parts = split(text, separator).peekable();
    match parts.peek() {
        Some(_) => Ok(parts),
        None => Err(Misfit::Crash),
    }
}

/// C's `atoi` on a 64-bit machine: the leading digits, 0 where there are none, cut to 32 bits.
fn atoi(text: &str) -> i32 {
    let digits = text.bytes().take_while(u8::is_ascii_digit);
    let value = digits.fold(0_i64, |value, digit| value.saturating_mul(10).saturating_add(i64::from(digit - b'0')));
    #[expect(clippy::cast_possible_truncation, reason = "the cut is what atoi does")]
    {
        value as i32
    }
}

/// All of a text as a number of C's `int` that is not negative, a sign and blanks before it left out.
fn strict(text: &str) -> Option<u32> {
    let digits = text.strip_prefix('+').unwrap_or(text);
    let is_number = !digits.is_empty() && digits.bytes().all(|byte| byte.is_ascii_digit());
    digits.parse().ok().filter(|&number: &u32| is_number && i32::try_from(number).is_ok())
}

impl Numbers {
    fn read(self, text: &str) -> Result<u32, Misfit> {
        match self {
            Self::Lenient => Ok(u32::try_from(atoi(text)).unwrap_or(NOWHERE)),
            Self::Strict => strict(text).ok_or(Misfit::Refused),
        }
    }

    /// What becomes of a list with no dash or more than one where a range should be: it is refused, and the strict launcher dies of
    /// the attempt to say so.
    fn no_range(self) -> Misfit {
        match self {
            Self::Lenient => Misfit::Refused,
            Self::Strict => Misfit::Crash,
        }
    }

    /// `N` or `A-B`; where A is larger the range is empty.
    fn range(self, text: &str) -> Result<Range<u32>, Misfit> {
        let ends: Vec<&str> = split(text, '-').take(3).collect();
        let (first, last) = match ends[..] {
            [one] => (self.read(one)?, self.read(one)?),
            [first, last] => (self.read(first)?, self.read(last)?),
            _ => return Err(self.no_range()),
        };
        Ok(first..last + 1)
    }
}

fn read_cores(item: &str, numbers: Numbers, items: &mut Vec<Item>) -> Result<(), Misfit> {
    for part in split_unchecked(item, ',')? {
        // A reversed range binds nothing.
        items.extend(Some(numbers.range(part)?).filter(|range| !range.is_empty()).map(Item::Slots));
    }
    Ok(())
}

fn read_packages(text: &str, numbers: Numbers, items: &mut Vec<Item>) -> Result<(), Misfit> {
    for part in split_unchecked(text, ',')? {
        if part.starts_with('*') {
            items.push(Item::WholeNode);
            continue;
        }
        match (numbers.range(part)?, numbers) {
            (range, _) if !range.is_empty() => items.push(Item::Packages(range)),
            (_, Numbers::Lenient) => {}
            (_, Numbers::Strict) => return Err(Misfit::Refused),
        }
    }
    Ok(())
}

/// `package:cores[:cores]`, in which PRRTE splits a list without a dash at its commas.
fn read_package_cores(text: &str, numbers: Numbers, items: &mut Vec<Item>) -> Result<(), Misfit> {
    let mut parts = split(text, ':');
    let none = if numbers == Numbers::Strict { Misfit::Refused } else { Misfit::Crash };
    let package = numbers.read(parts.next().ok_or(none)?)?;
    // The package must exist even where none of its cores is asked for.
    items.push(Item::PackageCores(package, 0..0));
    for cores in parts {
        let cores = cores.strip_prefix(['C', 'c']).unwrap_or(cores);
        if cores.starts_with('*') {
            items.push(Item::Packages(package..package + 1));
            break;
        }
        if split(cores, '-').count() == 1 {
            for core in split_unchecked(cores.trim_matches('-'), ',')? {
                let core = numbers.read(core)?;
                items.push(Item::PackageCores(package, core..core + 1));
            }
        } else {
            let range = numbers.range(cores)?;
            items.extend(Some(range).filter(|range| !range.is_empty()).map(|range| Item::PackageCores(package, range)));
        }
    }
    Ok(())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn atoi_is_that_of_c() {
        for (text, value) in [
            ("12", 12),
            ("0x3", 0),
            ("", 0),
            ("P1", 0),
            ("2,4", 2),
            ("4294967296", 0),
            ("2147483648", i32::MIN),
            ("99999999999999999999", -1),
        ] {
            assert_eq!(atoi(text), value, "{text}");
        }
    }

    #[test]
    fn the_fifth_version_forgets_what_comes_after_64_bytes() {
        let text = format!("{}2", "0;".repeat(32));
        assert_eq!(read_as_5(&text).unwrap().last(), Some(&Item::Slots(0..1)));
        assert_eq!(read_as_41(&text).unwrap().last(), Some(&Item::Slots(2..3)));
    }

    #[test]
    fn a_list_of_nothing_crashes_all() {
        for (text, dialect) in
            ["S", "s,", ",", "0;,", ";"].into_iter().flat_map(|text| Dialect::ALL.map(|dialect| (text, dialect)))
        {
            assert_eq!(read_as(dialect, text), Err(Misfit::Crash), "{text} {dialect:?}");
        }
        assert_eq!(read_as(Dialect::OpenMpi41, ":"), Err(Misfit::Crash));
        assert_eq!(read_as(Dialect::OpenMpi6, ":"), Err(Misfit::Refused));
        assert_eq!(read_as_41("P"), Ok(vec![Item::Slots(0..1)]));
        assert_eq!(read_as_5("P"), Err(Misfit::Crash));
    }
}
