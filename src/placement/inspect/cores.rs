//! Remarks on cores and threads.

use std::collections::{BTreeMap, BTreeSet};

use super::{RankFacts, bind_to_own_cores, finding, written};
use crate::{
    placement::{Code, Device, Finding, Rules, Severity, map, ranks_in_words},
    topology::{CpuSet, Node, homes},
    words,
};

/// Ranks whose binding leaves them the whole node although they are not alone there.
pub(in crate::placement) fn unbound(node: &Node, ranks: &[RankFacts]) -> Option<Finding> {
    let unbound: Vec<u32> = ranks
        .iter()
        .filter(|facts| node.allowed.is_subset(&facts.local.binding))
        .map(|facts| facts.local.rank)
        .collect();
    if ranks.len() < 2 || unbound.is_empty() || node.allowed_cores().count() < 2 {
        return None;
    }
    let message =
        format!("the launcher bound {} to no core, so the cores were dealt among the ranks", ranks_in_words(&unbound));
    let mut finding = finding(node, Code::RankUnbound, Severity::Warning, unbound, message);
    finding.hint = Some(bind_to_own_cores(node, ranks));
    Some(finding)
}

/// Ranks that compute on the same core, or hardware thread where the launcher counts those.
pub(in crate::placement) fn shared_cores(node: &Node, ranks: &[RankFacts]) -> Option<Finding> {
    let mut shared = BTreeMap::<Vec<u32>, CpuSet>::new();
    for slot in node.slots() {
        let on_it = ranks.iter().filter(|facts| facts.place.cores.intersects(&slot));
        let on_it: Vec<u32> = on_it.map(|facts| facts.local.rank).collect();
        if on_it.len() > 1 {
            let pus = shared.entry(on_it).or_default();
            *pus = &*pus | &slot;
        }
    }
    if shared.is_empty() {
        return None;
    }
    let sharers: BTreeSet<u32> = shared.keys().flatten().copied().collect();
    let slots = words::counted(node.slots().count(), node.slot_unit.noun());
    let cases = shared.iter().map(|(on_it, pus)| format!("{} share PUs {pus}", ranks_in_words(on_it)));
    let message = format!("{} ranks are on {slots}: {}", ranks.len(), words::cases(cases));
    let sharers = sharers.into_iter().collect();
    let mut finding = finding(node, Code::RanksShareCores, Severity::Warning, sharers, message);
    finding.hint = Some(bind_to_own_cores(node, ranks));
    Some(finding)
}

/// Ranks with more threads than cores, which only `--threads` brings about.
pub(in crate::placement) fn excess_threads(node: &Node, ranks: &[RankFacts]) -> Option<Finding> {
    let slots = |facts: &RankFacts| node.slots_of(&facts.place.cores).len();
    let excessive: Vec<&RankFacts> = ranks.iter().filter(|facts| facts.place.threads > slots(facts)).collect();
    if excessive.is_empty() {
        return None;
    }
    let message = words::cases(excessive.iter().map(|facts| {
        let slots = words::counted(slots(facts), node.slot_unit.noun());
        format!("rank {} computes with {} threads on {slots}", facts.local.rank, facts.place.threads)
    }));
    let ranks = excessive.iter().map(|facts| facts.local.rank).collect();
    let mut finding = finding(node, Code::MoreThreadsThanCores, Severity::Warning, ranks, message);
    finding.hint = Some("leave --threads away, or bind the rank to more cores".to_owned());
    Some(finding)
}

/// The PUs of cores that the job may use and no rank has.
fn idle(node: &Node, ranks: &[RankFacts]) -> CpuSet {
    let in_use: CpuSet = ranks.iter().map(|facts| &facts.place.cores).collect();
    let idle: CpuSet =
        node.allowed_cores().filter(|core| !core.pus.intersects(&in_use)).map(|core| &core.pus).collect();
    &idle & &node.allowed
}

/// Cores of a rank below which encoding takes most of the time of a picture that its GPU computes: with 1, 4 and 16 cores a picture
/// of 1.1 Gpixel took 1.5, 0.92 and 0.82 s beside an H200 that was busy for 0.04 s of them.
const CORES_FOR_A_GPU: usize = 4;

