//! What a rankfile asks for, rank by rank in words, with what the launchers make of it and a drawing of each node.

use std::collections::{BTreeMap, BTreeSet};

use crate::{
    output::drawing::{
        compose::{Occupant, of_rankfile},
        node::LEGEND,
        terminal::draw_node,
    },
    placement::{Device, Distance, LocalRank, Place, Rules, Visible, choose, distance},
    rankfile::{Diagnostic, Entry, NodeShape, Rankfile, Reading, resolve},
    request::DeviceRequest,
    topology::{CpuSet, NO_CORE_AT_GPU, Node},
    words::none_or_counted as counted,
};

/// Explains `rankfile`, called `name`; `nodes` are those that are known, by the host names of the file without domains;
/// `diagnostics` are all that is known to be wrong. Ends with a newline.
#[must_use]
pub fn explain(name: &str, rankfile: &Rankfile, diagnostics: &[Diagnostic], nodes: &BTreeMap<String, Node>) -> String {
    // Of several lines of a rank the last one counts.
    let entries: BTreeMap<u32, &Entry> = rankfile.entries.iter().map(|entry| (entry.rank, entry)).collect();
    // The hosts in the order of their first ranks, and where each stands.
    let mut hosts: Vec<(&str, Vec<&Entry>)> = Vec::new();
    let mut places: BTreeMap<&str, usize> = BTreeMap::new();
    for entry in entries.values() {
        let at = *places.entry(entry.short_host()).or_insert(hosts.len());
        match hosts.get_mut(at) {
            Some((_, entries)) => entries.push(entry),
            None => hosts.push((entry.short_host(), vec![entry])),
        }
    }
    let mut text = format!("{name}: {} on {}\n", counted(entries.len(), "rank"), counted(hosts.len(), "host"));
    for (host, entries) in &hosts {
        text += "\n";
        text += &match nodes.get(*host) {
            Some(node) => known_host(host, node, entries, diagnostics),
            None => unknown_host(host, entries, diagnostics),
        };
    }
    let told: BTreeSet<usize> = entries.values().map(|entry| entry.line).collect();
    let others: Vec<&Diagnostic> =
        diagnostics.iter().filter(|diagnostic| !told.contains(&diagnostic.span.line)).collect();
    if !others.is_empty() {
        text += "\nelsewhere in the file\n";
    }
    for diagnostic in others {
        text += &format!("  line {}\n{}", diagnostic.span.line, remark(diagnostic));
    }
    text
}

fn known_host(host: &str, node: &Node, entries: &[&Entry], diagnostics: &[Diagnostic]) -> String {
    let mut text = format!(
        "host {host}: {}, {}, {}\n",
        counted(node.cores_per_package().len(), "package"),
        counted(node.allowed_cores().count(), "core"),
        counted(node.gpus.len(), "GPU")
    );
    let bindings: Vec<CpuSet> = entries.iter().map(|entry| binding(node, entry)).collect();
    let places = places(node, entries, &bindings);
    for (entry, pus) in entries.iter().zip(&bindings) {
        let device = match &places {
            Ok(places) => places.iter().find(|place| place.rank == entry.rank).map(|place| place.device),
            Err(_) => None,
        };
        text += &format!("  rank {}: {}", entry.rank, entry.slots.in_words());
        if pus.is_empty() {
            text += &format!(", {}\n", request_in_words(entry.device));
        } else {
            text +=
                &format!(" (PUs {pus}), {}, {}\n", numa_in_words(node, pus), device_in_words(node, entry, pus, device));
        }
        text += &remarks(entry, diagnostics);
    }
    let mut occupants = Vec::new();
    for place in places.iter().flatten() {
        let entry = entries.iter().zip(&bindings).find(|(entry, _)| entry.rank == place.rank);
        let pus = entry.map(|(_, pus)| pus.clone()).unwrap_or_default();
        occupants.push(Occupant { rank: place.rank, pus, device: place.device });
    }
    match places {
        Ok(_) => text += &format!("{}{LEGEND}\n", draw_node(&of_rankfile(host, node, occupants))),
        Err(reason) => text += &format!("  the job would stop: {reason}\n"),
    }
    text
}

fn unknown_host(host: &str, entries: &[&Entry], diagnostics: &[Diagnostic]) -> String {
    let mut text = format!("host {host}: its cores are not known here; --topology {host}=FILE.xml tells them\n");
    for entry in entries {
        text += &format!("  rank {}: {}, {}\n", entry.rank, entry.slots.in_words(), request_in_words(entry.device));
        text += &remarks(entry, diagnostics);
    }
    text
}

/// The PUs that a line asks for; none where the node has not got them.
fn binding(node: &Node, entry: &Entry) -> CpuSet {
    let slots = resolve(&entry.slots, Reading::Meant, &NodeShape::of_node(node)).unwrap_or_default();
    node.pus_of_slots(&slots)
}

/// The places of the ranks that have cores, as a job would find them, or why it would stop.
fn places(node: &Node, entries: &[&Entry], bindings: &[CpuSet]) -> Result<Vec<Place>, String> {
    let ranks: Vec<LocalRank> = entries
        .iter()
        .zip(bindings)
        .filter(|(_, binding)| !binding.is_empty())
        .map(|(entry, binding)| LocalRank {
            rank: entry.rank,
            binding: binding.clone(),
            request: entry.device.unwrap_or_default(),
            source: None,
            visible: Visible::all(&node.gpus),
            launcher: None,
        })
        .collect();
    choose(node, &ranks, &Rules::default()).map_err(|error| error.to_string())
}

