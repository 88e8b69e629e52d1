//! hwloc into plain values, from the running machine or from an XML file; the only file that names `hwlocality`.
//!
//! hwloc leaves PCI devices out unless told otherwise, and leaves out what the job may not use, together with the GPUs there.
//! Both are asked for; what the job may use stands in [`Node::allowed`].

use std::{collections::BTreeSet, ffi::CStr, fmt::Display, fs::File, io::Read, path::Path};

use hwlocality::{
    Topology,
    cpu::{binding::CpuBindingFlags, cpuset::CpuSet as HwlocCpuSet},
    object::{
        TopologyObject,
        attributes::{ObjectAttributes, PCIDeviceAttributes},
        types::ObjectType,
    },
    topology::builder::{BuildFlags, TopologyBuilder, TypeFilter},
};

use super::{
    Core, CpuSet, Gpu, Locality, Node, NumaNode, Package, PciBusId,
    display::{DisplayFunction, is_display, judge},
    sysfs,
};
use crate::error::Error;

/// No node's topology is this large; a file that is, is something else.
const XML_LIMIT_BYTES: u64 = 64 << 20;

/// The binding of the calling thread: the PUs that the launcher left to this rank, as long as nothing else has bound the thread.
///
/// The thread and not the process is asked, because an MPI library may run helper threads with a binding of their own.
///
/// # Errors
/// [`Error::Topology`] where hwloc cannot tell.
pub fn binding() -> Result<CpuSet, Error> {
    let topology = without_devices()?;
    let binding = topology.cpu_binding(CpuBindingFlags::THREAD).map_err(|cause| live(&cause))?;
    Ok(plain(&binding))
}

/// Binds the calling thread to `pus`, and with it the threads that it starts from now on.
///
/// # Errors
/// [`Error::Topology`] where the operating system refuses, as for PUs that it keeps from this process.
pub fn bind_thread(pus: &CpuSet) -> Result<(), Error> {
    let mut set = HwlocCpuSet::new();
    pus.iter().for_each(|pu| set.set(pu));
    let bound = without_devices()?.bind_cpu(&set, CpuBindingFlags::THREAD);
    bound.map_err(|cause| live(&format!("this thread cannot be bound to PUs {pus}: {cause}")))
}

/// The running machine, seen well enough for bindings: looking for caches and devices takes longer than all the rest.
fn without_devices() -> Result<Topology, Error> {
    this_machine(TopologyBuilder::new().with_common_type_filter(TypeFilter::KeepNone).map_err(|cause| live(&cause))?)
}

impl Node {
    /// Reads the machine that this process runs on.
    ///
    /// # Errors
    /// [`Error::Topology`] where hwloc finds no PU, or has been told by the environment to describe another machine.
    pub fn of_this_machine() -> Result<Self, Error> {
        let topology = this_machine(with_devices().map_err(|cause| live(&cause))?)?;
        let mut node = Self::from_topology(&topology, Some(Path::new("/")));
        if node.cores.is_empty() {
            // Sandboxes that hide /sys show PUs alone; each is then as good as a core.
            node.cores = cores(&topology, ObjectType::PU);
        }
        Ok(node)
    }

    /// Reads an hwloc XML description, as `lstopo node.xml` writes it. `name` stands for it in messages.
    ///
    /// # Errors
    /// [`Error::StoredTopology`] where the text is none, or describes no core or no PU.
    pub fn from_xml(name: &str, xml: &str) -> Result<Self, Error> {
        let fail = |reason: &str| Error::StoredTopology { name: name.to_owned(), reason: reason.to_owned() };
        let rejected = "hwloc does not take it; it is no XML of hwloc 2, or has no PU";
        // hwloc may abort the process over a topology without a PU.
        if !xml.contains(r#"type="PU""#) {
            return Err(fail(rejected));
        }
        let builder = with_devices().map_err(|cause| fail(&cause))?;
        let builder = builder.from_xml(xml).map_err(|_| fail(rejected))?;
        let topology = builder.build().map_err(|_| fail(rejected))?;
        let node = Self::from_topology(&topology, None);
        if node.cores.is_empty() {
            return Err(fail("it has no core; export it without a filter on types"));
        }
        if node.allowed_cores().next().is_none() {
            return Err(fail("it allows the use of no core"));
        }
        Ok(node)
    }

