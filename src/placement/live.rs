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
/// [`Error::NoGpu`] where a rank that must have a GPU gets none; [`Error::Topology`] where a binding names no core of the node.
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
    let mut findings: Vec<Finding> = inspect::unbound(node, &facts).into_iter().collect();
    findings.extend(inspect::shared_cores(node, &facts));
    findings.extend(inspect::excess_threads(node, &facts));
    findings.extend(inspect::unused_gpus(node, &facts));
    findings.extend(inspect::masks(node, &facts));
    findings.extend(inspect::unknown_locality(node, &facts));
    findings
}

/// What of a rank's binding is a PU that the job may use.
fn usable(node: &Node, rank: &LocalRank) -> Result<CpuSet, Error> {
    let usable = &rank.binding & &node.allowed;
    if node.cores_in(&usable).next().is_none() {
        return Err(Error::Topology(format!(
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
    let LocalRank { rank, wish, visible, .. } = &ranks[loser];
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
            return Error::Usage(format!("rank {rank} is to use GPU {id}, but {host} {}", inventory(node)));
        }
        let reason = format!("GPU {id} of {host} serves {} already, of at most {limit}", holders(Some(*id)));
        return Error::NoGpu { reason: format!("rank {rank}: {reason}"), way_out: share };
    }
    let otherwise = "--device auto computes on cores where there is none";
    if node.gpus.is_empty() && rules.software_gpus == 0 {
        let reason = format!("rank {rank} is to use a GPU, but {host} {}", inventory(node));
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
        (0, 0) => return "has no GPU: hwloc finds no PCI device of the display class".to_owned(),
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