fn numa_in_words(node: &Node, pus: &CpuSet) -> String {
    let numa: CpuSet = node.numa_nodes_of(pus).into_iter().map(|index| index as usize).collect();
    match numa.len() {
        0 => "no NUMA node of its own".to_owned(),
        1 => format!("NUMA node {numa}"),
        _ => format!("NUMA nodes {numa}"),
    }
}

fn device_in_words(node: &Node, entry: &Entry, pus: &CpuSet, device: Option<Device>) -> String {
    let Some(Device::Gpu(id)) = device else {
        return if device.is_some() { "computes on its cores".to_owned() } else { request_in_words(entry.device) };
    };
    let Some(gpu) = node.gpu(id) else { return format!("GPU {id}") };
    let partitions = gpu.partitions_in_words();
    if !node.has_usable_core_at(gpu) {
        return format!("GPU {id}{partitions}: {NO_CORE_AT_GPU}");
    }
    let place = match distance(node, pus, &gpu.locality) {
        Distance::Near => "next to its cores",
        Distance::Partly => "next to some of its cores",
        Distance::SamePackage => "on the package of its cores, but nearer to others",
        Distance::Unknown => "whose place is not known",
        Distance::Remote => "far from its cores, on another package",
    };
    format!("GPU {id}{partitions} {place}")
}

fn request_in_words(request: Option<DeviceRequest>) -> String {
    match request.unwrap_or_default() {
        DeviceRequest::Auto => "a GPU where one is left for it, else its cores".to_owned(),
        DeviceRequest::Cpu => "computes on its cores".to_owned(),
        DeviceRequest::Gpu => "a GPU".to_owned(),
        DeviceRequest::ThisGpu(id) => format!("GPU {id}"),
    }
}

fn remarks(entry: &Entry, diagnostics: &[Diagnostic]) -> String {
    diagnostics.iter().filter(|diagnostic| diagnostic.span.line == entry.line).map(remark).collect()
}

fn remark(diagnostic: &Diagnostic) -> String {
    let Diagnostic { severity, code, message, .. } = diagnostic;
    let mut text = format!("    {severity}[{}]: {message}\n", code.id());
    for (label, note) in diagnostic.notes() {
        text += &format!("      {label}: {note}\n");
    }
    text
}

#[cfg(test)]
mod tests {
    use std::path::Path;

    use super::*;
    use crate::rankfile::parse;

    fn explained(text: &str, topologies: &[(&str, &str)]) -> String {
        let folder = Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/topologies");
        let node = |file: &str| Node::from_xml_file(&folder.join(file).with_extension("xml")).unwrap();
        let nodes = topologies.iter().map(|(host, file)| ((*host).to_owned(), node(file))).collect();
        let parsed = parse(text.as_bytes());
        explain("FILE", &parsed.rankfile, &parsed.diagnostics, &nodes)
    }

    #[test]
    fn each_rank_is_told_with_its_pus_its_numa_node_and_its_gpu() {
        let text = explained(
            "rank 0=a slot=0 # gpu=0000:88:00.0\nrank 1=a slot=8-9\nrank 2=a slot=1 # cpu\n",
            &[("a", "two-sockets-four-gpus")],
        );
        for expected in [
            "FILE: 3 ranks on 1 host\n",
            "host a: 2 packages, 16 cores, 4 GPUs\n",
            "rank 0: core 0 (PUs 0), NUMA node 0, GPU 0000:88:00.0 far from its cores",
            "rank 1: cores 8-9 (PUs 8-9), NUMA node 1, GPU 0000:8b:00.0 next to its cores",
            "rank 2: core 1 (PUs 1), NUMA node 0, computes on its cores",
            "┌ a: 16 of 16 cores ─",
            "│ 8  │ 9  │ 10 │",
            "│ r1 │ r1 │ .  │",
            "┌ GPU 0000:88:00.0 ─",
        ] {
            assert!(text.contains(expected), "{expected} in {text}");
        }
    }

    #[test]
    fn traps_stand_below_the_rank_they_befall() {
        let text = explained("rank 0=a slot=P1\nrank 1=a slot=1\n", &[("a", "two-sockets-four-gpus")]);
        let (of_rank_0, rest) = text.split_once("rank 1:").unwrap();
        assert!(of_rank_0.contains("Open MPI 4.1: binds core 0, without a word"), "{text}");
        assert!(!rest.contains("Open MPI"), "{text}");
    }

    #[test]
    fn the_last_line_of_a_rank_counts_and_the_others_are_told_elsewhere() {
        let text = explained("rank 0=a slot=0\nrank 1=a slot=*\nrank 1=a slot=1\n", &[]);
        assert!(text.contains("rank 1: core 1,") && text.contains("2 ranks on 1 host"), "{text}");
        assert!(text.contains("elsewhere in the file\n  line 2\n"), "{text}");
    }

    #[test]
    fn a_host_that_is_not_known_is_told_with_the_way_out_and_a_job_that_would_stop_with_the_reason() {
        assert!(explained("rank 0=b slot=0\n", &[]).contains("--topology b=FILE.xml"));
        let text = explained("rank 0=a slot=0 # gpu\n", &[("a", "laptop")]);
        assert!(text.contains("the job would stop") && text.contains("no GPU"), "{text}");
    }
}
