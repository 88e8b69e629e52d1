//! The report of `hybrid where` as tables to read, with the findings below.

use std::fmt::Write;

use super::{NodeGpu, PlacesReport, RankGpu, RankPlace, RequestedPlace};
use crate::{
    output::report::table::table,
    placement::{DeviceRequest, Distance, Finding, Severity},
    topology::CpuSet,
    words::counted,
};

/// Where each rank is, and the GPUs of the nodes.
#[must_use]
pub fn places(report: &PlacesReport) -> String {
    let mut text = format!(
        "{} on {}, {}, {}\n\n{}\n",
        counted(report.ranks.len(), "rank"),
        counted(report.nodes.len(), "node"),
        report.mpi,
        report.rankfile.as_ref().map_or_else(|| "no rankfile".to_owned(), |name| format!("rankfile {name}")),
        ranks(report)
    );
    if report.nodes.iter().any(|node| !node.gpus.is_empty()) {
        write!(text, "\n{}\n", gpus(report)).expect("a String takes any text");
    }
    text
}

/// One finding a paragraph, each with its hint, and how many there are.
#[must_use]
pub fn findings(findings: &[Finding]) -> String {
    let mut text = String::new();
    for finding in findings {
        let Finding { code, severity, host, message, hint, .. } = finding;
        text += &format!("{}[{}] {host}: {message}\n", severity.as_str(), code.as_str());
        text.extend(hint.iter().map(|hint| format!("    {hint}\n")));
    }
    let count = |severity| findings.iter().filter(|finding| finding.severity == severity).count();
    text + &match (count(Severity::Warning), count(Severity::Note)) {
        (0, 0) => "every rank is in its place\n".to_owned(),
        (warnings, notes) => format!("{}, {}\n", counted(warnings, "warning"), counted(notes, "note")),
    }
}

/// Rows: ranks. Columns: where it is, what was requested, and whether that was satisfied.
fn ranks(report: &PlacesReport) -> String {
    table(
        &["rank", "host", "cores", "PUs", "NUMA", "threads", "device", "distance", "asked for", "came true"],
        &[0, 5],
        report.ranks.iter().map(|rank| {
            vec![
                rank.rank.to_string(),
                rank.host.clone(),
                rank.cores.to_string(),
                rank.pus.to_string(),
                list(&rank.numa_nodes),
                rank.threads.to_string(),
                device(rank.gpu.as_ref()),
                rank.gpu.as_ref().and_then(|gpu| gpu.distance).map_or("-", distance).to_owned(),
                rank.requested.as_ref().map_or_else(|| "-".to_owned(), |requested| wanted(rank, requested)),
                rank.requested
                    .as_ref()
                    .map_or("-", |requested| if requested.satisfied { "yes" } else { "no" })
                    .to_owned(),
            ]
        }),
    )
}

/// Rows: GPUs. Columns: its node, names and driver, what is next to it, network interfaces where any GPU has some, and the ranks on it.
fn gpus(report: &PlacesReport) -> String {
    let has_nics = report.nodes.iter().flat_map(|node| &node.gpus).any(|gpu| !gpu.nics.is_empty());
    let row = |host: &str, gpu: &NodeGpu| {
        let nics = if gpu.nics.is_empty() { "-".to_owned() } else { gpu.nics.join(",") };
        let mut cells = vec![
            host.to_owned(),
            gpu.pci_bus_id.map_or_else(|| "software".to_owned(), |id| id.to_string()),
            gpu.name.clone(),
            gpu.driver.clone().unwrap_or_else(|| "-".to_owned()),
            gpu.numa_node.map_or_else(|| "-".to_owned(), |numa| numa.to_string()),
            gpu.near.as_ref().map_or_else(|| "-".to_owned(), CpuSet::to_string),
        ];
        cells.extend(has_nics.then_some(nics));
        cells.push(list(&gpu.ranks.iter().map(|&rank| rank as usize).collect()));
        cells
    };
    let mut header = vec!["host", "PCI bus id", "GPU", "driver", "NUMA", "near PUs"];
    header.extend(has_nics.then_some("near NICs"));
    header.push("ranks");
    table(&header, &[], report.nodes.iter().flat_map(|node| node.gpus.iter().map(|gpu| row(&node.host, gpu))))
}

fn device(gpu: Option<&RankGpu>) -> String {
    match gpu {
        None => "cpu".to_owned(),
        Some(gpu) => gpu.pci_bus_id.map_or_else(|| "software gpu".to_owned(), |id| id.to_string()),
    }
}

/// The words of the rankfile; the host only where the rank is elsewhere.
fn wanted(rank: &RankPlace, requested: &RequestedPlace) -> String {
    let host = if requested.host == rank.host { String::new() } else { format!("{} ", requested.host) };
    let device = match requested.device {
        Some(DeviceRequest::ThisGpu(id)) => format!(" # gpu={id}"),
        Some(device) => format!(" # {device}"),
        None => String::new(),
    };
    format!("{host}slot={}{device}", requested.slots)
}

fn distance(distance: Distance) -> &'static str {
    match distance {
        Distance::Near => "near",
        Distance::Partly => "partly near",
        Distance::SamePackage => "same package",
        Distance::Unknown => "unknown",
        Distance::Remote => "remote",
    }
}

fn list(indexes: &CpuSet) -> String {
    if indexes.is_empty() { "-".to_owned() } else { indexes.to_string() }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::output::report::places::sample::report;

    #[test]
    fn every_rank_gpu_and_finding_is_shown() {
        let report = report();
        let text = places(&report) + &findings(&report.findings);
        for expected in [
            "5 ranks on 2 nodes, Open MPI v4.1.4, rankfile my.rf",
            "1-3",
            "0000:65:00.0",
            "near",
            "slot=5 # gpu",
            "warning[asked-is-not-actual] big: not as my.rf asks: rank 1 was to have PUs 5 and has 4",
            "\n    let the launcher follow the file",
            "nvidia",
        ] {
            assert!(text.contains(expected), "{expected} in\n{text}");
        }
        let row = text.lines().find(|line| line.contains("slot=5")).unwrap();
        assert!(row.contains("no"), "{row}");
        assert_eq!(findings(&[]), "every rank is in its place\n");
    }
}