    /// Reads a file with an hwloc XML description.
    ///
    /// # Errors
    /// [`Error::StoredTopology`] where the file cannot be read, or as [`Node::from_xml`] has it.
    pub fn from_xml_file(path: &Path) -> Result<Self, Error> {
        let name = path.display().to_string();
        let fail = |reason: String| Error::StoredTopology { name: name.clone(), reason };
        let mut xml = String::new();
        File::open(path)
            .and_then(|file| file.take(XML_LIMIT_BYTES + 1).read_to_string(&mut xml))
            .map_err(|cause| fail(cause.to_string()))?;
        if xml.len() as u64 > XML_LIMIT_BYTES {
            return Err(fail(format!("it is larger than {} MiB", XML_LIMIT_BYTES >> 20)));
        }
        Self::from_xml(&name, &xml)
    }

    /// `linux` is the root of the running machine's `/sys` and `/proc`, `None` for a stored topology.
    fn from_topology(topology: &Topology, linux: Option<&Path>) -> Self {
        let mut node = Self {
            host: text(topology.root_object().info("HostName")),
            packages: topology.objects_with_type(ObjectType::Package).map(package).collect(),
            numa_nodes: numa_nodes(topology),
            cores: cores(topology, ObjectType::Core),
            gpus: Vec::new(),
            other_displays: Vec::new(),
            allowed: plain(&topology.allowed_cpuset()),
        };
        let displays =
            topology.objects_with_type(ObjectType::PCIDevice).filter_map(|device| match device.attributes() {
                Some(ObjectAttributes::PCIDevice(pci)) if is_display(pci.class_id()) => {
                    Some(display(&node, device, pci, linux))
                }
                _ => None,
            });
        (node.gpus, node.other_displays) = judge(displays.collect());
        node
    }
}

fn with_devices() -> Result<TopologyBuilder, String> {
    TopologyBuilder::new()
        .with_flags(BuildFlags::INCLUDE_DISALLOWED)
        .map_err(|cause| cause.to_string())?
        .with_io_type_filter(TypeFilter::KeepImportant)
        .map_err(|cause| cause.to_string())
}

fn this_machine(builder: TopologyBuilder) -> Result<Topology, Error> {
    let topology = builder.build().map_err(|cause| live(&cause))?;
    if !topology.is_this_system() {
        return Err(live(
            &"the environment makes hwloc describe another machine; unset HWLOC_XMLFILE and HWLOC_SYNTHETIC, or set \
             HWLOC_THISSYSTEM=1 if they describe this one",
        ));
    }
    Ok(topology)
}

