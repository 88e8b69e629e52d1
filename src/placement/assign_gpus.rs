//! Which rank gets which GPU: the cheapest assignment, where cheap means near.
//!
//! A bipartite matching of ranks and seats on GPUs, grown by one pair at a time along the cheapest augmenting path, which
//! keeps it the cheapest of its size. Greedy assignment would give a rank that is near to two GPUs the only one that its
//! neighbor is near to.

use std::collections::BTreeMap;

use super::{Device, Distance};
use crate::topology::{CpuSet, Gpu, Locality, PciBusId};

/// What a rank brings to the assignment.
pub(super) struct Bidder {
    /// Whether it cannot do without a GPU.
    pub(super) must: bool,
    /// The GPUs it may have, each with its distance from the rank.
    pub(super) acceptable: BTreeMap<PciBusId, Distance>,
    /// Whether a software adapter will do.
    pub(super) software: bool,
}

/// A seat for one rank on a GPU.
#[derive(Clone, Copy)]
struct Seat {
    device: Device,
    /// 0 for the first rank on a GPU, 1 for the second; software adapters come after all of them.
    level: i64,
    /// How many GPUs of the same neighborhood come before this one, those beside a network interface first, and partitions of the
    /// same GPU. Prefers one GPU of each NUMA node to two of one, and two GPUs to two partitions.
    neighbors_before: i64,
    /// 1 for a GPU without a network interface beside it.
    off_network: i64,
    /// Index among all GPUs.
    index: i64,
}

/// In order of weight: demands unmet, ranks that share a GPU or a partition of one, distance, GPUs of one NUMA node before another's
/// turn, GPUs away from the network, and, to make the answer unique, low ranks first and GPUs in the order of the ranks.
type Cost = [i64; 7];

const FREE: Cost = [0; 7];

/// The device of each bidder, in their order; `None` for those left without a GPU.
pub(super) fn assign_gpus(
    bidders: &[Bidder],
    gpus: &[Gpu],
    ranks_per_gpu: usize,
    software_gpus: usize,
) -> Vec<Option<Device>> {
    let seats = seats(gpus, ranks_per_gpu.min(bidders.len()), software_gpus);
    let mut holders: Vec<Option<usize>> = vec![None; seats.len()];
    while augment(bidders, &seats, &mut holders) {}
    let mut devices = vec![None; bidders.len()];
    for (seat, holder) in seats.iter().zip(holders) {
        if let Some(bidder) = holder {
            devices[bidder] = Some(seat.device);
        }
    }
    devices
}

fn seats(gpus: &[Gpu], ranks_per_gpu: usize, software_gpus: usize) -> Vec<Seat> {
    let hardware = gpus.iter().enumerate().flat_map(|(index, gpu)| {
        let turn = |index: usize, gpu: &Gpu| (gpu.nics.is_empty(), index);
        let comes_before = |(other, neighbor): &(usize, &Gpu)| turn(*other, neighbor) < turn(index, gpu);
        let before = gpus.iter().enumerate().filter(comes_before);
        let neighbors_before = before.filter(|(_, other)| are_neighbors(other, gpu)).count();
        // Each partition has a first rank before any has a second.
        (0..ranks_per_gpu * gpu.partitions.max(1)).map(move |seat| Seat {
            device: Device::Gpu(gpu.pci_bus_id),
            level: number(seat / gpu.partitions.max(1)),
            neighbors_before: number(neighbors_before + seat % gpu.partitions.max(1)),
            off_network: i64::from(gpu.nics.is_empty()),
            index: number(index),
        })
    });
    let software = (0..software_gpus).flat_map(|index| {
        (0..ranks_per_gpu).map(move |level| Seat {
            device: Device::SoftwareGpu,
            level: number(ranks_per_gpu + level),
            neighbors_before: 0,
            off_network: 0,
            index: number(gpus.len() + index),
        })
    });
    hardware.chain(software).collect()
}

fn are_neighbors(a: &Gpu, b: &Gpu) -> bool {
    match (&a.locality, &b.locality) {
        (Locality::Near { numa: Some(a), .. }, Locality::Near { numa: Some(b), .. }) => a == b,
        (Locality::Near { pus: a, .. }, Locality::Near { pus: b, .. }) => CpuSet::intersects(a, b),
        _ => false,
    }
}

fn cost(rank: usize, bidder: &Bidder, seat: &Seat) -> Option<Cost> {
    let distance = match seat.device {
        Device::Gpu(id) => *bidder.acceptable.get(&id)? as i64,
        Device::SoftwareGpu if bidder.software => 0,
        Device::SoftwareGpu | Device::Cpu => return None,
    };
    let rank = number(rank);
    // By the rearrangement inequality, the sum of rank times index is greatest where both ascend together.
    let [spread, network] = [seat.neighbors_before, seat.off_network];
    Some([-i64::from(bidder.must), seat.level, distance, spread, network, rank, -(rank * seat.index)])
}

