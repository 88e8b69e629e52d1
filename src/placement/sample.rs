//! Made-up nodes and ranks for the tests of this folder.

use super::{Device, DeviceRequest, LocalRank, Visible};
use crate::launcher::Launcher;
use crate::topology::{Core, Gpu, Locality, Node, NumaNode, SlotUnit, Witness};

/// A GPU of each of two NUMA nodes, for [`node`].
pub(super) const TWO_BY_TWO: [(u8, Option<u32>); 2] = [(0x10, Some(0)), (0x20, Some(1))];

/// A device by its kind, or by the bus of a GPU alone.
pub(super) fn in_short(device: Device) -> String {
    match device {
        Device::Gpu(id) => format!("{:02x}", id.bus),
        other => other.to_string(),
    }
}

/// A node with `packages` x `numa` NUMA nodes x `cores` cores with one PU each; each GPU is a bus number and the NUMA node it
/// is near to, if that is known. Bus 0x10 of NUMA node 1 is `(0x10, Some(1))`.
pub(super) fn node(packages: u32, numa: u32, cores: u32, gpus: &[(u8, Option<u32>)]) -> Node {
    let pus_of = |numa: u32| (numa * cores..(numa + 1) * cores).map(|pu| pu as usize).collect();
    let core = |logical: u32| Core {
        logical,
        package: logical / cores / numa,
        numa: Some(logical / cores),
        l3: None,
        kind: 0,
        pus: [logical as usize].into_iter().collect(),
    };
    let gpu = |&(bus, numa): &(u8, Option<u32>)| Gpu {
        pci_bus_id: format!("{bus:02x}:00.0").parse().unwrap(),
        vendor_id: 0x10de,
        device_id: 0x2330,
        name: "NVIDIA H100".into(),
        locality: numa.map_or(Locality::Unknown, |numa| Locality::Near { pus: pus_of(numa), numa: Some(numa) }),
        driver: None,
        uuid: Some(format!("GPU-{bus:02x}ab")),
        partitions: 1,
        nics: Vec::new(),
        seen_by: [Witness::Hwloc, Witness::Kernel].into(),
        doubt: None,
        hwloc_contradicts: None,
    };
    let mut gpus: Vec<Gpu> = gpus.iter().map(gpu).collect();
    gpus.sort_by_key(|gpu| gpu.pci_bus_id);
    Node {
        host: Some("n1".into()),
        packages: Vec::new(),
        numa_nodes: (0..packages * numa)
            .map(|index| NumaNode { os_index: index, pus: pus_of(index), memory_bytes: 0 })
            .collect(),
        cores: (0..packages * numa * cores).map(core).collect(),
        gpus,
        other_displays: Vec::new(),
        slot_unit: SlotUnit::Core,
        witnesses: None,
        allowed: (0..(packages * numa * cores) as usize).collect(),
    }
}

/// One rank for each binding, all with the request `auto` and all GPUs visible.
pub(super) fn ranks(node: &Node, bindings: &[&str]) -> Vec<LocalRank> {
    let rank = |(rank, binding): (usize, &&str)| LocalRank {
        rank: u32::try_from(rank).unwrap(),
        binding: binding.parse().unwrap(),
        request: DeviceRequest::Auto,
        source: None,
        visible: Visible::all(&node.gpus),
        launcher: Some(Launcher::OpenMpi4),
    };
    bindings.iter().enumerate().map(rank).collect()
}
