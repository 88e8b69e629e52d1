//! The place of each rank: what the node has, what the launcher and the user asked for, and the device that follows,
//! opened.

use std::env;

use serde::{Serialize, de::DeserializeOwned};

use crate::{
    cli::{DeviceArgs, PrecisionWish},
    comm::{Failure, World},
    device::{
        Device,
        cpu::{
            CpuDevice,
            isa::{self, Isa},
        },
        gpu::{GpuDevice, Which},
    },
    error::Error,
    fault,
    kernel::Precision,
    output::report::RankPlace,
    placement::{self, DeviceWish, LocalRank, Rules},
    topology::{self, CpuSet, Node},
};

/// Where this rank computes, and what the user should know about it.
#[derive(Debug)]
pub(super) struct Place {
    /// The opened device.
    pub(super) device: Box<dyn Device>,
    /// The PUs it computes on, or feeds its GPU from.
    pub(super) cores: CpuSet,
    /// Remarks of all ranks, on rank 0.
    pub(super) notes: Vec<String>,
    /// What stands in for a GPU that fails.
    pub(super) fallback: Cores,
}

/// This rank's cores, as far as they are not a device yet.
#[derive(Clone, Debug)]
pub(super) struct Cores {
    model: String,
    threads: usize,
    is_bound: bool,
}

impl Cores {
    fn of(node: &Node, place: &placement::Place, binding: &CpuSet) -> Self {
        let model = node.packages.iter().find_map(|package| package.model.as_deref()).unwrap_or("CPU");
        // A process that the launcher bound just so needs no binding of its threads.
        Self { model: model.to_owned(), threads: place.threads, is_bound: place.cores == *binding }
    }

    /// Makes a device of them.
    pub(super) fn open(&self, cores: &CpuSet) -> Result<Box<dyn Device>, Error> {
        let forced = env::var(isa::VARIABLE).ok();
        let isa = Isa::choose(forced.as_deref(), &Isa::available()).map_err(Error::Usage)?;
        let cores = (!self.is_bound).then(|| cores.clone());
        Ok(Box::new(CpuDevice::new(&self.model, isa, self.threads, cores)))
    }
}

impl Place {
    /// What the report tells of this rank's place. Times in seconds.
    pub(super) fn report(&self, world: &World, start_s: f64, device_s: f64, compute_s: f64, wait_s: f64) -> RankPlace {
        let identity = self.device.identity().clone();
        RankPlace {
            rank: world.rank(),
            host: world.host().to_owned(),
            cpuset: self.cores.to_string(),
            threads: identity.threads,
            device: identity.kind,
            adapter: identity.adapter,
            pci_bus_id: identity.pci_bus_id,
            start_s,
            device_s,
            compute_s,
            wait_s,
        }
    }
}

/// Every rank's report, by rank, on rank 0; `None` elsewhere. Collective.
pub(super) fn gather_reports<R: Serialize + DeserializeOwned>(world: &World, mine: &R) -> Option<Vec<R>> {
    let mine = serde_json::to_vec(mine).expect("numbers and strings always have a JSON form");
    world.all.gather(&mine).map(|reports| reports.iter().map(|bytes| read(bytes)).collect())
}

/// Finds the place of this rank and opens its device. Collective.
pub(super) fn take(world: &World, args: &DeviceArgs) -> Result<Place, Failure> {
    let node = node(world)?;
    let binding = world.agree(topology::binding())?;
    let mine = LocalRank {
        rank: u32::try_from(world.rank()).expect("MPI numbers ranks with a C int"),
        binding: binding.clone(),
        wish: args.device,
        visible: placement::visible(&node.gpus, |name| env::var(name).ok()),
    };
    let mine = serde_json::to_vec(&mine).expect("plain values always have a JSON form");
    let ranks: Vec<LocalRank> = world.node.share(&mine).iter().map(|bytes| read(bytes)).collect();
    let rules = Rules {
        ranks_per_gpu: usize::from(args.share_gpus),
        software_gpus: usize::from(args.software_gpu),
        threads: args.threads.map(usize::from),
    };
    let placement = world.agree(placement::choose(&node, &ranks, &rules))?;
    let place = &placement.places[world.node.rank()];
    let fallback = Cores::of(&node, place, &binding);
    let mut notes: Vec<String> = Vec::new();
    if world.node.rank() == 0 {
        notes.extend(placement.findings.iter().map(|finding| match &finding.mend {
            Some(mend) => format!("{}: {}", finding.message, mend),
            None => finding.message.clone(),
        }));
    }
    let device = world.agree(open(args, &fallback, place, &mut notes))?;
    let notes = serde_json::to_vec(&notes).expect("a list of strings always has a JSON form");
    let notes = world.all.gather(&notes).into_iter().flatten().flat_map(|bytes| read::<Vec<String>>(&bytes)).collect();
    let device = fault::sabotage(device, world.rank());
    Ok(Place { device, cores: place.cores.clone(), notes, fallback })
}

