//! Ranks with their hosts and cores into the text of a rankfile that is read alike in all dialects, or the reason why
//! there is no such text. Knows no topology: the cores are the caller's.

use std::collections::HashMap;
use std::fmt;

use super::code::Code;
use super::device::{Comment, read_comment, words};
use super::host_word;
use super::slots::Item;
use super::slots::read_as::{MAX_HOST_AND_SLOTS, MAX_SLOTS_5};
use super::slots::spelling::canonical_text;
use super::statement::MAX_RANK;
use crate::{host_name, launcher::Dialect, request::DeviceRequest};

/// What a line says of one rank.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct RankLine {
    /// The rank in `MPI_COMM_WORLD`.
    pub rank: u32,
    /// The host, with or without the `user@` that the launchers hand to ssh; written without its domain, as the launchers know
    /// it, unless it is a name of mDNS.
    pub host: String,
    /// Its cores, at least one, in any order: logical numbers, from 0 and over the whole node, which are right on every node.
    pub cores: Vec<u32>,
    /// The device it shall use.
    pub device: Option<DeviceRequest>,
}

/// Why lines cannot be written.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum WriteError {
    /// No line at all.
    NoRanks,
    /// A rank without a line below one that has one.
    MissingRank(u32),
    /// A rank with two lines.
    DuplicateRank(u32),
    /// A rank number that no launcher takes.
    RankTooLarge(u32),
    /// A rank without a core.
    NoCores(u32),
    /// A core number that C's `int` cannot hold.
    NumberTooLarge(u32),
    /// A host name that a launcher refuses.
    BadHost {
        /// The rank.
        rank: u32,
        /// The name.
        host: String,
    },
    /// Two hosts that are one to a launcher.
    HostsClash(String, String),
    /// A line that overflows a buffer of the launcher.
    TooLong {
        /// The rank.
        rank: u32,
        /// The host.
        host: String,
        /// The shortest slot list.
        slots: String,
    },
}

impl fmt::Display for WriteError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::NoRanks => f.write_str("there is no rank to write: a rankfile names rank 0 at least"),
            Self::MissingRank(rank) => write!(f, "rank {rank} has no place: ranks run from 0 without a gap"),
            Self::DuplicateRank(rank) => write!(f, "rank {rank} has two places: give it one"),
            Self::RankTooLarge(rank) => write!(f, "rank {rank} is beyond {MAX_RANK}, the largest that is written"),
            Self::NoCores(rank) => write!(f, "rank {rank} has no core: give it one at least"),
            Self::NumberTooLarge(number) => write!(f, "number {number} is larger than any core or package number"),
            Self::BadHost { rank, host } => write!(
                f,
                "rank {rank}: '{host}' is no host name that Open MPI takes (letters, digits and '-'): use an alias or the IPv4 address"
            ),
            Self::HostsClash(one, other) => write!(
                f,
                "hosts '{one}' and '{other}' are one to Open MPI, which cuts names at the first dot and leaves users out: use aliases or addresses"
            ),
            Self::TooLong { rank, host, slots } => write!(
                f,
                "rank {rank}: host '{host}' and slots '{slots}' need {} characters with ' slot=', Open MPI {}: give the rank neighbouring cores, or the host a shorter alias",
                host.len() + " slot=".len() + slots.len(),
                Dialect::ALL.into_iter().filter_map(room_in_words).collect::<Vec<_>>().join(", ")
            ),
        }
    }
}

impl std::error::Error for WriteError {}

/// The text of a rankfile: the header as comments, then one line a rank, rank 0 first.
///
/// # Errors
/// Lines that one of the launchers would refuse or misread; see [`WriteError`].
#[cfg(any(test, feature = "inside"))]
pub fn write(header: &[String], lines: &[RankLine]) -> Result<String, WriteError> {
    write_for(&Dialect::ALL, header, lines)
}

/// The same for a file that is read in these dialects only; with none of them by this program alone, as with launchers that read
/// no rankfile.
///
/// # Errors
/// As [`WriteError`] has it; lines may be as long as there is room for in these dialects.
pub fn write_for(dialects: &[Dialect], header: &[String], lines: &[RankLine]) -> Result<String, WriteError> {
    let mut ordered: Vec<&RankLine> = lines.iter().collect();
    ordered.sort_by_key(|line| line.rank);
    let mut text = String::new();
    for words in header {
        push_comment(&mut text, words);
    }
    check_ranks(&ordered)?;
    let mut hosts: HashMap<String, &str> = HashMap::new();
    for ranks_line in ordered {
        let host = checked_host(ranks_line, &mut hosts)?;
        let slots = canonical_text(&items(ranks_line)?);
        if !dialects.iter().all(|dialect| has_room(*dialect, host, &slots)) {
            return Err(WriteError::TooLong { rank: ranks_line.rank, host: host.to_owned(), slots });
        }
        text += &line(ranks_line.rank, host, &slots, ranks_line.device);
        text.push('\n');
    }
    Ok(text)
}

