//! One statement, `rank N=host slot=SLOTS`, into its fields or the first fault in it. Knows one line
//! at a time and neither the other ranks nor what the slots mean.

use std::ops::Range;

use super::code::Code;
use super::host_word;
use super::lines::BLANKS;
use crate::host_name;

/// The fields of a statement as ranges of its bytes.
#[derive(Debug, Default, PartialEq, Eq)]
pub(super) struct Statement {
    pub(super) rank: Option<u32>,
    pub(super) rank_at: Range<usize>,
    pub(super) host_at: Range<usize>,
    pub(super) slots_at: Range<usize>,
    pub(super) fault: Option<Fault>,
}

/// What is wrong with a statement.
#[derive(Debug, PartialEq, Eq)]
pub(super) struct Fault {
    pub(super) code: Code,
    pub(super) at: Range<usize>,
    /// The statement as it should be, where that is plain.
    pub(super) corrected: Option<String>,
    /// Whether rank, host and slots are known all the same.
    pub(super) readable: bool,
}

/// The largest rank, one less than the largest number C's `int` can count: beyond it the launchers
/// wrap. A job of 2^24 ranks exists nowhere, and Open MPI 4.1 fills its memory on the way there.
pub(super) const MAX_RANK: u32 = (1 << 24) - 1;

/// Reads a statement that is not empty.
pub(super) fn read(text: &str) -> Statement {
    let mut reader = Reader { text, at: 0, found: Statement::default() };
    // The fault is stored by whoever finds it; there is nothing more to read after it.
    let _ = reader.statement();
    reader.found
}

struct Reader<'a> {
    text: &'a str,
    at: usize,
    found: Statement,
}

impl<'a> Reader<'a> {
    fn statement(&mut self) -> Option<()> {
        self.keyword(&["rank"], Code::UnknownLine)?;
        self.rank()?;
        self.equals()?;
        self.host()?;
        self.keyword(&["slot", "slots"], Code::BrokenLine)?;
        self.equals()?;
        self.slots()?;
        self.end()
    }

    /// Stores the fault; the way out of a reading function.
    fn fault(&mut self, code: Code, at: Range<usize>, corrected: Option<String>) -> Option<()> {
        self.found.fault = Some(Fault { code, at, corrected, readable: false });
        None
    }

    /// A fault that leaves the meaning plain: reading goes on.
    fn slip(&mut self, code: Code, at: Range<usize>, corrected: Option<String>) {
        let fault = Fault { code, at, corrected, readable: true };
        self.found.fault.get_or_insert(fault);
    }

    fn skip_blanks(&mut self) {
        self.at = self.text.len() - self.text[self.at..].trim_start_matches(BLANKS).len();
    }

    /// The bytes up to a blank or one of `stops`.
    fn word(&mut self, stops: &[char]) -> Range<usize> {
        self.skip_blanks();
        let rest = &self.text[self.at..];
        let length = rest.find(|c| BLANKS.contains(&c) || stops.contains(&c)).unwrap_or(rest.len());
        self.at += length;
        self.at - length..self.at
    }

    fn replaced(&self, at: &Range<usize>, by: &str) -> Option<String> {
        Some([&self.text[..at.start], by, &self.text[at.end..]].concat())
    }

    /// The next character; nothing at the end of the text.
    fn here(&self) -> Range<usize> {
        let next = self.text[self.at..].chars().next();
        self.at..self.at + next.map_or(0, char::len_utf8)
    }

