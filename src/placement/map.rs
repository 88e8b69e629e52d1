//! Cores and devices for the ranks of a job that has not started: what a rankfile should request.

use std::ops::Range;

use super::{DeviceRequest, LocalRank, Place, PlacementError, RankFacts, Rules, Visible, choose};
use crate::{launcher::Launcher, topology::Node};

/// The best places for `ranks` ranks on `node`, numbered from 0: the ranks of GPUs come first, in the order of the PCI bus
/// ids.
///
/// # Errors
/// As [`choose`] has it; a node without an allowed core has no place for a rank.
pub fn map(node: &Node, ranks: u32, rules: &Rules) -> Result<Vec<Place>, PlacementError> {
    choose(node, &unbound(node, 0..ranks), rules)
}

/// The same for ranks with these numbers, as those of the second node of a job, as what is known of them if a launcher follows.
///
/// # Errors
/// As [`map`] has it.
pub fn map_ranks(node: &Node, ranks: Range<u32>, rules: &Rules) -> Result<Vec<RankFacts>, PlacementError> {
    let locals = unbound(node, ranks);
    let places = choose(node, &locals, rules)?;
    let facts = locals.into_iter().zip(places).map(|(local, place)| RankFacts { local, place, requested: None });
    Ok(facts.collect())
}

/// Ranks that nobody has bound yet.
fn unbound(node: &Node, ranks: Range<u32>) -> Vec<LocalRank> {
    let free = |rank| LocalRank {
        rank,
        binding: node.allowed.clone(),
        request: DeviceRequest::Auto,
        source: None,
        visible: Visible::all(&node.gpus),
        // A launcher that reads what is written.
        launcher: Some(Launcher::OpenMpi5),
    };
    ranks.map(free).collect()
}
