//! What is a GPU: the one rule, over what hwloc and the kernel tell of a PCI function.
//!
//! A GPU is a function that a GPU's compute driver lists, or one of the display class that is neither a server's console nor a
//! virtual machine's, or AMD's accelerators of class 12. A driver for computing alone need not be seen by hwloc, so that a
//! function of a vendor of GPUs counts without one; any other display counts only where a driver for more than a picture is
//! there. Knows no topology: where the function hangs, and whether it belongs to another one, is judged elsewhere.

/// PCI base class of display devices: VGA (0300), 3D (0302), other display controllers (0380).
const DISPLAY_CLASS: u16 = 0x03;
/// The class of displays without a connector for a monitor: such a function is there to compute.
const CLASS_3D: u16 = 0x0302;
/// PCI base class of processing accelerators: AMD's Instinct MI300 and later, and also FPGAs and neural processors.
const ACCELERATOR_CLASS: u16 = 0x12;

const NVIDIA: u16 = 0x10de;
const AMD: u16 = 0x1002;
const INTEL: u16 = 0x8086;

/// Vendors whose display functions compute nothing, and what those are. Source: the PCI ID repository. Those of virtual
/// machines have a render node whatever is behind it.
const NO_GPU_VENDORS: [(u16, &str); 19] = [
    (0x1a03, "management VGA (ASPEED)"),
    (0x102b, "management VGA (Matrox)"),
    (0x19e5, "management VGA (Huawei)"),
    (0x18ca, "management VGA (XGI)"),
    (0x126f, "management VGA (Silicon Motion)"),
    (0x19a2, "management VGA (Emulex)"),
    (0x1050, "management VGA (Winbond)"),
    (0x1039, "old VGA (SiS)"),
    (0x1023, "old VGA (Trident)"),
    (0x1d0f, "console VGA (Amazon EC2)"),
    (0x1013, "emulated VGA (Cirrus Logic)"),
    (0x1234, "emulated VGA (QEMU, Bochs)"),
    (0x5333, "emulated VGA (S3)"),
    (0x1b36, "emulated display (QXL)"),
    (0x1af4, "emulated display (virtio)"),
    (0x15ad, "emulated display (VMware)"),
    (0x80ee, "emulated display (VirtualBox)"),
    (0x1ab8, "emulated display (Parallels)"),
    (0x1414, "emulated display (Hyper-V)"),
];

/// Chips of vendors of GPUs that paint the console of old servers. Source: the PCI ID repository.
const CONSOLE_CHIPS: [(u16, u16); 8] = [
    (AMD, 0x515e), // ES1000
    (AMD, 0x515f), // ES1000
    (AMD, 0x5969), // ES1000
    (AMD, 0x5159), // RV100, Radeon 7000
    (AMD, 0x4752), // Rage XL
    (AMD, 0x4750), // Rage 3 Pro
    (AMD, 0x474d), // Rage XL AGP
    (AMD, 0x4754), // Rage 3 3D II+
];

/// OS devices of drivers with which GPUs compute, and no FPGA or neural processor does.
const GPU_DRIVERS: [&str; 3] = ["cuda", "nvml", "rsmi"];
/// OS devices of drivers that tell a display with which one can compute from one that only shows a picture.
const COMPUTE_DRIVERS: [&str; 6] = ["cuda", "nvml", "rsmi", "ze", "opencl", RENDER_NODE];
/// The device with which programs compute and draw without a screen.
const RENDER_NODE: &str = "renderD";
/// OS devices of drivers that show pictures, and make a render node beside them where they can do more.
const PICTURE_DRIVERS: [&str; 2] = ["card", "controlD"];

/// A PCI function as it is shown.
pub(super) struct Function<'a> {
    pub(super) vendor_id: u16,
    pub(super) device_id: u16,
    /// 16 bits, the base class in the upper half.
    pub(super) class_id: u16,
    /// The names of the OS devices below it, such as `cuda0` or `renderD128`; none where hwloc lacks the plugin.
    pub(super) os_devices: &'a [String],
}

/// What a PCI function is.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) enum Verdict {
    Gpu,
    /// A display or an accelerator that is none, as far as that can be told without asking Vulkan.
    NoGpu {
        reason: String,
        /// Whether Vulkan may compute on it all the same: no chip that only paints, or one with a render node.
        may_compute: bool,
    },
    /// Neither.
    Other,
}

