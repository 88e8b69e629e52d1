//! The GPUs of a node among its displays and accelerators, and what lies near to each.
//!
//! Who lists a function is the business of [`witnesses`](super::witnesses), and what kind of function counts that of
//! [`gpu_rule`](super::gpu_rule). Here are left out, with the reason said, functions that belong to another GPU or to a guest.

use std::collections::BTreeSet;

use serde::{Deserialize, Serialize};

use super::{CpuSet, PciBusId, gpu_rule::Verdict};

/// Kernel drivers that hold a device for a guest.
const PASSTHROUGH_DRIVERS: [&str; 3] = ["vfio-pci", "pci-stub", "pciback"];

/// A GPU of the node, named by its PCI bus id.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Gpu {
    /// The only name of a GPU that hwloc, Vulkan and the vendors' tools agree on.
    pub pci_bus_id: PciBusId,
    /// PCI vendor.
    pub vendor_id: u16,
    /// PCI device.
    pub device_id: u16,
    /// Vendor and model as the PCI ID repository has them, or their numbers.
    pub name: String,
    /// The cores next to it.
    pub locality: Locality,
    /// The kernel driver bound to it; `None` where there is none, or where the node was read from a file.
    pub driver: Option<String>,
    /// The vendor's unique name, `GPU-...`, where the driver tells it.
    pub uuid: Option<String>,
    /// Into how many devices with this one bus id the GPU is cut, as an MI300 in CPX mode or NVIDIA's MIG; 1 for a whole one.
    pub partitions: usize,
    /// Network interfaces on the same part of the PCI bus, by the operating system's names, as far as hwloc shows them.
    pub nics: Vec<String>,
    /// Who lists it; never empty.
    pub seen_by: BTreeSet<Witness>,
    /// Why its kind alone would make it none; where there is such a reason, Vulkan has computed on it all the same.
    pub doubt: Option<String>,
    /// The PUs that hwloc hangs it on, where the kernel names a NUMA node that has none of them: the kernel was believed.
    pub hwloc_contradicts: Option<CpuSet>,
}

/// Who can list the GPUs of a node.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum Witness {
    /// The hwloc library.
    Hwloc,
    /// The kernel's list of PCI functions, `/sys/bus/pci/devices`.
    Kernel,
    /// The drivers of Vulkan.
    Vulkan,
}

impl Gpu {
    /// A GPU of which no more is known, and that nobody lists yet.
    #[must_use]
    pub(crate) fn named(pci_bus_id: PciBusId, vendor_id: u16, device_id: u16, name: String) -> Self {
        Self {
            pci_bus_id,
            vendor_id,
            device_id,
            name,
            locality: Locality::Unknown,
            driver: None,
            uuid: None,
            partitions: 1,
            nics: Vec::new(),
            seen_by: BTreeSet::new(),
            doubt: None,
            hwloc_contradicts: None,
        }
    }

    /// ` in 8 partitions`, to be put after its name; nothing for a GPU that is whole.
    #[must_use]
    pub fn partitions_in_words(&self) -> String {
        if self.partitions > 1 { format!(" in {} partitions", self.partitions) } else { String::new() }
    }
}

/// Where a GPU hangs.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub enum Locality {
    /// Next to these PUs.
    Near {
        /// The PUs of the nearest object that has any.
        pus: CpuSet,
        /// Their NUMA node, where they belong to a single one.
        numa: Option<u32>,
    },
    /// The firmware does not tell, as in most virtual machines. No core is nearer than another.
    Unknown,
}

impl Locality {
    /// The PUs next to the GPU, where they are known.
    #[must_use]
    pub fn pus(&self) -> Option<&CpuSet> {
        match self {
            Self::Near { pus, .. } => Some(pus),
            Self::Unknown => None,
        }
    }
}

/// A display device that nothing can be computed on.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct OtherDisplay {
    /// The GPU that it would be.
    pub function: Gpu,
    /// Why it does not count as a GPU.
    pub reason: String,
    /// Whether Vulkan may compute on it all the same.
    pub may_compute: bool,
}

/// A display or an accelerator, as the GPU that it would be.
pub(super) struct DisplayFunction {
    pub(super) gpu: Gpu,
    /// What its kind says.
    pub(super) verdict: Verdict,
    /// The function that this one is a virtual function of, where the kernel says so.
    pub(super) physical_function: Option<PciBusId>,
}

