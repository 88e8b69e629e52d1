//! Cores and devices for the ranks of a running job, inside the bindings that the launcher gave them.

use super::{
    Device, DeviceWish, Finding, LocalRank, Place, Placement, Rules,
    assign::{Bidder, assign},
    contest::contest,
    deal::{Claim, deal},
    distance, inspect,
    inspect::RankFacts,
    ranks_in_words,
};
use crate::{
    error::Error,
    topology::{Core, CpuSet, Node, PciBusId},
};

/// Chooses the cores and the device of each rank of `node`. `ranks` are in local order, and the same on all of them: the
/// answer is then the same too, without a message between them.
///
/// # Errors
/// [`Error::Usage`] where a rank is told to use a GPU that the node has not, or fewer than one rank may use a GPU;
/// [`Error::NoGpu`] where a rank that must have a GPU gets none; [`Error::Placement`] where a binding names no core that the job may use.
pub fn choose(node: &Node, ranks: &[LocalRank], rules: &Rules) -> Result<Placement, Error> {
    if rules.ranks_per_gpu == 0 {
        return Err(Error::Usage("0 ranks a GPU: --share-gpus is at least 1".to_owned()));
    }
    let bindings = ranks.iter().map(|rank| usable(node, rank)).collect::<Result<Vec<_>, _>>()?;
    let devices = devices(node, ranks, &bindings, rules)?;
    let cores = cores(node, &bindings, &devices);
    let places: Vec<Place> = ranks
        .iter()
        .zip(cores.into_iter().zip(devices))
        .map(|(rank, (cores, device))| {
            let threads = rules.threads.unwrap_or_else(|| node.cores_in(&cores).count());
            Place { rank: rank.rank, cores, threads, device }
        })
        .collect();
    let findings = remarks(node, ranks, &places);
    Ok(Placement { places, findings })
}

fn remarks(node: &Node, ranks: &[LocalRank], places: &[Place]) -> Vec<Finding> {
    let facts: Vec<RankFacts> = ranks
        .iter()
        .zip(places)
        .map(|(local, place)| RankFacts { local: local.clone(), place: place.clone(), asked: None })
        .collect();
    inspect::of_a_run(node, &facts)
}

/// What of a rank's binding is a PU that the job may use.
fn usable(node: &Node, rank: &LocalRank) -> Result<CpuSet, Error> {
    let usable = &rank.binding & &node.allowed;
    if node.cores_in(&usable).next().is_none() {
        return Err(Error::Placement(format!(
            "rank {} is bound to PUs {}, but the PUs that can be used on {} are {}",
            rank.rank,
            rank.binding,
            inspect::host(node),
            node.allowed
        )));
    }
    Ok(usable)
}

fn devices(node: &Node, ranks: &[LocalRank], bindings: &[CpuSet], rules: &Rules) -> Result<Vec<Device>, Error> {
    let bidders: Vec<Bidder> = ranks
        .iter()
        .zip(bindings)
        .map(|(rank, binding)| {
            let is_acceptable = |id: PciBusId| match rank.wish {
                DeviceWish::Auto | DeviceWish::Gpu => rank.visible.gpus.contains(&id),
                // Who names a GPU means that one, whatever a variable says.
                DeviceWish::ThisGpu(wanted) => wanted == id,
                DeviceWish::Cpu => false,
            };
            let acceptable = node.gpus.iter().filter(|gpu| is_acceptable(gpu.pci_bus_id));
            Bidder {
                must: matches!(rank.wish, DeviceWish::Gpu | DeviceWish::ThisGpu(_)),
                acceptable: acceptable.map(|gpu| (gpu.pci_bus_id, distance(node, binding, &gpu.locality))).collect(),
                software: matches!(rank.wish, DeviceWish::Auto | DeviceWish::Gpu),
            }
        })
        .collect();
    let devices = assign(&bidders, &node.gpus, rules.ranks_per_gpu, rules.software_gpus);
    match bidders.iter().zip(&devices).position(|(bidder, device)| bidder.must && device.is_none()) {
        Some(loser) => Err(no_gpu(node, ranks, &devices, loser, rules)),
        None => Ok(devices.into_iter().map(|device| device.unwrap_or(Device::Cpu)).collect()),
    }
}

