//! The device of each rank, opened at the rank's place.

use std::env;

use super::{site::Site, this_node};
use crate::{
    cli::{DeviceArgs, PrecisionRequest},
    comm::{Failure, World},
    device::{
        Device, DeviceError, Identity,
        cpu::{
            CpuDevice,
            isa::{self, Isa},
        },
        gpu::{GpuDevice, Which},
    },
    error::Error,
    fault,
    kernel::{Kernel, Precision},
    output::report::RankRun,
    placement::{self, Cause, DeviceRequest, RankFacts},
    topology::{CpuSet, Node},
};

/// The device that this rank computes on, opened, and what the user should know about it.
#[derive(Debug)]
pub(super) struct RankDevice {
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
    fn of(node: &Node, facts: &RankFacts) -> Self {
        let model = node.packages.iter().find_map(|package| package.model.as_deref()).unwrap_or("CPU");
        // A process that the launcher bound just so needs no binding of its threads.
        let is_bound = facts.place.cores == facts.local.binding;
        Self { model: model.to_owned(), threads: facts.place.threads, is_bound }
    }

    /// Makes a device of them.
    pub(super) fn open(&self, cores: &CpuSet) -> Result<Box<dyn Device>, Error> {
        let isa = instructions()?;
        let cores = (!self.is_bound).then(|| cores.clone());
        Ok(Box::new(CpuDevice::new(&self.model, isa, self.threads, cores)))
    }
}

