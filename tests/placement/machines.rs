//! The rules of a good mapping on nodes as computing centres and desks have them: with fewer ranks than GPUs, as many, and more. Their
//! shapes are from the vendors' and centres' descriptions; which NUMA node a GPU hangs on is the point of most of them.

use hybrid::inside::{
    placement::{Place, Rules, map_ranks},
    topology::{Core, CpuSet, Gpu, Locality, Node, NumaNode, SlotUnit, Witness},
};

use super::{rules, table};

/// A node: packages, NUMA nodes of a package, third-level caches of a NUMA node, cores of a cache, hardware threads of a core; and for
/// each GPU its bus and its NUMA node.
type Shape = ([u32; 5], &'static [(u8, u32)]);

const MACHINES: &[(&str, Shape)] = &[
    // A GPU's NUMA node does not follow from its bus.
    (
        "two EPYC 7742 in eight NUMA nodes, eight A100",
        ([2, 4, 4, 4, 2], &[(0x07, 3), (0x0f, 3), (0x47, 1), (0x4e, 1), (0x87, 7), (0x90, 7), (0xb7, 5), (0xbd, 5)]),
    ),
    (
        "two Xeon 8480, eight H100",
        ([2, 1, 1, 56, 2], &[(0x1b, 0), (0x43, 0), (0x52, 0), (0x61, 0), (0x9d, 1), (0xc3, 1), (0xd1, 1), (0xdf, 1)]),
    ),
    (
        "an EPYC 7A53, eight dies of MI250X",
        ([1, 4, 2, 8, 2], &[(0xc1, 3), (0xc6, 3), (0xc9, 1), (0xcc, 1), (0xd1, 0), (0xd6, 0), (0xd9, 2), (0xdc, 2)]),
    ),
    ("an EPYC 7763, four A100 the other way round", ([1, 4, 2, 8, 2], &[(0x03, 3), (0x41, 2), (0x82, 1), (0xc1, 0)])),
    ("two POWER9, six V100", ([2, 1, 11, 2, 4], &[(0x04, 0), (0x05, 0), (0x06, 0), (0x34, 1), (0x35, 1), (0x36, 1)])),
    (
        "two EPYC 7402, four A100 on every second NUMA node",
        ([2, 4, 2, 3, 2], &[(0x03, 1), (0x44, 3), (0x84, 5), (0xc4, 7)]),
    ),
    ("a Xeon 8358 in two halves, four A100", ([1, 2, 1, 16, 1], &[(0x1d, 0), (0x56, 0), (0x8f, 1), (0xc8, 1)])),
    ("two Xeon 8460, four H100", ([2, 1, 1, 40, 2], &[(0x1b, 0), (0x2c, 0), (0x9d, 1), (0xad, 1)])),
    ("four Grace Hopper", ([4, 1, 1, 72, 1], &[(0x01, 0), (0x11, 1), (0x21, 2), (0x31, 3)])),
    (
        "two Xeon Max, six Data Center GPU Max",
        ([2, 1, 1, 52, 2], &[(0x18, 0), (0x42, 0), (0x6c, 0), (0x9a, 1), (0xc4, 1), (0xee, 1)]),
    ),
    ("an EPYC 9654, one GPU", ([1, 1, 12, 8, 2], &[(0xc1, 0)])),
    ("a Threadripper 3990X, two GPUs", ([1, 1, 16, 4, 2], &[(0x21, 0), (0x4b, 0)])),
    (
        "two Xeon 8275, eight A100 of a cloud",
        ([2, 1, 1, 24, 2], &[(0x10, 0), (0x18, 0), (0x20, 0), (0x28, 0), (0x90, 1), (0x98, 1), (0xa0, 1), (0xa8, 1)]),
    ),
    ("a desk with one GPU", ([1, 1, 1, 8, 2], &[(0x01, 0)])),
    ("a small board", ([1, 1, 1, 4, 1], &[])),
    ("four MI300A", ([4, 1, 3, 8, 2], &[(0x01, 0), (0x11, 1), (0x21, 2), (0x31, 3)])),
    ("four packages, GPUs on the first two", ([4, 1, 1, 18, 2], &[(0x1a, 0), (0x1c, 0), (0x5e, 1), (0x60, 1)])),
    ("four packages, a GPU on the last", ([4, 1, 1, 6, 1], &[(0xe1, 3)])),
    ("a Xeon Phi in four quarters", ([1, 4, 1, 17, 4], &[])),
    ("two EPYC 9754 without a GPU", ([2, 4, 4, 8, 1], &[])),
    ("more GPUs than cores", ([1, 1, 1, 4, 1], &[(0x10, 0), (0x11, 0), (0x12, 0), (0x13, 0), (0x14, 0), (0x15, 0)])),
];

fn node(&([packages, numa, caches, cores, threads], gpus): &Shape) -> Node {
    let all = packages * numa * caches * cores;
    let pus = |core: u32| -> CpuSet { (0..threads).map(|thread| (core + thread * all) as usize).collect() };
    let pus_of_numa = |index: u32| -> CpuSet {
        let each = caches * cores;
        (index * each..(index + 1) * each).map(pus).collect::<Vec<_>>().iter().collect()
    };
    let core = |logical: u32| Core {
        logical,
        package: logical / (numa * caches * cores),
        numa: Some(logical / (caches * cores)),
        l3: Some(logical / cores),
        kind: 0,
        pus: pus(logical),
    };
    let gpu = |&(bus, numa): &(u8, u32)| Gpu {
        pci_bus_id: format!("{bus:02x}:00.0").parse().unwrap(),
        vendor_id: 0x10de,
        device_id: 0x2330,
        name: "GPU".to_owned(),
        locality: Locality::Near { pus: pus_of_numa(numa), numa: Some(numa) },
        driver: None,
        uuid: None,
        partitions: 1,
        nics: Vec::new(),
        seen_by: [Witness::Hwloc].into(),
        doubt: None,
        hwloc_contradicts: None,
    };
    Node {
        host: None,
        packages: Vec::new(),
        numa_nodes: (0..packages * numa)
            .map(|index| NumaNode { os_index: index, pus: pus_of_numa(index), memory_bytes: 0 })
            .collect(),
        cores: (0..all).map(core).collect(),
        gpus: gpus.iter().map(gpu).collect(),
        other_displays: Vec::new(),
        allowed: (0..all).map(pus).collect::<Vec<_>>().iter().collect(),
        slot_unit: SlotUnit::Core,
        witnesses: None,
    }
}

#[test]
fn the_rules_hold_on_the_nodes_of_centres_and_desks() {
    let stored = super::topologies().len();
    assert!(stored + MACHINES.len() >= 40, "{stored} stored topologies and {} made up here", MACHINES.len());
    for (name, shape) in MACHINES {
        let node = node(shape);
        let (gpus, cores) = (node.gpus.len(), node.cores.len());
        let numa = node.numa_nodes.len();
        let near = [1, gpus.saturating_sub(1), gpus, gpus + 1, numa, gpus + numa, cores / 2, cores, cores + 3];
        for ranks in near.into_iter().filter(|ranks| *ranks > 0) {
            let ranks = u32::try_from(ranks).unwrap();
            let rules = Rules::default();
            let facts = map_ranks(&node, 0..ranks, &rules).unwrap();
            let places: Vec<Place> = facts.iter().map(|facts| facts.place.clone()).collect();
            let broken = rules::broken(&node, &rules, &places);
            assert!(broken.is_empty(), "{name}, {ranks} ranks:\n{}\n{broken:#?}", table(&node, &facts));
        }
    }
}
