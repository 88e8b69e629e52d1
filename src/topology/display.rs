//! Which display device is a GPU to compute on, and what lies near to it.
//!
//! A GPU is a PCI function of the display class. Operating system devices (`card0`, `renderD128`) play no part: a driver for
//! computing alone makes none. Left out, with the reason said, are the boards that paint a server's console, adapters that a
//! virtual machine only emulates, and functions that belong to another GPU or to a guest.

use serde::{Deserialize, Serialize};

use super::{CpuSet, PciBusId};

/// PCI base class of display devices: VGA (0300), 3D (0302) and other display controllers (0380).
const DISPLAY_CLASS: u16 = 0x03;

/// Vendors whose display devices compute nothing, and what those devices are. Source: the PCI ID repository.
const NO_GPU_VENDORS: [(u16, &str); 12] = [
    (0x1a03, "management VGA (ASPEED)"),
    (0x102b, "management VGA (Matrox)"),
    (0x19e5, "management VGA (Huawei)"),
    (0x18ca, "management VGA (XGI)"),
    (0x126f, "management VGA (Silicon Motion)"),
    (0x1013, "emulated VGA (Cirrus Logic)"),
    (0x1234, "emulated VGA (QEMU, Bochs)"),
    (0x1b36, "emulated display (QXL)"),
    (0x1af4, "emulated display (virtio)"),
    (0x15ad, "emulated display (VMware)"),
    (0x80ee, "emulated display (VirtualBox)"),
    (0x1414, "emulated display (Hyper-V)"),
];

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
    /// Its PCI bus id.
    pub pci_bus_id: PciBusId,
    /// PCI vendor.
    pub vendor_id: u16,
    /// PCI device.
    pub device_id: u16,
    /// Why it does not count as a GPU.
    pub reason: String,
}

/// A PCI function of the display class, not yet judged.
pub(super) struct DisplayFunction {
    pub(super) gpu: Gpu,
    /// The function that this one is a virtual function of, where the kernel says so.
    pub(super) physical_function: Option<PciBusId>,
}

/// Whether a PCI class (16 bits, base class in the upper half) is one of a display device.
pub(super) fn is_display(class_id: u16) -> bool {
    class_id >> 8 == DISPLAY_CLASS
}

/// Parts GPUs from display devices that are none; both by PCI bus id.
pub(super) fn judge(mut functions: Vec<DisplayFunction>) -> (Vec<Gpu>, Vec<OtherDisplay>) {
    functions.sort_by_key(|function| function.gpu.pci_bus_id);
    let (mut gpus, mut others) = (Vec::<Gpu>::new(), Vec::new());
    for DisplayFunction { gpu, physical_function } in functions {
        match reason_against(&gpu, physical_function, &gpus) {
            None => gpus.push(gpu),
            Some(reason) => others.push(OtherDisplay {
                pci_bus_id: gpu.pci_bus_id,
                vendor_id: gpu.vendor_id,
                device_id: gpu.device_id,
                reason,
            }),
        }
    }
    (gpus, others)
}

fn reason_against(gpu: &Gpu, physical_function: Option<PciBusId>, before: &[Gpu]) -> Option<String> {
    if let Some((_, what)) = NO_GPU_VENDORS.iter().find(|(vendor, _)| *vendor == gpu.vendor_id) {
        return Some((*what).to_owned());
    }
    if let Some(physical) = physical_function {
        return Some(format!("virtual function of {physical}, meant for a guest"));
    }
    // A file does not tell what is a virtual function, and some old boards have a second display controller. Either way the
    // first function is the GPU. In a guest the only function there is counts, whatever it is on the host.
    if let Some(first) = before.iter().find(|first| first.pci_bus_id.is_same_device(&gpu.pci_bus_id)) {
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
            pci_bus_id: id.parse().unwrap(),
            vendor_id,
            device_id: 0x2330,
            name: String::new(),
            locality: Locality::Unknown,
            driver: None,
            uuid: None,
        };
        DisplayFunction { gpu, physical_function: None }
    }

    fn judged(functions: Vec<DisplayFunction>) -> (Vec<String>, Vec<String>) {
        let (gpus, others) = judge(functions);
        (gpus.iter().map(|gpu| gpu.pci_bus_id.to_string()).collect(), others.into_iter().map(|it| it.reason).collect())
    }

    #[test]
    fn gpus_come_by_bus_id_and_a_management_vga_is_none() {
        let (gpus, others) = judged(vec![
            function("c1:00.0", 0x10de),
            function("03:00.0", 0x1a03),
            function("65:00.0", 0x1002),
            function("04:00.0", 0x102b),
        ]);
        assert_eq!(gpus, ["0000:65:00.0", "0000:c1:00.0"]);
        assert_eq!(others, ["management VGA (ASPEED)", "management VGA (Matrox)"]);
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

    #[test]
    fn only_the_base_class_decides() {
        assert!([0x0300, 0x0302, 0x0380].into_iter().all(is_display));
        assert!(![0x0200, 0x0604, 0x1200, 0x0003].into_iter().any(is_display));
    }
}
