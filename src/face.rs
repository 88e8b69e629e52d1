//! What programs with kernels of their own ask: where a rank is, and for the GPU that is its own. Knows no command line.

use crate::{
    cli::{DeviceArgs, PlaceArgs},
    comm::{Failure, World},
    commands,
    device::gpu::GpuDevice,
    placement::Device,
    request::DeviceRequest,
};

/// What the ranks of a job are to compute on. The same on all ranks; the default is a GPU for each rank that one is left for, and cores
/// for the others.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Devices {
    /// For all ranks; with `Auto` the comments of the rankfile count, where the job has one.
    pub request: DeviceRequest,
    /// Whether a software adapter (lavapipe) may stand in for one GPU a node.
    pub software_gpu: bool,
    /// Ranks that may share one GPU; 0 counts as 1.
    pub ranks_per_gpu: u16,
    /// Whether a GPU is refused that does not round each operation as a CPU does: its rank then computes on cores, or the job
    /// fails where that rank must have a GPU.
    pub exact: bool,
}

impl Default for Devices {
    /// A GPU for each rank that one is left for, cores for the others.
    fn default() -> Self {
        Self { request: DeviceRequest::Auto, software_gpu: false, ranks_per_gpu: 1, exact: false }
    }
}

impl Devices {
    /// The options of the program that say the same.
    fn as_options(&self) -> DeviceArgs {
        DeviceArgs {
            place: PlaceArgs {
                device: self.request,
                ranks_per_gpu: self.ranks_per_gpu.max(1),
                threads: None,
                rankfile: None,
                use_hwthread_cpus: false,
            },
            software_gpu: self.software_gpu,
            exact: self.exact,
        }
    }
}

/// Where a rank is, and what it would compute on.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct RankPlace {
    /// The cores that the launcher bound it to, in hwloc's logical numbers, from 0.
    pub bound_cores: Vec<u32>,
    /// How many cores of its node the job may use.
    pub cores_of_node: usize,
    /// The GPU or the cores that are its own.
    pub device: Device,
}

/// The place of this rank: what the launcher bound it to, and the device that is its own. Opens no device. Collective over the job.
///
/// ```
/// # fn main() -> Result<(), Box<dyn std::error::Error>> {
/// let world = hybrid::World::of_job()?;
/// let place = hybrid::place_of_rank(&world, &hybrid::Devices::default())?;
/// println!("rank {} has {} of {} cores", world.rank(), place.bound_cores.len(), place.cores_of_node);
/// assert!(place.bound_cores.len() <= place.cores_of_node);
/// # Ok(())
/// # }
/// ```
///
/// # Errors
/// The same on every rank: a node cannot be read, the job's rankfile cannot be used, a GPU is requested that is not there or not left,
/// or a rank is bound to no core that the job may use.
pub fn place_of_rank(world: &World, devices: &Devices) -> Result<RankPlace, Failure> {
    let site = commands::Site::survey(world, &devices.as_options())?;
    let mine = site.mine();
    Ok(RankPlace {
        bound_cores: site.node.cores_in(&mine.local.binding).map(|core| core.logical).collect(),
        cores_of_node: site.node.allowed_cores().count(),
        device: mine.place.device,
    })
}

/// The GPU that belongs to this rank, opened; `None` where the rank is to compute on its cores. Beside it, on rank 0, remarks to be shown:
/// why a rank computes on cores though a GPU was there, and which GPUs may round otherwise; none on other ranks. Collective over the job.
///
/// # Errors
/// The same on every rank: as of [`place_of_rank`], or a GPU that a rank must have does not work.
pub fn gpu_of_rank(world: &World, devices: &Devices) -> Result<(Option<GpuDevice>, Vec<String>), Failure> {
    commands::gpu_of_rank(world, &devices.as_options())
}