/// Parts GPUs from display devices that are none; both by PCI bus id.
pub(super) fn judge(mut functions: Vec<DisplayFunction>) -> (Vec<Gpu>, Vec<OtherDisplay>) {
    functions.sort_by_key(|function| function.gpu.pci_bus_id);
    let (mut gpus, mut others) = (Vec::<Gpu>::new(), Vec::new());
    for DisplayFunction { gpu, verdict, physical_function } in functions {
        let reason = match verdict {
            Verdict::Other => continue,
            Verdict::NoGpu { reason, may_compute } => Some((reason, may_compute)),
            Verdict::Gpu => reason_against(&gpu, physical_function, &gpus).map(|reason| (reason, false)),
        };
        match reason {
            None => gpus.push(gpu),
            Some((reason, may_compute)) => others.push(OtherDisplay { function: gpu, reason, may_compute }),
        }
    }
    (gpus, others)
}

fn reason_against(gpu: &Gpu, physical_function: Option<PciBusId>, before: &[Gpu]) -> Option<String> {
    if let Some(physical) = physical_function {
        return Some(format!("virtual function of {physical}, meant for a guest"));
    }
    // A file does not tell what is a virtual function, and some old boards have a second display controller. Either way the
    // first function is the GPU. In a guest the only function there is counts, whatever it is on the host.
    let is_its = |first: &&Gpu| first.pci_bus_id.is_same_device(&gpu.pci_bus_id) && first.vendor_id == gpu.vendor_id;
    if let Some(first) = before.iter().find(is_its) {
        return Some(format!(
            "another function of {}: a virtual function or a second display output",
            first.pci_bus_id
        ));
    }
    let driver = gpu.driver.as_deref()?;
    PASSTHROUGH_DRIVERS.contains(&driver).then(|| format!("held for a virtual machine by the driver {driver}"))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn function(id: &str, vendor_id: u16) -> DisplayFunction {
        let gpu = Gpu {
            seen_by: BTreeSet::from([Witness::Hwloc]),
            ..Gpu::named(id.parse().unwrap(), vendor_id, 0x2330, String::new())
        };
        DisplayFunction { gpu, verdict: Verdict::Gpu, physical_function: None }
    }

    fn judged(functions: Vec<DisplayFunction>) -> (Vec<String>, Vec<String>) {
        let (gpus, others) = judge(functions);
        (gpus.iter().map(|gpu| gpu.pci_bus_id.to_string()).collect(), others.into_iter().map(|it| it.reason).collect())
    }

    #[test]
    fn gpus_come_by_bus_id_and_what_is_none_keeps_its_reason() {
        let mut vga = function("03:00.0", 0x1a03);
        vga.verdict = Verdict::NoGpu { reason: "management VGA (ASPEED)".to_owned(), may_compute: false };
        let mut network = function("04:00.0", 0x15b3);
        network.verdict = Verdict::Other;
        let (gpus, others) = judged(vec![function("c1:00.0", 0x10de), vga, function("65:00.0", 0x1002), network]);
        assert_eq!(gpus, ["0000:65:00.0", "0000:c1:00.0"]);
        assert_eq!(others, ["management VGA (ASPEED)"]);
    }

    #[test]
    fn functions_of_two_vendors_are_two_gpus() {
        let (gpus, others) = judged(vec![function("84:00.0", 0x10de), function("84:00.1", 0x1002)]);
        assert_eq!((gpus.len(), others.len()), (2, 0));
    }

    #[test]
    fn virtual_functions_are_no_gpus_beside_their_physical_function() {
        let mut far = function("0a:02.0", 0x1002);
        far.physical_function = Some("0a:00.0".parse().unwrap());
        let (gpus, others) = judged(vec![function("0a:00.0", 0x1002), function("0a:00.4", 0x1002), far]);
        assert_eq!(gpus, ["0000:0a:00.0"]);
        assert!(others[0].contains("another function of 0000:0a:00.0"), "{others:?}");
        assert!(others[1].contains("virtual function of 0000:0a:00.0"), "{others:?}");
    }

    #[test]
    fn a_virtual_function_alone_in_a_guest_is_a_gpu_and_so_are_neighbors_on_an_emulated_bus() {
        let (gpus, others) =
            judged(vec![function("00:05.1", 0x8086), function("10:1c.0", 0x10de), function("10:1d.0", 0x10de)]);
        assert_eq!((gpus.len(), others.len()), (3, 0));
    }

    #[test]
    fn a_gpu_handed_to_a_guest_is_left_out() {
        let mut held = function("65:00.0", 0x10de);
        held.gpu.driver = Some("vfio-pci".into());
        let mut driven = function("66:00.0", 0x10de);
        driven.gpu.driver = Some("nvidia".into());
        let (gpus, others) = judged(vec![held, driven]);
        assert_eq!(gpus, ["0000:66:00.0"]);
        assert!(others[0].contains("vfio-pci"), "{others:?}");
    }
}