impl Function<'_> {
    /// Applies the rule.
    pub(super) fn verdict(&self) -> Verdict {
        let &Self { vendor_id, device_id, class_id, .. } = self;
        let no_gpu = |reason: &str, may_compute| Verdict::NoGpu { reason: reason.to_owned(), may_compute };
        let has_render_node = self.has(&[RENDER_NODE]);
        if let Some((_, what)) = NO_GPU_VENDORS.iter().find(|(vendor, _)| *vendor == vendor_id) {
            return if class_id >> 8 == DISPLAY_CLASS { no_gpu(what, has_render_node) } else { Verdict::Other };
        }
        if self.has(&GPU_DRIVERS) {
            return Verdict::Gpu;
        }
        match class_id >> 8 {
            ACCELERATOR_CLASS if vendor_id == AMD => Verdict::Gpu,
            ACCELERATOR_CLASS => {
                no_gpu("processing accelerator of a vendor that makes no GPUs of this class", has_render_node)
            }
            DISPLAY_CLASS if CONSOLE_CHIPS.contains(&(vendor_id, device_id)) => {
                no_gpu("console VGA of an old server", false)
            }
            DISPLAY_CLASS if self.has(&COMPUTE_DRIVERS) || class_id == CLASS_3D || vendor_id == NVIDIA => Verdict::Gpu,
            DISPLAY_CLASS if self.has(&PICTURE_DRIVERS) => no_gpu("display whose driver has no render node", true),
            DISPLAY_CLASS if [AMD, INTEL].contains(&vendor_id) => Verdict::Gpu,
            DISPLAY_CLASS => no_gpu("display that no compute driver and no render node is known of", true),
            _ => Verdict::Other,
        }
    }

    /// How many devices one driver makes of the function: more than one where the GPU is cut in partitions, each of which is a
    /// device. Two drivers with a device each are no partitions.
    pub(super) fn partitions(&self) -> usize {
        let of_driver = |driver: &str| self.os_devices.iter().filter(|name| is_of(name, driver)).count();
        ["cuda", "nvml", "rsmi", RENDER_NODE].into_iter().map(of_driver).max().unwrap_or(0).max(1)
    }

    fn has(&self, drivers: &[&str]) -> bool {
        self.os_devices.iter().any(|name| drivers.iter().any(|driver| is_of(name, driver)))
    }
}

