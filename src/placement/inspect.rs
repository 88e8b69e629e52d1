//! What is remarkable about the places of one node's ranks: one function a remark.

use std::collections::BTreeMap;

use serde::{Deserialize, Serialize};

use super::{Code, Device, DeviceWish, Finding, LocalRank, Place, Severity, ranks_in_words};
use crate::topology::{CpuSet, Gpu, Locality, Node, PciBusId};

/// A rank, and what became of it.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct RankFacts {
    /// How it started.
    pub local: LocalRank,
    /// Where it computes.
    pub place: Place,
    /// What a rankfile asked for.
    pub asked: Option<Asked>,
}

/// What a rankfile asks for on behalf of a rank.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Asked {
    /// The rankfile, as the user named it.
    pub rankfile: String,
    /// The PUs of the cores that it names.
    pub cores: CpuSet,
    /// The device that a comment in it names.
    pub device: Option<DeviceWish>,
}

/// A remark on `node`, with no way to mend it yet.
pub(super) fn finding(node: &Node, code: Code, severity: Severity, ranks: Vec<u32>, message: String) -> Finding {
    Finding { code, severity, host: host(node), ranks, message, mend: None }
}

pub(super) fn host(node: &Node) -> String {
    node.host.clone().unwrap_or_else(|| "this node".to_owned())
}

/// The ranks on each GPU that serves any.
pub(super) fn ranks_by_gpu(ranks: &[RankFacts]) -> BTreeMap<PciBusId, Vec<u32>> {
    let mut by_gpu = BTreeMap::<PciBusId, Vec<u32>>::new();
    for facts in ranks {
        if let Device::Gpu(id) = facts.place.device {
            by_gpu.entry(id).or_default().push(facts.local.rank);
        }
    }
    by_gpu
}

/// Ranks whose binding leaves them the whole node although they are not alone there.
pub(super) fn unbound(node: &Node, ranks: &[RankFacts]) -> Option<Finding> {
    let unbound: Vec<u32> = ranks
        .iter()
        .filter(|facts| node.allowed.is_subset(&facts.local.binding))
        .map(|facts| facts.local.rank)
        .collect();
    if ranks.len() < 2 || unbound.is_empty() || node.allowed_cores().count() < 2 {
        return None;
    }
    let message = format!("the launcher bound {} to no core; the cores were dealt here", ranks_in_words(&unbound));
    let mut finding = finding(node, Code::RankUnbound, Severity::Warning, unbound, message);
    finding.mend = Some("start with --bind-to core, or with a rankfile made by `hybrid rankfile write`".to_owned());
    Some(finding)
}

/// Ranks that compute on the same core: one remark for each set of ranks that share.
pub(super) fn shared_cores(node: &Node, ranks: &[RankFacts]) -> Vec<Finding> {
    let mut shared = BTreeMap::<Vec<u32>, CpuSet>::new();
    for core in &node.cores {
        let on_it = ranks.iter().filter(|facts| facts.place.cores.intersects(&core.pus));
        let on_it: Vec<u32> = on_it.map(|facts| facts.local.rank).collect();
        if on_it.len() > 1 {
            let pus = shared.entry(on_it).or_default();
            *pus = &*pus | &core.pus;
        }
    }
    let cores = node.allowed_cores().count();
    let describe = |(on_it, pus): (Vec<u32>, CpuSet)| {
        let message = format!("{} share PUs {pus}; {} ranks are on {cores} cores", ranks_in_words(&on_it), ranks.len());
        let mut finding = finding(node, Code::RanksShareCores, Severity::Warning, on_it, message);
        finding.mend = Some(if ranks.len() > cores {
            format!("start at most {cores} ranks on this node")
        } else {
            "bind each rank to cores of its own, as a rankfile made by `hybrid rankfile write` does".to_owned()
        });
        finding
    };
    shared.into_iter().map(describe).collect()
}

