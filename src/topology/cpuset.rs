//! A set of processing units (PUs), written the way Linux writes it: `0-3,8`.
//!
//! PUs are named by their operating system index, which is what `taskset`, `/proc` and Slurm mean by a CPU number. The type
//! knows nothing of hwloc, so that a binding can travel between ranks and stand in a report.

use std::{
    fmt,
    ops::{BitAnd, BitOr, Sub},
    str::FromStr,
};

use crate::as_text::serde_as_text;

const WORD_BITS: usize = u64::BITS as usize;

/// A set of PUs by operating system index.
///
/// Invariant: the last word is never zero, so that equal sets are equal values.
#[derive(Clone, Debug, Default, PartialEq, Eq, Hash)]
pub struct CpuSet {
    words: Vec<u64>,
}

impl CpuSet {
    /// Indexes from here on are refused: sixteen times the most CPUs that a Linux kernel can be built for (8192), and far
    /// less memory than a mistyped index could otherwise ask for.
    pub const LIMIT: usize = 1 << 17;

    /// The set without a PU.
    #[must_use]
    pub fn new() -> Self {
        Self::default()
    }

    /// The set that a number stands for in hexadecimal digits, its lowest bit PU 0; `None` of what is no such number, or too large.
    #[must_use]
    pub fn of_mask(digits: &str) -> Option<Self> {
        if digits.is_empty() || digits.len() > Self::LIMIT / 4 {
            return None;
        }
        let mut pus = Self::new();
        for (place, digit) in digits.chars().rev().enumerate() {
            let digit = digit.to_digit(16)?;
            (0..4).filter(|bit| digit >> bit & 1 == 1).for_each(|bit| pus.insert(4 * place + bit));
        }
        Some(pus)
    }

    /// Adds one PU.
    ///
    /// # Panics
    /// Where `pu` is not below [`CpuSet::LIMIT`].
    pub fn insert(&mut self, pu: usize) {
        assert!(pu < Self::LIMIT, "PU index {pu} is not below {}", Self::LIMIT);
        let word = pu / WORD_BITS;
        if word >= self.words.len() {
            self.words.resize(word + 1, 0);
        }
        self.words[word] |= 1 << (pu % WORD_BITS);
    }

    /// Whether `pu` is in the set.
    #[must_use]
    pub fn contains(&self, pu: usize) -> bool {
        self.words.get(pu / WORD_BITS).is_some_and(|word| word >> (pu % WORD_BITS) & 1 == 1)
    }

    /// The PUs in ascending order.
    pub fn iter(&self) -> impl Iterator<Item = usize> + '_ {
        self.words.iter().enumerate().flat_map(|(index, &word)| {
            (0..WORD_BITS).filter(move |bit| word >> bit & 1 == 1).map(move |bit| index * WORD_BITS + bit)
        })
    }

    /// The lowest PU.
    #[must_use]
    pub fn first(&self) -> Option<usize> {
        self.iter().next()
    }

    /// Number of PUs.
    #[must_use]
    pub fn len(&self) -> usize {
        self.words.iter().map(|word| word.count_ones() as usize).sum()
    }

    /// Whether there is no PU in the set.
    #[must_use]
    pub fn is_empty(&self) -> bool {
        self.words.is_empty()
    }

    /// Whether the sets have a PU in common.
    #[must_use]
    pub fn intersects(&self, other: &Self) -> bool {
        self.words.iter().zip(&other.words).any(|(a, b)| a & b != 0)
    }

    /// Whether each PU of this set is also in `other`.
    #[must_use]
    pub fn is_subset(&self, other: &Self) -> bool {
        (self - other).is_empty()
    }

    fn from_words(mut words: Vec<u64>) -> Self {
        while words.last() == Some(&0) {
            words.pop();
        }
        Self { words }
    }
}

impl BitOr for &CpuSet {
    type Output = CpuSet;

    fn bitor(self, other: Self) -> CpuSet {
        let (long, short) = if self.words.len() < other.words.len() { (other, self) } else { (self, other) };
        let mut words = long.words.clone();
        words.iter_mut().zip(&short.words).for_each(|(word, other)| *word |= other);
        CpuSet { words }
    }
}

impl BitAnd for &CpuSet {
    type Output = CpuSet;

    fn bitand(self, other: Self) -> CpuSet {
        CpuSet::from_words(self.words.iter().zip(&other.words).map(|(a, b)| a & b).collect())
    }
}

impl Sub for &CpuSet {
    type Output = CpuSet;

    fn sub(self, other: Self) -> CpuSet {
        let others = other.words.iter().copied().chain(std::iter::repeat(0));
        CpuSet::from_words(self.words.iter().zip(others).map(|(a, b)| a & !b).collect())
    }
}

