//! Files of other kinds, which are given for rankfiles by mistake: lists of hosts and what other launchers read. Knows how
//! their lines look, not what they mean.

use std::net::Ipv4Addr;

use super::code::SYNTAX_OF_LINE;
use crate::launcher::ByDialect;

/// A kind of file that launchers take and that is no rankfile.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum OtherKind {
    /// Hosts alone, one a line.
    Hosts,
    /// `node1 slots=2`.
    OpenMpiHostfile,
    /// `node1:2`.
    MpichMachinefile,
    /// `node1 0,1 0 1`: a host, its processors, their NUMA nodes and a memory policy.
    LsfAffinity,
    /// `rank: 0: { host: 1; cpu: {0-3} }`.
    JsrunResources,
}

impl OtherKind {
    const ALL: [Self; 5] =
        [Self::Hosts, Self::OpenMpiHostfile, Self::MpichMachinefile, Self::LsfAffinity, Self::JsrunResources];

    /// What it is and what takes it, in words.
    pub(super) fn message(self) -> &'static str {
        match self {
            Self::Hosts => {
                "this is a list of hosts (a hostfile or machinefile), which mpiexec takes with --hostfile, that of MPICH with -f; a rankfile reads 'rank N=HOST slot=CORES'"
            }
            Self::OpenMpiHostfile => {
                "this is a hostfile (machinefile) of Open MPI, which mpiexec takes with --hostfile; a rankfile reads 'rank N=HOST slot=CORES'"
            }
            Self::MpichMachinefile => {
                "this is a machinefile of MPICH, whose mpiexec takes it with -f; a rankfile reads 'rank N=HOST slot=CORES'"
            }
            Self::LsfAffinity => {
                "this is an affinity file of LSF (LSB_AFFINITY_HOSTFILE), which an mpiexec built for LSF finds within the job without any option; a rankfile reads 'rank N=HOST slot=CORES'"
            }
            Self::JsrunResources => {
                "this is a resource file of jsrun, which takes it with --erf_input; a rankfile reads 'rank N=HOST slot=CORES'"
            }
        }
    }

    /// What each dialect makes of it when it is given as a rankfile.
    pub(super) const fn consequences(self) -> ByDialect<&'static str> {
        const NO_RANK: &str = "says \"A rank is missing its location specification\" and starts nothing";
        const SSH: &str = "tries ssh to the hosts, or says \"A rank is missing its location specification\"";
        const ILLEGAL: &str = "refuses it: \"an illegal character in the following node name\"";
        const SYNTAX: &str = "refuses it: \"invalid syntax in the rankfile\"";
        const SSH_OR_SYNTAX: &str = "tries ssh to the hosts, or says \"invalid syntax in the rankfile\"";
        const LINE: &str = SYNTAX_OF_LINE;
        const HOSTFILE: &str = "refuses it: \"a parse error in the hostfile\" or \"invalid syntax in the rankfile\"";
        ByDialect::new(match self {
            Self::Hosts | Self::LsfAffinity => [SSH, NO_RANK, LINE],
            Self::OpenMpiHostfile => [SSH_OR_SYNTAX, SYNTAX, LINE],
            Self::MpichMachinefile => [ILLEGAL, NO_RANK, LINE],
            Self::JsrunResources => [HOSTFILE, HOSTFILE, LINE],
        })
    }

    /// Whether a line may stand in such a file.
    fn allows(self, line: &str) -> bool {
        let mut words = line.split_whitespace();
        let first = words.next().unwrap_or_default();
        let rest: Vec<&str> = words.collect();
        match self {
            Self::Hosts => is_host(first) && rest.is_empty(),
            Self::OpenMpiHostfile => is_host(first) && are_options(&rest.join(" ")),
            Self::MpichMachinefile => {
                let (host, count) = first.split_once(':').unwrap_or((first, "1"));
                is_host(host) && is_number(count) && are_options(&rest.join(" "))
            }
            Self::LsfAffinity => {
                is_host(first) && (1..=3).contains(&rest.len()) && rest.iter().all(|word| is_list(word))
            }
            Self::JsrunResources => JSRUN.iter().any(|start| line.starts_with(start)),
        }
    }

    /// Whether a line is as in no other kind, so that one of them tells the file.
    fn shows(self, line: &str) -> bool {
        match self {
            Self::Hosts => true,
            Self::OpenMpiHostfile => line.contains('='),
            Self::MpichMachinefile => line.contains(':'),
            Self::LsfAffinity => line.split_whitespace().count() > 2 || line.contains(','),
            Self::JsrunResources => line.starts_with("rank:"),
        }
    }
}