/// The precision of the run: what was pinned, else f64 where every rank's device has it. Collective.
pub(super) fn precision(world: &World, place: &Place, wish: PrecisionWish) -> Result<Precision, Failure> {
    let has_f64 = place.device.identity().has_f64;
    let all_have_f64 = world.all.min(u64::from(has_f64)) == 1;
    let precision = wish.pinned().unwrap_or(if all_have_f64 { Precision::F64 } else { Precision::F32 });
    world.agree(if precision == Precision::F64 && !has_f64 {
        Err(Error::Gpu {
            adapter: place.device.identity().adapter.clone(),
            step: "choosing the precision",
            cause: "it cannot compute in f64; use --precision f32, or --device cpu".to_owned(),
        })
    } else {
        Ok(precision)
    })
}

/// The node as hwloc sees it, read once a node. Collective.
fn node(world: &World) -> Result<Node, Failure> {
    let leads = world.node.rank() == 0;
    let node = world.agree(if leads { Node::of_this_machine().map(Some) } else { Ok(None) })?;
    let bytes = node.map(|mut node| {
        node.host = Some(world.host().to_owned());
        serde_json::to_vec(&node).expect("plain values always have a JSON form")
    });
    Ok(read(&world.node.broadcast(0, bytes.unwrap_or_default())))
}

/// Opens the device of `place`. A GPU that nobody insisted on and that does not open, or is not exact where that is
/// required, is replaced by the rank's cores, and `notes` says so.
fn open(
    args: &DeviceArgs,
    fallback: &Cores,
    place: &placement::Place,
    notes: &mut Vec<String>,
) -> Result<Box<dyn Device>, Error> {
    let which = match place.device {
        placement::Device::Cpu => return fallback.open(&place.cores),
        placement::Device::Gpu(id) => Which::PciBusId(id.to_string()),
        placement::Device::SoftwareGpu => Which::Software,
    };
    let insisted = matches!(args.device, DeviceWish::Gpu | DeviceWish::ThisGpu(_));
    match GpuDevice::open(&which).and_then(|gpu| accept(gpu, args.exact, place.rank, notes)) {
        Ok(gpu) => Ok(Box::new(gpu)),
        Err(error) if insisted => Err(error),
        Err(error) => {
            notes.push(format!("rank {} computes on its cores instead of {which}: {error}", place.rank));
            fallback.open(&place.cores)
        }
    }
}

/// Says where a GPU's results may differ, or refuses it.
fn accept(gpu: GpuDevice, exact: bool, rank: u32, notes: &mut Vec<String>) -> Result<GpuDevice, Error> {
    match &gpu.identity().inexact {
        Some(reason) if exact => Err(Error::Gpu {
            adapter: gpu.identity().adapter.clone(),
            step: "testing whether it computes exactly, as --exact demands",
            cause: reason.clone(),
        }),
        Some(reason) => {
            notes.push(format!("pixels of rank {rank} may differ in the last count: {reason}"));
            Ok(gpu)
        }
        None => Ok(gpu),
    }
}

fn read<T: DeserializeOwned>(bytes: &[u8]) -> T {
    serde_json::from_slice(bytes).expect("written by this program on a rank of the same job")
}
