//! Whether what a rankfile asks for came true.

use super::{Asked, RankFacts, examples, finding, host, reads_rankfiles};
use crate::{
    launcher::Launcher,
    placement::{Code, Device, DeviceRequest, Finding, Severity},
    topology::{CpuSet, Node},
};

/// In what a rank's host, cores and device differ from what a rankfile asked for, as the rest of sentences on the rank; none
/// where all came true, or nothing was asked for.
#[must_use]
pub fn differences(node: &Node, facts: &RankFacts) -> Vec<String> {
    let differences =
        |asked| [host_differs(node, asked), cores_differ(node, facts, asked), device_differs(facts, asked)];
    facts.asked.iter().flat_map(differences).flatten().collect()
}

/// Ranks on another host, other cores or another device than a rankfile asked for.
pub(in crate::placement) fn unfulfilled(node: &Node, facts: &[RankFacts]) -> Option<Finding> {
    let pairs = facts.iter().filter_map(|facts| Some((facts, facts.asked.as_ref()?)));
    let broken = pairs.filter_map(|(facts, asked)| {
        let differences = differences(node, facts);
        let rank = facts.local.rank;
        (!differences.is_empty()).then(|| (rank, asked, format!("rank {rank} {}", differences.join(" and "))))
    });
    let broken: Vec<(u32, &Asked, String)> = broken.collect();
    let rankfile = &broken.first()?.1.rankfile;
    let message = format!("not as {rankfile} asks: {}", examples(broken.iter().map(|(.., text)| text.clone())));
    let ranks = broken.iter().map(|(rank, ..)| *rank).collect();
    let mut finding = finding(node, Code::AskedIsNotActual, Severity::Warning, ranks, message);
    finding.hint = Some(if reads_rankfiles(facts) {
        let shares_cores = asks_to_share_cores(facts);
        let ways = Launcher::ALL.into_iter().filter_map(|launcher| {
            let options = launcher.rankfile_options(rankfile, shares_cores)?;
            Some(format!("{} `mpiexec {options}`", launcher.dialect()?.version()))
        });
        format!(
            "let the launcher follow the file, and leave other binding options away: Open MPI {}",
            ways.collect::<Vec<_>>().join(", ")
        )
    } else {
        format!(
            "start with the command that `hybrid rankfile command {rankfile}` prints, and leave other binding options away"
        )
    });
    Some(finding)
}

/// Whether the file gives any core of the node to two of its ranks.
fn asks_to_share_cores(ranks: &[RankFacts]) -> bool {
    let asked: Vec<&CpuSet> = ranks.iter().filter_map(|facts| facts.asked.as_ref()?.cores.as_ref()).collect();
    let all: CpuSet = asked.iter().copied().collect();
    all.len() < asked.iter().map(|cores| cores.len()).sum::<usize>()
}

fn host_differs(node: &Node, asked: &Asked) -> Option<String> {
    // Open MPI cuts a name at the first dot, and so do some systems for their own name.
    let short = |name: &str| name.split('.').next().unwrap_or_default().to_ascii_lowercase();
    let is_relative = asked.host.starts_with('+');
    let is_address = asked.host.parse::<std::net::IpAddr>().is_ok();
    let name = asked.host.rsplit('@').next().unwrap_or_default();
    let is_same = is_relative || is_address || name == "localhost" || short(name) == short(node.host.as_ref()?);
    (!is_same).then(|| format!("was to be on {} and is on {}", asked.host, host(node)))
}

fn cores_differ(node: &Node, facts: &RankFacts, asked: &Asked) -> Option<String> {
    let bound = &facts.local.binding;
    match &asked.cores {
        Some(cores) if cores == bound => None,
        Some(cores) => Some(format!("was to have PUs {cores} and has {bound}")),
        None => Some(format!("was to have slot={}, which {} has not, and has PUs {bound}", asked.slots, host(node))),
    }
}

fn device_differs(facts: &RankFacts, asked: &Asked) -> Option<String> {
    let actual = facts.place.device;
    let is_same = match asked.device? {
        DeviceRequest::Auto => true,
        DeviceRequest::Cpu => actual == Device::Cpu,
        DeviceRequest::Gpu => actual != Device::Cpu,
        DeviceRequest::ThisGpu(id) => actual == Device::Gpu(id),
    };
    (!is_same).then(|| format!("was to compute on {} and computes on {actual}", asked.device.unwrap_or_default()))
}
