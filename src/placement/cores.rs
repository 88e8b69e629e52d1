//! The cores of each rank of a node: ranks whose bindings overlap share out what they have in common. Knows nothing of how
//! the devices were assigned, but that a rank that drives a GPU wants a core beside it.

use super::{
    Device,
    assign_cores::{Claim, assign_cores},
    contest::contest,
};
use crate::topology::{Core, CpuSet, Node};

/// The PUs of each rank's own cores. Ranks whose bindings overlap, be it by way of a third, share them out.
pub(super) fn cores(node: &Node, bindings: &[CpuSet], devices: &[Device]) -> Vec<CpuSet> {
    let mut own = vec![CpuSet::new(); bindings.len()];
    for group in overlapping(bindings) {
        let union: CpuSet = group.iter().map(|&rank| &bindings[rank]).collect();
        let cores: Vec<Core> =
            node.cores_in(&union).map(|core| Core { pus: &core.pus & &union, ..core.clone() }).collect();
        let assigned = if group.iter().all(|&rank| bindings[rank] == union) {
            let near: Vec<Option<CpuSet>> = group.iter().map(|&rank| near_gpu(node, &union, devices[rank])).collect();
            let claims: Vec<Claim<'_>> =
                group.iter().zip(&near).map(|(&rank, near)| claim(devices[rank], near.as_ref())).collect();
            assign_cores(&cores, &claims)
        } else {
            let eligible: Vec<Vec<usize>> = group
                .iter()
                .map(|&rank| (0..cores.len()).filter(|&core| cores[core].pus.intersects(&bindings[rank])).collect())
                .collect();
            contest(cores.len(), &eligible)
        };
        for (&rank, mine) in group.iter().zip(assigned) {
            let pus: CpuSet = mine.into_iter().map(|core| &cores[core].pus).collect();
            own[rank] = &pus & &bindings[rank];
        }
    }
    own
}

/// The PUs next to a GPU; where none of them is in `usable`, those that are left nearest: of its package. `None` where no PU is
/// nearer than another.
fn near_gpu(node: &Node, usable: &CpuSet, device: Device) -> Option<CpuSet> {
    let Device::Gpu(id) = device else { return None };
    let near = node.gpu(id)?.locality.pus()?;
    if near.intersects(usable) {
        return Some(near.clone());
    }
    let packages = node.packages_of(near);
    let on_package = node.cores_in(usable).filter(|core| packages.contains(&core.package));
    Some(on_package.map(|core| &core.pus).collect()).filter(|near: &CpuSet| !near.is_empty())
}

fn claim(device: Device, near: Option<&CpuSet>) -> Claim<'_> {
    match device {
        Device::Gpu(_) => Claim::Drive(near),
        // A software adapter computes on the rank's cores.
        Device::Cpu | Device::SoftwareGpu => Claim::Compute,
    }
}

/// Groups of ranks that are tied by overlapping bindings, each in ascending order.
fn overlapping(bindings: &[CpuSet]) -> Vec<Vec<usize>> {
    let mut groups = Vec::<(CpuSet, Vec<usize>)>::new();
    for (rank, binding) in bindings.iter().enumerate() {
        let (tied, mut apart): (Vec<_>, Vec<_>) = groups.into_iter().partition(|(union, _)| union.intersects(binding));
        let mut members: Vec<usize> = tied.iter().flat_map(|(_, members)| members.iter().copied()).collect();
        members.push(rank);
        members.sort_unstable();
        apart.push((tied.iter().map(|(union, _)| union).chain([binding]).collect(), members));
        groups = apart;
    }
    groups.into_iter().map(|(_, members)| members).collect()
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::placement::sample::node;

    /// The cores of ranks that all compute on them.
    fn shared_out(node: &Node, bindings: &[&str]) -> Vec<String> {
        let bindings: Vec<CpuSet> = bindings.iter().map(|pus| pus.parse().unwrap()).collect();
        cores(node, &bindings, &vec![Device::Cpu; bindings.len()]).iter().map(ToString::to_string).collect()
    }

    #[test]
    fn bindings_that_overlap_in_part_are_made_disjoint() {
        let node = node(1, 1, 4, &[]);
        assert_eq!(shared_out(&node, &["0-3", "0"]), ["1-3", "0"]);
        assert_eq!(shared_out(&node, &["0-2", "1-3"]), ["0,2", "1,3"]);
        let six = self::node(1, 1, 6, &[]);
        assert_eq!(shared_out(&six, &["0-4", "0-5"]), ["1-3", "0,4-5"], "three cores for each");
        assert_eq!(shared_out(&node, &["0-1", "1-2", "2-3", "3"]), ["0", "1", "2", "3"]);
    }

    #[test]
    fn a_rank_bound_to_half_a_core_keeps_to_that_half() {
        let mut node = node(1, 1, 2, &[]);
        node.cores[0].pus = "0,2".parse().unwrap();
        node.cores[1].pus = "1,3".parse().unwrap();
        node.allowed = "0-3".parse().unwrap();
        assert_eq!(shared_out(&node, &["0-1", "0-3"]), ["1", "0,2"]);
    }
}
