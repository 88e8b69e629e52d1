//! The GPUs of a running node, by three witnesses: hwloc, the kernel's list of PCI functions, and Vulkan. What one of them lists
//! counts, and what is near to it is said by whoever knows.
//!
//! None of them is enough. A libhwloc may be built without PCI devices, a container may hide `/sys`, and Vulkan lists nothing
//! without its driver. Pure: who was asked, and where, is not known here, nor what a disagreement means for a user.

use std::collections::{BTreeMap, BTreeSet};

use serde::{Deserialize, Serialize};

use super::{
    CpuSet, Gpu, Node, OtherDisplay, PciBusId,
    display::{DisplayFunction, Witness, judge},
    gpu_rule::{Function, Verdict},
    nearness,
    sysfs::Facts,
};

/// How far the witnesses on a running node could tell.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct Witnesses {
    /// The hwloc library that this process has loaded, by its path; `None` where that is not known.
    pub hwloc_library: Option<String>,
    /// Whether that library lists any PCI function at all.
    pub hwloc_lists_pci: bool,
    /// The setting of the environment that changes what it lists, as `HWLOC_COMPONENTS=value`.
    pub hwloc_setting: Option<String>,
    /// Why the kernel's list tells nothing; `None` where it does.
    pub kernel_silent: Option<String>,
}

/// A PCI function as one witness shows it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct Sighting {
    pub(super) pci_bus_id: PciBusId,
    pub(super) vendor_id: u16,
    pub(super) device_id: u16,
    /// 16 bits, the base class in the upper half.
    pub(super) class_id: u16,
    /// The names of the OS devices below it, such as `renderD128`.
    pub(super) os_devices: Vec<String>,
    /// Vendor and model, where the witness knows them.
    pub(super) name: Option<String>,
    /// Network interfaces on the same part of the PCI bus; none where the witness does not tell.
    pub(super) nics: Vec<String>,
    /// The PUs that it hangs on; none where the witness does not tell.
    pub(super) near: CpuSet,
}

/// A hardware adapter of Vulkan, as far as it counts here.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct VulkanSighting {
    /// Its PCI bus id.
    pub pci_bus_id: PciBusId,
    /// PCI vendor.
    pub vendor_id: u16,
    /// PCI device.
    pub device_id: u16,
    /// The driver's name of it.
    pub name: String,
}

/// What hwloc and the kernel show, joined: the GPUs of the node, and displays that are none. `facts` tells what else the kernel
/// knows of a function.
pub(super) fn hear(
    node: &mut Node,
    of_hwloc: Vec<Sighting>,
    of_kernel: Vec<Sighting>,
    facts: impl Fn(PciBusId) -> Facts,
) {
    let mut seen = BTreeMap::<PciBusId, (Sighting, BTreeSet<Witness>)>::new();
    let of_kernel = of_kernel.into_iter().map(|sighting| (Witness::Kernel, sighting));
    for (witness, sighting) in of_hwloc.into_iter().map(|sighting| (Witness::Hwloc, sighting)).chain(of_kernel) {
        let id = sighting.pci_bus_id;
        let (first, seen_by) = seen.entry(id).or_insert_with(|| (sighting.clone(), BTreeSet::new()));
        seen_by.insert(witness);
        for device in sighting.os_devices {
            if !first.os_devices.contains(&device) {
                first.os_devices.push(device);
            }
        }
    }
    let functions = seen.into_values().filter_map(|(sighting, seen_by)| {
        let function = Function {
            vendor_id: sighting.vendor_id,
            device_id: sighting.device_id,
            class_id: sighting.class_id,
            os_devices: &sighting.os_devices,
        };
        let (verdict, partitions) = (function.verdict(), function.partitions());
        if verdict == Verdict::Other {
            return None;
        }
        let facts = facts(sighting.pci_bus_id);
        let place = nearness::place(node, sighting.near, &facts.place);
        let gpu = Gpu {
            pci_bus_id: sighting.pci_bus_id,
            vendor_id: sighting.vendor_id,
            device_id: sighting.device_id,
            name: sighting
                .name
                .or(facts.model)
                .unwrap_or_else(|| format!("{} {}", vendor(sighting.vendor_id), device(sighting.device_id))),
            locality: place.locality,
            driver: facts.driver,
            uuid: facts.uuid,
            partitions: partitions.max(facts.mig_instances),
            nics: sighting.nics,
            seen_by,
            doubt: None,
            hwloc_contradicts: place.hwloc_contradicts,
        };
        Some(DisplayFunction { gpu, verdict, physical_function: facts.physical_function })
    });
    (node.gpus, node.other_displays) = judge(functions.collect());
}

