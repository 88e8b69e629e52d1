//! Whether what a rankfile requests was satisfied.

use super::{RankFacts, Requested, finding, host, reads_rankfiles};
use crate::{
    host_name::short_name,
    launcher::{Following, Launcher},
    placement::{Code, Device, DeviceRequest, Finding, Severity},
    topology::{CpuSet, Node},
    words,
};

/// In what a rank's host, cores and device differ from what a rankfile requests, as the rest of sentences on the rank; none
/// where all was satisfied, or nothing was requested.
#[must_use]
pub fn differences(node: &Node, facts: &RankFacts) -> Vec<String> {
    let differences = |requested| {
        [host_differs(node, requested), cores_differ(node, facts, requested), device_differs(facts, requested)]
    };
    facts.requested.iter().flat_map(differences).flatten().collect()
}

/// Ranks on another host, other cores or another device than a rankfile requested.
pub fn unsatisfied(node: &Node, facts: &[RankFacts]) -> Option<Finding> {
    let pairs = facts.iter().filter_map(|facts| Some((facts, facts.requested.as_ref()?)));
    let broken = pairs.filter_map(|(facts, requested)| {
        let differences = differences(node, facts);
        let rank = facts.local.rank;
        (!differences.is_empty()).then(|| (rank, requested, format!("rank {rank} {}", differences.join(" and "))))
    });
    let broken: Vec<(u32, &Requested, String)> = broken.collect();
    let rankfile = &broken.first()?.1.rankfile;
    let message = format!("not as {rankfile} asks: {}", words::cases(broken.iter().map(|(.., text)| text.clone())));
    let ranks = broken.iter().map(|(rank, ..)| *rank).collect();
    let mut finding = finding(node, Code::AskedIsNotActual, Severity::Warning, ranks, message);
    finding.hint = Some(if reads_rankfiles(facts) {
        let following =
            Following { file: rankfile, shares_cores: requests_shared_cores(facts), slot_unit: node.slot_unit };
        let options = Launcher::by_dialect(|launcher| launcher.rankfile_options(following));
        let ways: Vec<String> =
            options.by_versions().map(|(versions, options)| format!("{versions} `mpiexec {options}`")).collect();
        format!("let the launcher follow the file, and leave other binding options away: Open MPI {}", ways.join("; "))
    } else {
        format!(
            "start with the command that `hybrid rankfile command {rankfile}` prints, and leave other binding options away"
        )
    });
    Some(finding)
}

/// Whether the file gives any core of the node to two of its ranks.
fn requests_shared_cores(ranks: &[RankFacts]) -> bool {
    let requested: Vec<&CpuSet> = ranks.iter().filter_map(|facts| facts.requested.as_ref()?.cores.as_ref()).collect();
    let all: CpuSet = requested.iter().copied().collect();
    all.len() < requested.iter().map(|cores| cores.len()).sum::<usize>()
}

fn host_differs(node: &Node, requested: &Requested) -> Option<String> {
    // Open MPI cuts a name at the first dot, and so do some systems for their own name.
    let short = |name: &str| short_name(name).to_ascii_lowercase();
    let is_relative = requested.host.starts_with('+');
    let is_address = requested.host.parse::<std::net::IpAddr>().is_ok();
    let name = requested.host.rsplit('@').next().unwrap_or_default();
    let is_same = is_relative || is_address || name == "localhost" || short(name) == short(node.host.as_ref()?);
    (!is_same).then(|| format!("was to be on {} and is on {}", requested.host, host(node)))
}

fn cores_differ(node: &Node, facts: &RankFacts, requested: &Requested) -> Option<String> {
    let bound = &facts.local.binding;
    match &requested.cores {
        Some(cores) if cores == bound => None,
        Some(cores) => Some(format!("was to have PUs {cores} and has {bound}")),
        None => {
            Some(format!("was to have slot={}, which {} has not, and has PUs {bound}", requested.slots, host(node)))
        }
    }
}

fn device_differs(facts: &RankFacts, requested: &Requested) -> Option<String> {
    let actual = facts.place.device;
    let is_same = match requested.device? {
        DeviceRequest::Auto => true,
        DeviceRequest::Cpu => actual == Device::Cpu,
        DeviceRequest::Gpu => actual != Device::Cpu,
        DeviceRequest::ThisGpu(id) => actual == Device::Gpu(id),
    };
    (!is_same).then(|| format!("was to compute on {} and computes on {actual}", requested.device.unwrap_or_default()))
}
