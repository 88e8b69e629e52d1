//! Cores and devices for the ranks of a job that has not started: what a rankfile should request.

use std::ops::Range;

use super::{Code, DeviceRequest, LocalRank, Placement, Rules, Visible, choose};
use crate::{error::Error, launcher::Launcher, topology::Node};

/// The best places for `ranks` ranks on `node`, numbered from 0: the ranks of GPUs come first, in the order of the PCI bus
/// ids.
///
/// # Errors
/// As [`choose`] has it; a node without an allowed core has no place for a rank.
pub fn map(node: &Node, ranks: u32, rules: &Rules) -> Result<Placement, Error> {
    map_ranks(node, 0..ranks, rules)
}

/// The same for ranks with these numbers, as those of the second node of a job.
///
/// # Errors
/// As [`map`] has it.
pub fn map_ranks(node: &Node, ranks: Range<u32>, rules: &Rules) -> Result<Placement, Error> {
    let free = |rank| LocalRank {
        rank,
        binding: node.allowed.clone(),
        request: DeviceRequest::Auto,
        source: None,
        visible: Visible::all(&node.gpus),
        // A launcher that reads what is written.
        launcher: Some(Launcher::OpenMpi5),
    };
    let ranks: Vec<LocalRank> = ranks.map(free).collect();
    let mut placement = choose(node, &ranks, rules)?;
    // They are unbound because nobody has bound them yet.
    placement.findings.retain(|finding| finding.code != Code::RankUnbound);
    Ok(placement)
}
