//! What was seen of Vulkan on a node, as plain values. The device layer looks; what it means is judged beside this file.

use serde::{Deserialize, Serialize};

use crate::topology::{Gpu, PciBusId};

/// What Vulkan has to offer on a node.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct VulkanFacts {
    /// Whether the loader, `libvulkan.so.1`, is there.
    pub loader: bool,
    /// Why it cannot be loaded.
    pub loader_fault: Option<LibraryFault>,
    /// The ICD files that the loader reads: one for each installed driver.
    pub icd_files: Vec<IcdFile>,
    /// Files that it reads, or was told to, and cannot use.
    pub unread_icd_files: Vec<UnreadIcdFile>,
    /// The setting that makes the loader read these files alone, as `VK_DRIVER_FILES=value`.
    pub restricted_by: Option<String>,
    /// The parts of NVIDIA's driver.
    pub nvidia: NvidiaFacts,
    /// The files through which GPUs are reached.
    pub device_files: Vec<DeviceFile>,
    /// The adapters that came of it.
    pub adapters: Vec<VulkanAdapter>,
}

/// A file that names a Vulkan driver.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct IcdFile {
    /// Where it lies.
    pub path: String,
    /// The library that it names.
    pub library: String,
    /// Whether that library can be found.
    pub library_found: bool,
    /// Why it cannot be loaded.
    pub fault: Option<LibraryFault>,
    /// The setting by which the loader does not use it, as `VK_LOADER_DRIVERS_DISABLE=value`.
    pub disabled_by: Option<String>,
}

/// A file that should name a Vulkan driver.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct UnreadIcdFile {
    /// Where it lies, or should.
    pub path: String,
    /// Why it names none.
    pub reason: String,
}

/// Why a library cannot be loaded. Libraries are named by their paths, but for one that was not found.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum LibraryFault {
    /// It is none that can be used here.
    Unusable {
        /// That library.
        library: String,
        /// What it is.
        reason: String,
    },
    /// A library that it needs is nowhere.
    Missing {
        /// The name of that library.
        library: String,
        /// Who needs it: the library itself, or one that it needs.
        by: String,
    },
    /// A library that it needs is older than the one it was made with.
    TooOld {
        /// That library.
        library: String,
        /// The version that it should have, as `GLIBC_2.38`.
        needs: String,
        /// The newest of its kind that it has.
        newest: Option<String>,
        /// Who needs it.
        by: String,
    },
}

/// The parts of NVIDIA's driver.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct NvidiaFacts {
    /// Version of the kernel module.
    pub module_version: Option<String>,
    /// Version of the graphics libraries.
    pub library_version: Option<String>,
    /// Whether the library for computing, `libcuda.so.1`, is there.
    pub compute_library: bool,
    /// Those of `libGLX_nvidia.so.0` and `libEGL_nvidia.so.0` that are there.
    pub graphics_libraries: Vec<String>,
    /// What a container asked for, `NVIDIA_DRIVER_CAPABILITIES`.
    pub capabilities: Option<String>,
}

/// A device file.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct DeviceFile {
    /// Where it is.
    pub path: String,
    /// The GPU that it is of; `None` where nobody tells, or where it is of all.
    pub gpu: Option<PciBusId>,
    /// Whether this process may read and write it.
    pub usable: bool,
    /// Whether it may not since a device cgroup withholds it.
    pub withheld: bool,
    /// Its permission bits.
    pub mode: u32,
    /// The number of its group.
    pub group: u32,
}

/// An adapter that Vulkan lists.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct VulkanAdapter {
    /// The driver's name of it.
    pub name: String,
    /// PCI vendor.
    pub vendor_id: u32,
    /// PCI device.
    pub device_id: u32,
    /// The Vulkan driver's name and version.
    pub driver: String,
    /// Its PCI bus id, where the driver tells.
    pub pci_bus_id: Option<PciBusId>,
    /// Whether it computes on the processor.
    pub is_software: bool,
}

impl VulkanAdapter {
    /// Whether it is `gpu`. Drivers that do not tell the bus id get the benefit of the doubt.
    pub(super) fn may_be(&self, gpu: &Gpu) -> bool {
        match self.pci_bus_id {
            Some(id) => id == gpu.pci_bus_id,
            None => !self.is_software && self.vendor_id == u32::from(gpu.vendor_id),
        }
    }
}