/// Whether all of a line is read.
fn has_room(dialect: Dialect, host: &str, slots: &str) -> bool {
    match dialect {
        Dialect::OpenMpi41 => host.len() + " slot=".len() + slots.len() <= MAX_HOST_AND_SLOTS,
        Dialect::OpenMpi5 => slots.len() <= MAX_SLOTS_5,
        Dialect::OpenMpi6 => true,
    }
}

/// How much of a line is read, where that has a limit.
fn room_in_words(dialect: Dialect) -> Option<String> {
    let version = dialect.version();
    match dialect {
        Dialect::OpenMpi41 => Some(format!("{version} has room for {MAX_HOST_AND_SLOTS}")),
        Dialect::OpenMpi5 => Some(format!("{version} for {MAX_SLOTS_5} of slots")),
        Dialect::OpenMpi6 => None,
    }
}

/// A rank's line without its newline.
pub(super) fn line(rank: u32, host: &str, slots: &str, device: Option<DeviceRequest>) -> String {
    let device = device.and_then(words).map(|words| format!(" # {words}")).unwrap_or_default();
    format!("rank {rank}={host} slot={slots}{device}")
}

/// Logical cores as items, neighbours not yet joined.
pub(super) fn logical_items(cores: &[u32]) -> Vec<Item> {
    cores.iter().map(|&core| Item::Slots(core..core + 1)).collect()
}

/// Ranks must be 0, 1, 2, ...; `ordered` ascends.
fn check_ranks(ordered: &[&RankLine]) -> Result<(), WriteError> {
    if ordered.is_empty() {
        return Err(WriteError::NoRanks);
    }
    for (expected, line) in (0..).zip(ordered) {
        match line.rank.cmp(&expected) {
            std::cmp::Ordering::Less => return Err(WriteError::DuplicateRank(line.rank)),
            std::cmp::Ordering::Greater => return Err(WriteError::MissingRank(expected)),
            std::cmp::Ordering::Equal if expected > MAX_RANK => {
                return Err(WriteError::RankTooLarge(expected));
            }
            std::cmp::Ordering::Equal => {}
        }
    }
    Ok(())
}

fn checked_host<'a>(line: &'a RankLine, hosts: &mut HashMap<String, &'a str>) -> Result<&'a str, WriteError> {
    let RankLine { rank, host, .. } = line;
    let judged = host_word::read(host);
    if judged.fault.is_some_and(|fault| fault != Code::FullHostName) {
        return Err(WriteError::BadHost { rank: *rank, host: host.clone() });
    }
    let short = host_name::short_name(judged.name);
    let first = *hosts.entry(short.to_ascii_lowercase()).or_insert(host);
    let end = if host_name::is_mdns(judged.name) { judged.name.len() } else { short.len() };
    let written = &host[..host.len() - judged.name.len() + end];
    if first == host { Ok(written) } else { Err(WriteError::HostsClash(first.to_owned(), host.clone())) }
}

fn items(line: &RankLine) -> Result<Vec<Item>, WriteError> {
    let check = |number: u32| match number < i32::MAX.unsigned_abs() {
        true => Ok(()),
        false => Err(WriteError::NumberTooLarge(number)),
    };
    line.cores.iter().try_for_each(|&core| check(core))?;
    let items = logical_items(&line.cores);
    if items.is_empty() { Err(WriteError::NoCores(line.rank)) } else { Ok(items) }
}

