//! A node as hwloc finds it, on the running machine or in an XML file.
//!
//! hwloc leaves PCI devices out unless told otherwise, and leaves out what the job may not use, together with the GPUs there.
//! Both are asked for; what the job may use stands in [`Node::allowed`].

use std::{ffi::CStr, fs::File, io::Read, path::Path};

use hwlocality::{
    Topology,
    object::{
        TopologyObject,
        attributes::{ObjectAttributes, PCIDeviceAttributes},
        types::{OSDeviceType, ObjectType},
    },
    topology::builder::{BuildFlags, TopologyBuilder, TypeFilter},
};

use super::{library, live, plain, this_machine, version};
use crate::{
    topology::{
        Core, CpuSet, Node, NumaNode, Package, PciBusId, SlotUnit, TopologyError, board, kinds, nearness, pci_list,
        sysfs,
        witnesses::{self, Sighting, Witnesses},
    },
    visible::{shown, visible},
};

/// No node's topology is this large; a file that is, is something else.
const XML_LIMIT_BYTES: u64 = 64 << 20;

impl Node {
    /// Reads the machine that this process runs on: its cores by hwloc, its GPUs by hwloc and the kernel. `root` is where the
    /// kernel's `/sys` and `/proc` are, `/` but for tests.
    ///
    /// # Errors
    /// [`TopologyError::Live`] where hwloc finds no PU, or has been told by the environment to describe another machine.
    pub fn of_this_machine(root: &Path) -> Result<Self, TopologyError> {
        let topology = this_machine(with_devices().map_err(|cause| live(&cause))?)?;
        let mut node = Self::without_gpus(&topology);
        kinds::set(&mut node.cores, &kinds::of_kernel(root));
        let of_hwloc = sightings(&topology);
        let of_kernel = pci_list::read(root);
        node.witnesses = Some(Witnesses {
            hwloc_library: library::path(),
            hwloc_lists_pci: !of_hwloc.is_empty(),
            hwloc_setting: library::setting(),
            kernel_silent: of_kernel.as_ref().err().cloned().filter(|_| cfg!(target_os = "linux")),
        });
        witnesses::hear(&mut node, of_hwloc, of_kernel.unwrap_or_default(), |id| sysfs::facts(root, id));
        if let Some(board) = board::model(root) {
            node.packages.iter_mut().for_each(|package| package.model = package.model.take().or(Some(board.clone())));
        }
        Ok(node)
    }

    /// Reads an hwloc XML description, as `lstopo node.xml` writes it. `name` stands for it in messages.
    ///
    /// For files that are known to be good: hwloc may crash over others, which [`Node::from_foreign_xml_file`] is for.
    ///
    /// # Errors
    /// [`TopologyError::Stored`] where the text is none, is of a version that the hwloc library here does not read, has no PU,
    /// or lets the job use none.
    pub fn from_xml(name: &str, xml: &str) -> Result<Self, TopologyError> {
        let fail = |reason: &str| TopologyError::Stored { name: name.to_owned(), reason: reason.to_owned() };
        let rejected = version::why_rejected(name, xml);
        // hwloc may abort the process over a topology without a PU.
        if !xml.contains(r#"type="PU""#) {
            return Err(fail(&rejected));
        }
        let builder = with_devices().map_err(|cause| fail(&cause))?;
        let builder = builder.from_xml(xml).map_err(|_| fail(&rejected))?;
        let topology = builder.build().map_err(|_| fail(&rejected))?;
        let mut node = Self::without_gpus(&topology);
        kinds::set(&mut node.cores, &kinds::of_xml(xml));
        witnesses::hear(&mut node, sightings(&topology), Vec::new(), |_| sysfs::Facts::default());
        if node.allowed_cores().next().is_none() {
            return Err(fail("it allows the use of no core"));
        }
        Ok(node)
    }

    /// Reads a file with an hwloc XML description that is known to be good.
    ///
    /// # Errors
    /// [`TopologyError::Stored`] where the file cannot be read, or as [`Node::from_xml`] has it.
    #[cfg(any(test, feature = "inside"))]
    pub fn from_xml_file(path: &Path) -> Result<Self, TopologyError> {
        Self::from_xml(&shown(path).to_string(), &read_xml(path)?)
    }

    fn without_gpus(topology: &Topology) -> Self {
        Self {
            host: text(topology.root_object().info("HostName")),
            packages: topology.objects_with_type(ObjectType::Package).map(package).collect(),
            numa_nodes: numa_nodes(topology),
            cores: cores(topology),
            gpus: Vec::new(),
            other_displays: Vec::new(),
            allowed: plain(&topology.allowed_cpuset()),
            slot_unit: SlotUnit::Core,
            witnesses: None,
        }
    }
}