/// Says what the rank `loser` was looking for and why there is none.
fn no_gpu(node: &Node, ranks: &[LocalRank], devices: &[Option<Device>], loser: usize, rules: &Rules) -> Error {
    let LocalRank { rank, wish, told_by, visible, .. } = &ranks[loser];
    let told_by_line = told_by.as_ref().map(|line| format!(" ({line})")).unwrap_or_default();
    let host = inspect::host(node);
    let holders = |id: Option<PciBusId>| {
        let holds = |device: &Option<Device>| match (device, id) {
            (Some(Device::Gpu(held)), Some(id)) => *held == id,
            (held, None) => held.is_some(),
            _ => false,
        };
        let holders = ranks.iter().zip(devices).filter(|(_, device)| holds(device));
        ranks_in_words(&holders.map(|(rank, _)| rank.rank).collect::<Vec<_>>())
    };
    let limit = rules.ranks_per_gpu;
    let share = format!("--share-gpus {} lets more ranks share a GPU", limit + 1);
    if let DeviceWish::ThisGpu(id) = wish {
        if node.gpu(*id).is_none() {
            return Error::Usage(format!(
                "rank {rank} is to use GPU {id}{told_by_line}, but {host} {}",
                inventory(node)
            ));
        }
        let reason = format!("GPU {id} of {host} serves {} already, of at most {limit}", holders(Some(*id)));
        return Error::NoGpu { reason: format!("rank {rank}: {reason}"), way_out: share };
    }
    let otherwise = match told_by {
        Some(line) => format!("leave the comment at {line} away, then the rank computes on cores where there is none"),
        None => "--device auto computes on cores where there is none".to_owned(),
    };
    if node.gpus.is_empty() && rules.software_gpus == 0 {
        let reason = format!("rank {rank} is to use a GPU{told_by_line}, but {host} {}", inventory(node));
        return Error::NoGpu {
            reason,
            way_out: format!("{otherwise}; --software-gpu lets a software adapter stand in for one"),
        };
    }
    if visible.gpus.is_empty() && !visible.hidden_by.is_empty() {
        let reason =
            format!("rank {rank}: {} hides all GPUs; {host} {}", visible.hidden_by.join(" with "), inventory(node));
        return Error::NoGpu { reason, way_out: format!("change it; {otherwise}") };
    }
    let reason = format!(
        "rank {rank}: the GPUs left to it serve {} already, {limit} to a GPU; {host} {}",
        holders(None),
        inventory(node)
    );
    Error::NoGpu { reason, way_out: format!("{share}; {otherwise}") }
}

/// What display devices the node has, as the rest of a sentence.
fn inventory(node: &Node) -> String {
    let gpus: Vec<String> = node.gpus.iter().map(|gpu| gpu.pci_bus_id.to_string()).collect();
    let others: Vec<String> =
        node.other_displays.iter().map(|other| format!("{} ({})", other.pci_bus_id, other.reason)).collect();
    let have = match (gpus.len(), others.len()) {
        (0, 0) => {
            return "has no GPU: hwloc finds no PCI device of the display class, and others do not count".to_owned();
        }
        (0, _) => "has no GPU".to_owned(),
        (1, _) => format!("has GPU {}", gpus[0]),
        _ => format!("has GPUs {}", gpus.join(", ")),
    };
    if others.is_empty() { have } else { format!("{have}; no GPU is {}", others.join(", ")) }
}

