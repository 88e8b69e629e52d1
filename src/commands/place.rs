//! The device of each rank, opened at the rank's place.

use std::env;

use super::site::{Site, pack, unpack};
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
    kernel::Precision,
    placement::{self, DeviceWish, RankFacts},
    topology::{CpuSet, Node},
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
}

/// Finds the place of this rank and opens its device. Collective.
pub(super) fn take(world: &World, args: &DeviceArgs) -> Result<Place, Failure> {
    let site = Site::survey(world, args)?;
    let mut notes: Vec<String> = site.rankfile_findings(world).iter().map(ToString::to_string).collect();
    let facts = site.facts();
    notes.extend(placement::audit(facts.as_slice()).iter().map(ToString::to_string));
    let device = world.agree(open(args.exact, &site.node, site.mine(), &mut notes))?;
    let notes = world.all.gather(&pack(&notes));
    let notes = notes.into_iter().flatten().flat_map(|bytes| unpack::<Vec<String>>(&bytes)).collect();
    Ok(Place { device, cores: site.mine().place.cores.clone(), notes })
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

/// Opens the device of a rank. A GPU that nobody insisted on and that does not open, or is not exact where that is required,
/// is replaced by the rank's cores, and `notes` says so.
fn open(exact: bool, node: &Node, facts: &RankFacts, notes: &mut Vec<String>) -> Result<Box<dyn Device>, Error> {
    let RankFacts { local, place, .. } = facts;
    let which = match place.device {
        placement::Device::Cpu => return Ok(Box::new(cpu(node, place, &local.binding)?)),
        placement::Device::Gpu(id) => Which::PciBusId(id.to_string()),
        placement::Device::SoftwareGpu => Which::Software,
    };
    let insisted = matches!(local.wish, DeviceWish::Gpu | DeviceWish::ThisGpu(_));
    match GpuDevice::open(&which).and_then(|gpu| accept(gpu, exact, place.rank, notes)) {
        Ok(gpu) => Ok(Box::new(gpu)),
        Err(error) if insisted => Err(error),
        Err(error) => {
            notes.push(format!("rank {} computes on its cores instead of {which}: {error}", place.rank));
            Ok(Box::new(cpu(node, place, &local.binding)?))
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

fn cpu(node: &Node, place: &placement::Place, binding: &CpuSet) -> Result<CpuDevice, Error> {
    let forced = env::var(isa::VARIABLE).ok();
    let isa = Isa::choose(forced.as_deref(), &Isa::available()).map_err(Error::Usage)?;
    let model = node.packages.iter().find_map(|package| package.model.as_deref()).unwrap_or("CPU");
    // A process that the launcher bound just so needs no binding of its threads.
    let cores = (place.cores != *binding).then(|| place.cores.clone());
    Ok(CpuDevice::new(model, isa, place.threads, cores))
}