/// Ranks whose GPU waits for their cores, while cores serve no rank.
pub(in crate::placement) fn few_cores_for_a_gpu(node: &Node, ranks: &[RankFacts]) -> Option<Finding> {
    let idle = idle(node, ranks);
    let cores = |facts: &RankFacts| node.cores_in(&facts.place.cores).count();
    let is_short = |facts: &&RankFacts| matches!(facts.place.device, Device::Gpu(_)) && cores(facts) < CORES_FOR_A_GPU;
    let short: Vec<&RankFacts> = ranks.iter().filter(is_short).collect();
    if idle.is_empty() || short.is_empty() {
        return None;
    }
    let cases = short.iter().map(|facts| {
        format!("rank {} encodes what its GPU computes on {}", facts.local.rank, words::counted(cores(facts), "core"))
    });
    let message = format!("{}: PUs {idle} serve no rank", words::cases(cases));
    let concerned = short.iter().map(|facts| facts.local.rank).collect();
    let mut finding = finding(node, Code::GpuRankFewCores, Severity::Note, concerned, message);
    finding.hint = Some(bind_to_own_cores(node, ranks));
    Some(finding)
}

/// Cores that the job may use and no rank has.
pub(in crate::placement) fn idle_cores(node: &Node, ranks: &[RankFacts]) -> Option<Finding> {
    let idle = idle(node, ranks);
    if idle.is_empty() || ranks.is_empty() {
        return None;
    }
    let message =
        format!("{} of {} cores serve no rank: PUs {idle}", node.cores_in(&idle).count(), node.allowed_cores().count());
    let mut finding = finding(node, Code::CoresIdle, Severity::Note, Vec::new(), message);
    finding.hint = Some(bind_to_own_cores(node, ranks));
    Some(finding)
}

/// Ranks with cores of more than one NUMA node. A warning where as many ranks could be placed without that many doing so.
pub(in crate::placement) fn spanning_ranks(node: &Node, ranks: &[RankFacts]) -> Option<Finding> {
    let spans = |pus: &CpuSet| node.numa_nodes_of(pus).len() > 1;
    let spanning: Vec<&RankFacts> = ranks.iter().filter(|facts| spans(&facts.place.cores)).collect();
    if spanning.is_empty() {
        return None;
    }
    let numa_nodes =
        |pus: &CpuSet| node.numa_nodes_of(pus).into_iter().map(|index| index as usize).collect::<CpuSet>().to_string();
    let cases = spanning
        .iter()
        .map(|facts| format!("rank {} has cores of NUMA nodes {}", facts.local.rank, numa_nodes(&facts.place.cores)));
    let message = words::cases(cases);
    let avoidable = spanning.len() > min_spanning(node, ranks, spans);
    let severity = if avoidable { Severity::Warning } else { Severity::Note };
    let concerned = spanning.iter().map(|facts| facts.local.rank).collect();
    let mut finding = finding(node, Code::RankSpansNumaNodes, severity, concerned, message);
    finding.hint = Some(if avoidable {
        format!("start with {}", written(ranks))
    } else {
        let homes = homes(node.allowed_cores());
        let gpu_ranks = ranks.iter().filter(|facts| matches!(facts.place.device, Device::Gpu(_))).count();
        format!("start {} ranks on this node, then none has to", gpu_ranks + homes.len())
    });
    Some(finding)
}

/// How many ranks span NUMA nodes in the best mapping of as many ranks.
fn min_spanning(node: &Node, ranks: &[RankFacts], spans: impl Fn(&CpuSet) -> bool) -> usize {
    let ranks_per_gpu = super::ranks_by_gpu(ranks).values().map(Vec::len).max().unwrap_or(1);
    let count = u32::try_from(ranks.len()).expect("ranks are C ints");
    let best = map(node, count, &Rules { ranks_per_gpu, ..Rules::default() });
    best.map_or(0, |best| best.iter().filter(|place| spans(&place.cores)).count())
}
