//! The nodes that a rankfile is compared with: those that the user describes, and the one that this process runs on.

use std::collections::{BTreeMap, BTreeSet};

use crate::{
    cli::rankfile::NodeArgs,
    error::Error,
    plan::Host,
    rankfile::{self, Code, Diagnostic, NodeShape, Rankfile},
    topology::Node,
};

/// Names by which every machine knows itself.
const LOCAL_NAMES: [&str; 3] = ["localhost", "127.0.0.1", "::1"];

/// The nodes that are known, by host name.
#[derive(Debug)]
pub(super) struct Nodes {
    /// By the names of the file, without domains.
    pub(super) by_host: BTreeMap<String, Node>,
    /// Whether the user has described the nodes of the job, so that a host without one is a slip.
    described: bool,
}

/// Reads the nodes that `--topology` names, in the order given.
pub(super) fn described(args: &NodeArgs) -> Result<Vec<Host>, Error> {
    let mut names = BTreeSet::new();
    args.topology
        .iter()
        .map(|given| {
            if !names.insert(given.host.as_str()) {
                return Err(Error::Usage(format!(
                    "--topology describes host {} twice: name each host once",
                    given.host
                )));
            }
            Ok(Host::new(&given.host, Node::from_xml_file(&given.file)?))
        })
        .collect()
}

impl Nodes {
    /// The nodes of `rankfile`'s hosts as far as they are known.
    pub(super) fn of(rankfile: &Rankfile, args: &NodeArgs) -> Result<Self, Error> {
        let described = described(args)?;
        let mut nodes = Self { described: !described.is_empty(), by_host: BTreeMap::new() };
        for Host { name, node } in described {
            // As launchers do, unless it is an address.
            let is_address = name.parse::<std::net::IpAddr>().is_ok();
            let short = if is_address { &name } else { name.split('.').next().unwrap_or(&name) };
            nodes.by_host.insert(short.to_owned(), node);
        }
        let hosts: BTreeSet<&str> = rankfile.entries.iter().map(rankfile::Entry::short_host).collect();
        let open: Vec<&str> = hosts.into_iter().filter(|host| !nodes.by_host.contains_key(*host)).collect();
        if open.is_empty() {
            return Ok(nodes);
        }
        match Node::of_this_machine() {
            Ok(node) => {
                let own = node.host.clone().unwrap_or_default();
                let own = own.split('.').next().unwrap_or_default();
                for host in open.into_iter().filter(|host| LOCAL_NAMES.contains(host) || *host == own) {
                    nodes.by_host.insert(host.to_owned(), node.clone());
                }
                Ok(nodes)
            }
            Err(error) if open.iter().any(|host| LOCAL_NAMES.contains(host)) => Err(error),
            // Another machine's file can be read where hwloc cannot see this one.
            Err(_) => Ok(nodes),
        }
    }

    /// What in `rankfile` does not fit the nodes.
    pub(super) fn lint(&self, rankfile: &Rankfile) -> Vec<Diagnostic> {
        let shape = |node: &Node| NodeShape {
            cores_per_package: node.slots_per_package(),
            pus_per_core: node
                .cores
                .iter()
                .map(|core| node.usable_pus(core).len())
                .max()
                .map_or(1, |pus| u32::try_from(pus).unwrap_or(1)),
        };
        let shapes = self.by_host.iter().map(|(host, node)| (host.clone(), shape(node))).collect();
        let gpus = self
            .by_host
            .iter()
            .map(|(host, node)| (host.clone(), node.gpus.iter().map(|gpu| gpu.pci_bus_id).collect()))
            .collect();
        let mut found = rankfile::lint_against(rankfile, &shapes);
        found.retain(|diagnostic| self.described || diagnostic.code != Code::UnknownHost);
        found.extend(rankfile::lint_gpus(rankfile, &gpus));
        found.extend(rankfile::lint_overlaps(rankfile, |host| self.by_host.contains_key(host)));
        found
    }
}
