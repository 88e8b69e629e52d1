//! Ranks without GPUs on many made-up nodes: their cores are neighbours, shared evenly and by nobody twice.

use hybrid::inside::{
    placement::{Place, Rules, map},
    topology::{Core, CpuSet, Node, NumaNode, SlotUnit, homes},
};

/// A node of packages with NUMA nodes with so many cores, one PU each; a package of one group alone has no NUMA node where
/// `bare` says so.
fn node(packages: &[Vec<usize>], bare: bool) -> Node {
    let (mut cores, mut numa_nodes) = (Vec::new(), Vec::new());
    for (package, groups) in (0..).zip(packages) {
        for &size in groups {
            let first = cores.len();
            let pus: CpuSet = (first..first + size).collect();
            let has_memory = !(bare && groups.len() == 1);
            let numa = has_memory.then(|| u32::try_from(numa_nodes.len()).unwrap());
            let core = |pu: usize| Core {
                logical: u32::try_from(pu).unwrap(),
                package,
                numa,
                l3: None,
                kind: 0,
                pus: [pu].into_iter().collect(),
            };
            cores.extend((first..first + size).map(core));
            numa_nodes.extend(numa.map(|os_index| NumaNode { os_index, pus, memory_bytes: 0 }));
        }
    }
    Node {
        host: None,
        packages: Vec::new(),
        numa_nodes,
        allowed: (0..cores.len()).collect(),
        cores,
        gpus: Vec::new(),
        other_displays: Vec::new(),
        slot_unit: SlotUnit::Core,
        witnesses: None,
    }
}

/// The NUMA nodes of a place, and packages without one, by their order on the node.
fn homes_of(node: &Node, place: &Place) -> Vec<usize> {
    let is_mine = |home: &[usize]| home.iter().any(|&core| node.cores[core].pus.intersects(&place.cores));
    (0..).zip(homes(&node.cores)).filter(|(_, home)| is_mine(home)).map(|(index, _)| index).collect()
}

fn differ_by_more_than_one(sizes: impl Iterator<Item = usize> + Clone) -> bool {
    sizes.clone().max().zip(sizes.min()).is_some_and(|(most, least)| most - least > 1)
}

/// What is wrong with places of ranks that all compute on cores, no more ranks than those; `even` where all NUMA nodes are of
/// one size.
fn wrong(node: &Node, places: &[Place], even: bool) -> Vec<String> {
    let mut wrong = Vec::new();
    let mut assigned = CpuSet::new();
    for place in places {
        let homes = homes_of(node, place);
        if homes.windows(2).any(|pair| pair[1] != pair[0] + 1) {
            wrong.push(format!("rank {} has NUMA nodes that are no neighbours: {homes:?}", place.rank));
        }
        let pus: Vec<usize> = place.cores.iter().collect();
        if pus.windows(2).any(|pair| pair[1] != pair[0] + 1) {
            wrong.push(format!("rank {} has cores that are no neighbours: {}", place.rank, place.cores));
        }
        if place.cores.is_empty() || assigned.intersects(&place.cores) {
            wrong.push(format!("rank {} has no core of its own: {}", place.rank, place.cores));
        }
        assigned = &assigned | &place.cores;
    }
    if assigned != node.allowed {
        wrong.push(format!("cores {assigned} are assigned, of {}", node.allowed));
    }
    let count = homes(&node.cores).len();
    if places.len() <= count && even && differ_by_more_than_one(places.iter().map(|place| homes_of(node, place).len()))
    {
        wrong.push("some ranks have two NUMA nodes more than others".to_owned());
    }
    if places.len() >= count {
        if places.iter().any(|place| homes_of(node, place).len() > 1) {
            wrong.push("a rank spans NUMA nodes although there are ranks enough".to_owned());
        }
        for home in 0..count {
            let here = places.iter().filter(|place| homes_of(node, place) == [home]);
            if differ_by_more_than_one(here.map(|place| place.cores.len())) {
                wrong.push(format!("NUMA node {home} is shared unevenly"));
            }
        }
    }
    wrong
}

/// Nodes of up to four packages with up to six NUMA nodes of up to four cores.
fn regular() -> Vec<Node> {
    let mut nodes = Vec::new();
    for packages in 1..=4 {
        for numa_nodes in 1..=6 {
            nodes.extend((1..=4).map(|cores| node(&vec![vec![cores; numa_nodes]; packages], false)));
        }
    }
    nodes
}

/// Nodes whose NUMA nodes have different sizes, some of their packages without memory.
fn irregular() -> Vec<Node> {
    let size = |seed: usize| 1 + (seed * 7 + seed / 3) % 5;
    let package = |seed: usize| (0..1 + seed % 4).map(|numa| size(seed + 11 * numa)).collect();
    (0..60).map(|seed| node(&(0..1 + seed % 3).map(|it| package(seed + 5 * it)).collect::<Vec<_>>(), true)).collect()
}

#[test]
fn every_number_of_ranks_has_neighbours_on_every_node() {
    let nodes = regular().into_iter().map(|node| (node, true)).chain(irregular().into_iter().map(|node| (node, false)));
    let mut tried = 0;
    for (node, even) in nodes {
        for ranks in 1..=u32::try_from(node.cores.len()).unwrap() {
            let places = map(&node, ranks, &Rules::default()).unwrap();
            assert_eq!(wrong(&node, &places, even), [""; 0], "{ranks} ranks on {:?}: {places:?}", node.cores);
            tried += 1;
        }
    }
    assert!(tried > 2000, "{tried}");
}

#[test]
fn no_rank_is_on_two_packages_where_each_package_has_ranks_enough() {
    for (numa_nodes, ranks) in [(3, 4), (6, 4), (6, 8), (4, 6), (5, 4)] {
        let node = node(&[vec![2; numa_nodes], vec![2; numa_nodes]], false);
        let places = map(&node, ranks, &Rules::default()).unwrap();
        let spanning = places.iter().filter(|place| node.packages_of(&place.cores).len() > 1).count();
        assert_eq!(spanning, 0, "{ranks} ranks on 2 x {numa_nodes} NUMA nodes: {places:?}");
    }
}

#[test]
fn numa_nodes_dealt_in_turn_are_rejected_and_so_is_a_shared_core() {
    let node = node(&[vec![2; 4], vec![2; 4]], false);
    let mut places = map(&node, 2, &Rules::default()).unwrap();
    places[0].cores = "0-1,4-5,8-9,12-13".parse().unwrap();
    places[1].cores = "2-3,6-7,10-11,14-15".parse().unwrap();
    assert!(wrong(&node, &places, true)[0].contains("no neighbours: [0, 2, 4, 6]"));
    places[1].cores = "0-15".parse().unwrap();
    assert!(wrong(&node, &places, true).iter().any(|it| it.contains("no core of its own")));
}
