//! Which rank gets which GPU: the cheapest assignment, where cheap means near.
//!
//! A bipartite matching of ranks and places on GPUs, grown by one pair at a time along the cheapest augmenting path, which
//! keeps it the cheapest of its size. Greedy dealing would give a rank that is near to two GPUs the only one that its
//! neighbor is near to.

use std::collections::BTreeMap;

use super::{Device, Distance};
use crate::topology::{CpuSet, Gpu, Locality, PciBusId};

/// What a rank brings to the deal.
pub(super) struct Bidder {
    /// Whether it cannot do without a GPU.
    pub(super) must: bool,
    /// The GPUs it may have, each with its distance from the rank.
    pub(super) acceptable: BTreeMap<PciBusId, Distance>,
    /// Whether a software adapter will do.
    pub(super) software: bool,
}

/// A place for one rank on a GPU.
#[derive(Clone, Copy)]
struct Place {
    device: Device,
    /// 0 for the first rank on a GPU, 1 for the second; software adapters come after all of them.
    level: i64,
    /// How many GPUs of the same neighborhood come before this one. Prefers one GPU of each NUMA node to two of one.
    neighbors_before: i64,
    /// Index among all GPUs.
    index: i64,
}

/// In order of weight: demands unmet, ranks that share a GPU, distance, GPUs of one NUMA node before another's turn, and, to
/// make the answer unique, low ranks first and GPUs in the order of the ranks.
type Cost = [i64; 6];

const FREE: Cost = [0; 6];

/// The device of each bidder, in their order; `None` for those left without a GPU.
pub(super) fn assign(
    bidders: &[Bidder],
    gpus: &[Gpu],
    ranks_per_gpu: usize,
    software_gpus: usize,
) -> Vec<Option<Device>> {
    let places = places(gpus, ranks_per_gpu.min(bidders.len()), software_gpus);
    let mut holders: Vec<Option<usize>> = vec![None; places.len()];
    while augment(bidders, &places, &mut holders) {}
    let mut devices = vec![None; bidders.len()];
    for (place, holder) in places.iter().zip(holders) {
        if let Some(bidder) = holder {
            devices[bidder] = Some(place.device);
        }
    }
    devices
}

fn places(gpus: &[Gpu], ranks_per_gpu: usize, software_gpus: usize) -> Vec<Place> {
    let hardware = gpus.iter().enumerate().map(|(index, gpu)| {
        let neighbors_before = gpus[..index].iter().filter(|other| are_neighbors(other, gpu)).count();
        (Device::Gpu(gpu.pci_bus_id), index, 0, neighbors_before)
    });
    let software = (0..software_gpus).map(|index| (Device::SoftwareGpu, gpus.len() + index, ranks_per_gpu, 0));
    hardware
        .chain(software)
        .flat_map(|(device, index, base, neighbors_before)| {
            (0..ranks_per_gpu).map(move |level| Place {
                device,
                level: number(base + level),
                neighbors_before: number(neighbors_before),
                index: number(index),
            })
        })
        .collect()
}

fn are_neighbors(a: &Gpu, b: &Gpu) -> bool {
    match (&a.locality, &b.locality) {
        (Locality::Near { numa: Some(a), .. }, Locality::Near { numa: Some(b), .. }) => a == b,
        (Locality::Near { pus: a, .. }, Locality::Near { pus: b, .. }) => CpuSet::intersects(a, b),
        _ => false,
    }
}

fn cost(rank: usize, bidder: &Bidder, place: &Place) -> Option<Cost> {
    let distance = match place.device {
        Device::Gpu(id) => *bidder.acceptable.get(&id)? as i64,
        Device::SoftwareGpu if bidder.software => 0,
        Device::SoftwareGpu | Device::Cpu => return None,
    };
    let rank = number(rank);
    // By the rearrangement inequality, the sum of rank times index is greatest where both ascend together.
    Some([-i64::from(bidder.must), place.level, distance, place.neighbors_before, rank, -(rank * place.index)])
}

/// Gives one more bidder a place along the cheapest augmenting path (Bellman-Ford); false where there is none.
fn augment(bidders: &[Bidder], places: &[Place], holders: &mut [Option<usize>]) -> bool {
    let mut cheapest: Vec<Option<Cost>> =
        (0..bidders.len()).map(|b| (!holders.contains(&Some(b))).then_some(FREE)).collect();
    let mut came_to_place: Vec<Option<(Cost, usize)>> = vec![None; places.len()];
    let mut changed = true;
    while changed {
        changed = false;
        for (rank, bidder) in bidders.iter().enumerate() {
            let Some(so_far) = cheapest[rank] else { continue };
            for (index, place) in places.iter().enumerate() {
                let Some(step) = cost(rank, bidder, place) else { continue };
                let total = sum(so_far, step, 1);
                if holders[index] == Some(rank) || came_to_place[index].is_some_and(|(known, _)| known <= total) {
                    continue;
                }
                came_to_place[index] = Some((total, rank));
                changed = true;
                if let Some(evicted) = holders[index] {
                    let refund = cost(evicted, &bidders[evicted], place).expect("a holder accepts its place");
                    cheapest[evicted] = Some(sum(total, refund, -1));
                }
            }
        }
    }
    let free = (0..places.len()).filter(|&index| holders[index].is_none());
    let end = free.filter_map(|index| came_to_place[index].map(|(cost, _)| (cost, index))).min();
    let Some((_, mut index)) = end else { return false };
    loop {
        let (_, rank) = came_to_place[index].expect("each place on the path was reached");
        let before = holders.iter().position(|holder| *holder == Some(rank));
        holders[index] = Some(rank);
        match before {
            Some(freed) => index = freed,
            None => return true,
        }
    }
}

fn sum(a: Cost, b: Cost, sign: i64) -> Cost {
    std::array::from_fn(|i| a[i] + sign * b[i])
}

fn number(count: usize) -> i64 {
    i64::try_from(count).expect("ranks and GPUs of one node")
}