/// Gives one more bidder a seat along the cheapest augmenting path (Bellman-Ford); false where there is none.
fn augment(bidders: &[Bidder], seats: &[Seat], holders: &mut [Option<usize>]) -> bool {
    let mut cheapest: Vec<Option<Cost>> =
        (0..bidders.len()).map(|b| (!holders.contains(&Some(b))).then_some(FREE)).collect();
    let mut came_to_seat: Vec<Option<(Cost, usize)>> = vec![None; seats.len()];
    let mut changed = true;
    while changed {
        changed = false;
        for (rank, bidder) in bidders.iter().enumerate() {
            let Some(so_far) = cheapest[rank] else { continue };
            for (index, seat) in seats.iter().enumerate() {
                let Some(step) = cost(rank, bidder, seat) else { continue };
                let total = sum(so_far, step, 1);
                if holders[index] == Some(rank) || came_to_seat[index].is_some_and(|(known, _)| known <= total) {
                    continue;
                }
                came_to_seat[index] = Some((total, rank));
                changed = true;
                if let Some(evicted) = holders[index] {
                    let refund = cost(evicted, &bidders[evicted], seat).expect("a holder accepts its seat");
                    cheapest[evicted] = Some(sum(total, refund, -1));
                }
            }
        }
    }
    let free = (0..seats.len()).filter(|&index| holders[index].is_none());
    let end = free.filter_map(|index| came_to_seat[index].map(|(cost, _)| (cost, index))).min();
    let Some((_, mut index)) = end else { return false };
    loop {
        let (_, rank) = came_to_seat[index].expect("each seat on the path was reached");
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

#[cfg(test)]
mod tests {
    use super::*;
    use crate::placement::sample::node;

    const DISTANCES: [Option<Distance>; 4] =
        [None, Some(Distance::Near), Some(Distance::SamePackage), Some(Distance::Remote)];

    /// Three bidders for two GPUs; digit `2 * bidder + gpu` of `pattern`, to the base four, is an index into [`DISTANCES`].
    fn bidders(gpus: &[Gpu], pattern: usize, musts: [bool; 3]) -> Vec<Bidder> {
        let distance = |bidder: usize, gpu: usize| DISTANCES[pattern >> (2 * (2 * bidder + gpu)) & 3];
        (0..3)
            .map(|bidder| Bidder {
                must: musts[bidder],
                acceptable: (0..2).filter_map(|gpu| Some((gpus[gpu].pci_bus_id, distance(bidder, gpu)?))).collect(),
                software: false,
            })
            .collect()
    }

    /// Pairs, unmet demands and distance, the first as a negative number: less is better. `None` where it is not allowed.
    fn badness(bidders: &[Bidder], devices: &[Option<Device>]) -> Option<(i64, usize, i64)> {
        let (mut pairs, mut unmet, mut total) = (0, 0, 0);
        for (index, (bidder, device)) in bidders.iter().zip(devices).enumerate() {
            match device {
                Some(Device::Gpu(id)) if !devices[..index].contains(device) => {
                    pairs -= 1;
                    total += *bidder.acceptable.get(id)? as i64;
                }
                Some(_) => return None,
                None => unmet += usize::from(bidder.must),
            }
        }
        Some((pairs, unmet, total))
    }

    fn all_assignments(gpus: &[Gpu]) -> Vec<Vec<Option<Device>>> {
        let choices = [None, Some(Device::Gpu(gpus[0].pci_bus_id)), Some(Device::Gpu(gpus[1].pci_bus_id))];
        (0..27).map(|code| vec![choices[code % 3], choices[code / 3 % 3], choices[code / 9]]).collect()
    }

    /// How often, over all patterns, `assign_gpus` does worse than the best of all assignments.
    fn failures(assign: impl Fn(&[Bidder], &[Gpu]) -> Vec<Option<Device>>) -> usize {
        let gpus = node(2, 1, 1, &[(0x10, Some(0)), (0x20, Some(1))]).gpus;
        let everything = all_assignments(&gpus);
        let mut failures = 0;
        for pattern in 0..1 << 12 {
            for musts in [[false; 3], [false, true, false], [false, true, true]] {
                let bidders = bidders(&gpus, pattern, musts);
                let best = everything.iter().filter_map(|devices| badness(&bidders, devices)).min();
                failures += usize::from(badness(&bidders, &assign(&bidders, &gpus)) != best);
            }
        }
        failures
    }

    #[test]
    fn no_assignment_is_better_whatever_the_distances() {
        assert_eq!(failures(|bidders, gpus| assign_gpus(bidders, gpus, 1, 0)), 0);
    }

    #[test]
    fn greedy_assignment_is_worse_and_the_same_comparison_shows_it() {
        let greedy = |bidders: &[Bidder], _: &[Gpu]| {
            let mut devices: Vec<Option<Device>> = Vec::new();
            for bidder in bidders {
                let free = bidder.acceptable.iter().filter(|(id, _)| !devices.contains(&Some(Device::Gpu(**id))));
                devices.push(free.min_by_key(|(_, distance)| **distance).map(|(id, _)| Device::Gpu(*id)));
            }
            devices
        };
        assert!(failures(greedy) > 1000);
    }

    #[test]
    fn equal_ranks_get_the_gpus_in_their_own_order() {
        let gpus = node(1, 1, 1, &[(0x10, None), (0x20, None), (0x30, None)]).gpus;
        let acceptable: BTreeMap<PciBusId, Distance> =
            gpus.iter().map(|gpu| (gpu.pci_bus_id, Distance::Unknown)).collect();
        let bidders: Vec<Bidder> =
            (0..4).map(|_| Bidder { must: false, acceptable: acceptable.clone(), software: false }).collect();
        let expected: Vec<Option<Device>> =
            gpus.iter().map(|gpu| Some(Device::Gpu(gpu.pci_bus_id))).chain([None]).collect();
        assert_eq!(assign_gpus(&bidders, &gpus, 1, 0), expected);
    }

    #[test]
    fn of_equally_near_gpus_the_one_beside_the_network_comes_first() {
        let mut gpus = node(2, 1, 1, &[(0x10, Some(0)), (0x20, Some(0)), (0x30, Some(1)), (0x40, Some(1))]).gpus;
        for beside in [1, 3] {
            gpus[beside].nics = vec![format!("mlx5_{beside}")];
        }
        let acceptable: BTreeMap<PciBusId, Distance> =
            gpus.iter().map(|gpu| (gpu.pci_bus_id, Distance::Near)).collect();
        let bidders = |count: usize| -> Vec<Bidder> {
            (0..count).map(|_| Bidder { must: false, acceptable: acceptable.clone(), software: false }).collect()
        };
        let buses = |count: usize| -> Vec<Option<u8>> {
            let bus = |device: Option<Device>| match device {
                Some(Device::Gpu(id)) => Some(id.bus),
                _ => None,
            };
            assign_gpus(&bidders(count), &gpus, 1, 0).into_iter().map(bus).collect()
        };
        assert_eq!(buses(1), [Some(0x20)]);
        assert_eq!(buses(2), [Some(0x20), Some(0x40)], "one of each NUMA node, both beside the network");
        assert_eq!(buses(4), [Some(0x10), Some(0x20), Some(0x30), Some(0x40)]);
    }

    #[test]
    fn each_partition_of_a_gpu_has_a_rank_before_any_has_two() {
        let mut gpus = node(1, 1, 1, &[(0x10, None), (0x20, None)]).gpus;
        gpus[0].partitions = 3;
        let acceptable: BTreeMap<PciBusId, Distance> =
            gpus.iter().map(|gpu| (gpu.pci_bus_id, Distance::Unknown)).collect();
        let ranks_on_the_first = |ranks: usize, ranks_per_gpu: usize| {
            let bidder = |_| Bidder { must: false, acceptable: acceptable.clone(), software: false };
            let bidders: Vec<Bidder> = (0..ranks).map(bidder).collect();
            let devices = assign_gpus(&bidders, &gpus, ranks_per_gpu, 0);
            let first = Some(Device::Gpu(gpus[0].pci_bus_id));
            (devices.iter().filter(|device| **device == first).count(), devices.iter().flatten().count())
        };
        assert_eq!(ranks_on_the_first(4, 1), (3, 4));
        assert_eq!(ranks_on_the_first(6, 1), (3, 4), "two ranks are left without a GPU");
        assert_eq!(ranks_on_the_first(8, 2), (6, 8));
    }

    #[test]
    fn two_hundred_ranks_and_sixteen_gpus_take_no_time_to_speak_of() {
        let gpus = node(
            8,
            1,
            1,
            &std::array::from_fn::<_, 16, _>(|i| {
                let bus = u8::try_from(i).unwrap();
                (bus + 1, Some(u32::from(bus) / 2))
            }),
        )
        .gpus;
        let bidder = |rank: usize| Bidder {
            must: false,
            acceptable: gpus
                .iter()
                .enumerate()
                .map(|(index, gpu)| {
                    (gpu.pci_bus_id, if index / 2 == rank % 8 { Distance::Near } else { Distance::Remote })
                })
                .collect(),
            software: false,
        };
        let bidders: Vec<Bidder> = (0..200).map(bidder).collect();
        let start = std::time::Instant::now();
        let devices = assign_gpus(&bidders, &gpus, 4, 0);
        assert!(start.elapsed().as_secs() < 5, "{:?}", start.elapsed());
        let near = bidders.iter().zip(&devices).filter(|(bidder, device)| match device {
            Some(Device::Gpu(id)) => bidder.acceptable[id] == Distance::Near,
            _ => false,
        });
        assert_eq!(near.count(), 64);
    }
}