fn live(cause: &dyn Display) -> Error {
    Error::Topology(cause.to_string())
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

/// The objects of type `unit`, which is a core or, where there are none, a PU.
fn cores(topology: &Topology, unit: ObjectType) -> Vec<Core> {
    let numa_nodes = numa_nodes(topology);
    topology
        .objects_with_type(unit)
        .map(|object| {
            let pus = plain_or_none(object);
            let package = object.first_ancestor_with_type(ObjectType::Package);
            Core {
                logical: index(object.logical_index()),
                package: package.map_or(0, |package| index(package.logical_index())),
                numa: nearest_memory(&numa_nodes, &pus),
                pus,
            }
        })
        .collect()
}

/// Memory of a package is nearer to a core than memory of the whole machine. Fast memory may share its PUs with ordinary
/// memory, which has the lower index.
fn nearest_memory(numa_nodes: &[NumaNode], pus: &CpuSet) -> Option<u32> {
    let around = numa_nodes.iter().filter(|node| pus.is_subset(&node.pus));
    around.min_by_key(|node| (node.pus.len(), node.os_index)).map(|node| node.os_index)
}

fn display(node: &Node, object: &TopologyObject, pci: &PCIDeviceAttributes, linux: Option<&Path>) -> DisplayFunction {
    let pci_bus_id =
        PciBusId { domain: pci.domain().into(), bus: pci.bus_id(), device: pci.bus_device(), function: pci.function() };
    let facts = linux.map(|root| sysfs::facts(root, pci_bus_id)).unwrap_or_default();
    let hwloc_says = object.first_non_io_ancestor().map(plain_or_none).unwrap_or_default();
    let gpu = Gpu {
        pci_bus_id,
        vendor_id: pci.vendor_id(),
        device_id: pci.device_id(),
        name: name(object, pci),
        locality: locality(node, hwloc_says, facts.numa),
        driver: facts.driver,
        uuid: facts.uuid,
    };
    DisplayFunction { gpu, physical_function: facts.physical_function }
}

/// What is near, from the PUs that hwloc hangs a device on and the NUMA node that the kernel names, if it does.
///
/// The kernel wins where they contradict: on boards whose GPU hangs on the processor by another link than PCI, the place on
/// the PCI bus is not the place that counts.
fn locality(node: &Node, hwloc_says: CpuSet, kernel_says: Option<u32>) -> Locality {
    let nodes_with_pus: BTreeSet<u32> = node.cores.iter().filter_map(|core| core.numa).collect();
    let kernels = node.numa_nodes.iter().find(|numa| Some(numa.os_index) == kernel_says && !numa.pus.is_empty());
    let covers_all = node.cores.iter().all(|core| core.pus.is_subset(&hwloc_says));
    let unknown = hwloc_says.is_empty() || (covers_all && nodes_with_pus.len() > 1);
    let pus = match kernels {
        Some(numa) if unknown || !numa.pus.intersects(&hwloc_says) => numa.pus.clone(),
        _ if unknown => return Locality::Unknown,
        _ => hwloc_says,
    };
    let numa = node.numa_nodes_of(&pus);
    Locality::Near { numa: numa.first().copied().filter(|_| numa.len() == 1), pus }
}

fn name(object: &TopologyObject, pci: &PCIDeviceAttributes) -> String {
    let vendor = text(object.info("PCIVendor")).unwrap_or_else(|| match pci.vendor_id() {
        0x10de => "NVIDIA".into(),
        0x1002 => "AMD".into(),
        0x8086 => "Intel".into(),
        id => format!("vendor {id:04x}"),
    });
    let device = text(object.info("PCIDevice")).unwrap_or_else(|| format!("device {:04x}", pci.device_id()));
    format!("{vendor} {device}")
}

fn plain_or_none(object: &TopologyObject) -> CpuSet {
    object.cpuset().map(|set| plain(&set)).unwrap_or_default()
}

fn plain(set: &HwlocCpuSet) -> CpuSet {
    // A set without an end would be hwloc's way to say that it does not know.
    set.iter_set().map(usize::from).take_while(|&pu| pu < CpuSet::LIMIT).collect()
}

fn index(value: usize) -> u32 {
    u32::try_from(value).expect("hwloc's indexes are C's unsigned int")
}

fn text(info: Option<&CStr>) -> Option<String> {
    info.map(|info| info.to_string_lossy().trim().to_owned()).filter(|info| !info.is_empty())
}

#[cfg(test)]
mod tests {
    use std::{fs, thread};

    use super::*;

    #[test]
    fn this_machine_has_cores_and_the_binding_is_among_them() {
        let node = Node::of_this_machine().unwrap();
        let pus: CpuSet = node.cores.iter().map(|core| &core.pus).collect();
        let binding = binding().unwrap();
        assert!(!binding.is_empty() && binding.is_subset(&pus), "binding {binding}, cores {pus}");
        assert!(node.allowed.is_subset(&pus) && node.allowed_cores().next().is_some());
        let json = serde_json::to_string(&node).unwrap();
        assert_eq!(serde_json::from_str::<Node>(&json).unwrap(), node);
    }

    #[test]
    fn a_thread_is_where_it_was_bound_and_so_are_those_it_starts() {
        let one: CpuSet = binding().unwrap().first().into_iter().collect();
        let seen = thread::spawn({
            let one = one.clone();
            move || {
                bind_thread(&one).unwrap();
                (binding().unwrap(), thread::spawn(|| binding().unwrap()).join().unwrap())
            }
        });
        assert_eq!(seen.join().unwrap(), (one.clone(), one));
    }

    #[test]
    fn a_thread_cannot_be_bound_to_a_pu_that_is_not_there() {
        let message = bind_thread(&"131000".parse().unwrap()).unwrap_err().to_string();
        assert!(message.contains("131000"), "{message}");
    }

    #[test]
    fn what_is_no_topology_is_named_with_the_reason() {
        let pus_only = r#"<?xml version="1.0" encoding="UTF-8"?>
            <!DOCTYPE topology SYSTEM "hwloc2.dtd">
            <topology version="2.0">
              <object type="Machine" os_index="0" cpuset="0x1" complete_cpuset="0x1" allowed_cpuset="0x1"
                      nodeset="0x1" complete_nodeset="0x1" allowed_nodeset="0x1" gp_index="1">
                <object type="NUMANode" os_index="0" cpuset="0x1" complete_cpuset="0x1"
                        nodeset="0x1" complete_nodeset="0x1" gp_index="3"/>
                <object type="PU" os_index="0" cpuset="0x1" complete_cpuset="0x1"
                        nodeset="0x1" complete_nodeset="0x1" gp_index="2"/>
              </object>
            </topology>"#;
        for (xml, reason) in [
            ("", "no XML of hwloc"),
            ("rank 0=a slot=0", "no XML of hwloc"),
            ("<a><b/></a>", "no XML of hwloc"),
            (r#"<topology version="2.0"><object type="Machine"/></topology>"#, "no XML of hwloc"),
            ("nul\0byte", "no XML of hwloc"),
            (pus_only, "no core"),
            (&pus_only.replace("type=\"PU\"", "type=\"Core\""), "no PU"),
        ] {
            let message = Node::from_xml("n.xml", xml).unwrap_err().to_string();
            assert!(message.contains("n.xml") && message.contains(reason), "{xml}: {message}");
        }
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

    /// Two packages with one NUMA node and one core each.
    fn two_packages() -> Node {
        let numa =
            |index: u32| NumaNode { os_index: index, pus: [index as usize].into_iter().collect(), memory_bytes: 0 };
        let core = |index: u32| Core {
            logical: index,
            package: index,
            numa: Some(index),
            pus: [index as usize].into_iter().collect(),
        };
        Node {
            host: None,
            packages: Vec::new(),
            numa_nodes: vec![numa(0), numa(1)],
            cores: vec![core(0), core(1)],
            gpus: Vec::new(),
            other_displays: Vec::new(),
            allowed: "0-1".parse().unwrap(),
        }
    }

    #[test]
    fn the_nearest_memory_is_the_smallest_around_a_core_and_of_several_the_first() {
        let numa = |os_index: u32, pus: &str| NumaNode { os_index, pus: pus.parse().unwrap(), memory_bytes: 0 };
        let nodes = [numa(0, "0-7"), numa(1, "0-3"), numa(2, "4-7"), numa(3, "4-7"), numa(4, "")];
        let of = |pus: &str| nearest_memory(&nodes, &pus.parse().unwrap());
        assert_eq!([of("1"), of("5-6"), of("3-4"), of("9")], [Some(1), Some(2), Some(0), None]);
    }

    #[test]
    fn locality_is_unknown_rather_than_wrong() {
        let near = |pus: &str, numa| Locality::Near { pus: pus.parse().unwrap(), numa };
        for (hwloc_says, kernel_says, expected) in [
            ("0", None, near("0", Some(0))),
            ("0", Some(0), near("0", Some(0))),
            ("0", Some(1), near("1", Some(1))),
            ("0-1", None, Locality::Unknown),
            ("0-1", Some(1), near("1", Some(1))),
            ("", None, Locality::Unknown),
            ("1", Some(7), near("1", Some(1))),
        ] {
            let locality = locality(&two_packages(), hwloc_says.parse().unwrap(), kernel_says);
            assert_eq!(locality, expected, "hwloc {hwloc_says:?}, kernel {kernel_says:?}");
        }
    }

    #[test]
    fn on_a_node_with_one_numa_node_everything_is_near() {
        let mut node = two_packages();
        node.cores.iter_mut().for_each(|core| core.numa = Some(0));
        let expected = Locality::Near { pus: "0-1".parse().unwrap(), numa: Some(0) };
        assert_eq!(locality(&node, "0-1".parse().unwrap(), None), expected);
    }
}
