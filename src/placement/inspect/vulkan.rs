//! Why Vulkan has no adapter for a GPU of the node.
//!
//! The facts come from the device layer, which opens Vulkan and reads the folders of its drivers; here they are only judged.

use std::collections::BTreeMap;

use serde::{Deserialize, Serialize};

use super::{RankFacts, finding};
use crate::{
    placement::{Code, Device, DeviceRequest, Finding, Severity, ranks_in_words},
    topology::{Gpu, Node, PciBusId},
};

/// What Vulkan has to offer on a node.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct VulkanFacts {
    /// Whether the loader, `libvulkan.so.1`, is there.
    pub loader: bool,
    /// The ICD files that the loader reads: one for each installed driver.
    pub icd_files: Vec<IcdFile>,
    /// The setting that makes the loader read these files alone, as `VK_DRIVER_FILES=value`.
    pub restricted_by: Option<String>,
    /// The adapters that came of it.
    pub adapters: Vec<VulkanAdapter>,
}

/// A file that names a Vulkan driver.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct IcdFile {
    /// Where it lies.
    pub path: String,
    /// The library that it names.
    pub library: String,
    /// Whether that library can be found.
    pub library_found: bool,
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

/// What is known of a vendor's Vulkan driver.
struct Vendor {
    id: u16,
    name: &'static str,
    /// Parts of the names of its Vulkan libraries.
    libraries: &'static [&'static str],
    install: &'static str,
}

const VENDORS: [Vendor; 3] = [
    Vendor {
        id: 0x10de,
        name: "NVIDIA",
        libraries: &["nvidia", "nouveau"],
        install: "install the Vulkan part of NVIDIA's driver (Debian: nvidia-vulkan-icd); in a container set \
                  NVIDIA_DRIVER_CAPABILITIES=all, and without X let an ICD file name libEGL_nvidia.so.0",
    },
    Vendor {
        id: 0x1002,
        name: "AMD",
        libraries: &["radeon", "amdvlk"],
        install: "install AMD's Vulkan driver (Debian: mesa-vulkan-drivers)",
    },
    Vendor {
        id: 0x8086,
        name: "Intel",
        libraries: &["intel"],
        install: "install Intel's Vulkan driver (Debian: mesa-vulkan-drivers)",
    },
];

const UNKNOWN_VENDOR: Vendor =
    Vendor { id: 0, name: "its vendor", libraries: &[""], install: "install the vendor's Vulkan driver" };

/// GPUs of the node that Vulkan does not list; one remark for each cause.
pub(in crate::placement) fn unseen_gpus(node: &Node, vulkan: &VulkanFacts) -> Vec<Finding> {
    let mut by_cause = BTreeMap::<(String, String), Vec<String>>::new();
    for gpu in node.gpus.iter().filter(|gpu| !is_listed(gpu, vulkan)) {
        by_cause.entry(cause(gpu, vulkan)).or_default().push(gpu.pci_bus_id.to_string());
    }
    by_cause
        .into_iter()
        .map(|((cause, hint), ids)| {
            let message = format!("Vulkan does not list GPU {}: {cause}", ids.join(", "));
            let remark = finding(node, Code::GpuWithoutVulkan, Severity::Warning, Vec::new(), message);
            Finding { hint: Some(hint), ..remark }
        })
        .collect()
}

/// The places that a run comes to: a rank whose GPU Vulkan does not list computes on its cores, unless it was told to use one.
pub(in crate::placement) fn without_unlisted(node: &Node, ranks: &mut [RankFacts], vulkan: &VulkanFacts) {
    for RankFacts { local, place, .. } in ranks {
        if local.request == DeviceRequest::Auto && !has_adapter(node, place.device, vulkan) {
            place.device = Device::Cpu;
        }
    }
}

/// Ranks that were told to use a GPU and will find no adapter for it: their job fails.
pub(in crate::placement) fn ranks_without_adapter(
    node: &Node,
    ranks: &[RankFacts],
    vulkan: &VulkanFacts,
) -> Option<Finding> {
    let lacking = ranks.iter().filter(|facts| !has_adapter(node, facts.place.device, vulkan));
    let lacking: Vec<u32> = lacking.map(|facts| facts.local.rank).collect();
    if lacking.is_empty() {
        return None;
    }
    let (who, verb) = (ranks_in_words(&lacking), if lacking.len() == 1 { "was" } else { "were" });
    let message = format!("{who} {verb} told to use a GPU that Vulkan does not list: a computing job fails");
    let remark = finding(node, Code::GpuWithoutVulkan, Severity::Warning, lacking, message);
    Some(Finding {
        hint: Some("let them choose: --device auto, and no `# gpu` in the rankfile; or install the driver".to_owned()),
        ..remark
    })
}