    fn keyword(&mut self, words: &[&str], otherwise: Code) -> Option<()> {
        let at = self.word(&['=']);
        let word = &self.text[at.clone()];
        if words.contains(&word) {
            return Some(());
        }
        // With nothing behind it the word may be any.
        let goes_on = self.at < self.text.len();
        if let Some(right) = words.iter().find(|right| goes_on && right.eq_ignore_ascii_case(word)) {
            self.slip(Code::KeywordCase, at.clone(), self.replaced(&at, right));
            return Some(());
        }
        if at.is_empty() && self.at == self.text.len() {
            return self.fault(Code::MissingSlots, 0..self.text.len(), None);
        }
        let glued = word.get(..4).filter(|start| start.eq_ignore_ascii_case("rank"));
        let digits = word.get(4..).is_some_and(|rest| !rest.is_empty() && rest.bytes().all(|b| b.is_ascii_digit()));
        let corrected = (glued.is_some() && digits && otherwise == Code::UnknownLine)
            .then(|| format!("rank {}", &self.text[at.start + 4..]));
        let marked = if at.is_empty() { self.here() } else { at };
        self.fault(otherwise, marked, corrected)
    }

    fn rank(&mut self) -> Option<()> {
        let at = self.word(&['=']);
        let word = &self.text[at.clone()];
        let marked = if at.is_empty() { self.here() } else { at.clone() };
        if word.is_empty() || !word.bytes().all(|b| b.is_ascii_digit()) {
            return self.fault(Code::RankNumber, marked, None);
        }
        match word.parse().ok().filter(|&rank| rank <= MAX_RANK) {
            None => self.fault(Code::RankTooLarge, marked, None),
            rank => {
                self.found.rank = rank;
                self.found.rank_at = at;
                Some(())
            }
        }
    }

    fn equals(&mut self) -> Option<()> {
        self.skip_blanks();
        if !self.text[self.at..].starts_with('=') {
            let at = self.here();
            return self.fault(Code::MissingEquals, at, None);
        }
        self.at += 1;
        let before = self.at;
        self.skip_blanks();
        if self.text[self.at..].starts_with('=') {
            let end = self.at + 1;
            return self.fault(Code::DoubleEquals, before - 1..end, self.replaced(&(before..end), ""));
        }
        Some(())
    }

    fn host(&mut self) -> Option<()> {
        let at = self.word(&['=']);
        let word = &self.text[at.clone()];
        let is_keyword =
            matches!(word, "slot" | "slots") && self.text[self.at..].trim_start_matches(BLANKS).starts_with('=');
        let followed = self.text[self.at..].trim_start_matches(BLANKS);
        if word.is_empty() || (is_keyword && !followed[1..].contains('=')) {
            let marked = if at.is_empty() { self.here() } else { at };
            return self.fault(Code::MissingHost, marked, None);
        }
        self.found.host_at = at.clone();
        let fault = host_word::read(word).fault;
        match fault {
            None => {}
            Some(Code::FullHostName) => {
                let name = at.end - host_word::read(word).name.len()..at.end;
                let full = &self.text[name.clone()];
                // Without its ending a name of mDNS leads nowhere.
                let corrected =
                    if host_name::is_mdns(full) { None } else { self.replaced(&name, host_name::short_name(full)) };
                self.slip(Code::FullHostName, at, corrected);
            }
            Some(code @ Code::QuotedHost) => {
                let bare = word.replace(['"', '\''], "");
                let corrected = self.replaced(&at, &bare).filter(|_| host_word::read(&bare).fault.is_none());
                self.slip(code, at, corrected);
            }
            Some(code @ (Code::HostUnderscore | Code::RelativeHost | Code::Ipv6Host)) => self.slip(code, at, None),
            Some(code) => return self.fault(code, at, None),
        }
        Some(())
    }

    fn slots(&mut self) -> Option<()> {
        let at = self.word(&[]);
        if at.is_empty() {
            return self.fault(Code::EmptySlots, self.text.len()..self.text.len(), None);
        }
        let word = &self.text[at.clone()];
        if let Some((offset, stray)) = word.char_indices().find(|(_, c)| !is_slot_character(*c)) {
            let start = at.start + offset;
            return self.fault(Code::StrayCharacter, start..start + stray.len_utf8(), None);
        }
        self.found.slots_at = at;
        Some(())
    }

