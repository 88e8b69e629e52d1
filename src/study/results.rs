//! The records of a file, as far as they are whole: the last line may have been cut off when the machine or the sweep was. What is no
//! record is told with its line and left alone.

use std::collections::BTreeMap;

use super::record::{BEGINNING, Record, SCHEMA};
use crate::words::counted;

/// A file of records, taken apart.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct Results {
    /// The records, in the order of the file.
    pub records: Vec<Record>,
    /// Bytes up to the end of the last line that is whole.
    pub whole_bytes: usize,
    /// Whether the last record, which is whole, lacks the end of its line.
    pub lacks_end: bool,
    /// Lines that are no records.
    pub broken: Vec<Broken>,
}

/// A line that is no record.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Broken {
    /// From 1 on.
    pub line: usize,
    /// What is wrong with it.
    pub reason: String,
}

impl Results {
    /// Takes the bytes of a file apart.
    #[must_use]
    pub fn of(bytes: &[u8]) -> Self {
        let mut found = Self::default();
        for (number, line) in (1..).zip(bytes.split_inclusive(|byte| *byte == b'\n')) {
            let is_last = !line.ends_with(b"\n");
            match read(line) {
                Ok(record) => {
                    found.records.push(record);
                    found.whole_bytes += line.len();
                    found.lacks_end = is_last;
                }
                Err(_) if is_last && was_cut_off(line) => {}
                Err(reason) => {
                    found.broken.push(Broken { line: number, reason });
                    found.whole_bytes += line.len();
                }
            }
        }
        found
    }

    /// The last record of each key, in the order in which the keys came first.
    #[must_use]
    pub fn latest(&self) -> Vec<&Record> {
        let mut latest: Vec<&Record> = Vec::new();
        let mut places = BTreeMap::new();
        for record in &self.records {
            let place = *places.entry(&record.key).or_insert(latest.len());
            if place == latest.len() {
                latest.push(record);
            } else {
                latest[place] = record;
            }
        }
        latest
    }

    /// What is wrong with the file as a whole, in words; `None` where every line is a record.
    #[must_use]
    pub fn fault(&self) -> Option<String> {
        let Broken { line, reason } = self.broken.first()?;
        let more = match self.broken.len() - 1 {
            0 => String::new(),
            more => format!(" (nor {} more)", counted(more, "line")),
        };
        Some(format!("line {line} is no record of a sweep{more}: {reason}"))
    }
}

/// Whether this may be the beginning of a record. Where a machine lost its power, zeros may stand for what was not written.
fn was_cut_off(line: &[u8]) -> bool {
    let end = line.iter().rposition(|byte| *byte != 0).map_or(0, |last| last + 1);
    let (written, beginning) = (&line[..end], BEGINNING.as_bytes());
    written.starts_with(beginning) || beginning.starts_with(written)
}

fn read(line: &[u8]) -> Result<Record, String> {
    let value: serde_json::Value = serde_json::from_slice(line).map_err(|_| "it is no JSON".to_owned())?;
    match value.get("hybrid_sweep").and_then(serde_json::Value::as_u64) {
        None => return Err("it is no record of hybrid sweep".to_owned()),
        Some(version) if version != u64::from(SCHEMA) => {
            return Err(format!("its form is of version {version}, and this program knows version {SCHEMA}"));
        }
        Some(_) => {}
    }
    serde_json::from_value(value).map_err(|error| error.to_string())
}

#[cfg(test)]
mod tests {
    use super::{super::record::tests::record, *};

    fn file() -> String {
        record(1, 1, 10).line() + &record(2, 1, 20).line()
    }

    #[test]
    fn wherever_a_file_is_cut_off_the_whole_records_before_it_are_kept() {
        let text = file();
        let first = record(1, 1, 10).line().len();
        for end in 0..=text.len() {
            let found = Results::of(&text.as_bytes()[..end]);
            // A record without the end of its line is whole.
            let expected = usize::from(end + 1 >= first) + usize::from(end + 1 >= text.len());
            assert_eq!((found.records.len(), found.broken.len()), (expected, 0), "{end}");
            assert_eq!(found.lacks_end, end + 1 == first || end + 1 == text.len(), "{end}");
            if !found.lacks_end {
                assert_eq!(found.whole_bytes, [0, first, text.len()][expected], "{end}");
            }
        }
        let zeros = [text.as_bytes(), b"{\"hybrid_sw\0\0\0"].concat();
        assert_eq!((Results::of(&zeros).records.len(), Results::of(&zeros).whole_bytes), (2, text.len()));
    }

    #[test]
    fn what_is_no_record_is_named_with_its_line() {
        for (line, expected) in [
            ("a,b", "line 2 is no record of a sweep: it is no JSON"),
            ("{}", "line 2 is no record of a sweep: it is no record of hybrid sweep"),
            ("{\"hybrid_sweep\":2}", "its form is of version 2, and this program knows version 1"),
            ("{\"hybrid_sweep\":1}", "missing field `key`"),
        ] {
            let found = Results::of(format!("{}{line}\n{line}\n{}", record(1, 1, 1).line(), file()).as_bytes());
            assert_eq!(found.records.len(), 3, "{line}");
            let fault = found.fault().unwrap();
            assert!(fault.replace(" (nor 1 line more)", "").contains(expected), "{fault}");
        }
        let foreign = Results::of(b"my only copy");
        assert_eq!((foreign.broken.len(), foreign.whole_bytes), (1, 12));
    }

    #[test]
    fn of_a_run_that_was_made_again_the_last_record_counts() {
        let text = file() + &record(1, 1, 30).line();
        let found = Results::of(text.as_bytes());
        let walls: Vec<u64> = found.latest().iter().map(|record| record.wall_ns).collect();
        assert_eq!(walls, [30, 20]);
    }
}