impl RankDevice {
    /// What the report tells of this rank's place. Times in seconds.
    pub(super) fn report(&self, world: &World, start_s: f64, device_s: f64, compute_s: f64, wait_s: f64) -> RankRun {
        let identity = self.device.identity().clone();
        RankRun {
            rank: world.rank(),
            host: world.host().to_owned(),
            architecture: env::consts::ARCH.to_owned(),
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

impl RankDevice {
    /// Says on rank 0 which ranks computed with fewer threads than they were to have. Collective.
    pub(super) fn note_missing_threads(&mut self, world: &World) {
        let (planned, used) = (self.fallback.threads, self.device.identity().threads);
        let note = (used < planned).then(|| {
            format!(
                "rank {} computed with {used} of {planned} threads, as no more could be started: raise the limits on \
                 processes (ulimit -u) and on memory (ulimit -v)",
                world.rank()
            )
        });
        self.notes.extend(gather_notes(world, &note.into_iter().collect()));
    }
}

/// The instruction set of the CPU kernels on this node.
pub(super) fn instructions() -> Result<Isa, Error> {
    let forced = env::var(isa::VARIABLE).ok();
    Isa::choose(forced.as_deref(), &Isa::available()).map_err(Error::Usage)
}

/// Finds the place of this rank and opens its device for `kernel`. Collective.
pub(super) fn take(world: &World, args: &DeviceArgs, kernel: &Kernel) -> Result<RankDevice, Failure> {
    let site = Site::survey(world, args)?;
    let mut notes: Vec<String> = site.rankfile_findings(world).iter().map(ToString::to_string).collect();
    notes.extend(placement::unlike_hosts(&site.hosts(world)).iter().map(ToString::to_string));
    let facts = site.facts();
    notes.extend(placement::audit(facts.as_slice()).iter().map(ToString::to_string));
    let fallback = Cores::of(&site.node, site.mine());
    let device = world.agree(open(args.exact, kernel, &fallback, &site, &mut notes))?;
    let device = fault::sabotage(device, world.rank());
    let notes = gather_notes(world, &notes);
    Ok(RankDevice { device, cores: site.mine().place.cores.clone(), notes, fallback })
}

/// The GPU that belongs to this rank, opened, for a program with a kernel of its own: see [`crate::gpu_of_rank`]. Collective.
pub(crate) fn gpu_of_rank(world: &World, args: &DeviceArgs) -> Result<(Option<GpuDevice>, Vec<String>), Failure> {
    let site = Site::survey(world, args)?;
    let mut notes = Vec::new();
    let gpu = world.agree(open_gpu(args.exact, &Kernel::OF_ROUNDING, &site, &mut notes))?;
    Ok((gpu, gather_notes(world, &notes)))
}

/// The remarks of all ranks, on rank 0. Collective.
fn gather_notes(world: &World, mine: &Vec<String>) -> Vec<String> {
    world.all.gather(mine).into_iter().flatten().flatten().collect()
}

/// The precision of the run: what was pinned, else f64 where every rank's device has it. Collective.
pub(super) fn precision(world: &World, place: &RankDevice, request: PrecisionRequest) -> Result<Precision, Failure> {
    let has_f64 = place.device.identity().has_f64;
    let all_have_f64 = world.all.min(u64::from(has_f64)) == 1;
    let precision = request.pinned().unwrap_or(if all_have_f64 { Precision::F64 } else { Precision::F32 });
    world.agree(if precision == Precision::F64 && !has_f64 {
        Err(refused(
            place.device.identity(),
            "choosing the precision",
            "it cannot compute in f64; use --precision f32, or --device cpu",
        ))
    } else {
        Ok(precision)
    })
}

/// Opens the device of a rank.
fn open(
    exact: bool,
    kernel: &Kernel,
    fallback: &Cores,
    site: &Site,
    notes: &mut Vec<String>,
) -> Result<Box<dyn Device>, Error> {
    match open_gpu(exact, kernel, site, notes)? {
        Some(gpu) => Ok(Box::new(gpu.with_threads(fallback.threads))),
        None => fallback.open(&site.mine().place.cores),
    }
}

/// Opens the GPU of a rank that has one. A GPU that nobody insisted on and that does not open, or is not exact where that is
/// required, is none, and `notes` says so.
fn open_gpu(exact: bool, kernel: &Kernel, site: &Site, notes: &mut Vec<String>) -> Result<Option<GpuDevice>, Error> {
    let RankFacts { local, place, .. } = site.mine();
    let which = match place.device {
        placement::Device::Cpu => return Ok(None),
        placement::Device::Gpu(id) => Which::PciBusId(id.to_string()),
        placement::Device::SoftwareGpu => Which::Software,
    };
    let insisted = matches!(local.request, DeviceRequest::Gpu | DeviceRequest::ThisGpu(_));
    match tested(&fault::stand_in(&which), site.part_of_device(), kernel, site)
        .and_then(|gpu| accept(gpu, exact, place.rank, notes))
    {
        Err(error) if !insisted => {
            notes.push(format!("rank {} computes on its cores instead of {which}: {error}", place.rank));
            Ok(None)
        }
        opened => opened.map(Some),
    }
}

/// The GPU, opened and tested for `kernel`.
fn tested(which: &Which, part: usize, kernel: &Kernel, site: &Site) -> Result<GpuDevice, Error> {
    let mut gpu = GpuDevice::open_part(which, part).map_err(|error| explained(error, which, &site.node))?;
    gpu.test(kernel)?;
    Ok(gpu)
}

/// The error, with the reason why Vulkan does not list what was looked for, where that is so.
fn explained(error: DeviceError, which: &Which, node: &Node) -> DeviceError {
    let DeviceError::NoGpu { .. } = &error else { return error };
    let vulkan = this_node::vulkan();
    let Cause { what, hint } = match which {
        Which::Software => placement::why_no_software(&vulkan),
        Which::PciBusId(id) => match id.parse().ok().and_then(|id| node.gpu(id)) {
            Some(gpu) => placement::why_unlisted(gpu, &vulkan),
            None => return error,
        },
        Which::WithoutPciBusId => return error,
    };
    DeviceError::NoGpu { reason: format!("Vulkan does not list {which}: {what}"), way_out: hint }
}

/// A GPU that works, but not as it is asked to.
fn refused(gpu: &Identity, step: &'static str, cause: &str) -> Error {
    DeviceError::Gpu { adapter: gpu.adapter.clone(), step, cause: cause.to_owned() }.into()
}

/// Says where a GPU's results may differ, or refuses it.
fn accept(gpu: GpuDevice, exact: bool, rank: u32, notes: &mut Vec<String>) -> Result<GpuDevice, Error> {
    match &gpu.identity().inexact {
        Some(reason) if exact => {
            Err(refused(gpu.identity(), "testing whether it computes exactly, as --exact demands", reason))
        }
        Some(reason) => {
            notes.push(format!("pixels of rank {rank} may differ in the last count: {reason}"));
            Ok(gpu)
        }
        None => Ok(gpu),
    }
}
