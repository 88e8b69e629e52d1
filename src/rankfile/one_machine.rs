//! The machine that starts the job under names that a launcher does not take for one, or not for its own. What such a
//! name is the caller knows; this file knows what each dialect makes of it, and asks no operating system.

use std::collections::BTreeSet;
use std::net::Ipv6Addr;

use super::code::Code;
use super::diagnostic::Diagnostic;
use super::entry::{Entry, Rankfile};
use super::write::line;
use crate::launcher::{ByDialect, Dialect};
use crate::severity::Severity;

/// How a word of a rankfile names the machine that starts the job.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum OwnName {
    /// By its host name.
    Name,
    /// As `localhost`.
    Localhost,
    /// By an address of one of its interfaces.
    Address,
    /// By another name for one of these addresses, or in another spelling.
    Alias,
    /// By an address that no interface has, such as 127.0.0.2, or a name for one.
    Loopback,
}

impl OwnName {
    /// Whether a launcher knows the machine by it.
    fn is_known_to(self, dialect: Dialect) -> bool {
        match dialect {
            Dialect::OpenMpi41 => self != Self::Loopback,
            Dialect::OpenMpi5 | Dialect::OpenMpi6 => matches!(self, Self::Name | Self::Localhost | Self::Address),
        }
    }
}

const NOT_ENOUGH_SLOTS: &str =
    "\"There are not enough slots available\", and starts nothing; without -n it starts fewer ranks, without a word";
const NOT_ALLOCATED: &str =
    "\"a host was either not allocated or oversubscribed its slots\", unless -H names the machine";
const NOT_ALLOCATED_5_0_11: &str = "5.0.11 says \"a host was either not allocated or oversubscribed its slots\", unless -H names the machine; 5.0.7 takes it";

/// Names of this machine that do not work: several in one file, and some alone. `own` is its host name, `kind` tells how
/// the host of a line names it, if it does.
#[must_use]
pub fn lint_own_names(rankfile: &Rankfile, own: &str, kind: impl Fn(&str) -> Option<OwnName>) -> Vec<Diagnostic> {
    let entries: Vec<(&Entry, OwnName)> =
        rankfile.entries.iter().filter_map(|entry| Some((entry, kind(&entry.host)?))).collect();
    let mut seen = BTreeSet::new();
    let firsts: Vec<(&Entry, OwnName)> =
        entries.iter().filter(|(entry, _)| seen.insert(entry.short_host().to_ascii_lowercase())).copied().collect();
    let found = match firsts.as_slice() {
        [] => None,
        [only] => {
            // Where other hosts take part, Open MPI 5 must be given all of them by -H or a hostfile in any case.
            let is_all = entries.len() == rankfile.entries.len();
            is_all.then(|| alone(*only, &entries, own)).flatten()
        }
        _ => Some(several(&firsts, own)),
    };
    found.into_iter().collect()
}

/// The machine under two names or more.
fn several(firsts: &[(&Entry, OwnName)], own: &str) -> Diagnostic {
    let names: Vec<String> = firsts.iter().take(4).map(|(entry, _)| format!("'{}'", entry.host)).collect();
    let message =
        format!("{} are one machine under {} names: write '{own}' for each", names.join(" and "), firsts.len());
    let consequences = ByDialect::of(|dialect| {
        let unknown = firsts.iter().find(|(_, kind)| !kind.is_known_to(dialect));
        match (dialect, unknown) {
            (Dialect::OpenMpi41, Some((entry, _))) if firsts.len() == 2 => Some(tries_ssh(entry)),
            (Dialect::OpenMpi41, _) => Some(NOT_ENOUGH_SLOTS.to_owned()),
            (Dialect::OpenMpi5 | Dialect::OpenMpi6, Some(_)) => Some(NOT_ALLOCATED.to_owned()),
            // The slots of the machine are those of its first name, unless that is its own.
            (Dialect::OpenMpi5, None) => (firsts[0].1 != OwnName::Name).then(|| NOT_ALLOCATED_5_0_11.to_owned()),
            (Dialect::OpenMpi6, None) => None,
        }
    });
    finding(firsts[1].0, own, message).with_consequences(consequences)
}

fn tries_ssh(entry: &Entry) -> String {
    format!("takes '{}' for another host and tries ssh to it", entry.host)
}

/// The machine under one name, which not every launcher knows it by.
fn alone((first, kind): (&Entry, OwnName), entries: &[(&Entry, OwnName)], own: &str) -> Option<Diagnostic> {
    let host = &first.host;
    if Dialect::ALL.into_iter().any(|dialect| !kind.is_known_to(dialect)) {
        let consequences = ByDialect::of(|dialect| {
            (!kind.is_known_to(dialect)).then(|| match dialect {
                Dialect::OpenMpi41 => tries_ssh(first),
                Dialect::OpenMpi5 | Dialect::OpenMpi6 => NOT_ALLOCATED.to_owned(),
            })
        });
        let message = format!("'{host}' is this machine, but no launcher starts with that name: write '{own}'");
        return Some(finding(first, own, message).with_consequences(consequences));
    }
    // An address counts for one slot, however many lines it has.
    let second = entries.get(1).filter(|_| kind == OwnName::Address)?.0;
    let message = format!("'{host}' is this machine by its address and has several ranks: write '{own}' for each");
    let consequences = ByDialect::of(|dialect| match dialect {
        Dialect::OpenMpi41 | Dialect::OpenMpi6 => None,
        Dialect::OpenMpi5 => Some(NOT_ALLOCATED_5_0_11.to_owned()),
    });
    Some(finding(second, own, message).with_consequences(consequences))
}

