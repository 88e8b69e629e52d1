//! What a node consists of, as plain values: packages, NUMA nodes, cores and GPUs, and where this process may run.
//!
//! The rest of the program decides on these values alone, so that a node can be sent to another rank, be stored in a file, or
//! be made up by a test. The names are hwloc's own; hwloc itself is named in one private folder and nowhere else. This module
//! does not know what the cores and GPUs are wanted for.

mod board;
mod cpuset;
mod device_files;
mod display;
mod error;
mod foreign;
mod gpu_rule;
mod homes;
mod hwloc;
mod kinds;
mod nearness;
mod pci_list;
mod slots;
mod sysfs;
mod witnesses;

use std::collections::BTreeSet;

use serde::{Deserialize, Serialize};

pub use self::{
    cpuset::CpuSet,
    device_files::{FileAccess, OutOfReach, gpu_of_file, out_of_reach},
    display::{Gpu, Locality, OtherDisplay, Witness},
    error::TopologyError,
    foreign::serve as serve_foreign_xml,
    homes::homes,
    hwloc::{bind_thread, binding, caches, hwloc_version},
    slots::SlotUnit,
    sysfs::driver_version,
    witnesses::{VulkanSighting, Witnesses},
};
pub use crate::pci::PciBusId;

/// Said wherever a GPU is shown of which [`Node::has_usable_core_at`] is false.
pub const NO_CORE_AT_GPU: &str = "the job may use no core next to it";

/// One node of the cluster, or what a file says of one.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Node {
    /// The host's name, where hwloc knows it.
    pub host: Option<String>,
    /// Processor packages (sockets) by logical index.
    pub packages: Vec<Package>,
    /// NUMA nodes by operating system index.
    pub numa_nodes: Vec<NumaNode>,
    /// Cores by logical index.
    pub cores: Vec<Core>,
    /// GPUs by PCI bus id.
    pub gpus: Vec<Gpu>,
    /// Displays and accelerators that are no GPU, each with the reason.
    pub other_displays: Vec<OtherDisplay>,
    /// The PUs that the job may use; a resource manager may keep some of the node for others.
    pub allowed: CpuSet,
    /// What a slot of a rankfile is there, as the launcher was told.
    pub slot_unit: SlotUnit,
    /// Who was asked for the GPUs; `None` where a file has told of them.
    pub witnesses: Option<Witnesses>,
}

/// A processor package, which is what a socket holds.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Package {
    /// hwloc's logical index.
    pub logical: u32,
    /// All PUs of the package.
    pub pus: CpuSet,
    /// The processor's model, where hwloc knows it.
    pub model: Option<String>,
}

/// A NUMA node; one without PUs is memory alone.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct NumaNode {
    /// Operating system index, as `numactl` counts.
    pub os_index: u32,
    /// The PUs that are nearest to this memory.
    pub pus: CpuSet,
    /// Size of the memory, in bytes; 0 where it is not known.
    pub memory_bytes: u64,
}

/// A core with its hardware threads.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Core {
    /// hwloc's logical index on the node.
    pub logical: u32,
    /// Logical index of the core's package.
    pub package: u32,
    /// Operating system index of the nearest NUMA node.
    pub numa: Option<u32>,
    /// Logical index of the third-level cache that it shares with others; `None` where hwloc knows none.
    pub l3: Option<u32>,
    /// How capable its kind is among those of the node, the least capable 0; 0 for all where no difference is known.
    pub kind: u32,
    /// The core's PUs.
    pub pus: CpuSet,
}

impl Node {
    /// The cores with a PU in `pus`, by logical index.
    pub fn cores_in<'a>(&'a self, pus: &'a CpuSet) -> impl Iterator<Item = &'a Core> + 'a {
        self.cores.iter().filter(|core| core.pus.intersects(pus))
    }

    /// The cores that the job may use, by logical index.
    pub fn allowed_cores(&self) -> impl Iterator<Item = &Core> + '_ {
        self.cores_in(&self.allowed)
    }

    /// The NUMA nodes that the cores in `pus` belong to.
    #[must_use]
    pub fn numa_nodes_of(&self, pus: &CpuSet) -> BTreeSet<u32> {
        self.cores_in(pus).filter_map(|core| core.numa).collect()
    }

    /// The PUs of a core that the job may use. A resource manager may keep single hardware threads, as those that a site turns
    /// off.
    #[must_use]
    pub fn usable_pus(&self, core: &Core) -> CpuSet {
        &core.pus & &self.allowed
    }

    /// The packages that the cores in `pus` belong to.
    #[must_use]
    pub fn packages_of(&self, pus: &CpuSet) -> BTreeSet<u32> {
        self.cores_in(pus).map(|core| core.package).collect()
    }

    /// Whether the job may use a core next to `gpu`, as far as it is known which those are. Where a resource manager gives out
    /// cores without regard to GPUs, it may not.
    #[must_use]
    pub fn has_usable_core_at(&self, gpu: &Gpu) -> bool {
        gpu.locality.pus().is_none_or(|near| near.intersects(&self.allowed))
    }

    /// The GPU of that name.
    #[must_use]
    pub fn gpu(&self, id: PciBusId) -> Option<&Gpu> {
        self.gpus.iter().find(|gpu| gpu.pci_bus_id == id)
    }
}