/// The text of an XML file.
pub(in crate::topology) fn read_xml(path: &Path) -> Result<String, TopologyError> {
    let fail = |reason: String| TopologyError::Stored { name: shown(path).to_string(), reason };
    let mut xml = String::new();
    File::open(path)
        .and_then(|file| file.take(XML_LIMIT_BYTES + 1).read_to_string(&mut xml))
        .map_err(|cause| fail(cause.to_string()))?;
    if xml.len() as u64 > XML_LIMIT_BYTES {
        return Err(fail(format!("it is larger than {} MiB", XML_LIMIT_BYTES >> 20)));
    }
    Ok(xml)
}

fn with_devices() -> Result<TopologyBuilder, String> {
    TopologyBuilder::new()
        .with_flags(BuildFlags::INCLUDE_DISALLOWED)
        .map_err(|cause| cause.to_string())?
        .with_io_type_filter(TypeFilter::KeepImportant)
        .map_err(|cause| cause.to_string())?
        // Render nodes are important to hwloc only where everything is.
        .with_type_filter(ObjectType::OSDevice, TypeFilter::KeepAll)
        .map_err(|cause| cause.to_string())
}

fn package(object: &TopologyObject) -> Package {
    Package {
        logical: index(object.logical_index()),
        pus: plain_or_none(object),
        model: text(object.info("CPUModel")).map(|model| model.split_whitespace().collect::<Vec<_>>().join(" ")),
    }
}

fn numa_nodes(topology: &Topology) -> Vec<NumaNode> {
    let mut nodes: Vec<NumaNode> = topology
        .objects_with_type(ObjectType::NUMANode)
        .map(|object| NumaNode {
            os_index: index(object.os_index().unwrap_or(object.logical_index())),
            pus: plain_or_none(object),
            memory_bytes: object.total_memory(),
        })
        .collect();
    nodes.sort_by_key(|node| node.os_index);
    nodes
}

/// The cores. Where there are none, as on mainframes, in some virtual machines and where `/sys` is hidden, PUs are the cores;
/// so do the launchers count.
fn cores(topology: &Topology) -> Vec<Core> {
    let numa_nodes = numa_nodes(topology);
    let has_cores = topology.objects_with_type(ObjectType::Core).next().is_some();
    topology
        .objects_with_type(if has_cores { ObjectType::Core } else { ObjectType::PU })
        .map(|object| {
            let pus = plain_or_none(object);
            let package = object.first_ancestor_with_type(ObjectType::Package);
            Core {
                logical: index(object.logical_index()),
                package: package.map_or(0, |package| index(package.logical_index())),
                numa: nearness::nearest_memory(&numa_nodes, &pus),
                l3: object.first_ancestor_with_type(ObjectType::L3Cache).map(|cache| index(cache.logical_index())),
                kind: 0,
                pus,
            }
        })
        .collect()
}

/// The PCI functions that hwloc lists.
fn sightings(topology: &Topology) -> Vec<Sighting> {
    let functions = topology.objects_with_type(ObjectType::PCIDevice);
    let sighting = |object: &TopologyObject| match object.attributes() {
        Some(ObjectAttributes::PCIDevice(pci)) => Some(Sighting {
            pci_bus_id: PciBusId {
                domain: pci.domain().into(),
                bus: pci.bus_id(),
                device: pci.bus_device(),
                function: pci.function(),
            },
            vendor_id: pci.vendor_id(),
            device_id: pci.device_id(),
            class_id: pci.class_id(),
            os_devices: os_devices(object),
            nics: nics(object),
            name: name(object, pci),
            near: object.first_non_io_ancestor().map(plain_or_none).unwrap_or_default(),
        }),
        _ => None,
    };
    functions.filter_map(sighting).collect()
}

/// The names of the operating system's devices below a PCI function, such as `renderD128`.
fn os_devices(object: &TopologyObject) -> Vec<String> {
    let devices = object.io_children().filter(|child| child.object_type() == ObjectType::OSDevice);
    devices.filter_map(|device| text(device.name())).collect()
}

/// The network interfaces below the nearest bridge above a PCI function that has any: those of a fast network, or else all.
fn nics(object: &TopologyObject) -> Vec<String> {
    let bridges = object.ancestors().take_while(|above| above.object_type() == ObjectType::Bridge);
    bridges
        .map(|bridge| {
            let (mut fast, mut all) = (Vec::new(), Vec::new());
            nics_below(bridge, &mut fast, &mut all);
            if fast.is_empty() { all } else { fast }
        })
        .find(|nics| !nics.is_empty())
        .unwrap_or_default()
}