fn has_adapter(node: &Node, device: Device, vulkan: &VulkanFacts) -> bool {
    match device {
        Device::Cpu => true,
        Device::Gpu(id) => node.gpu(id).is_some_and(|gpu| is_listed(gpu, vulkan)),
        Device::SoftwareGpu => vulkan.adapters.iter().any(|adapter| adapter.is_software),
    }
}

/// All adapters compute on the processor.
pub(in crate::placement) fn software_only(node: &Node, vulkan: &VulkanFacts) -> Option<Finding> {
    if vulkan.adapters.is_empty() || vulkan.adapters.iter().any(|adapter| !adapter.is_software) {
        return None;
    }
    let names: Vec<&str> = vulkan.adapters.iter().map(|adapter| adapter.name.as_str()).collect();
    let message = format!("Vulkan lists a software adapter only: {}", names.join(", "));
    let has_gpu = !node.gpus.is_empty();
    let severity = if has_gpu { Severity::Warning } else { Severity::Note };
    let hint = if has_gpu { "install the GPU's Vulkan driver" } else { "--software-gpu computes on it" };
    let remark = finding(node, Code::SoftwareOnly, severity, Vec::new(), message);
    Some(Finding { hint: Some(hint.to_owned()), ..remark })
}

fn is_listed(gpu: &Gpu, vulkan: &VulkanFacts) -> bool {
    vulkan.adapters.iter().any(|adapter| match adapter.pci_bus_id {
        Some(id) => id == gpu.pci_bus_id,
        // Drivers that do not tell the bus id get the benefit of the doubt.
        None => !adapter.is_software && adapter.vendor_id == u32::from(gpu.vendor_id),
    })
}

/// Why Vulkan does not list `gpu`, and the way out: the first link of the chain from the kernel to Vulkan that is missing.
fn cause(gpu: &Gpu, vulkan: &VulkanFacts) -> (String, String) {
    let vendor = VENDORS.iter().find(|vendor| vendor.id == gpu.vendor_id).unwrap_or(&UNKNOWN_VENDOR);
    let is_its = |icd: &&IcdFile| vendor.libraries.iter().any(|part| icd.library.contains(part));
    let its: Vec<&IcdFile> = vulkan.icd_files.iter().filter(is_its).collect();
    let Some(driver) = &gpu.driver else {
        let cause = "no kernel driver holds it: the driver is not installed, or did not start";
        return (cause.to_owned(), format!("install {}'s driver; `dmesg` tells why it did not start", vendor.name));
    };
    if !vulkan.loader {
        let hint = "install the loader (Debian: libvulkan1)";
        return ("the Vulkan loader libvulkan.so.1 is not installed".to_owned(), hint.to_owned());
    }
    match (its.iter().find(|icd| icd.library_found), its.first(), &vulkan.restricted_by) {
        (Some(icd), ..) => (
            format!("{} names {}, which is there, but it does not offer the GPU", icd.path, icd.library),
            format!(
                "see `vulkaninfo --summary`; the user must be allowed to open the device of the kernel driver {driver} \
                 (/dev/dri/renderD*, /dev/nvidia*)"
            ),
        ),
        (None, Some(icd), _) => {
            (format!("{} names {}, which is not there", icd.path, icd.library), vendor.install.to_owned())
        }
        (None, None, Some(setting)) => (
            format!("{setting} names no driver of {}", vendor.name),
            format!("unset {}", setting.split('=').next().unwrap_or(setting)),
        ),
        (None, None, None) => (
            format!("no ICD file names a driver of {}; {}", vendor.name, files(&vulkan.icd_files)),
            vendor.install.to_owned(),
        ),
    }
}

fn files(icd_files: &[IcdFile]) -> String {
    let paths: Vec<&str> = icd_files.iter().map(|icd| icd.path.as_str()).collect();
    if paths.is_empty() { "there is no ICD file".to_owned() } else { format!("there are {}", paths.join(", ")) }
}