impl FromIterator<usize> for CpuSet {
    fn from_iter<I: IntoIterator<Item = usize>>(pus: I) -> Self {
        let mut set = Self::new();
        pus.into_iter().for_each(|pu| set.insert(pu));
        set
    }
}

impl<'a> FromIterator<&'a CpuSet> for CpuSet {
    /// The union.
    fn from_iter<I: IntoIterator<Item = &'a CpuSet>>(sets: I) -> Self {
        sets.into_iter().fold(Self::new(), |union, set| &union | set)
    }
}

impl fmt::Display for CpuSet {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let mut pus = self.iter().peekable();
        let mut separator = "";
        while let Some(first) = pus.next() {
            let mut last = first;
            while let Some(next) = pus.next_if_eq(&(last + 1)) {
                last = next;
            }
            write!(f, "{separator}{first}")?;
            if last > first {
                write!(f, "-{last}")?;
            }
            separator = ",";
        }
        Ok(())
    }
}

/// A text that is no Linux CPU list.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[error("`{text}` is no CPU list: {reason}; write it like 0-3,8")]
pub struct ParseCpuSetError {
    text: String,
    reason: String,
}

impl FromStr for CpuSet {
    type Err = ParseCpuSetError;

    /// Reads a Linux CPU list; the empty text is the empty set.
    fn from_str(text: &str) -> Result<Self, ParseCpuSetError> {
        let fail = |reason: String| ParseCpuSetError { text: text.to_owned(), reason };
        let index = |digits: &str| match digits.trim().parse::<usize>() {
            Ok(pu) if pu < Self::LIMIT => Ok(pu),
            Ok(pu) => Err(fail(format!("index {pu} is not below {}", Self::LIMIT))),
            Err(_) => Err(fail(format!("`{digits}` is no index"))),
        };
        let mut set = Self::new();
        if text.trim().is_empty() {
            return Ok(set);
        }
        for item in text.split(',') {
            let (first, last) = item.split_once('-').unwrap_or((item, item));
            let (first, last) = (index(first)?, index(last)?);
            if first > last {
                return Err(fail(format!("the range {item} runs backwards")));
            }
            (first..=last).for_each(|pu| set.insert(pu));
        }
        Ok(set)
    }
}

serde_as_text!(CpuSet);

#[cfg(test)]
mod tests {
    use super::*;

    fn set(text: &str) -> CpuSet {
        text.parse().unwrap()
    }

    #[test]
    fn a_list_survives_reading_and_writing() {
        for text in ["", "0", "0-3,8", "63-64", "1,3,5", "0-127", "130"] {
            assert_eq!(set(text).to_string(), text);
        }
        assert_eq!(set("3,2,1-1,0").to_string(), "0-3");
    }

    #[test]
    fn set_operations_agree_with_membership() {
        let lists = ["", "0-3,8", "2-70", "64-65", "200"];
        for (a, b) in lists.iter().flat_map(|a| lists.iter().map(move |b| (set(a), set(b)))) {
            for pu in 0..256 {
                let (in_a, in_b) = (a.contains(pu), b.contains(pu));
                assert_eq!((&a | &b).contains(pu), in_a || in_b, "{a} | {b}");
                assert_eq!((&a & &b).contains(pu), in_a && in_b, "{a} & {b}");
                assert_eq!((&a - &b).contains(pu), in_a && !in_b, "{a} - {b}");
            }
            assert_eq!(a.intersects(&b), !(&a & &b).is_empty());
            assert_eq!(a.is_subset(&b), &a & &b == a);
        }
    }

    #[test]
    fn equal_sets_are_equal_values_however_they_were_made() {
        assert_eq!(&set("0-70") - &set("64-70"), set("0-63"));
        assert_eq!(&set("1,100") & &set("0-3"), set("1"));
        assert_eq!(set("0-9").len(), 10);
    }

    #[test]
    fn texts_that_are_no_list_are_named() {
        for (text, reason) in [
            ("a", "`a` is no index"),
            ("0-", "`` is no index"),
            ("-1", "`` is no index"),
            ("3-1", "runs backwards"),
            ("0,,1", "`` is no index"),
            ("99999999", "not below"),
            ("18446744073709551616", "is no index"),
            ("0x3", "is no index"),
        ] {
            let message = text.parse::<CpuSet>().unwrap_err().to_string();
            assert!(message.contains(reason) && message.contains("0-3,8"), "{message}");
        }
    }

    #[test]
    fn it_is_a_list_in_json() {
        let json = serde_json::to_string(&set("0-3,8")).unwrap();
        assert_eq!(json, "\"0-3,8\"");
        assert_eq!(serde_json::from_str::<CpuSet>(&json).unwrap(), set("0-3,8"));
        assert!(serde_json::from_str::<CpuSet>("\"x\"").is_err());
    }
}
