//! The rules of a good mapping, checked one by one and without regard to how a mapping is made.

use std::collections::{BTreeMap, BTreeSet};

use hybrid::inside::{
    placement::{Device, Place, Rules},
    topology::{Core, CpuSet, Node, PciBusId},
};

/// What is wrong with a mapping, in words; empty where nothing is.
pub(crate) fn broken(node: &Node, rules: &Rules, places: &[Place]) -> Vec<String> {
    let mut broken = whole_cores(node, places);
    broken.extend(gpus_in_use(node, rules, places));
    broken.extend(nearest_gpu(node, places));
    if places.len() <= node.allowed_cores().count() {
        broken.extend(disjoint_and_complete(node, places));
        broken.extend(cpu_ranks(node, places));
        broken.extend(neighbours(node, places));
    } else {
        broken.extend(crowded_evenly(node, places));
    }
    broken
}

fn gpu_of(place: &Place) -> Option<PciBusId> {
    match place.device {
        Device::Gpu(id) => Some(id),
        Device::Cpu | Device::SoftwareGpu => None,
    }
}

fn whole_cores(node: &Node, places: &[Place]) -> Vec<String> {
    let mut broken = Vec::new();
    for place in places {
        let cores: Vec<_> = node.cores_in(&place.cores).collect();
        let whole = &cores.iter().map(|core| &core.pus).collect::<CpuSet>() & &node.allowed;
        if cores.is_empty() || whole != place.cores {
            broken.push(format!("rank {} has parts of cores: PUs {}", place.rank, place.cores));
        }
        if place.threads != cores.len() {
            broken.push(format!("rank {} has {} threads on {} cores", place.rank, place.threads, cores.len()));
        }
        if !place.cores.is_subset(&node.allowed) {
            broken.push(format!("rank {} has cores that the job may not use: {}", place.rank, place.cores));
        }
    }
    broken
}

fn disjoint_and_complete(node: &Node, places: &[Place]) -> Vec<String> {
    let mut broken = Vec::new();
    for core in node.allowed_cores() {
        let holders: Vec<u32> =
            places.iter().filter(|place| place.cores.intersects(&core.pus)).map(|place| place.rank).collect();
        match holders.len() {
            0 => broken.push(format!("core {} is idle", core.logical)),
            1 => (),
            _ => broken.push(format!("core {} is shared by ranks {holders:?}", core.logical)),
        }
    }
    broken
}

fn crowded_evenly(node: &Node, places: &[Place]) -> Vec<String> {
    let load = |pus: &CpuSet| places.iter().filter(|place| place.cores.intersects(pus)).count();
    let loads: Vec<usize> = node.allowed_cores().map(|core| load(&core.pus)).collect();
    let (least, most) = (loads.iter().min(), loads.iter().max());
    let uneven = most.zip(least).is_some_and(|(most, least)| most - least > 1);
    uneven.then(|| format!("ranks on each core: {loads:?}")).into_iter().collect()
}

fn gpus_in_use(node: &Node, rules: &Rules, places: &[Place]) -> Vec<String> {
    let mut broken = Vec::new();
    let mut served = BTreeMap::<PciBusId, usize>::new();
    for id in places.iter().filter_map(gpu_of) {
        *served.entry(id).or_default() += 1;
    }
    let partitions = |id| node.gpu(id).map_or(0, |gpu| gpu.partitions);
    let room = node.gpus.iter().map(|gpu| gpu.partitions).sum::<usize>() * rules.ranks_per_gpu;
    let gpu_ranks = served.values().sum::<usize>();
    if gpu_ranks != room.min(places.len()) {
        broken.push(format!("{gpu_ranks} ranks have a GPU, of {} ranks and {room} places", places.len()));
    }
    if served.len() != node.gpus.len().min(places.len()) {
        broken.push(format!("{} of {} GPUs are used", served.len(), node.gpus.len()));
    }
    let crowded = served.iter().filter(|(id, ranks)| **ranks > rules.ranks_per_gpu * partitions(**id));
    broken.extend(crowded.map(|(id, ranks)| format!("GPU {id} serves {ranks} ranks")));
    broken
}