/// How the lines of an explicit resource file start.
const JSRUN: [&str; 10] = [
    "rank:",
    "app ",
    "cpu_index_using:",
    "overlapping_rs:",
    "oversubscribe_cpu:",
    "oversubscribe_gpu:",
    "oversubscribe_mem:",
    "skip_missing_cpu:",
    "skip_missing_gpu:",
    "launch_distribution:",
];

/// The kind of a file with these statements; `None` for a rankfile, and for what is nothing that is known.
pub(super) fn recognise<'a>(statements: &(impl Iterator<Item = &'a str> + Clone)) -> Option<OtherKind> {
    OtherKind::ALL.into_iter().find(|kind| {
        statements.clone().all(|line| kind.allows(line)) && statements.clone().any(|line| kind.shows(line))
    })
}

/// A name or an IPv4 address, with or without a user.
fn is_host(word: &str) -> bool {
    let name = word.split_once('@').map_or(word, |(_, name)| name);
    let plain = |c: char| c.is_ascii_alphanumeric() || matches!(c, '-' | '_' | '.');
    let is_name = name.starts_with(|c: char| c.is_ascii_alphabetic()) && name.chars().all(plain);
    (is_name && !name.eq_ignore_ascii_case("rank")) || name.parse::<Ipv4Addr>().is_ok()
}

fn is_number(word: &str) -> bool {
    !word.is_empty() && word.bytes().all(|b| b.is_ascii_digit())
}

/// `0,1`, `4-7` or `-`.
fn is_list(word: &str) -> bool {
    word.bytes().all(|b| b.is_ascii_digit() || matches!(b, b',' | b'-'))
}

/// `slots=2 max_slots = 4` and the like.
fn are_options(text: &str) -> bool {
    const KEYS: [&str; 11] = [
        "slots",
        "slot",
        "count",
        "cpu",
        "max_slots",
        "max-slots",
        "slots_max",
        "slots-max",
        "username",
        "port",
        "binding",
    ];
    let tight = text.replace(" =", "=").replace("= ", "=");
    tight.split_whitespace().all(|word| word.split_once('=').is_some_and(|(key, _)| KEYS.contains(&key)))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn kind(text: &str) -> Option<OtherKind> {
        recognise(&text.lines())
    }

    #[test]
    fn each_kind_is_known_by_its_lines() {
        for (text, expected) in [
            ("node1\nnode2.site.org\nme@192.0.2.7", OtherKind::Hosts),
            ("node1 slots=2\nnode2 slots = 4 max_slots=8\nnode3", OtherKind::OpenMpiHostfile),
            ("node1:2\nnode2", OtherKind::MpichMachinefile),
            ("node1:2 binding=user:0,1", OtherKind::MpichMachinefile),
            ("hosta 0,1 0 1\nhosta 2,3 0 1", OtherKind::LsfAffinity),
            ("hosta 0 - -", OtherKind::LsfAffinity),
            ("cpu_index_using: logical\nrank: 0: { host: 1; cpu: {0-3} }", OtherKind::JsrunResources),
        ] {
            assert_eq!(kind(text), Some(expected), "{text}");
        }
    }

    #[test]
    fn rankfiles_and_prose_are_none_of_them() {
        for text in [
            "rank 0=a slot=0",
            "rank",
            "node1 slots=2\nrank 0=a slot=0",
            "slot 0 is free",
            "node1 slots=2\n```",
            "RANK 0=a slot=0",
            "node1 0",
        ] {
            assert_eq!(kind(text), None, "{text}");
        }
        assert_eq!(kind(""), None);
    }
}
