//! The nodes that a rankfile is compared with: those that the user describes, and the one that this process runs on.

use std::collections::{BTreeMap, BTreeSet};

use super::machine::Machine;
use crate::{
    cli::rankfile::NodeArgs,
    commands::this_node,
    error::Error,
    host_name,
    plan::Host,
    rankfile::{self, Code, Diagnostic, NodeShape, OwnName, Parsed, Rankfile},
    topology::Node,
};

/// The nodes that are known, by host name.
#[derive(Debug)]
pub(super) struct Nodes {
    /// The rankfile with one name for this machine.
    pub(super) rankfile: Rankfile,
    /// By the names of the file, without domains.
    pub(super) by_host: BTreeMap<String, Node>,
    /// Whether the user has described the nodes of the job, so that a host without one is a slip.
    described: bool,
    /// What is wrong with the names that the file has for this machine.
    about_names: Vec<Diagnostic>,
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
            let node = Node { slot_unit: args.slot_unit(), ..Node::from_foreign_xml_file(&given.file)? };
            Ok(Host::new(&given.host, node))
        })
        .collect()
}

/// The nodes of `hosts` as far as they are known: those that `args` describes, under the name that `called` gives them, and this
/// `machine` where a host is it.
pub(super) fn by_host(
    machine: &Machine,
    hosts: &BTreeSet<&str>,
    args: &NodeArgs,
    called: impl Fn(&str) -> String,
) -> Result<BTreeMap<String, Node>, Error> {
    let mut nodes = BTreeMap::new();
    for Host { name, node } in described(args)? {
        let name = called(host_name::without_user(&name));
        nodes.insert(host_name::short_name(&name).to_owned(), node);
    }
    let is_open = |host: &&&str| !nodes.contains_key(**host) && machine.kind(host).is_some();
    let open: Vec<String> = hosts.iter().filter(is_open).map(|host| (*host).to_owned()).collect();
    if open.is_empty() {
        return Ok(nodes);
    }
    match this_node::read(&[]) {
        Ok((node, _)) => {
            let node = Node { slot_unit: args.slot_unit(), ..node };
            nodes.extend(open.into_iter().map(|host| (host, node.clone())));
        }
        Err(error) if open.iter().any(|host| machine.kind(host) != Some(OwnName::Name)) => return Err(error),
        // Another machine's file can be read where hwloc cannot see this one.
        Err(_) => {}
    }
    Ok(nodes)
}

impl Nodes {
    /// The nodes of the hosts of a file as far as they are known. What was found in the file is corrected by what is known
    /// of this `machine`.
    pub(super) fn of(machine: &Machine, parsed: &mut Parsed, args: &NodeArgs) -> Result<Self, Error> {
        let kind = |host: &str| machine.kind(host);
        rankfile::soften_own_addresses(&parsed.rankfile, kind, &mut parsed.diagnostics);
        let mut nodes = Self {
            rankfile: machine.merged(&parsed.rankfile),
            by_host: BTreeMap::new(),
            described: !args.topology.is_empty(),
            about_names: rankfile::lint_own_names(&parsed.rankfile, &machine.name, kind),
        };
        let is_merged = nodes.rankfile != parsed.rankfile;
        let own_name = |name: &str| {
            if is_merged && machine.kind(name).is_some() { machine.name.clone() } else { name.to_owned() }
        };
        nodes.by_host = by_host(machine, &nodes.rankfile.short_hosts(), args, own_name)?;
        Ok(nodes)
    }

    /// What in the file does not fit the nodes.
    pub(super) fn lint(&self) -> Vec<Diagnostic> {
        let shapes = self.by_host.iter().map(|(host, node)| (host.clone(), NodeShape::of_node(node))).collect();
        let gpus = self
            .by_host
            .iter()
            .map(|(host, node)| (host.clone(), node.gpus.iter().map(|gpu| (gpu.pci_bus_id, gpu.partitions)).collect()))
            .collect();
        let mut found = rankfile::lint_against(&self.rankfile, &shapes);
        found.retain(|diagnostic| self.described || diagnostic.code != Code::UnknownHost);
        found.extend(rankfile::lint_gpus(&self.rankfile, &gpus));
        found.extend(rankfile::lint_overlaps(&self.rankfile, |host| self.by_host.contains_key(host)));
        found.extend(self.about_names.iter().cloned());
        found
    }
}
