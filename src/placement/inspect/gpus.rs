//! Remarks on GPUs, as far as hwloc knows them.

use std::collections::BTreeMap;

use super::{RankFacts, finding, ranks_by_gpu, written};
use crate::{
    placement::{Code, Device, DeviceRequest, Distance, Finding, LocalRank, Severity, distance, ranks_in_words},
    topology::{CpuSet, Gpu, Locality, NO_CORE_AT_GPU, Node, PciBusId},
    words,
};

/// GPUs that serve no rank although a rank could have had them.
pub(in crate::placement) fn unused_gpus(node: &Node, ranks: &[RankFacts]) -> Option<Finding> {
    let takers = || ranks.iter().filter(|facts| facts.local.request != DeviceRequest::Cpu);
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
    finding.hint = Some(if needed > ranks.len() {
        format!("start {needed} ranks on this node, one more for each of these GPUs")
    } else {
        "let --device auto choose".to_owned()
    });
    Some(finding)
}

/// Settings of the environment that hide GPUs or cannot be understood.
pub(in crate::placement) fn masks(node: &Node, ranks: &[RankFacts]) -> Vec<Finding> {
    let mut by_text = BTreeMap::<(Severity, String, Option<&str>), Vec<u32>>::new();
    for LocalRank { rank, visible, .. } in ranks.iter().map(|facts| &facts.local) {
        let left = visible.gpus.len();
        // A job may have asked for few GPUs; one that has none has hardly meant it.
        let hint = (left == 0 && !visible.withheld.is_empty()).then_some(super::ASK_FOR_GPUS);
        let hidden = visible.hidden_by.iter().map(|setting| {
            (Severity::Note, format!("{setting} hides GPUs: {left} of {} are left to a rank", node.gpus.len()), hint)
        });
        for key in hidden.chain(visible.notes.iter().map(|note| (Severity::Warning, note.clone(), None))) {
            by_text.entry(key).or_default().push(*rank);
        }
    }
    by_text
        .into_iter()
        .map(|((severity, message, hint), ranks)| {
            let finding = finding(node, Code::GpuMask, severity, ranks, message);
            Finding { hint: hint.map(str::to_owned), ..finding }
        })
        .collect()
}

/// GPUs in use of which nobody knows which cores are near, on a node where that matters.
pub(in crate::placement) fn unknown_locality(node: &Node, ranks: &[RankFacts]) -> Option<Finding> {
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

/// GPUs that serve several ranks, or more than they have partitions.
pub(in crate::placement) fn shared_gpus(node: &Node, ranks: &[RankFacts]) -> Option<Finding> {
    let partitions = |id| node.gpu(id).map_or(1, |gpu| gpu.partitions.max(1));
    let shared: Vec<(PciBusId, Vec<u32>)> =
        ranks_by_gpu(ranks).into_iter().filter(|(id, sharers)| sharers.len() > partitions(*id)).collect();
    if shared.is_empty() {
        return None;
    }
    let cases =
        shared.iter().map(|(id, on_it)| format!("GPU {id} serves {} ranks, {}", on_it.len(), ranks_in_words(on_it)));
    let message = words::cases(cases);
    let mut concerned: Vec<u32> = shared.iter().flat_map(|(_, on_it)| on_it.iter().copied()).collect();
    concerned.sort_unstable();
    let mut finding = finding(node, Code::GpuShared, Severity::Warning, concerned, message);
    finding.hint = Some("leave --ranks-per-gpu away: the ranks left over then compute on cores".to_owned());
    Some(finding)
}

/// A rank that drives a GPU, and how far it is from it.
struct GpuRank<'a> {
    facts: &'a RankFacts,
    gpu: &'a Gpu,
    distance: Distance,
}

/// Ranks whose GPU is not next to their cores. A warning where a nearer GPU is free, where two ranks would gain by each
/// other's, or where cores next to the GPU serve no rank; else a note.
pub(in crate::placement) fn remote_gpus(node: &Node, ranks: &[RankFacts]) -> Vec<Finding> {
    let gpu_rank = |facts| gpu_rank(node, facts);
    let gpu_ranks: Vec<GpuRank<'_>> = ranks.iter().filter_map(gpu_rank).collect();
    let is_remote = |gpu_rank: &&GpuRank<'_>| matches!(gpu_rank.distance, Distance::SamePackage | Distance::Remote);
    gpu_ranks.iter().filter(is_remote).map(|gpu_rank| remote_gpu(node, ranks, &gpu_ranks, gpu_rank)).collect()
}

fn gpu_rank<'a>(node: &'a Node, facts: &'a RankFacts) -> Option<GpuRank<'a>> {
    let Device::Gpu(id) = facts.place.device else { return None };
    let gpu = node.gpu(id)?;
    Some(GpuRank { facts, gpu, distance: distance(node, &facts.place.cores, &gpu.locality) })
}

fn remote_gpu(node: &Node, ranks: &[RankFacts], gpu_ranks: &[GpuRank<'_>], gpu_rank: &GpuRank<'_>) -> Finding {
    let (rank, cores, id) = (gpu_rank.facts.local.rank, &gpu_rank.facts.place.cores, gpu_rank.gpu.pci_bus_id);
    let is_nearer = |gpu: &Gpu| distance(node, cores, &gpu.locality) < gpu_rank.distance;
    let is_free = |gpu: &&Gpu| gpu_ranks.iter().all(|gpu_rank| gpu_rank.gpu != *gpu);
    let gains = |other: &&GpuRank<'_>| {
        is_nearer(other.gpu) && distance(node, &other.facts.place.cores, &gpu_rank.gpu.locality) <= other.distance
    };
    let (severity, but, hint) = if let Some(free) = node.gpus.iter().find(|gpu| is_free(gpu) && is_nearer(gpu)) {
        let free = free.pci_bus_id;
        let hint = format!("--device {free} for rank {rank}, or --device auto for all");
        (Severity::Warning, format!("while {free} is nearer and free"), Some(hint))
    } else if let Some(other) = gpu_ranks.iter().find(gains) {
        let but = format!("while rank {} has {}, which is nearer", other.facts.local.rank, other.gpu.pci_bus_id);
        (Severity::Warning, but, Some("--device auto for both, which exchanges their GPUs".to_owned()))
    } else if let Some(idle) = idle_cores_near(node, ranks, gpu_rank.gpu) {
        let hint = format!("bind rank {rank} there, as {} does", written(ranks));
        (Severity::Warning, format!("while PUs {idle} next to it serve no rank"), Some(hint))
    } else if node.has_usable_core_at(gpu_rank.gpu) {
        (Severity::Note, "and none nearer is free".to_owned(), None)
    } else {
        let hint = "ask for whole nodes, or let the resource manager give out the cores next to the GPUs that it gives";
        (Severity::Note, format!("and {NO_CORE_AT_GPU}"), Some(hint.to_owned()))
    };
    let message = format!("rank {rank} computes on GPU {id}, which is far from its PUs {cores}, {but}");
    Finding { hint, ..finding(node, Code::GpuRemote, severity, vec![rank], message) }
}

/// The PUs of usable cores next to a GPU that no rank has.
fn idle_cores_near(node: &Node, ranks: &[RankFacts], gpu: &Gpu) -> Option<CpuSet> {
    let in_use: CpuSet = ranks.iter().map(|facts| &facts.place.cores).collect();
    let near = gpu.locality.pus()? & &node.allowed;
    let idle: CpuSet =
        node.cores_in(&near).filter(|core| !core.pus.intersects(&in_use)).map(|core| &core.pus).collect();
    let idle = &idle & &node.allowed;
    (!idle.is_empty()).then_some(idle)
}