    /// What stands after the slots: the rest of a list with a blank in it, or words without a place.
    fn end(&mut self) -> Option<()> {
        self.skip_blanks();
        let at = self.at..self.text.len();
        let rest = &self.text[at.clone()];
        if rest.is_empty() {
            return Some(());
        }
        let words: Vec<&str> =
            self.text[self.found.slots_at.start..].split(BLANKS).filter(|word| !word.is_empty()).collect();
        let only_slots =
            words.iter().all(|word| word.chars().all(|c| c.is_ascii_digit() || SEPARATORS.contains(&c) || c == '*'));
        if only_slots {
            // Numbers side by side have no sign between them: what they should be is anyone's guess.
            let plain = words.windows(2).all(|pair| pair[0].ends_with(SEPARATORS) || pair[1].starts_with(SEPARATORS));
            let corrected = plain.then(|| [&self.text[..self.found.slots_at.start], &words.concat()].concat());
            return self.fault(Code::BlankInSlots, self.found.slots_at.end..at.end, corrected);
        }
        if let Some((offset, stray)) =
            rest.char_indices().find(|(_, c)| !is_slot_character(*c) && !BLANKS.contains(c) && *c != '=' && *c != '.')
        {
            let start = at.start + offset;
            return self.fault(Code::StrayCharacter, start..start + stray.len_utf8(), None);
        }
        if rest.contains('=') || rest.contains('.') {
            let corrected = self.joined(rest);
            return self.fault(Code::BrokenLine, at, corrected);
        }
        let corrected = Some(self.text[..self.found.slots_at.end].to_owned());
        self.slip(Code::StrayText, at, corrected);
        Some(())
    }

    /// The statement with the cores of a second `slot=` in its first list, where both lists count cores of the node.
    fn joined(&self, rest: &str) -> Option<String> {
        let (key, more) = rest.split_once('=')?;
        let more = more.trim_matches(BLANKS);
        let counts_cores = |list: &str| list.split([',', '-']).all(|part| !part.is_empty() && is_number(part));
        let first = &self.text[self.found.slots_at.clone()];
        let are_lists =
            matches!(key.trim_matches(BLANKS), "slot" | "slots") && counts_cores(first) && counts_cores(more);
        are_lists.then(|| format!("{},{more}", &self.text[..self.found.slots_at.end]))
    }
}

fn is_number(word: &str) -> bool {
    word.bytes().all(|b| b.is_ascii_digit())
}

/// What stands behind the slots of a line that has a second key.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Second {
    /// `slot=0`, once more.
    Slots,
    /// `rank 1=a`, which belongs on a line of its own.
    Rank,
}

impl Second {
    /// What the marked bytes of a fault are.
    pub(super) fn of(marked: &str) -> Option<Self> {
        let (key, _) = marked.split_once('=')?;
        match key.split(BLANKS).next()? {
            "slot" | "slots" => Some(Self::Slots),
            "rank" => Some(Self::Rank),
            _ => None,
        }
    }
}

/// The signs between the numbers of a slot list.
const SEPARATORS: [char; 4] = [',', ';', ':', '-'];