/// The network interfaces below an object: those with verbs, and those with addresses.
fn nics_below(object: &TopologyObject, fast: &mut Vec<String>, all: &mut Vec<String>) {
    for child in object.io_children() {
        if let Some(ObjectAttributes::OSDevice(device)) = child.attributes() {
            let into = match device.device_type() {
                OSDeviceType::OpenFabrics => Some(&mut *fast),
                OSDeviceType::Network => Some(&mut *all),
                _ => None,
            };
            if let (Some(into), Some(name)) = (into, text(child.name())) {
                into.push(name);
            }
        }
        nics_below(child, fast, all);
    }
}

/// Vendor and model; `None` where hwloc has no PCI ID repository.
fn name(object: &TopologyObject, pci: &PCIDeviceAttributes) -> Option<String> {
    let (vendor, device) = (text(object.info("PCIVendor")), text(object.info("PCIDevice")));
    (vendor.is_some() || device.is_some()).then(|| {
        let vendor = vendor.unwrap_or_else(|| witnesses::vendor(pci.vendor_id()));
        format!("{vendor} {}", device.unwrap_or_else(|| witnesses::device(pci.device_id())))
    })
}

fn plain_or_none(object: &TopologyObject) -> CpuSet {
    object.cpuset().map(|set| plain(&set)).unwrap_or_default()
}

fn index(value: usize) -> u32 {
    u32::try_from(value).expect("hwloc's indexes are C's unsigned int")
}

/// What hwloc or a file has of others' words.
fn text(info: Option<&CStr>) -> Option<String> {
    info.map(|info| visible(info.to_string_lossy().trim()).into_owned()).filter(|info| !info.is_empty())
}

#[cfg(test)]
mod tests {
    use std::fs;

    use super::*;
    use crate::topology::binding;

    #[test]
    fn this_machine_has_cores_and_the_binding_is_among_them() {
        let node = Node::of_this_machine(Path::new("/")).unwrap();
        let pus: CpuSet = node.cores.iter().map(|core| &core.pus).collect();
        let binding = binding().unwrap();
        assert!(!binding.is_empty() && binding.is_subset(&pus), "binding {binding}, cores {pus}");
        assert!(node.allowed.is_subset(&pus) && node.allowed_cores().next().is_some());
        let json = serde_json::to_string(&node).unwrap();
        assert_eq!(serde_json::from_str::<Node>(&json).unwrap(), node);
    }

    #[test]
    fn what_is_no_topology_is_named_with_the_reason() {
        // Laid out as `lstopo` does it: hwloc without libxml2 reads nothing else.
        let pus_only = r#"<?xml version="1.0" encoding="UTF-8"?>
<!DOCTYPE topology SYSTEM "hwloc2.dtd">
<topology version="2.0">
  <object type="Machine" os_index="0" cpuset="0x1" complete_cpuset="0x1" allowed_cpuset="0x1" nodeset="0x1" complete_nodeset="0x1" allowed_nodeset="0x1" gp_index="1">
    <object type="NUMANode" os_index="0" cpuset="0x1" complete_cpuset="0x1" nodeset="0x1" complete_nodeset="0x1" gp_index="3"/>
    <object type="PU" os_index="0" cpuset="0x1" complete_cpuset="0x1" nodeset="0x1" complete_nodeset="0x1" gp_index="2"/>
  </object>
</topology>
"#;
        for (xml, reason) in [
            ("", "no XML of hwloc"),
            ("rank 0=a slot=0", "no XML of hwloc"),
            ("<a><b/></a>", "no XML of hwloc"),
            (r#"<topology version="2.0"><object type="Machine"/></topology>"#, "has no PU"),
            ("nul\0byte", "no XML of hwloc"),
            (&pus_only.replace("type=\"PU\"", "type=\"Core\""), "no PU"),
            (&pus_only.replace("version=\"2.0\"", "version=\"7.1\""), "version 7.1"),
        ] {
            let message = Node::from_xml("n.xml", xml).unwrap_err().to_string();
            assert!(message.contains("n.xml") && message.contains(reason), "{xml}: {message}");
        }
        let cores = Node::from_xml("n.xml", pus_only).unwrap().cores;
        assert_eq!(cores.iter().map(|core| core.pus.to_string()).collect::<Vec<_>>(), ["0"], "a PU alone is a core");
    }

    #[test]
    fn a_file_that_cannot_be_read_is_named() {
        let folder = tempfile::tempdir().unwrap();
        let binary = folder.path().join("binary");
        fs::write(&binary, [0xff, 0xfe, 0x00]).unwrap();
        let huge = folder.path().join("huge");
        File::create(&huge).unwrap().set_len(XML_LIMIT_BYTES + 1).unwrap();
        for (path, reason) in [
            (folder.path().join("missing"), "No such file"),
            (folder.path().to_owned(), "directory"),
            (binary, "UTF-8"),
            (huge, "larger than 64 MiB"),
        ] {
            let message = Node::from_xml_file(&path).unwrap_err().to_string();
            assert!(message.contains(&path.display().to_string()) && message.contains(reason), "{message}");
        }
    }
}