fn finding(entry: &Entry, own: &str, message: String) -> Diagnostic {
    let corrected = line(entry.rank, own, entry.slots.text(), entry.device);
    Diagnostic::new(Code::OneMachine, entry.spans[1], message).with_correction(Some(corrected))
}

/// Makes findings about IPv6 addresses warnings where they are addresses of this machine's interfaces, which Open MPI 4.1
/// takes as well.
pub fn soften_own_addresses(rankfile: &Rankfile, kind: impl Fn(&str) -> Option<OwnName>, found: &mut [Diagnostic]) {
    for diagnostic in found.iter_mut().filter(|diagnostic| diagnostic.code == Code::Ipv6Host) {
        let entry = rankfile.entries.iter().find(|entry| entry.line == diagnostic.span.line);
        let is_own =
            |entry: &Entry| entry.host.parse::<Ipv6Addr>().is_ok() && kind(&entry.host) == Some(OwnName::Address);
        if entry.is_some_and(is_own) {
            diagnostic.severity = Severity::Warning;
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::rankfile::parse;

    fn kind(host: &str) -> Option<OwnName> {
        match host {
            "vm" | "vm.site.org" => Some(OwnName::Name),
            "localhost" => Some(OwnName::Localhost),
            "127.0.0.1" | "192.0.2.2" | "fd00::2" => Some(OwnName::Address),
            "alias" => Some(OwnName::Alias),
            "127.0.0.2" => Some(OwnName::Loopback),
            _ => None,
        }
    }

    fn found(hosts: &[&str]) -> Vec<Diagnostic> {
        let lines: String = (0..).zip(hosts).map(|(rank, host)| format!("rank {rank}={host} slot={rank}\n")).collect();
        lint_own_names(&parse(lines.as_bytes()).rankfile, "vm", kind)
    }

    /// What Open MPI 4.1.4, 5.0.7, 5.0.11 and 6.0.0rc2 did with these hosts when they were run on a machine called vm.
    #[test]
    fn names_of_this_machine_are_told_as_the_launchers_took_them() {
        type Row<'a> = (&'a [&'a str], Option<(usize, Option<&'a str>, Option<&'a str>, Option<&'a str>)>);
        let slots = Some("not enough slots");
        let rows: &[Row] = &[
            (&["vm", "vm", "vm.site.org"], None),
            (&["localhost", "localhost"], None),
            (&["127.0.0.1"], None),
            (&["vm", "node1"], None),
            (&["192.0.2.2", "192.0.2.2", "node1"], None),
            (&["vm", "localhost"], Some((2, slots, None, None))),
            (&["vm", "127.0.0.1", "vm"], Some((2, slots, None, None))),
            (&["localhost", "vm"], Some((2, slots, Some("5.0.7 takes"), None))),
            (&["localhost", "localhost", "127.0.0.1"], Some((3, slots, Some("5.0.7 takes"), None))),
            (&["192.0.2.2", "127.0.0.1"], Some((2, slots, Some("5.0.7 takes"), None))),
            (&["vm", "alias"], Some((2, slots, Some("not allocated"), Some("not allocated")))),
            (&["vm", "127.0.0.2"], Some((2, Some("ssh"), Some("not allocated"), Some("not allocated")))),
            (&["127.0.0.1", "127.0.0.1"], Some((2, None, Some("5.0.7 takes"), None))),
            (&["alias"], Some((1, None, Some("not allocated"), Some("not allocated")))),
            (&["127.0.0.2"], Some((1, Some("ssh"), Some("not allocated"), Some("not allocated")))),
        ];
        for (hosts, expected) in rows {
            let found = found(hosts);
            assert_eq!(found.len(), usize::from(expected.is_some()), "{hosts:?} {found:?}");
            let Some((line, by_41, by_5, by_6)) = expected else { continue };
            assert_eq!(found[0].span.line, *line, "{hosts:?}");
            for (dialect, part) in ByDialect::new([by_41, by_5, by_6]).iter() {
                let says = &found[0].consequences[dialect];
                assert_eq!(says.is_some(), part.is_some(), "{hosts:?} {says:?}");
                assert!(says.iter().all(|says| says.contains(part.unwrap())), "{hosts:?} {says:?}");
            }
        }
    }

    #[test]
    fn an_ipv6_address_of_this_machine_is_a_warning() {
        let mut parsed = parse(b"rank 0=fd00::2 slot=0\nrank 1=fd00::3 slot=0\n");
        soften_own_addresses(&parsed.rankfile, kind, &mut parsed.diagnostics);
        let severities: Vec<Severity> = parsed.diagnostics.iter().map(|diagnostic| diagnostic.severity).collect();
        assert_eq!(severities, [Severity::Warning, Severity::Error]);
    }
}
