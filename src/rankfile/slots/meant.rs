//! A slot list as its author means it, and the first slip in it. Strict where Open MPI is lenient:
//! what is not plainly a core or a package is named. Knows no launcher.

use std::ops::Range;

use super::{Item, normalise};
use crate::rankfile::code::Code;

/// What a slot list asks for.
#[derive(Debug, PartialEq, Eq)]
pub(in crate::rankfile) struct Meant {
    /// The request as far as it can be made out, normalised.
    pub(in crate::rankfile) items: Vec<Item>,
    /// The first slip.
    pub(in crate::rankfile) slip: Option<Slip>,
}

/// Something that no careful author would write.
#[derive(Debug, PartialEq, Eq)]
pub(in crate::rankfile) struct Slip {
    pub(in crate::rankfile) code: Code,
    /// Bytes of the slot list.
    pub(in crate::rankfile) at: Range<usize>,
    /// Whether it is plain what was meant all the same.
    pub(in crate::rankfile) meaning_is_plain: bool,
}

/// Reads the text after `slot=`.
pub(in crate::rankfile) fn read(text: &str) -> Meant {
    let mut reader = Reader { items: Vec::new(), slip: None };
    let mut at = 0;
    for item in text.split(';') {
        reader.item(item, at);
        at += item.len() + 1;
    }
    Meant { items: normalise(&reader.items), slip: reader.slip }
}

/// What the numbers of an item count.
#[derive(Clone, Copy)]
enum Counted {
    NodeCores,
    Packages,
    CoresOf(u32),
}

struct Reader {
    items: Vec<Item>,
    slip: Option<Slip>,
}

impl Reader {
    fn slip(&mut self, code: Code, at: Range<usize>, meaning_is_plain: bool) {
        match &mut self.slip {
            // One slip is shown, but a correction must be sure of all of them.
            Some(first) => first.meaning_is_plain &= meaning_is_plain,
            None => {
                self.slip = Some(Slip { code, at, meaning_is_plain });
            }
        }
    }

    /// A comma list in which a package, once named, holds for the parts after it.
    fn item(&mut self, item: &str, start: usize) {
        let mut counted = Counted::NodeCores;
        let mut at = start;
        for element in item.split(',') {
            if element.is_empty() {
                self.slip(Code::StrayPunctuation, at..at + 1, true);
            } else {
                counted = self.element(element, at, counted);
            }
            at += element.len() + 1;
        }
    }

    fn element(&mut self, element: &str, start: usize, counted: Counted) -> Counted {
        let unprefixed = element.strip_prefix(['S', 's', 'P', 'p']);
        let prefix_length = usize::from(unprefixed.is_some());
        let text = unprefixed.unwrap_or(element);
        let at = start + prefix_length;
        let Some((package, rest)) = text.split_once(':') else {
            let counted = if unprefixed.is_some() { Counted::Packages } else { counted };
            self.part(text, at, counted);
            return counted;
        };
        if package.is_empty() || rest.is_empty() {
            self.slip(Code::MissingNumber, start..start + element.len(), false);
            return counted;
        }
        let Some(package) = self.number(package, at) else {
            return counted;
        };
        let counted = Counted::CoresOf(package);
        let mut at = start + element.len() - rest.len();
        for part in rest.split(':') {
            self.part(part, at, counted);
            at += part.len() + 1;
        }
        counted
    }

    /// `N`, `A-B` or `*`.
    fn part(&mut self, part: &str, start: usize, counted: Counted) {
        let whole = start..start + part.len().max(1);
        let numbers = part.strip_prefix(['C', 'c']).unwrap_or(part);
        let at = start + part.len() - numbers.len();
        if numbers.len() < part.len() && !matches!(counted, Counted::CoresOf(_)) {
            self.slip(Code::CorePrefix, whole.clone(), matches!(counted, Counted::NodeCores));
        }
        if numbers == "*" {
            if matches!(counted, Counted::NodeCores) {
                self.slip(Code::StarWithoutPackage, whole, true);
            }
            self.items.push(match counted {
                Counted::CoresOf(package) => Item::Packages(package..package + 1),
                Counted::NodeCores | Counted::Packages => Item::WholeNode,
            });
            return;
        }
        let Some(range) = self.range(numbers, at) else {
            return;
        };
        self.items.push(match counted {
            Counted::NodeCores => Item::Slots(range),
            Counted::Packages => Item::Packages(range),
            Counted::CoresOf(package) => Item::PackageCores(package, range),
        });
    }