/// Whether a name is the driver's with a number after it: `card0`, but not `cardreader`.
fn is_of(name: &str, driver: &str) -> bool {
    name.strip_prefix(driver).is_some_and(|rest| rest.starts_with(|c: char| c.is_ascii_digit()))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn verdict(class_id: u16, vendor_id: u16, device_id: u16, os_devices: &str) -> String {
        let os_devices: Vec<String> = os_devices.split_whitespace().map(str::to_owned).collect();
        match (Function { vendor_id, device_id, class_id, os_devices: &os_devices }).verdict() {
            Verdict::Gpu => "GPU".to_owned(),
            Verdict::NoGpu { reason, .. } => reason,
            Verdict::Other => "other".to_owned(),
        }
    }

    #[test]
    fn the_rule_as_a_table() {
        for (class, vendor, device, os_devices, expected) in [
            // NVIDIA with the driver for computing alone, of which hwloc without plugins shows nothing.
            (0x0302, 0x10de, 0x2335, "", "GPU"),
            (0x0300, 0x10de, 0x11ba, "", "GPU"),
            (0x0300, 0x10de, 0x2684, "card1", "GPU"),
            (0x0302, 0x10de, 0x1db1, "card0 renderD128 cuda0 nvml0", "GPU"),
            // AMD.
            (0x0380, 0x1002, 0x7408, "rsmi0", "GPU"),
            (0x0380, 0x1002, 0x67a0, "card1 controlD65 renderD128", "GPU"),
            (0x0300, 0x1002, 0x66a1, "", "GPU"),
            (0x1200, 0x1002, 0x74a0, "rsmi0", "GPU"),
            (0x1200, 0x1002, 0x74a5, "", "GPU"),
            (0x0300, 0x1002, 0x515e, "", "console VGA of an old server"),
            (0x0300, 0x1002, 0x4752, "card0 renderD128", "console VGA of an old server"),
            (0x0300, 0x1002, 0x5046, "card0", "display whose driver has no render node"),
            // Intel.
            (0x0300, 0x8086, 0x9a49, "", "GPU"),
            (0x0380, 0x8086, 0x0bd5, "card0 renderD128 ze0", "GPU"),
            (0x0300, 0x8086, 0x29c2, "card0 controlD64", "display whose driver has no render node"),
            // Class 12 that is no GPU: FPGAs, with a render node of their own driver, and neural processors.
            (0x1200, 0x10ee, 0x5020, "card1 renderD128 opencl0d0", "processing accelerator"),
            (0x1200, 0x8086, 0x09c4, "", "processing accelerator"),
            (0x1200, 0x8086, 0x7d1d, "ze0", "processing accelerator"),
            (0x1200, 0x10de, 0xffff, "cuda0", "GPU"),
            // Consoles of servers and of clouds.
            (0x0300, 0x1a03, 0x2000, "card0 controlD64", "management VGA (ASPEED)"),
            (0x0300, 0x102b, 0x0522, "", "management VGA (Matrox)"),
            (0x0300, 0x1d0f, 0x1111, "", "console VGA (Amazon EC2)"),
            (0x0880, 0x1d0f, 0x7064, "", "other"),
            // Displays of virtual machines; some have a render node, whatever is behind it.
            (0x0300, 0x1013, 0x00b8, "card0", "emulated VGA (Cirrus Logic)"),
            (0x0300, 0x1234, 0x1111, "", "emulated VGA (QEMU, Bochs)"),
            (0x0380, 0x1af4, 0x1050, "card0 renderD128", "emulated display (virtio)"),
            (0x0300, 0x15ad, 0x0405, "card0 renderD128", "emulated display (VMware)"),
            (0x0300, 0x1414, 0x5353, "", "emulated display (Hyper-V)"),
            // Vendors that nobody has listed: known by their driver, or by having no monitor.
            (0x0300, 0x1ed5, 0x0222, "card0 renderD128", "GPU"),
            (0x0302, 0x1e3e, 0x0001, "", "GPU"),
            (0x0300, 0x0014, 0x7a06, "card0", "display whose driver has no render node"),
            (0x0300, 0x9999, 0x0001, "", "display that no compute driver"),
            // Everything else.
            (0x0200, 0x15b3, 0x1017, "ib0", "other"),
            (0x0b40, 0x8086, 0x225c, "mic0", "other"),
            (0x0108, 0x144d, 0xa80a, "nvme0n1", "other"),
            (0x0200, 0x1af4, 0x1000, "eth0", "other"),
            (0x0003, 0x10de, 0x0001, "", "other"),
        ] {
            let verdict = verdict(class, vendor, device, os_devices);
            assert!(verdict.starts_with(expected), "{class:04x} {vendor:04x}:{device:04x} [{os_devices}]: {verdict}");
        }
    }

    #[test]
    fn vulkan_is_worth_asking_where_a_function_may_do_more_than_paint() {
        for (class_id, vendor_id, device_id, os_devices, expected) in [
            (0x0300, 0x1a03, 0x2000, "card0", false),
            (0x0300, 0x1d0f, 0x1111, "", false),
            (0x0300, AMD, 0x515e, "card0 renderD128", false),
            (0x0380, 0x1af4, 0x1050, "card0 renderD128", true),
            (0x0300, 0x9999, 0x0001, "", true),
            (0x0300, INTEL, 0x29c2, "card0", true),
            (0x1200, 0x10ee, 0x5020, "", false),
        ] {
            let os_devices: Vec<String> = os_devices.split_whitespace().map(str::to_owned).collect();
            let verdict = Function { vendor_id, device_id, class_id, os_devices: &os_devices }.verdict();
            let Verdict::NoGpu { may_compute, .. } = verdict else { panic!("{vendor_id:04x} is none: {verdict:?}") };
            assert_eq!(may_compute, expected, "{vendor_id:04x}:{device_id:04x} {os_devices:?}");
        }
    }

    #[test]
    fn devices_of_one_driver_are_partitions_and_those_of_two_drivers_are_one_gpu() {
        for (os_devices, expected) in [
            ("", 1),
            ("card0 controlD64 renderD128 cuda0 nvml0 opencl0d0 opencl1d0", 1),
            ("rsmi0 rsmi1 rsmi2 opencl0d0 opencl0d1 opencl0d2", 3),
            ("renderD128 renderD129", 2),
            ("cardreader renderer", 1),
        ] {
            let os_devices: Vec<String> = os_devices.split_whitespace().map(str::to_owned).collect();
            let function = Function { vendor_id: AMD, device_id: 0x74a1, class_id: 0x1200, os_devices: &os_devices };
            assert_eq!(function.partitions(), expected, "{os_devices:?}");
        }
    }
}