/// Ranks with more threads than cores, which only `--threads` brings about.
pub(super) fn excess_threads(node: &Node, ranks: &[RankFacts]) -> Option<Finding> {
    let cores = |facts: &RankFacts| node.cores_in(&facts.place.cores).count();
    let worst = ranks.iter().filter(|facts| facts.place.threads > cores(facts));
    let ranks: Vec<u32> = worst.clone().map(|facts| facts.local.rank).collect();
    let first = worst.clone().next()?;
    let message = format!(
        "{} compute with more threads than cores: rank {} with {} threads on {} cores",
        ranks_in_words(&ranks),
        first.local.rank,
        first.place.threads,
        cores(first)
    );
    let mut finding = finding(node, Code::MoreThreadsThanCores, Severity::Warning, ranks, message);
    finding.mend = Some("leave --threads away, or bind the rank to more cores".to_owned());
    Some(finding)
}

/// GPUs that serve no rank although a rank could have had them.
pub(super) fn unused_gpus(node: &Node, ranks: &[RankFacts]) -> Option<Finding> {
    let takers = || ranks.iter().filter(|facts| facts.local.wish != DeviceWish::Cpu);
    let used = ranks_by_gpu(ranks);
    let is_idle = |gpu: &&Gpu| {
        let id = gpu.pci_bus_id;
        !used.contains_key(&id) && takers().any(|facts| facts.local.visible.gpus.contains(&id))
    };
    let idle: Vec<String> = node.gpus.iter().filter(is_idle).map(|gpu| gpu.pci_bus_id.to_string()).collect();
    if idle.is_empty() {
        return None;
    }
    let left_out = takers().filter(|facts| facts.place.device == Device::Cpu).count();
    let message = format!("{} of {} GPUs serve no rank: {}", idle.len(), node.gpus.len(), idle.join(", "));
    let mut finding = finding(node, Code::GpuUnused, Severity::Warning, Vec::new(), message);
    let needed = ranks.len() + idle.len().saturating_sub(left_out);
    finding.mend = Some(if needed > ranks.len() {
        format!("start {needed} ranks on this node, one more for each of these GPUs")
    } else {
        "let --device auto choose".to_owned()
    });
    Some(finding)
}

/// Settings of the environment that hide GPUs or cannot be understood.
pub(super) fn masks(node: &Node, ranks: &[RankFacts]) -> Vec<Finding> {
    let mut by_text = BTreeMap::<(Severity, String), Vec<u32>>::new();
    for LocalRank { rank, visible, .. } in ranks.iter().map(|facts| &facts.local) {
        let left = visible.gpus.len();
        let hidden = visible.hidden_by.iter().map(|setting| {
            (Severity::Note, format!("{setting} hides GPUs: {left} of {} are left to a rank", node.gpus.len()))
        });
        for key in hidden.chain(visible.notes.iter().map(|note| (Severity::Warning, note.clone()))) {
            by_text.entry(key).or_default().push(*rank);
        }
    }
    by_text
        .into_iter()
        .map(|((severity, message), ranks)| finding(node, Code::GpuMask, severity, ranks, message))
        .collect()
}

/// GPUs in use of which nobody knows which cores are near, on a node where that matters.
pub(super) fn unknown_locality(node: &Node, ranks: &[RankFacts]) -> Option<Finding> {
    let used = ranks_by_gpu(ranks);
    let unknown = |gpu: &&Gpu| gpu.locality == Locality::Unknown && used.contains_key(&gpu.pci_bus_id);
    let unknown: Vec<PciBusId> = node.gpus.iter().filter(unknown).map(|gpu| gpu.pci_bus_id).collect();
    if unknown.is_empty() {
        return None;
    }
    let ids: Vec<String> = unknown.iter().map(ToString::to_string).collect();
    let message = format!(
        "the firmware does not tell which cores are near to {}: GPUs were dealt in the order of the ranks",
        ids.join(", ")
    );
    let mut ranks: Vec<u32> = unknown.iter().flat_map(|id| used[id].iter().copied()).collect();
    ranks.sort_unstable();
    Some(finding(node, Code::GpuLocalityUnknown, Severity::Note, ranks, message))
}