/// Words as comment lines that no reader takes for a choice of device.
fn push_comment(text: &mut String, words: &str) {
    for words in words.lines() {
        let clean: String = words.chars().map(|c| if c.is_control() { ' ' } else { c }).collect();
        let sign = match read_comment(&clean) {
            Comment::Prose => "# ",
            _ => "# note: ",
        };
        *text += [sign, &clean].concat().trim_end();
        text.push('\n');
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::rankfile::{lint, parse};

    fn at(rank: u32, host: &str, cores: &[u32]) -> RankLine {
        RankLine { rank, host: host.to_owned(), cores: cores.to_vec(), device: None }
    }

    #[test]
    fn a_file_has_a_header_then_ranks_in_order() {
        let gpu = DeviceRequest::ThisGpu("0000:65:00.0".parse().unwrap());
        let lines = [at(1, "b.site.org", &[5, 4, 3]), RankLine { device: Some(gpu), ..at(0, "a", &[2, 0, 1, 5]) }];
        let text = write(&["two ranks\r".to_owned(), "gpu\nnear it".to_owned()], &lines).unwrap();
        assert_eq!(
            text,
            "# two ranks\n# note: gpu\n# near it\nrank 0=a slot=0-2,5 # gpu=0000:65:00.0\nrank 1=b slot=3-5\n"
        );
        assert_eq!(lint(text.as_bytes(), &Dialect::ALL), []);
        assert_eq!(parse(text.as_bytes()).rankfile.entries[0].device, Some(gpu));
    }

    #[test]
    fn a_name_of_mdns_keeps_its_ending_without_which_it_leads_nowhere() {
        let text = write(&[], &[at(0, "pi1.local", &[0]), at(1, "pi2.site.org", &[0])]).unwrap();
        assert_eq!(text, "rank 0=pi1.local slot=0\nrank 1=pi2 slot=0\n");
    }

    #[test]
    fn a_user_is_written_and_the_file_is_clean() {
        let text =
            write(&[], &[at(0, "pi@a", &[0]), at(1, "pi@b.site.org", &[0]), at(2, "pi@192.0.2.7", &[0])]).unwrap();
        assert_eq!(text, "rank 0=pi@a slot=0\nrank 1=pi@b slot=0\nrank 2=pi@192.0.2.7 slot=0\n");
        assert_eq!(lint(text.as_bytes(), &Dialect::ALL), []);
    }

    #[test]
    fn what_cannot_be_written_says_why() {
        let odd: Vec<u32> = (0..40).map(|core| core * 2).collect();
        for (lines, error) in [
            (vec![], WriteError::NoRanks),
            (vec![at(1, "a", &[0])], WriteError::MissingRank(0)),
            (vec![at(0, "a", &[0]), at(0, "a", &[1])], WriteError::DuplicateRank(0)),
            (vec![at(0, "a", &[])], WriteError::NoCores(0)),
            (vec![at(0, "a", &[u32::MAX])], WriteError::NumberTooLarge(u32::MAX)),
            (vec![at(0, "a_b", &[0])], WriteError::BadHost { rank: 0, host: "a_b".to_owned() }),
            (vec![at(0, "fd00::2", &[0])], WriteError::BadHost { rank: 0, host: "fd00::2".to_owned() }),
            (vec![at(0, "me@a_b", &[0])], WriteError::BadHost { rank: 0, host: "me@a_b".to_owned() }),
            (vec![at(0, "me@you@a", &[0])], WriteError::BadHost { rank: 0, host: "me@you@a".to_owned() }),
            (
                vec![at(0, "me@a", &[0]), at(1, "you@a", &[0])],
                WriteError::HostsClash("me@a".to_owned(), "you@a".to_owned()),
            ),
            (vec![at(0, "a.x", &[0]), at(1, "a.y", &[0])], WriteError::HostsClash("a.x".to_owned(), "a.y".to_owned())),
            (vec![at(0, "a", &[0]), at(1, "A", &[0])], WriteError::HostsClash("a".to_owned(), "A".to_owned())),
        ] {
            assert_eq!(write(&[], &lines), Err(error));
        }
        let error = write(&[], &[at(0, "a", &odd)]).unwrap_err();
        assert!(matches!(error, WriteError::TooLong { rank: 0, .. }) && error.to_string().contains("63"), "{error}");
    }

    #[test]
    fn the_longest_line_that_fits_is_written() {
        let host = "h".repeat(56);
        assert!(write(&[], &[at(0, &host, &[1])]).is_ok());
        assert!(matches!(write(&[], &[at(0, &host, &[10])]), Err(WriteError::TooLong { .. })));
    }

    #[test]
    fn only_the_launchers_that_read_a_file_limit_its_lines() {
        // Two digits and a comma for each core.
        let cores = |characters: u32| (0..characters / 3).map(|core| 10 + 2 * core).collect::<Vec<u32>>();
        for (characters, dialects, fits) in [
            (63, &[Dialect::OpenMpi41][..], false),
            (63, &[Dialect::OpenMpi5], true),
            (69, &[Dialect::OpenMpi5], false),
            (63, &Dialect::ALL, false),
            (690, &[], true),
        ] {
            let written = write_for(dialects, &[], &[at(0, "a", &cores(characters))]);
            assert_eq!(written.is_ok(), fits, "{characters} characters of slots for {dialects:?}: {written:?}");
        }
    }
}