    fn range(&mut self, text: &str, start: usize) -> Option<Range<u32>> {
        let whole = start..start + text.len().max(1);
        let Some((first, last)) = text.split_once('-') else {
            return self.number(text, start).map(|core| core..core + 1);
        };
        if first.is_empty() && !last.is_empty() && !last.contains('-') {
            self.slip(Code::NegativeNumber, whole, false);
            return None;
        }
        if first.is_empty() || last.is_empty() || last.contains('-') {
            self.slip(Code::BadRange, whole, false);
            return None;
        }
        let (first, last) = (self.number(first, start)?, self.number(last, start + first.len() + 1)?);
        if first > last {
            self.slip(Code::ReversedRange, whole, true);
        }
        Some(first.min(last)..first.max(last) + 1)
    }

    fn number(&mut self, text: &str, start: usize) -> Option<u32> {
        let at = start..start + text.len().max(1);
        if text.is_empty() {
            self.slip(Code::MissingNumber, at, false);
            return None;
        }
        if !text.bytes().all(|byte| byte.is_ascii_digit()) {
            self.slip(Code::NotANumber, at, false);
            return None;
        }
        // Open MPI counts in C's int.
        let number = text.parse().ok().filter(|&number: &u32| number < i32::MAX.unsigned_abs());
        if number.is_none() {
            self.slip(Code::NumberTooLarge, at, false);
        }
        number
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn clean_lists_are_read_without_a_slip() {
        for (text, items) in [
            ("0", vec![Item::Slots(0..1)]),
            ("0-2,4", vec![Item::Slots(0..3), Item::Slots(4..5)]),
            ("1:0-2", vec![Item::PackageCores(1, 0..3)]),
            ("1:c0;0:C1", vec![Item::PackageCores(0, 1..2), Item::PackageCores(1, 0..1)]),
            ("0:0,2", vec![Item::PackageCores(0, 0..1), Item::PackageCores(0, 2..3)]),
            ("0:0-2,1:3", vec![Item::PackageCores(0, 0..3), Item::PackageCores(1, 3..4)]),
            ("1:*", vec![Item::Packages(1..2)]),
            ("P1", vec![Item::Packages(1..2)]),
            ("s0-1", vec![Item::Packages(0..2)]),
            ("S*", vec![Item::WholeNode]),
        ] {
            assert_eq!(read(text), Meant { items, slip: None }, "{text}");
        }
    }

    #[test]
    fn each_slip_has_its_code_and_place() {
        for (text, code, at, plain) in [
            ("", Code::StrayPunctuation, 0..1, true),
            ("0,", Code::StrayPunctuation, 2..3, true),
            ("0;;1", Code::StrayPunctuation, 2..3, true),
            ("C1", Code::CorePrefix, 0..2, true),
            ("*", Code::StarWithoutPackage, 0..1, true),
            ("0x3", Code::NotANumber, 0..3, false),
            ("1:x", Code::NotANumber, 2..3, false),
            ("2-0", Code::ReversedRange, 0..3, true),
            ("-1", Code::NegativeNumber, 0..2, false),
            ("1:-1", Code::NegativeNumber, 2..4, false),
            ("0-", Code::BadRange, 0..2, false),
            ("-", Code::BadRange, 0..1, false),
            ("0-1-2", Code::BadRange, 0..5, false),
            ("0:", Code::MissingNumber, 0..2, false),
            (":1", Code::MissingNumber, 0..2, false),
            ("S", Code::MissingNumber, 1..2, false),
            ("2147483647", Code::NumberTooLarge, 0..10, false),
            ("2-0;0x3", Code::ReversedRange, 0..3, false),
        ] {
            let slip = read(text).slip.unwrap_or_else(|| panic!("{text}"));
            assert_eq!(slip, Slip { code, at, meaning_is_plain: plain }, "{text}");
        }
    }
}
