//! What lies near to what, where the sources differ or do not tell: the memory of a core, the cores beside a GPU. Pure.

use std::collections::BTreeSet;

use super::{CpuSet, Locality, Node, NumaNode};

/// What the kernel says of the place of a PCI function.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub(super) struct KernelSays {
    /// NUMA node by operating system index, where it names one.
    pub(super) numa: Option<u32>,
    /// The PUs next to the function; all of them, or none, where it does not know.
    pub(super) pus: CpuSet,
}

/// Where a GPU hangs, and what was not believed.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct Place {
    pub(super) locality: Locality,
    /// The PUs that hwloc hangs it on, where the kernel's NUMA node has none of them.
    pub(super) hwloc_contradicts: Option<CpuSet>,
}

/// Memory of a package is nearer to a core than memory of the whole machine. Fast memory may share its PUs with ordinary
/// memory, which has the lower index.
pub(super) fn nearest_memory(numa_nodes: &[NumaNode], pus: &CpuSet) -> Option<u32> {
    let around = numa_nodes.iter().filter(|node| pus.is_subset(&node.pus));
    around.min_by_key(|node| (node.pus.len(), node.os_index)).map(|node| node.os_index)
}

/// What is near, from the PUs that hwloc hangs a device on and what the kernel says: from whoever knows it.
///
/// The kernel wins where they contradict: on boards whose GPU hangs on the processor by another link than PCI, the place on
/// the PCI bus is not the place that counts.
pub(super) fn place(node: &Node, hwloc_says: CpuSet, kernel_says: &KernelSays) -> Place {
    let nodes_with_pus: BTreeSet<u32> = node.cores.iter().filter_map(|core| core.numa).collect();
    let covers_all = |pus: &CpuSet| node.cores.iter().all(|core| core.pus.is_subset(pus));
    let tells = |pus: &CpuSet| !pus.is_empty() && (nodes_with_pus.len() <= 1 || !covers_all(pus));
    let of_node: CpuSet = node.cores.iter().map(|core| &core.pus).collect();
    let has_pus = |numa: &&NumaNode| Some(numa.os_index) == kernel_says.numa && !numa.pus.is_empty();
    let (pus, hwloc_contradicts) = match node.numa_nodes.iter().find(has_pus) {
        Some(numa) if tells(&hwloc_says) && !numa.pus.intersects(&hwloc_says) => (numa.pus.clone(), Some(hwloc_says)),
        Some(numa) if !tells(&hwloc_says) => (numa.pus.clone(), None),
        _ => match [hwloc_says, &kernel_says.pus & &of_node].into_iter().find(tells) {
            Some(pus) => (pus, None),
            None => return Place { locality: Locality::Unknown, hwloc_contradicts: None },
        },
    };
    let numa = node.numa_nodes_of(&pus);
    let numa = numa.first().copied().filter(|_| numa.len() == 1);
    Place { locality: Locality::Near { numa, pus }, hwloc_contradicts }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::topology::{Core, SlotUnit};

    /// Two packages with one NUMA node and one core each.
    fn two_packages() -> Node {
        let numa =
            |index: u32| NumaNode { os_index: index, pus: [index as usize].into_iter().collect(), memory_bytes: 0 };
        let core = |index: u32| Core {
            logical: index,
            package: index,
            numa: Some(index),
            l3: None,
            kind: 0,
            pus: [index as usize].into_iter().collect(),
        };
        Node {
            host: None,
            packages: Vec::new(),
            numa_nodes: vec![numa(0), numa(1)],
            cores: vec![core(0), core(1)],
            gpus: Vec::new(),
            other_displays: Vec::new(),
            slot_unit: SlotUnit::Core,
            witnesses: None,
            allowed: "0-1".parse().unwrap(),
        }
    }

    #[test]
    fn the_nearest_memory_is_the_smallest_around_a_core_and_of_several_the_first() {
        let numa = |os_index: u32, pus: &str| NumaNode { os_index, pus: pus.parse().unwrap(), memory_bytes: 0 };
        let nodes = [numa(0, "0-7"), numa(1, "0-3"), numa(2, "4-7"), numa(3, "4-7"), numa(4, "")];
        let of = |pus: &str| nearest_memory(&nodes, &pus.parse().unwrap());
        assert_eq!([of("1"), of("5-6"), of("3-4"), of("9")], [Some(1), Some(2), Some(0), None]);
    }

    #[test]
    fn whoever_knows_it_is_believed_and_unknown_is_better_than_wrong() {
        let near = |pus: &str, numa| Locality::Near { pus: pus.parse().unwrap(), numa };
        for (hwloc_says, numa, kernels_pus, expected, contradicts) in [
            ("0", None, "", near("0", Some(0)), None),
            ("0", Some(0), "0", near("0", Some(0)), None),
            ("0", Some(1), "1", near("1", Some(1)), Some("0")),
            ("0-1", None, "0-1", Locality::Unknown, None),
            ("0-1", None, "1", near("1", Some(1)), None),
            ("0-1", Some(1), "", near("1", Some(1)), None),
            ("", None, "", Locality::Unknown, None),
            ("", None, "0", near("0", Some(0)), None),
            ("", None, "0-63", Locality::Unknown, None),
            ("", Some(1), "0-1", near("1", Some(1)), None),
            ("1", Some(7), "0", near("1", Some(1)), None),
        ] {
            let kernel_says = KernelSays { numa, pus: kernels_pus.parse().unwrap() };
            let place = place(&two_packages(), hwloc_says.parse().unwrap(), &kernel_says);
            let expected = Place { locality: expected, hwloc_contradicts: contradicts.map(|pus| pus.parse().unwrap()) };
            assert_eq!(place, expected, "hwloc {hwloc_says:?}, kernel {kernel_says:?}");
        }
    }

    #[test]
    fn on_a_node_with_one_numa_node_everything_is_near() {
        let mut node = two_packages();
        node.cores.iter_mut().for_each(|core| core.numa = Some(0));
        let all: CpuSet = "0-1".parse().unwrap();
        let expected = Locality::Near { pus: all.clone(), numa: Some(0) };
        assert_eq!(place(&node, all.clone(), &KernelSays::default()).locality, expected);
        // As in a virtual machine: the kernel names no NUMA node and all PUs.
        let kernel_says = KernelSays { numa: None, pus: all };
        assert_eq!(place(&node, CpuSet::new(), &kernel_says).locality, expected);
    }
}
