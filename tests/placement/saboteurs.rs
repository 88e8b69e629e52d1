//! Mappings as they are made elsewhere or by mistake; the rules must reject each.

use hybrid::inside::{
    placement::{Device, Place, Rules, map},
    topology::{CpuSet, Node},
};

use crate::{rules::broken, topology};

/// A mapping of `ranks` ranks on a stored topology, spoiled, and what the rules say then.
fn spoiled(name: &str, ranks: u32, spoil: impl FnOnce(&Node, &mut Vec<Place>)) -> String {
    let node = topology(name);
    let mut places = map(&node, ranks, &Rules::default()).unwrap();
    assert_eq!(broken(&node, &Rules::default(), &places), [""; 0], "{name} is right before it is spoiled");
    spoil(&node, &mut places);
    broken(&node, &Rules::default(), &places).join("\n")
}

fn assert_says(broken: &str, complaint: &str) {
    assert!(broken.contains(complaint), "lacks `{complaint}`:\n{broken}");
}

#[test]
fn gpus_dealt_by_local_rank_alone_are_rejected() {
    let complaint = spoiled("crossed-numbering", 8, |node, places| {
        let gpus = node.gpus.len();
        places.sort_by_key(|place| place.cores.first());
        places.iter_mut().enumerate().for_each(|(rank, place)| {
            place.device = Device::Gpu(node.gpus[rank % gpus].pci_bus_id);
        });
    });
    assert_says(&complaint, "would each gain by the other's GPU");
}

#[test]
fn a_rank_on_the_far_package_is_rejected() {
    let complaint = spoiled("two-sockets-four-gpus", 6, |_, places| {
        let near = std::mem::take(&mut places[0].cores);
        let far = std::mem::replace(&mut places[5].cores, near);
        places[0].cores = far.iter().take(1).collect();
        places[5].cores = &places[5].cores | &far.iter().skip(1).collect();
    });
    assert_says(&complaint, "rank 0 is far from GPU 0000:07:00.0");
}

#[test]
fn an_idle_core_is_rejected() {
    let complaint = spoiled("laptop", 2, |_, places| {
        places[1].cores = "3,7".parse().unwrap();
        places[1].threads = 1;
    });
    assert_says(&complaint, "core 2 is idle");
}

#[test]
fn a_core_with_two_ranks_is_rejected() {
    let complaint = spoiled("raspberry-pi", 2, |_, places| {
        places[0].cores = "0-2".parse().unwrap();
        places[0].threads = 3;
    });
    assert_says(&complaint, "core 2 is shared by ranks [0, 1]");
}

#[test]
fn half_a_core_and_a_thread_too_many_are_rejected() {
    let complaint = spoiled("smt-four", 3, |_, places| places[0].cores = &places[0].cores - &"0".parse().unwrap());
    assert_says(&complaint, "parts of cores");
    let complaint = spoiled("smt-four", 3, |_, places| places[0].threads += 1);
    assert_says(&complaint, "threads on");
}

#[test]
fn a_gpu_left_out_or_shared_is_rejected() {
    let complaint = spoiled("eight-gpus-one-socket", 8, |_, places| places[7].device = Device::Cpu);
    assert_says(&complaint, "7 of 8 GPUs are used");
    let complaint = spoiled("eight-gpus-one-socket", 8, |_, places| places[7].device = places[6].device);
    assert_says(&complaint, "serves 2 ranks");
}

#[test]
fn cpu_ranks_across_numa_nodes_or_with_uneven_shares_are_rejected() {
    let set = |text: &str| text.parse::<CpuSet>().unwrap();
    let complaint = spoiled("part-of-a-node", 4, |_, places| {
        let (a, b) = (places[2].cores.clone(), places[3].cores.clone());
        assert_eq!((&a, &b), (&set("1"), &set("9-11")));
        places[2].cores = set("1,11");
        places[3].cores = set("9-10");
        places[2].threads = 2;
        places[3].threads = 2;
    });
    assert_says(&complaint, "ranks [2] span NUMA nodes");
    let complaint = spoiled("raspberry-pi", 2, |_, places| {
        places[0].cores = set("0");
        places[1].cores = set("1-3");
    });
    assert_says(&complaint, "shared unevenly: [1, 3]");
}

#[test]
fn numa_nodes_dealt_in_turn_are_rejected() {
    let set = |text: &str| text.parse::<CpuSet>().unwrap();
    let complaint = spoiled("caches-as-numa", 2, |_, places| {
        places[0].cores = set("0-1,4-5,8-9,12-13,16-17,20-21");
        places[1].cores = set("2-3,6-7,10-11,14-15,18-19,22-23");
    });
    assert_says(&complaint, "rank 0 has cores that are no neighbours");
}

#[test]
fn a_gpu_rank_that_takes_cores_from_cpu_ranks_is_rejected() {
    let complaint = spoiled("eight-gpus-one-socket", 9, |_, places| {
        let (taken, rest): (Vec<usize>, Vec<usize>) = places[8].cores.iter().partition(|&pu| pu < 10);
        places[0].cores = &places[0].cores | &taken.into_iter().collect();
        places[8].cores = rest.into_iter().collect();
    });
    assert_says(&complaint, "GPU rank 0 takes 3 cores from CPU ranks");
}

#[test]
fn crowding_one_core_is_rejected() {
    let complaint = spoiled("raspberry-pi", 8, |_, places| places[1].cores = places[0].cores.clone());
    assert_says(&complaint, "ranks on each core: [3, 1, 2, 2]");
}