/// A vendor's name, or its number.
pub(super) fn vendor(vendor_id: u16) -> String {
    match vendor_id {
        0x10de => "NVIDIA".to_owned(),
        0x1002 => "AMD".to_owned(),
        0x8086 => "Intel".to_owned(),
        id => format!("vendor {id:04x}"),
    }
}

/// A device by its number.
pub(super) fn device(device_id: u16) -> String {
    format!("device {device_id:04x}")
}

impl Node {
    /// Whether Vulkan may know of a GPU that neither hwloc nor the kernel can tell of: where the kernel's list tells nothing,
    /// and where a display may compute by a driver that makes no device for it.
    ///
    /// Where it is false Vulkan need not be asked, which takes longer than all the rest.
    #[must_use]
    pub fn is_in_doubt(&self) -> bool {
        let silent = |witnesses: &Witnesses| witnesses.kernel_silent.is_some();
        self.witnesses.as_ref().is_some_and(silent) || self.other_displays.iter().any(|other| other.may_compute)
    }

    /// Hears Vulkan as well: GPUs that it alone lists are added, and it is noted of the others that it lists them.
    pub fn hear_vulkan(&mut self, listed: &[VulkanSighting]) {
        for adapter in listed {
            let id = adapter.pci_bus_id;
            if let Some(gpu) = self.gpus.iter_mut().find(|gpu| gpu.pci_bus_id == id) {
                gpu.seen_by.insert(Witness::Vulkan);
                continue;
            }
            // Whoever lists a function has listed its kind, which was no reason to count it.
            let doubted = self.other_displays.iter().position(|other| other.function.pci_bus_id == id);
            let mut gpu = match doubted.map(|index| self.other_displays.remove(index)) {
                Some(OtherDisplay { function, reason, .. }) => Gpu { doubt: Some(reason), ..function },
                None => Gpu::named(id, adapter.vendor_id, adapter.device_id, adapter.name.clone()),
            };
            gpu.seen_by.insert(Witness::Vulkan);
            self.gpus.push(gpu);
        }
        self.gpus.sort_by_key(|gpu| gpu.pci_bus_id);
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::topology::{Core, Locality, NumaNode, nearness::KernelSays};

    const ID: &str = "0000:65:00.0";

    /// Two NUMA nodes with a core each.
    fn node(kernel_silent: Option<&str>) -> Node {
        let pus = |index: u32| [index as usize].into_iter().collect();
        Node {
            host: None,
            packages: Vec::new(),
            numa_nodes: (0..2).map(|index| NumaNode { os_index: index, pus: pus(index), memory_bytes: 0 }).collect(),
            cores: (0..2)
                .map(|index| Core {
                    logical: index,
                    package: index,
                    numa: Some(index),
                    l3: None,
                    kind: 0,
                    pus: pus(index),
                })
                .collect(),
            gpus: Vec::new(),
            other_displays: Vec::new(),
            allowed: "0-1".parse().unwrap(),
            slot_unit: crate::topology::SlotUnit::Core,
            witnesses: Some(Witnesses { kernel_silent: kernel_silent.map(str::to_owned), ..Witnesses::default() }),
        }
    }

    fn sighting(class_id: u16, vendor_id: u16, near: &str) -> Sighting {
        Sighting {
            pci_bus_id: ID.parse().unwrap(),
            vendor_id,
            device_id: 0x2335,
            class_id,
            os_devices: Vec::new(),
            name: None,
            nics: Vec::new(),
            near: near.parse().unwrap(),
        }
    }

    fn adapter() -> VulkanSighting {
        VulkanSighting {
            pci_bus_id: ID.parse().unwrap(),
            vendor_id: 0x10de,
            device_id: 0x2335,
            name: "H200".to_owned(),
        }
    }

    fn kernel_says(numa: Option<u32>, pus: &str) -> Facts {
        Facts { place: KernelSays { numa, pus: pus.parse().unwrap() }, ..Facts::default() }
    }

    #[test]
    fn what_one_witness_lists_counts_and_its_place_comes_from_whoever_knows() {
        use Witness::{Hwloc, Kernel, Vulkan};
        for (seen_by, near) in [
            (vec![], None),
            (vec![Hwloc], Some("0")),
            (vec![Kernel], Some("1")),
            (vec![Vulkan], Some("unknown")),
            (vec![Hwloc, Kernel], Some("1")),
            (vec![Hwloc, Vulkan], Some("0")),
            (vec![Kernel, Vulkan], Some("1")),
            (vec![Hwloc, Kernel, Vulkan], Some("1")),
        ] {
            let list = |witness, near| {
                seen_by.iter().filter(move |it| **it == witness).map(move |_| sighting(0x0302, 0x10de, near))
            };
            let kernel_knows = seen_by.contains(&Kernel);
            let facts = |_| if kernel_knows { kernel_says(Some(1), "1") } else { Facts::default() };
            let mut node = node(None);
            hear(&mut node, list(Hwloc, "0").collect(), list(Kernel, "").collect(), facts);
            let adapters: Vec<VulkanSighting> = seen_by.iter().filter(|it| **it == Vulkan).map(|_| adapter()).collect();
            node.hear_vulkan(&adapters);
            let place = |gpu: &Gpu| gpu.locality.pus().map_or_else(|| "unknown".to_owned(), ToString::to_string);
            assert_eq!(node.gpus.iter().map(place).collect::<Vec<_>>(), Vec::from_iter(near), "{seen_by:?}");
            let witnesses = node.gpus.iter().flat_map(|gpu| gpu.seen_by.iter().copied());
            assert_eq!(witnesses.collect::<Vec<_>>(), seen_by);
        }
    }

    #[test]
    fn a_gpu_of_a_virtual_machine_is_near_to_all_of_its_only_numa_node() {
        let mut node = node(None);
        node.cores.iter_mut().for_each(|core| core.numa = Some(0));
        hear(&mut node, Vec::new(), vec![sighting(0x0302, 0x10de, "")], |_| kernel_says(None, "0-15"));
        let near = Locality::Near { pus: "0-1".parse().unwrap(), numa: Some(0) };
        assert_eq!((&node.gpus[0].locality, node.gpus[0].name.as_str()), (&near, "NVIDIA device 2335"));
    }

    #[test]
    fn devices_that_one_witness_shows_tell_what_a_function_of_both_is() {
        let mut with_render_node = sighting(0x0300, 0x8086, "");
        with_render_node.os_devices = vec!["card0".to_owned(), "renderD128".to_owned()];
        let mut without = sighting(0x0300, 0x8086, "");
        without.os_devices = vec!["card0".to_owned()];
        let mut node = node(None);
        hear(&mut node, vec![without.clone()], vec![with_render_node], |_| Facts::default());
        assert_eq!((node.gpus.len(), node.gpus[0].partitions), (1, 1));
        hear(&mut node, vec![without.clone()], vec![without], |_| Facts::default());
        assert_eq!((node.gpus.len(), node.other_displays.len()), (0, 1));
    }

    #[test]
    fn vulkan_is_asked_where_there_is_doubt_and_its_word_makes_a_display_a_gpu() {
        assert!(!node(None).is_in_doubt());
        assert!(node(Some("/sys is hidden")).is_in_doubt());
        let mut node = node(None);
        hear(&mut node, Vec::new(), vec![sighting(0x0300, 0x1a03, "")], |_| Facts::default());
        assert!(!node.is_in_doubt(), "a console VGA paints and nothing else");
        hear(&mut node, Vec::new(), vec![sighting(0x0300, 0x9999, "")], |_| kernel_says(Some(1), ""));
        assert!(node.is_in_doubt() && node.gpus.is_empty());
        node.hear_vulkan(&[adapter()]);
        assert!(!node.is_in_doubt() && node.other_displays.is_empty());
        let gpu = &node.gpus[0];
        assert!(gpu.doubt.as_ref().is_some_and(|why| why.contains("no compute driver")), "{gpu:?}");
        assert_eq!(gpu.locality, Locality::Near { pus: "1".parse().unwrap(), numa: Some(1) });
    }

    #[test]
    fn a_contradiction_is_kept() {
        let mut node = node(None);
        let of = |near| vec![sighting(0x0302, 0x10de, near)];
        hear(&mut node, of("0"), of(""), |_| kernel_says(Some(1), "1"));
        assert_eq!(node.gpus[0].hwloc_contradicts, "0".parse().ok());
    }
}
