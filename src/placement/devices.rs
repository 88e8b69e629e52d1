//! The device of each rank of a node: what each may have and how far that is from it, before it is assigned by [`assign_gpus`],
//! and what is said to a rank that comes away without what it must have.

use super::{
    Device, DeviceRequest, LocalRank, PlacementError, Rules,
    assign_gpus::{Bidder, assign_gpus},
    distance,
    refusal::refusal,
};
use crate::topology::{CpuSet, Node, PciBusId};

/// The device of each of `ranks`, of whose bindings the job may use `bindings`.
///
/// # Errors
/// As [`refusal`] has it, where a rank that must have a GPU gets none.
pub(super) fn devices(
    node: &Node,
    ranks: &[LocalRank],
    bindings: &[CpuSet],
    rules: &Rules,
) -> Result<Vec<Device>, PlacementError> {
    let bidders: Vec<Bidder> = ranks
        .iter()
        .zip(bindings)
        .map(|(rank, binding)| {
            let is_acceptable = |id: PciBusId| match rank.request {
                DeviceRequest::Auto | DeviceRequest::Gpu => rank.visible.gpus.contains(&id),
                // Who names a GPU means that one, whatever a variable says.
                DeviceRequest::ThisGpu(wanted) => wanted == id,
                DeviceRequest::Cpu => false,
            };
            let acceptable = node.gpus.iter().filter(|gpu| is_acceptable(gpu.pci_bus_id));
            Bidder {
                must: matches!(rank.request, DeviceRequest::Gpu | DeviceRequest::ThisGpu(_)),
                acceptable: acceptable.map(|gpu| (gpu.pci_bus_id, distance(node, binding, &gpu.locality))).collect(),
                software: matches!(rank.request, DeviceRequest::Auto | DeviceRequest::Gpu),
            }
        })
        .collect();
    let devices = assign_gpus(&bidders, &node.gpus, rules.ranks_per_gpu, rules.software.per_node());
    match bidders.iter().zip(&devices).position(|(bidder, device)| bidder.must && device.is_none()) {
        Some(loser) => Err(refusal(node, ranks, &devices, loser, rules)),
        None => Ok(devices.into_iter().map(|device| device.unwrap_or(Device::Cpu)).collect()),
    }
}

#[cfg(test)]
mod tests {
    use super::{super::Software, *};
    use crate::{
        placement::{
            Visible,
            sample::{TWO_BY_TWO, in_short, node, ranks},
        },
        topology::Locality,
    };

    /// `binding device` of each rank, with the bus of a GPU alone.
    fn assigned(node: &Node, ranks: &[LocalRank], rules: &Rules) -> Vec<String> {
        let bindings: Vec<CpuSet> = ranks.iter().map(|rank| rank.binding.clone()).collect();
        let devices = devices(node, ranks, &bindings, rules).unwrap();
        bindings.iter().zip(devices).map(|(binding, device)| format!("{binding} {}", in_short(device))).collect()
    }

    fn bound(node: &Node, bindings: &[&str], rules: &Rules) -> Vec<String> {
        assigned(node, &ranks(node, bindings), rules)
    }

    #[test]
    fn gpus_go_to_the_ranks_beside_them_not_to_the_first_ranks() {
        let node = node(2, 1, 4, &TWO_BY_TWO);
        let bindings = ["0-1", "2-3", "4-5", "6-7"];
        assert_eq!(bound(&node, &bindings, &Rules::default()), ["0-1 10", "2-3 cpu", "4-5 20", "6-7 cpu"]);
    }

    #[test]
    fn a_rank_near_two_gpus_leaves_its_neighbor_the_only_one_that_is_near_to_it() {
        let mut node = node(2, 1, 2, &[(0x10, Some(0)), (0x20, Some(1))]);
        node.gpus[0].locality = Locality::Near { pus: "0-3".parse().unwrap(), numa: None };
        assert_eq!(bound(&node, &["2", "0"], &Rules::default()), ["2 20", "0 10"]);
    }

    #[test]
    fn crossed_numbering_does_not_cross_the_ranks() {
        let node = node(2, 1, 4, &[(0x10, Some(1)), (0x20, Some(1)), (0x30, Some(0)), (0x40, Some(0))]);
        let bindings = ["0", "1", "4", "5"];
        assert_eq!(bound(&node, &bindings, &Rules::default()), ["0 30", "1 40", "4 10", "5 20"]);
    }

    #[test]
    fn a_gpu_is_shared_only_on_demand_and_only_when_all_are_used() {
        let node = node(2, 1, 4, &TWO_BY_TWO);
        let rules = Rules { ranks_per_gpu: 2, ..Rules::default() };
        assert_eq!(bound(&node, &["0", "1", "2"], &rules), ["0 10", "1 10", "2 20"]);
        assert_eq!(bound(&node, &["0", "1", "2", "3", "4"], &rules), ["0 10", "1 10", "2 20", "3 cpu", "4 20"]);
    }

    #[test]
    fn a_software_adapter_serves_one_rank_after_the_real_gpus() {
        let rules = Rules { software: Software::OnePerNode, ..Rules::default() };
        let bindings = ["0", "1", "2"];
        assert_eq!(bound(&node(1, 1, 4, &[]), &bindings, &rules), ["0 software gpu", "1 cpu", "2 cpu"]);
        let with_gpu = node(1, 1, 4, &[(0x10, Some(0))]);
        assert_eq!(bound(&with_gpu, &bindings, &rules), ["0 10", "1 software gpu", "2 cpu"]);
    }

    #[test]
    fn requests_come_before_nearness() {
        let node = node(2, 1, 4, &TWO_BY_TWO);
        let mut ranks = ranks(&node, &["0", "1", "4"]);
        ranks[1].request = DeviceRequest::ThisGpu("20:00.0".parse().unwrap());
        ranks[2].request = DeviceRequest::Gpu;
        assert_eq!(assigned(&node, &ranks, &Rules::default()), ["0 cpu", "1 20", "4 10"]);
    }

    #[test]
    fn an_explicit_gpu_is_had_although_a_variable_hides_it() {
        let node = node(1, 1, 1, &TWO_BY_TWO[..1]);
        let mut ranks = ranks(&node, &["0"]);
        ranks[0].visible = Visible::default();
        ranks[0].request = DeviceRequest::ThisGpu(node.gpus[0].pci_bus_id);
        assert_eq!(assigned(&node, &ranks, &Rules::default()), ["0 10"]);
    }
}