/// The characters that the lexers take into one word; the rest is a syntax error.
fn is_slot_character(c: char) -> bool {
    c.is_ascii_alphanumeric() || matches!(c, '_' | '-' | ',' | ';' | ':' | '*' | '@')
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_fields_of_a_clean_statement() {
        for text in ["rank 3=node slot=0-2;1:*", "rank\t3 = node\tslots = 0-2;1:*"] {
            let read = read(text);
            assert_eq!(read.fault, None, "{text}");
            assert_eq!(read.rank, Some(3));
            assert_eq!(&text[read.host_at], "node");
            assert_eq!(&text[read.slots_at], "0-2;1:*");
        }
    }

    #[test]
    fn each_fault_has_its_code_place_and_correction() {
        let rows: &[(&str, Code, &str, Option<&str>)] = &[
            ("RANK 0=a slot=0", Code::KeywordCase, "RANK", Some("rank 0=a slot=0")),
            ("rank 0=a SLOT=0", Code::KeywordCase, "SLOT", Some("rank 0=a slot=0")),
            ("rank0=a slot=0", Code::UnknownLine, "rank0", Some("rank 0=a slot=0")),
            ("```", Code::UnknownLine, "```", None),
            ("RANK", Code::UnknownLine, "RANK", None),
            ("a slots=4", Code::UnknownLine, "a", None),
            ("rank -1=a slot=0", Code::RankNumber, "-1", None),
            ("rank x=a slot=0", Code::RankNumber, "x", None),
            ("rank =a slot=0", Code::RankNumber, "=", None),
            ("rank 4294967297=a slot=0", Code::RankTooLarge, "4294967297", None),
            ("rank 0 \u{cd797}", Code::MissingEquals, "\u{cd797}", None),
            ("rank 0 a slot=0", Code::MissingEquals, "a", None),
            ("rank 0==a slot=0", Code::DoubleEquals, "==", Some("rank 0=a slot=0")),
            ("rank 0= slot=0", Code::MissingHost, "slot", None),
            ("rank 0=slot slot=0", Code::HostSyntax, "slot", None),
            ("rank 0=a", Code::MissingSlots, "rank 0=a", None),
            ("rank 0=a slot=", Code::EmptySlots, "", None),
            ("rank 0=a cores=0", Code::BrokenLine, "cores", None),
            ("rank 0=a slot 0", Code::MissingEquals, "0", None),
            ("rank 0=a.b slot=0", Code::FullHostName, "a.b", Some("rank 0=a slot=0")),
            ("rank 0=me@a.b slot=0", Code::FullHostName, "me@a.b", Some("rank 0=me@a slot=0")),
            ("rank 0=a.local slot=0", Code::FullHostName, "a.local", None),
            ("rank 0=fd00::2 slot=0", Code::Ipv6Host, "fd00::2", None),
            ("rank 0=\"a\" slot=0", Code::QuotedHost, "\"a\"", Some("rank 0=a slot=0")),
            ("rank 0=a slot=0, 1", Code::BlankInSlots, " 1", Some("rank 0=a slot=0,1")),
            ("rank 0=a slot=0 , 1", Code::BlankInSlots, " , 1", Some("rank 0=a slot=0,1")),
            ("rank 0=a slot=0 1", Code::BlankInSlots, " 1", None),
            ("rank 0=a slot=0.1", Code::StrayCharacter, ".", None),
            ("rank 0=a slot=0 ?", Code::StrayCharacter, "?", None),
            ("rank 0=a slot=0 fast", Code::StrayText, "fast", Some("rank 0=a slot=0")),
            ("rank 0=a slot=0 rank 1=a slot=1", Code::BrokenLine, "rank 1=a slot=1", None),
            ("rank 0=a slot=1 slot=0", Code::BrokenLine, "slot=0", Some("rank 0=a slot=1,0")),
            ("rank 0=a slot=1 slots = 2-3 ", Code::BrokenLine, "slots = 2-3 ", Some("rank 0=a slot=1,2-3")),
            ("rank 0=a slot=0:1 slot=0", Code::BrokenLine, "slot=0", None),
            ("rank 0=a slot=0 slot=1 slot=2", Code::BrokenLine, "slot=1 slot=2", None),
            ("rank 0=a slot=0 slot=", Code::BrokenLine, "slot=", None),
        ];
        for (text, code, marked, corrected) in rows {
            let fault = read(text).fault.unwrap_or_else(|| panic!("{text}"));
            assert_eq!(
                (fault.code, &text[fault.at], fault.corrected.as_deref()),
                (*code, *marked, *corrected),
                "{text}"
            );
        }
    }
}
