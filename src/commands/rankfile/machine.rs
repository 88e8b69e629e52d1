//! The machine that this process runs on, by all names that a rankfile may give it. Asks the operating system and no name
//! server: `/etc/hosts` and the addresses of the interfaces are enough, and answer at once.

use std::{
    fs,
    net::{IpAddr, Ipv4Addr, UdpSocket},
};

use crate::{
    host_name::short_name,
    plan::Plan,
    rankfile::{OwnName, Rankfile},
};

/// This machine's names.
#[derive(Debug)]
pub(super) struct Machine {
    /// The host name, without its domain.
    pub(super) name: String,
    /// Other names for its addresses, with how they name it.
    aliases: Vec<(String, OwnName)>,
}

impl Machine {
    /// The names as this system has them.
    pub(super) fn of_this_process() -> Self {
        let read = |path: &str| fs::read_to_string(path).unwrap_or_default();
        Self::new(read("/proc/sys/kernel/hostname").trim(), &read("/etc/hosts"))
    }

    fn new(host_name: &str, hosts_file: &str) -> Self {
        let name = short_name(host_name).to_owned();
        let mut aliases = Vec::new();
        for line in hosts_file.lines() {
            let mut words = line.split('#').next().unwrap_or_default().split_whitespace();
            let Some(address) = words.next().and_then(|word| word.parse().ok()) else { continue };
            let kind = match of_address(address) {
                None => continue,
                Some(OwnName::Address) => OwnName::Alias,
                Some(other) => other,
            };
            aliases.extend(words.map(|alias| (short_name(alias).to_ascii_lowercase(), kind)));
        }
        Self { name, aliases }
    }

    /// How a host of a rankfile names this machine, if it does.
    pub(super) fn kind(&self, host: &str) -> Option<OwnName> {
        if let Ok(address) = host.parse() {
            return of_address(address);
        }
        let short = short_name(host);
        if short == self.name {
            return Some(OwnName::Name);
        }
        if short == "localhost" {
            return Some(OwnName::Localhost);
        }
        let lower = short.to_ascii_lowercase();
        let alias = self.aliases.iter().find(|(alias, _)| *alias == lower).map(|(_, kind)| *kind);
        let is_respelled = lower == "localhost" || lower == self.name.to_ascii_lowercase();
        alias.or(is_respelled.then_some(OwnName::Alias))
    }

    /// Whether all ranks of `plan` are on this machine.
    pub(super) fn has_all_of(&self, plan: &Plan) -> bool {
        plan.by_host().all(|ranks| self.kind(&ranks[0].host).is_some())
    }

    /// The rankfile with one name for this machine where it has several.
    pub(super) fn merged(&self, rankfile: &Rankfile) -> Rankfile {
        let own: Vec<&str> = rankfile.short_hosts().into_iter().filter(|host| self.kind(host).is_some()).collect();
        if own.len() < 2 {
            return rankfile.clone();
        }
        rankfile.with_hosts(|host| self.kind(host).map(|_| self.name.clone()))
    }
}

/// How an address names this machine; `None` for that of another one.
fn of_address(address: IpAddr) -> Option<OwnName> {
    if address.is_loopback() {
        return Some(if address == Ipv4Addr::LOCALHOST { OwnName::Address } else { OwnName::Loopback });
    }
    // The system lets a socket have no other machine's address.
    UdpSocket::bind((address, 0)).is_ok().then_some(OwnName::Address)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_machine_is_known_by_all_its_names() {
        let machine = Machine::new(
            "vm.site.org",
            "127.0.0.1 localhost box # x y\n127.0.1.1\tvm.site.org deb\n192.0.2.77 other\n",
        );
        for (host, expected) in [
            ("vm", Some(OwnName::Name)),
            ("vm.site.org", Some(OwnName::Name)),
            ("VM", Some(OwnName::Loopback)),
            ("localhost", Some(OwnName::Localhost)),
            ("localhost.localdomain", Some(OwnName::Localhost)),
            ("127.0.0.1", Some(OwnName::Address)),
            ("127.0.0.2", Some(OwnName::Loopback)),
            ("::1", Some(OwnName::Loopback)),
            ("box", Some(OwnName::Alias)),
            ("Box", Some(OwnName::Alias)),
            ("deb", Some(OwnName::Loopback)),
            ("x", None),
            ("other", None),
            ("192.0.2.77", None),
            ("node1", None),
        ] {
            assert_eq!(machine.kind(host), expected, "{host}");
        }
        assert_eq!(Machine::new("vm", "").kind("Vm"), Some(OwnName::Alias));
    }

    #[test]
    fn several_names_become_the_machines_own() {
        let machine = Machine::new("vm", "");
        let hosts = |text: &str| {
            let merged = machine.merged(&crate::rankfile::parse(text.as_bytes()).rankfile);
            merged.entries.into_iter().map(|entry| entry.host).collect::<Vec<_>>()
        };
        assert_eq!(hosts("rank 0=localhost slot=0\nrank 1=127.0.0.1 slot=1\nrank 2=a slot=0\n"), ["vm", "vm", "a"]);
        assert_eq!(hosts("rank 0=localhost slot=0\nrank 1=localhost slot=1\n"), ["localhost"; 2]);
    }
}
