//! What a node consists of, as plain values: packages, NUMA nodes, cores and GPUs, and where this process may run.
//!
//! The rest of the program decides on these values alone, so that a node can be sent to another rank, be stored in a file, or
//! be made up by a test. hwloc's own names are kept; hwloc itself stays behind [`read`](self) and is named nowhere else. This
//! module does not know what the cores and GPUs are wanted for.

mod cpuset;
mod display;
mod pci;
mod read;
mod sysfs;

use std::collections::BTreeSet;

use serde::{Deserialize, Serialize};

pub use self::{
    cpuset::{CpuSet, ParseCpuSetError},
    display::{Gpu, Locality, OtherDisplay},
    pci::{ParsePciBusIdError, PciBusId},
    read::{bind_thread, binding},
};

/// One node of the cluster, or what a file says of one.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Node {
    /// The host's name, where hwloc knows it.
    pub host: Option<String>,
    /// Processor packages (sockets) by logical index.
    pub packages: Vec<Package>,
    /// NUMA nodes by operating system index.
    pub numa_nodes: Vec<NumaNode>,
    /// Cores by logical index, which is how a rankfile counts them.
    pub cores: Vec<Core>,
    /// GPUs by PCI bus id.
    pub gpus: Vec<Gpu>,
    /// Display devices that nothing can be computed on, each with the reason.
    pub other_displays: Vec<OtherDisplay>,
    /// The PUs that the job may use; a resource manager may keep some of the node for others.
    pub allowed: CpuSet,
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

    /// The packages that the cores in `pus` belong to.
    #[must_use]
    pub fn packages_of(&self, pus: &CpuSet) -> BTreeSet<u32> {
        self.cores_in(pus).map(|core| core.package).collect()
    }

    /// The GPU of that name.
    #[must_use]
    pub fn gpu(&self, id: PciBusId) -> Option<&Gpu> {
        self.gpus.iter().find(|gpu| gpu.pci_bus_id == id)
    }
}