/// A rank sits next to its GPU; but for want of cores there, where other GPU ranks have them all.
fn nearest_gpu(node: &Node, places: &[Place]) -> Vec<String> {
    let mut broken = Vec::new();
    let drivers: Vec<(&Place, PciBusId)> = places.iter().filter_map(|place| Some((place, gpu_of(place)?))).collect();
    let near = |id: PciBusId| node.gpu(id).and_then(|gpu| gpu.locality.pus());
    let alone = drivers.len() == places.len();
    for (place, id) in &drivers {
        let Some(near) = near(*id) else { continue };
        let is_driven = |pus: &CpuSet| drivers.iter().any(|(driver, _)| driver.cores.intersects(pus));
        if !place.cores.intersects(near) {
            if node.cores_in(near).any(|core| core.pus.is_subset(&node.allowed) && !is_driven(&core.pus)) {
                broken
                    .push(format!("rank {} is far from GPU {id}, next to which a core is not driving one", place.rank));
            }
        } else if !place.cores.is_subset(near) && !alone {
            broken.push(format!("rank {} has cores far from GPU {id} although CPU ranks could have them", place.rank));
        }
    }
    let touches = |place: &Place, id| near(id).is_none_or(|near| place.cores.intersects(near));
    for (a, gpu_a) in &drivers {
        for (b, gpu_b) in &drivers {
            let now = usize::from(touches(a, *gpu_a)) + usize::from(touches(b, *gpu_b));
            let swapped = usize::from(touches(a, *gpu_b)) + usize::from(touches(b, *gpu_a));
            if a.rank < b.rank && swapped > now {
                broken.push(format!("ranks {} and {} would each gain by the other's GPU", a.rank, b.rank));
            }
        }
    }
    broken
}

/// Between the NUMA nodes of a CPU rank there is none with cores of another one.
fn neighbours(node: &Node, places: &[Place]) -> Vec<String> {
    let computers: Vec<&Place> = places.iter().filter(|place| gpu_of(place).is_none()).collect();
    let holder = |core: &Core| computers.iter().find(|place| place.cores.intersects(&core.pus)).map(|place| place.rank);
    let mut holders: Vec<u32> = node.allowed_cores().filter_map(holder).collect();
    holders.dedup();
    let stretches = |rank: u32| holders.iter().filter(|holder| **holder == rank).count();
    let torn = computers.iter().filter(|place| stretches(place.rank) > 1);
    torn.map(|place| format!("rank {} has cores that are no neighbours: PUs {}", place.rank, place.cores)).collect()
}

/// CPU ranks get most cores, share those of a NUMA node evenly, and span NUMA nodes only where there are fewer of them.
fn cpu_ranks(node: &Node, places: &[Place]) -> Vec<String> {
    let mut broken = Vec::new();
    let (drivers, computers): (Vec<&Place>, Vec<&Place>) = places.iter().partition(|place| gpu_of(place).is_some());
    let cores = |place: &Place| node.cores_in(&place.cores).count();
    if !computers.is_empty() {
        let greedy = drivers.iter().filter(|driver| cores(driver) > 1);
        broken.extend(
            greedy.map(|driver| format!("GPU rank {} takes {} cores from CPU ranks", driver.rank, cores(driver))),
        );
    }
    for class in [&drivers, &computers] {
        let held: BTreeSet<u32> = class.iter().flat_map(|place| node.numa_nodes_of(&place.cores)).collect();
        let homes: BTreeSet<u32> =
            class.iter().filter_map(|place| node.numa_nodes_of(&place.cores).first().copied()).collect();
        let spanning: Vec<u32> =
            class.iter().filter(|place| node.numa_nodes_of(&place.cores).len() > 1).map(|place| place.rank).collect();
        let is_computing = class.first().is_some_and(|place| gpu_of(place).is_none());
        if is_computing && !spanning.is_empty() && class.len() >= held.len() {
            broken.push(format!("ranks {spanning:?} span NUMA nodes, {} CPU ranks are on {held:?}", class.len()));
        }
        for numa in homes {
            let here = class.iter().filter(|place| node.numa_nodes_of(&place.cores) == BTreeSet::from([numa]));
            let sizes: Vec<usize> = here.map(|place| cores(place)).collect();
            if sizes.iter().max().zip(sizes.iter().min()).is_some_and(|(most, least)| most - least > 1) {
                broken.push(format!("NUMA node {numa} is shared unevenly: {sizes:?}"));
            }
        }
    }
    broken
}
