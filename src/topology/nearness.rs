//! What lies near to what, where the sources differ or do not tell: the memory of a core, the cores beside a GPU. Pure.

use std::collections::BTreeSet;

use super::{CpuSet, Locality, Node, NumaNode};

/// Memory of a package is nearer to a core than memory of the whole machine. Fast memory may share its PUs with ordinary
/// memory, which has the lower index.
pub(super) fn nearest_memory(numa_nodes: &[NumaNode], pus: &CpuSet) -> Option<u32> {
    let around = numa_nodes.iter().filter(|node| pus.is_subset(&node.pus));
    around.min_by_key(|node| (node.pus.len(), node.os_index)).map(|node| node.os_index)
}

/// What is near, from the PUs that hwloc hangs a device on and the NUMA node that the kernel names, if it does.
///
/// The kernel wins where they contradict: on boards whose GPU hangs on the processor by another link than PCI, the place on
/// the PCI bus is not the place that counts.
pub(super) fn locality(node: &Node, hwloc_says: CpuSet, kernel_says: Option<u32>) -> Locality {
    let nodes_with_pus: BTreeSet<u32> = node.cores.iter().filter_map(|core| core.numa).collect();
    let kernels = node.numa_nodes.iter().find(|numa| Some(numa.os_index) == kernel_says && !numa.pus.is_empty());
    let covers_all = node.cores.iter().all(|core| core.pus.is_subset(&hwloc_says));
    let unknown = hwloc_says.is_empty() || (covers_all && nodes_with_pus.len() > 1);
    let pus = match kernels {
        Some(numa) if unknown || !numa.pus.intersects(&hwloc_says) => numa.pus.clone(),
        _ if unknown => return Locality::Unknown,
        _ => hwloc_says,
    };
    let numa = node.numa_nodes_of(&pus);
    Locality::Near { numa: numa.first().copied().filter(|_| numa.len() == 1), pus }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::topology::Core;

    /// Two packages with one NUMA node and one core each.
    fn two_packages() -> Node {
        let numa =
            |index: u32| NumaNode { os_index: index, pus: [index as usize].into_iter().collect(), memory_bytes: 0 };
        let core = |index: u32| Core {
            logical: index,
            package: index,
            numa: Some(index),
            pus: [index as usize].into_iter().collect(),
        };
        Node {
            host: None,
            packages: Vec::new(),
            numa_nodes: vec![numa(0), numa(1)],
            cores: vec![core(0), core(1)],
            gpus: Vec::new(),
            other_displays: Vec::new(),
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
    fn locality_is_unknown_rather_than_wrong() {
        let near = |pus: &str, numa| Locality::Near { pus: pus.parse().unwrap(), numa };
        for (hwloc_says, kernel_says, expected) in [
            ("0", None, near("0", Some(0))),
            ("0", Some(0), near("0", Some(0))),
            ("0", Some(1), near("1", Some(1))),
            ("0-1", None, Locality::Unknown),
            ("0-1", Some(1), near("1", Some(1))),
            ("", None, Locality::Unknown),
            ("1", Some(7), near("1", Some(1))),
        ] {
            let locality = locality(&two_packages(), hwloc_says.parse().unwrap(), kernel_says);
            assert_eq!(locality, expected, "hwloc {hwloc_says:?}, kernel {kernel_says:?}");
        }
    }

    #[test]
    fn on_a_node_with_one_numa_node_everything_is_near() {
        let mut node = two_packages();
        node.cores.iter_mut().for_each(|core| core.numa = Some(0));
        let expected = Locality::Near { pus: "0-1".parse().unwrap(), numa: Some(0) };
        assert_eq!(locality(&node, "0-1".parse().unwrap(), None), expected);
    }
}
