//! The site of each rank, before any device is opened: its node, the ranks it shares the node with, and the place of each.
//! Every command that computes, and the one that looks on, start from here.

mod rankfile;

use std::env;

use serde::{Deserialize, Serialize};

pub(super) use self::rankfile::JobRankfile;
use crate::{
    cli::{DeviceArgs, PlaceArgs},
    comm::{Failure, World},
    commands::this_node,
    error::Error,
    fault,
    launcher::Launcher,
    placement::{
        self, DeviceRequest, Finding, HostFacts, LocalRank, NodeFacts, RankFacts, Requested, Rules, Software,
        VulkanFacts,
    },
    topology::{self, CpuSet, Node},
};

/// A rank's node, and what became of the ranks on it.
#[derive(Debug)]
pub(crate) struct Site {
    /// The node.
    pub(crate) node: Node,
    /// Its ranks, in local order.
    pub(super) ranks: Vec<RankFacts>,
    /// The job's rankfile, where one is known.
    pub(super) rankfile: Option<JobRankfile>,
    /// What Vulkan offers there, on the one rank that has read the node, where it was asked.
    vulkan: Option<VulkanFacts>,
    /// This rank's number among them.
    local_rank: usize,
}

/// What a rank tells the others of its node.
#[derive(Serialize, Deserialize)]
struct Arrival {
    local: LocalRank,
    requested: Option<Requested>,
}

impl Site {
    /// Finds the node and the places of its ranks. Collective.
    pub(crate) fn survey(world: &World, args: &DeviceArgs) -> Result<Self, Failure> {
        let DeviceArgs { place, software_gpu, .. } = args;
        let software = software(*software_gpu);
        let rankfile = JobRankfile::of_job(world, place)?;
        let (node, vulkan) = node(world, &requests(place, software, rankfile.as_ref()))?;
        let node = Node { slot_unit: JobRankfile::slot_unit_of(rankfile.as_ref()), ..node };
        let rank = u32::try_from(world.rank()).expect("MPI numbers ranks with a C int");
        let binding = world.agree(topology::binding().map_err(Error::from))?;
        let launcher = Launcher::of_job(world.launch(), world.library());
        let local = LocalRank { launcher, ..local_rank(place, rankfile.as_ref(), &node, rank, binding) };
        let requested = rankfile.as_ref().and_then(|file| file.requested(rank, &node));
        let arrivals = world.node.share(&Arrival { local, requested });
        let locals: Vec<LocalRank> = arrivals.iter().map(|arrival| arrival.local.clone()).collect();
        let places = world.agree(placement::choose(&node, &locals, &rules(place, software)).map_err(Error::from))?;
        let ranks = arrivals
            .into_iter()
            .zip(places)
            .map(|(Arrival { local, requested }, place)| RankFacts { local, place, requested })
            .collect();
        Ok(Self { node, ranks, rankfile, vulkan, local_rank: world.node.rank() })
    }

    /// This rank.
    pub(crate) fn mine(&self) -> &RankFacts {
        &self.ranks[self.local_rank]
    }

    /// How many ranks of the node come before this one on its device: the number of its partition, where the GPU is cut in such.
    pub(super) fn part_of_device(&self) -> usize {
        let device = self.mine().place.device;
        self.ranks[..self.local_rank].iter().filter(|rank| rank.place.device == device).count()
    }

    /// The node and its ranks, with what Vulkan offers, on the one rank that speaks for the node.
    pub(super) fn facts_with_vulkan(&self) -> Option<NodeFacts> {
        self.facts().map(|facts| facts.with_vulkan(self.vulkan.clone().unwrap_or_else(this_node::vulkan)))
    }

    /// The node and its ranks, on the one rank that speaks for the node.
    pub(super) fn facts(&self) -> Option<NodeFacts> {
        let facts = || NodeFacts { node: self.node.clone(), ranks: self.ranks.clone(), vulkan: None };
        (self.local_rank == 0).then(facts)
    }

    /// What each host is and has, by its lowest rank, on rank 0. Collective.
    pub(super) fn hosts(&self, world: &World) -> Vec<HostFacts> {
        let drivers = self.node.gpus.iter().filter_map(|gpu| gpu.driver.as_deref());
        let facts = (self.local_rank == 0).then(|| HostFacts {
            host: world.host().to_owned(),
            architecture: env::consts::ARCH.to_owned(),
            mpi: world.library().to_owned(),
            hwloc: topology::hwloc_version(),
            gpu_drivers: drivers
                .filter_map(|driver| Some((driver.to_owned(), topology::driver_version(driver)?)))
                .collect(),
        });
        world.all.gather(&facts).into_iter().flatten().flatten().collect()
    }

    /// What is remarkable about the job's rankfile, on rank 0.
    pub(super) fn rankfile_findings(&self, world: &World) -> Vec<Finding> {
        let rankfile = self.rankfile.iter().filter(|_| world.is_root());
        rankfile.flat_map(|file| file.findings(world.host(), world.size())).collect()
    }
}

/// Whether a software adapter counts, where the option may be given.
pub(super) fn software(is_asked_for: bool) -> Software {
    if is_asked_for { Software::OnePerNode } else { Software::Unasked }
}

/// The devices that are asked for, by the command line or in comments, for any rank.
pub(super) fn requests(args: &PlaceArgs, software: Software, rankfile: Option<&JobRankfile>) -> Vec<DeviceRequest> {
    match args.device {
        DeviceRequest::Auto => rankfile.into_iter().flat_map(JobRankfile::requests).collect(),
        // A software adapter will do.
        DeviceRequest::Gpu if software == Software::OnePerNode => Vec::new(),
        request => vec![request],
    }
}

/// What a rank has to tell of itself, of a launcher that is not known.
pub(super) fn local_rank(
    args: &PlaceArgs,
    rankfile: Option<&JobRankfile>,
    node: &Node,
    rank: u32,
    binding: CpuSet,
) -> LocalRank {
    // What the command line says to all ranks comes before what a comment says to one.
    let told = rankfile.and_then(|file| file.request(rank)).filter(|_| args.device == DeviceRequest::Auto);
    LocalRank {
        rank,
        binding,
        request: told.as_ref().map_or(args.device, |(request, _)| *request),
        source: told.map(|(_, line)| line),
        visible: placement::visible(
            &node.gpus,
            |name| env::var(name).ok(),
            &topology::out_of_reach(&fault::root(), &node.gpus),
        ),
        launcher: None,
    }
}

/// How places are assigned under these options.
pub(super) fn rules(args: &PlaceArgs, software: Software) -> Rules {
    Rules { ranks_per_gpu: usize::from(args.ranks_per_gpu), software, threads: args.threads.map(usize::from) }
}

/// The node, read once a node; what Vulkan offers stays with the rank that has asked. Collective.
fn node(world: &World, requests: &[DeviceRequest]) -> Result<(Node, Option<VulkanFacts>), Failure> {
    let leads = world.node.rank() == 0;
    let read = world.agree(if leads { this_node::read(requests).map(Some) } else { Ok(None) })?;
    let (node, vulkan) = read.unzip();
    let node = node.map(|mut node| {
        node.host = Some(world.host().to_owned());
        node
    });
    let node = world.node.broadcast(&node).expect("the node's first rank has read it");
    Ok((node, vulkan.flatten()))
}