/// The PUs of each rank's own cores. Ranks whose bindings overlap, be it by way of a third, share them out.
fn cores(node: &Node, bindings: &[CpuSet], devices: &[Device]) -> Vec<CpuSet> {
    let mut own = vec![CpuSet::new(); bindings.len()];
    for group in overlapping(bindings) {
        let union: CpuSet = group.iter().map(|&rank| &bindings[rank]).collect();
        let cores: Vec<Core> =
            node.cores_in(&union).map(|core| Core { pus: &core.pus & &union, ..core.clone() }).collect();
        let hands = if group.iter().all(|&rank| bindings[rank] == union) {
            let claims: Vec<Claim<'_>> = group.iter().map(|&rank| claim(node, devices[rank])).collect();
            deal(&cores, &claims)
        } else {
            let eligible: Vec<Vec<usize>> = group
                .iter()
                .map(|&rank| (0..cores.len()).filter(|&core| cores[core].pus.intersects(&bindings[rank])).collect())
                .collect();
            contest(cores.len(), &eligible)
        };
        for (&rank, hand) in group.iter().zip(hands) {
            let pus: CpuSet = hand.into_iter().map(|core| &cores[core].pus).collect();
            own[rank] = &pus & &bindings[rank];
        }
    }
    own
}

fn claim(node: &Node, device: Device) -> Claim<'_> {
    match device {
        Device::Gpu(id) => Claim::Drive(node.gpu(id).and_then(|gpu| gpu.locality.pus())),
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
    use crate::placement::{
        Code, Visible,
        sample::{node, ranks},
        visible,
    };

    /// `cores device` of each rank, with the bus of a GPU alone.
    fn table(placement: &Placement) -> Vec<String> {
        let row = |place: &Place| {
            let device = match place.device {
                Device::Gpu(id) => format!("{:02x}", id.bus),
                other => other.to_string(),
            };
            format!("{} {device}", place.cores)
        };
        placement.places.iter().map(row).collect()
    }

    fn chosen(node: &Node, bindings: &[&str], rules: &Rules) -> Vec<String> {
        table(&choose(node, &ranks(node, bindings), rules).unwrap())
    }

    fn codes(placement: &Placement) -> Vec<Code> {
        placement.findings.iter().map(|finding| finding.code).collect()
    }

    const TWO_BY_TWO: [(u8, Option<u32>); 2] = [(0x10, Some(0)), (0x20, Some(1))];

    #[test]
    fn a_bound_rank_keeps_its_cores_and_computes_with_a_thread_on_each() {
        let node = node(1, 1, 4, &[]);
        let placement = choose(&node, &ranks(&node, &["0", "1-3"]), &Rules::default()).unwrap();
        assert_eq!(table(&placement), ["0 cpu", "1-3 cpu"]);
        assert_eq!(placement.places[1].threads, 3);
        assert_eq!(placement.findings, []);
    }

    #[test]
    fn gpus_go_to_the_ranks_beside_them_not_to_the_first_ranks() {
        let node = node(2, 1, 4, &TWO_BY_TWO);
        let bindings = ["0-1", "2-3", "4-5", "6-7"];
        assert_eq!(chosen(&node, &bindings, &Rules::default()), ["0-1 10", "2-3 cpu", "4-5 20", "6-7 cpu"]);
    }

    #[test]
    fn a_rank_near_two_gpus_leaves_its_neighbor_the_only_one_that_is_near_to_it() {
        let mut node = node(2, 1, 2, &[(0x10, Some(0)), (0x20, Some(1))]);
        node.gpus[0].locality = crate::topology::Locality::Near { pus: "0-3".parse().unwrap(), numa: None };
        assert_eq!(chosen(&node, &["2", "0"], &Rules::default()), ["2 20", "0 10"]);
    }

    #[test]
    fn crossed_numbering_does_not_cross_the_ranks() {
        let node = node(2, 1, 4, &[(0x10, Some(1)), (0x20, Some(1)), (0x30, Some(0)), (0x40, Some(0))]);
        let bindings = ["0", "1", "4", "5"];
        assert_eq!(chosen(&node, &bindings, &Rules::default()), ["0 30", "1 40", "4 10", "5 20"]);
    }

    #[test]
    fn unbound_ranks_deal_cores_and_gpus_among_themselves() {
        let node = node(2, 1, 4, &TWO_BY_TWO);
        let all = "0-7";
        assert_eq!(chosen(&node, &[all; 2], &Rules::default()), ["0-3 10", "4-7 20"]);
        assert_eq!(chosen(&node, &[all; 4], &Rules::default()), ["0 10", "4 20", "1-3 cpu", "5-7 cpu"]);
    }

    #[test]
    fn ranks_bound_to_the_same_package_deal_its_cores() {
        let node = node(2, 1, 4, &TWO_BY_TWO);
        let bindings = ["0-3", "0-3", "4-7", "4-7"];
        assert_eq!(chosen(&node, &bindings, &Rules::default()), ["0 10", "1-3 cpu", "4 20", "5-7 cpu"]);
    }

    #[test]
    fn bindings_that_overlap_in_part_are_made_disjoint() {
        let node = node(1, 1, 4, &[]);
        assert_eq!(chosen(&node, &["0-3", "0"], &Rules::default()), ["1-3 cpu", "0 cpu"]);
        assert_eq!(chosen(&node, &["0-2", "1-3"], &Rules::default()), ["0,2 cpu", "1,3 cpu"]);
        assert_eq!(chosen(&node, &["0-1", "1-2", "2-3", "3"], &Rules::default()), ["0 cpu", "1 cpu", "2 cpu", "3 cpu"]);
    }

    #[test]
    fn more_ranks_than_cores_share_them_and_it_is_said() {
        let node = node(1, 1, 2, &[]);
        let placement = choose(&node, &ranks(&node, &["0-1"; 5]), &Rules::default()).unwrap();
        assert_eq!(table(&placement), ["0 cpu", "1 cpu", "0 cpu", "1 cpu", "0 cpu"]);
        assert!(placement.places.iter().all(|place| place.threads == 1));
        assert_eq!(codes(&placement), [Code::RankUnbound, Code::RanksShareCores]);
        assert!(placement.findings[1].message.contains("5 ranks are on 2 cores"), "{:?}", placement.findings);
        assert!(placement.findings[1].message.contains("ranks 0,2,4 share PUs 0"), "{:?}", placement.findings);
        assert_eq!(placement.findings[1].ranks, [0, 1, 2, 3, 4]);
    }

    #[test]
    fn ranks_on_hardware_threads_of_one_core_keep_them_and_it_is_said() {
        let mut node = node(1, 1, 1, &[]);
        node.cores[0].pus = "0-1".parse().unwrap();
        node.allowed = "0-1".parse().unwrap();
        let placement = choose(&node, &ranks(&node, &["0", "1"]), &Rules::default()).unwrap();
        assert_eq!(table(&placement), ["0 cpu", "1 cpu"]);
        assert_eq!(codes(&placement), [Code::RanksShareCores]);
    }

    #[test]
    fn cores_that_a_resource_manager_keeps_are_not_dealt() {
        let mut node = node(1, 1, 4, &[]);
        node.allowed = "0-1".parse().unwrap();
        assert_eq!(chosen(&node, &["0-3", "0-3"], &Rules::default()), ["0 cpu", "1 cpu"]);
        let error = choose(&node, &ranks(&node, &["2"]), &Rules::default()).unwrap_err().to_string();
        assert!(error.contains("rank 0") && error.contains("PUs 2") && error.contains("0-1"), "{error}");
    }

    #[test]
    fn idle_gpus_are_named_with_the_number_of_ranks_that_would_use_them() {
        let node = node(2, 1, 4, &[(0x10, Some(0)), (0x20, Some(0)), (0x30, Some(1)), (0x40, Some(1))]);
        let placement = choose(&node, &ranks(&node, &["0-7", "0-7"]), &Rules::default()).unwrap();
        assert_eq!(table(&placement), ["0-3 10", "4-7 30"], "one GPU of each NUMA node comes before two of one");
        let finding = placement.findings.iter().find(|finding| finding.code == Code::GpuUnused).unwrap();
        assert!(finding.message.contains("2 of 4") && finding.message.contains("0000:20:00.0"), "{finding:?}");
        assert!(finding.mend.as_deref().unwrap().contains("4 ranks"), "{finding:?}");
    }

    #[test]
    fn ranks_that_want_cores_leave_the_gpus_idle_without_a_word() {
        let node = node(1, 1, 2, &[(0x10, Some(0))]);
        let mut ranks = ranks(&node, &["0", "1"]);
        ranks.iter_mut().for_each(|rank| rank.wish = DeviceWish::Cpu);
        let placement = choose(&node, &ranks, &Rules::default()).unwrap();
        assert_eq!((table(&placement), codes(&placement)), (vec!["0 cpu".into(), "1 cpu".into()], vec![]));
    }

    #[test]
    fn a_gpu_is_shared_only_on_demand_and_only_when_all_are_used() {
        let node = node(2, 1, 4, &TWO_BY_TWO);
        let rules = Rules { ranks_per_gpu: 2, ..Rules::default() };
        assert_eq!(chosen(&node, &["0", "1", "2"], &rules), ["0 10", "1 10", "2 20"]);
        assert_eq!(chosen(&node, &["0", "1", "2", "3", "4"], &rules), ["0 10", "1 10", "2 20", "3 cpu", "4 20"]);
    }

    #[test]
    fn a_software_adapter_serves_one_rank_after_the_real_gpus() {
        let rules = Rules { software_gpus: 1, ..Rules::default() };
        let bindings = ["0", "1", "2"];
        assert_eq!(chosen(&node(1, 1, 4, &[]), &bindings, &rules), ["0 software gpu", "1 cpu", "2 cpu"]);
        let with_gpu = node(1, 1, 4, &[(0x10, Some(0))]);
        assert_eq!(chosen(&with_gpu, &bindings, &rules), ["0 10", "1 software gpu", "2 cpu"]);
    }

    #[test]
    fn wishes_come_before_nearness() {
        let node = node(2, 1, 4, &TWO_BY_TWO);
        let mut ranks = ranks(&node, &["0", "1", "4"]);
        ranks[1].wish = DeviceWish::ThisGpu("20:00.0".parse().unwrap());
        ranks[2].wish = DeviceWish::Gpu;
        assert_eq!(table(&choose(&node, &ranks, &Rules::default()).unwrap()), ["0 cpu", "1 20", "4 10"]);
    }

    #[test]
    fn a_gpu_that_cannot_be_had_is_an_error_that_says_why_and_what_to_do() {
        let two = node(2, 1, 4, &TWO_BY_TWO);
        let mut vga = node(1, 1, 4, &[]);
        vga.other_displays.push(crate::topology::OtherDisplay {
            pci_bus_id: "03:00.0".parse().unwrap(),
            vendor_id: 0x1a03,
            device_id: 0x2000,
            reason: "management VGA (ASPEED)".into(),
        });
        let this = |id: &str| DeviceWish::ThisGpu(id.parse().unwrap());
        let cases: [(&Node, &[DeviceWish], &[&str]); 5] = [
            (&node(1, 1, 4, &[]), &[DeviceWish::Gpu], &["rank 0", "n1 has no GPU", "display class", "--software-gpu"]),
            (&vga, &[DeviceWish::Gpu], &["has no GPU", "0000:03:00.0 (management VGA (ASPEED))"]),
            (&two, &[DeviceWish::Gpu; 3], &["rank 2", "serve ranks 0-1 already", "0000:20:00.0", "--share-gpus 2"]),
            (&two, &[this("66:00.0")], &["rank 0", "GPU 0000:66:00.0", "n1 has GPUs 0000:10:00.0, 0000:20:00.0"]),
            (&two, &[this("10:00.0"), this("10:00.0")], &["rank 1", "serves rank 0 already", "--share-gpus 2"]),
        ];
        for (node, wishes, parts) in cases {
            let bindings = ["0", "1", "2"];
            let mut ranks = ranks(node, &bindings[..wishes.len()]);
            ranks.iter_mut().zip(wishes).for_each(|(rank, wish)| rank.wish = *wish);
            let message = choose(node, &ranks, &Rules::default()).unwrap_err().to_string();
            assert!(parts.iter().all(|part| message.contains(part)), "{message}\nlacks one of {parts:?}");
        }
    }

    #[test]
    fn a_mask_hides_gpus_and_is_named_where_one_is_missed() {
        let node = node(2, 1, 4, &TWO_BY_TWO);
        let hide = |value: &'static str| {
            visible(&node.gpus, move |name| (name == "CUDA_VISIBLE_DEVICES").then(|| value.to_owned()))
        };
        let mut ranks = ranks(&node, &["0-3", "4-7"]);
        ranks.iter_mut().for_each(|rank| rank.visible = hide("1"));
        let placement = choose(&node, &ranks, &Rules::default()).unwrap();
        assert_eq!(table(&placement), ["0-3 cpu", "4-7 20"]);
        assert_eq!(codes(&placement), [Code::GpuMask]);

        ranks[0].visible = hide("");
        ranks[0].wish = DeviceWish::Gpu;
        let message = choose(&node, &ranks, &Rules::default()).unwrap_err().to_string();
        assert!(message.contains("CUDA_VISIBLE_DEVICES= hides all GPUs"), "{message}");
    }

    #[test]
    fn cores_that_the_launcher_leaves_to_nobody_are_named() {
        let node = node(1, 1, 4, &[]);
        let placement = choose(&node, &ranks(&node, &["0", "1"]), &Rules::default()).unwrap();
        assert_eq!(codes(&placement), [Code::CoresIdle]);
        assert!(placement.findings[0].message.contains("2 of 4 cores serve no rank: PUs 2-3"), "{placement:?}");
    }

    #[test]
    fn where_nothing_is_known_of_the_place_the_order_of_the_ranks_decides() {
        let node = node(2, 1, 4, &[(0x10, None), (0x20, None)]);
        let placement = choose(&node, &ranks(&node, &["4-7", "0", "1-3"]), &Rules::default()).unwrap();
        assert_eq!(table(&placement), ["4-7 10", "0 20", "1-3 cpu"]);
        assert_eq!(codes(&placement), [Code::GpuLocalityUnknown]);
    }

    #[test]
    fn threads_can_be_set_and_too_many_are_named() {
        let node = node(1, 1, 4, &[]);
        let rules = Rules { threads: Some(3), ..Rules::default() };
        let placement = choose(&node, &ranks(&node, &["0", "1-3"]), &rules).unwrap();
        assert!(placement.places.iter().all(|place| place.threads == 3));
        assert_eq!(codes(&placement), [Code::MoreThreadsThanCores]);
        assert_eq!(placement.findings[0].ranks, [0]);
    }

    #[test]
    fn no_rank_and_no_share_are_no_panic() {
        let node = node(1, 1, 1, &[]);
        assert_eq!(choose(&node, &[], &Rules::default()).unwrap(), Placement::default());
        let rules = Rules { ranks_per_gpu: 0, ..Rules::default() };
        assert!(matches!(choose(&node, &[], &rules), Err(Error::Usage(_))));
    }

    #[test]
    fn an_explicit_gpu_is_had_although_a_variable_hides_it() {
        let node = node(1, 1, 1, &TWO_BY_TWO[..1]);
        let mut ranks = ranks(&node, &["0"]);
        ranks[0].visible = Visible::default();
        ranks[0].wish = DeviceWish::ThisGpu(node.gpus[0].pci_bus_id);
        assert_eq!(table(&choose(&node, &ranks, &Rules::default()).unwrap()), ["0 10"]);
    }
}
