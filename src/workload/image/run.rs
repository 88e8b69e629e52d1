//! A job from its first band to its last, by whichever schedule.

use super::{
    Job, Outcome,
    assembly::Assembly,
    dynamic,
    watch::Watch,
    waves,
    worker::{Fallback, Share, Worker},
};
use crate::{
    comm::{Failure, World},
    device::Device,
    workload::schedule::Policy,
};

/// Computes `job` on all ranks. On rank 0, `assembly` holds the files, and the outcome tells what the image came to.
/// Collective.
///
/// # Errors
/// Of the devices and of the files, and where the job was told to stop; agreed on by all ranks.
pub fn run(
    world: &World,
    device: &mut Box<dyn Device>,
    fallback: Fallback<'_>,
    job: &Job,
    policy: Policy,
    assembly: Option<Assembly>,
    watch: &Watch<'_>,
) -> Result<(Outcome, Share), Failure> {
    let threads = u32::try_from(device.identity().threads).unwrap_or(u32::MAX);
    // Rank 0 knows how many bands are in the files.
    let known = world.all.share(&(threads, assembly.as_ref().map_or(0, Assembly::bands)));
    let bands = known[0].1..job.bands().len();
    let threads = known.into_iter().map(|(threads, _)| threads).collect();
    let pixels = job.coloring.pixel_bytes(job.image.max_iter, world.rank(), device.identity().kind);
    let worker = Worker { job, rank: world.rank(), pixels, device, stop: watch.stop, share: Share::default() };
    watch.stop.work_begins();
    match policy {
        Policy::Dynamic => dynamic::run(world, worker, fallback, (bands, threads), assembly, watch),
        Policy::Static => waves::run(world, worker, fallback, bands, assembly, watch),
    }
}
