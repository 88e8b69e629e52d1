//! The report of `hybrid where`: where each rank is, what was requested, and what is wrong with it. Data, and its JSON and
//! YAML forms; the forms to read and to look at are beside it.

pub mod table;

use std::collections::BTreeSet;

use serde::Serialize;

use crate::{
    pci::PciBusId,
    placement::{
        Device, DeviceRequest, Distance, Finding, HostFacts, NodeFacts, RankFacts, VulkanAdapter, VulkanFacts,
        differences, distance,
    },
    topology::{CpuSet, Locality, Node, Witness},
    visible::visible_json,
};

/// The report of a job.
#[derive(Clone, Debug, PartialEq, Serialize)]
pub struct PlacesReport {
    /// Always `where`.
    pub command: &'static str,
    /// Version of this program.
    pub version: &'static str,
    /// The MPI library.
    pub mpi: String,
    /// The job's rankfile, where one is known.
    pub rankfile: Option<String>,
    /// Every rank, by rank.
    pub ranks: Vec<RankPlace>,
    /// Every node, by its lowest rank.
    pub nodes: Vec<NodePlace>,
    /// What each host is and has, by its lowest rank.
    pub hosts: Vec<HostFacts>,
    /// What is remarkable.
    pub findings: Vec<Finding>,
}

/// Where a rank is.
#[derive(Clone, Debug, PartialEq, Serialize)]
pub struct RankPlace {
    /// Rank in the job.
    pub rank: u32,
    /// Its node.
    pub host: String,
    /// The PUs that the launcher bound it to.
    pub binding: CpuSet,
    /// Its own cores, by logical index.
    pub cores: CpuSet,
    /// The PUs of these cores.
    pub pus: CpuSet,
    /// The NUMA nodes of these cores, by operating system index.
    pub numa_nodes: CpuSet,
    /// Threads it computes with.
    pub threads: usize,
    /// `cpu` or `gpu`.
    pub device: &'static str,
    /// Its GPU.
    pub gpu: Option<RankGpu>,
    /// What the rankfile requests; the report's `asked`.
    #[serde(rename = "asked")]
    pub requested: Option<RequestedPlace>,
}

/// A rank's GPU.
#[derive(Clone, Debug, PartialEq, Serialize)]
pub struct RankGpu {
    /// Its name, by Vulkan or else by the PCI ID repository.
    pub name: String,
    /// Its PCI bus id; none of a software adapter.
    pub pci_bus_id: Option<PciBusId>,
    /// The driver, by Vulkan or else the kernel's.
    pub driver: Option<String>,
    /// How far it is from the rank's cores; none of a software adapter.
    pub distance: Option<Distance>,
}

/// What a rankfile requests for a rank, and whether that was satisfied.
#[derive(Clone, Debug, PartialEq, Serialize)]
pub struct RequestedPlace {
    /// The host, as the rankfile names it.
    pub host: String,
    /// The cores, as the rankfile names them.
    pub slots: String,
    /// The PUs of these cores; none where the node has no such cores.
    pub pus: Option<CpuSet>,
    /// The device that a comment asks for.
    pub device: Option<DeviceRequest>,
    /// Whether all of it was satisfied; the report's `fulfilled`.
    #[serde(rename = "fulfilled")]
    pub satisfied: bool,
    /// What was not.
    pub differences: Vec<String>,
}

/// A node.
#[derive(Clone, Debug, PartialEq, Serialize)]
pub struct NodePlace {
    /// Its name.
    pub host: String,
    /// The model of its processors.
    pub processor: Option<String>,
    /// Packages.
    pub packages: usize,
    /// NUMA nodes, by operating system index.
    pub numa_nodes: CpuSet,
    /// Cores that the job may use.
    pub cores: usize,
    /// PUs that the job may use.
    pub allowed: CpuSet,
    /// Its GPUs by PCI bus id, and a software adapter where a rank uses one.
    pub gpus: Vec<NodeGpu>,
    /// What Vulkan consists of there.
    pub vulkan: Option<VulkanFacts>,
}

/// A GPU of a node.
#[derive(Clone, Debug, PartialEq, Serialize)]
pub struct NodeGpu {
    /// Its name, by Vulkan or else by the PCI ID repository.
    pub name: String,
    /// Its PCI bus id; none of a software adapter.
    pub pci_bus_id: Option<PciBusId>,
    /// The driver, by Vulkan or else the kernel's.
    pub driver: Option<String>,
    /// The PUs next to it, where they are known.
    pub near: Option<CpuSet>,
    /// The NUMA node of these PUs, where there is one.
    pub numa_node: Option<u32>,
    /// Network interfaces on its part of the PCI bus.
    pub nics: Vec<String>,
    /// Who lists it: `hwloc`, `kernel`, `vulkan`.
    pub seen_by: BTreeSet<Witness>,
    /// The ranks that compute on it.
    pub ranks: Vec<u32>,
}

impl PlacesReport {
    /// Joins what is known of the nodes.
    #[must_use]
    pub fn new(
        mpi: &str,
        rankfile: Option<String>,
        nodes: &[NodeFacts],
        hosts: Vec<HostFacts>,
        findings: Vec<Finding>,
    ) -> Self {
        let mut ranks: Vec<RankPlace> =
            nodes.iter().flat_map(|facts| facts.ranks.iter().map(|rank| rank_place(facts, rank))).collect();
        ranks.sort_by_key(|rank| rank.rank);
        Self {
            command: "where",
            version: env!("CARGO_PKG_VERSION"),
            mpi: mpi.to_owned(),
            rankfile,
            ranks,
            nodes: nodes.iter().map(node_place).collect(),
            hosts,
            findings,
        }
    }

    /// One JSON object on one line.
    #[must_use]
    pub fn json(&self) -> String {
        let json = serde_json::to_string(self).expect("numbers, strings and lists always have a JSON form");
        visible_json(&json).into_owned()
    }

    /// One YAML document.
    #[must_use]
    pub fn yaml(&self) -> String {
        // Plain, a PCI bus id like 0000:10:00.0 is a number of base 60 to readers of YAML 1.1.
        let options = serde_saphyr::ser_options! { quote_all: true };
        serde_saphyr::to_string_with_options(self, options).expect("numbers, strings and lists always have a YAML form")
    }
}

fn rank_place(facts: &NodeFacts, rank: &RankFacts) -> RankPlace {
    let NodeFacts { node, .. } = facts;
    let pus = rank.place.cores.clone();
    let gpu = node_gpus(facts).into_iter().find(|gpu| match rank.place.device {
        Device::Cpu => false,
        Device::Gpu(id) => gpu.pci_bus_id == Some(id),
        Device::SoftwareGpu => gpu.pci_bus_id.is_none(),
    });
    RankPlace {
        rank: rank.local.rank,
        host: name(node),
        binding: rank.local.binding.clone(),
        cores: indexes(node.cores_in(&pus).map(|core| core.logical)),
        numa_nodes: indexes(node.numa_nodes_of(&pus)),
        threads: rank.place.threads,
        device: rank.place.device.kind(),
        gpu: gpu.map(|gpu| RankGpu {
            distance: gpu.pci_bus_id.and_then(|id| Some(distance(node, &pus, &node.gpu(id)?.locality))),
            name: gpu.name,
            pci_bus_id: gpu.pci_bus_id,
            driver: gpu.driver,
        }),
        requested: rank.requested.as_ref().map(|requested| {
            let differences = differences(node, rank);
            RequestedPlace {
                host: requested.host.clone(),
                slots: requested.slots.clone(),
                pus: requested.cores.clone(),
                device: requested.device,
                satisfied: differences.is_empty(),
                differences,
            }
        }),
        pus,
    }
}

fn node_place(facts: &NodeFacts) -> NodePlace {
    let NodeFacts { node, vulkan, .. } = facts;
    NodePlace {
        host: name(node),
        processor: node.packages.iter().find_map(|package| package.model.clone()),
        packages: node.packages.len(),
        numa_nodes: indexes(node.numa_nodes.iter().map(|numa| numa.os_index)),
        cores: node.allowed_cores().count(),
        allowed: node.allowed.clone(),
        gpus: node_gpus(facts),
        vulkan: vulkan.clone(),
    }
}

fn node_gpus(facts: &NodeFacts) -> Vec<NodeGpu> {
    let NodeFacts { node, ranks, vulkan } = facts;
    let adapters = || vulkan.iter().flat_map(|vulkan| &vulkan.adapters);
    let ranks_on = |device: Device| -> Vec<u32> {
        ranks.iter().filter(|facts| facts.place.device == device).map(|facts| facts.local.rank).collect()
    };
    let hardware = node.gpus.iter().map(|gpu| {
        let adapter = adapters().find(|adapter| adapter.pci_bus_id == Some(gpu.pci_bus_id));
        NodeGpu {
            name: adapter.map_or(&gpu.name, |adapter| &adapter.name).clone() + &gpu.partitions_in_words(),
            pci_bus_id: Some(gpu.pci_bus_id),
            driver: adapter.map(|adapter| adapter.driver.clone()).or_else(|| gpu.driver.clone()),
            near: gpu.locality.pus().cloned(),
            numa_node: match gpu.locality {
                Locality::Near { numa, .. } => numa,
                Locality::Unknown => None,
            },
            nics: gpu.nics.clone(),
            seen_by: gpu.seen_by.iter().copied().chain(adapter.map(|_| Witness::Vulkan)).collect(),
            ranks: ranks_on(Device::Gpu(gpu.pci_bus_id)),
        }
    });
    let on_software = ranks_on(Device::SoftwareGpu);
    let software = (!on_software.is_empty()).then(|| {
        let adapter: Option<&VulkanAdapter> = adapters().find(|adapter| adapter.is_software);
        NodeGpu {
            name: adapter.map_or_else(|| "no software adapter".to_owned(), |adapter| adapter.name.clone()),
            pci_bus_id: None,
            driver: adapter.map(|adapter| adapter.driver.clone()),
            near: None,
            numa_node: None,
            nics: Vec::new(),
            seen_by: adapter.map(|_| Witness::Vulkan).into_iter().collect(),
            ranks: on_software,
        }
    });
    hardware.chain(software).collect()
}

fn name(node: &Node) -> String {
    node.host.clone().unwrap_or_else(|| "-".to_owned())
}

/// Indexes as a list like `0-3,8`.
fn indexes(indexes: impl IntoIterator<Item = u32>) -> CpuSet {
    indexes.into_iter().map(|index| index as usize).collect()
}

#[cfg(test)]
pub(in crate::output) mod sample {
    //! A job on two nodes for tests: one with two packages and two GPUs, one with nothing but cores.

    use std::collections::BTreeMap;

    use super::*;
    use crate::{
        launcher::Launcher,
        placement::{self, LocalRank, Requested, Rules, Visible},
        topology::{Core, Gpu, NumaNode, Package, Witness},
    };

    fn gpu(bus: u8, near: &str, numa: u32) -> Gpu {
        Gpu {
            pci_bus_id: format!("{bus:02x}:00.0").parse().unwrap(),
            vendor_id: 0x10de,
            device_id: 0x2330,
            name: "NVIDIA H100".to_owned(),
            locality: Locality::Near { pus: near.parse().unwrap(), numa: Some(numa) },
            driver: Some("nvidia".to_owned()),
            uuid: None,
            partitions: 1,
            nics: Vec::new(),
            seen_by: [Witness::Hwloc, Witness::Kernel].into(),
            doubt: None,
            hwloc_contradicts: None,
        }
    }

    /// Packages of four cores with one NUMA node each.
    fn node(host: &str, packages: u32, gpus: Vec<Gpu>) -> Node {
        let pus = |package: u32| indexes(4 * package..4 * package + 4);
        let core = |logical: u32| Core {
            logical,
            package: logical / 4,
            numa: Some(logical / 4),
            l3: None,
            kind: 0,
            pus: indexes([logical]),
        };
        let package = |logical| Package { logical, pus: pus(logical), model: Some("AMD EPYC 9654".to_owned()) };
        let numa = |os_index| NumaNode { os_index, pus: pus(os_index), memory_bytes: 64 << 30 };
        Node {
            host: Some(host.to_owned()),
            packages: (0..packages).map(package).collect(),
            numa_nodes: (0..packages).map(numa).collect(),
            cores: (0..4 * packages).map(core).collect(),
            gpus,
            other_displays: Vec::new(),
            slot_unit: crate::topology::SlotUnit::Core,
            witnesses: None,
            allowed: indexes(0..4 * packages),
        }
    }

    fn facts(node: Node, first_rank: u32, bindings: &[&str]) -> NodeFacts {
        let locals: Vec<LocalRank> = (first_rank..)
            .zip(bindings)
            .map(|(rank, binding)| LocalRank {
                rank,
                binding: binding.parse().unwrap(),
                request: DeviceRequest::Auto,
                source: None,
                visible: Visible::all(&node.gpus),
                launcher: Some(Launcher::OpenMpi4),
            })
            .collect();
        let places = placement::choose(&node, &locals, &Rules::default()).unwrap();
        let ranks =
            locals.into_iter().zip(places).map(|(local, place)| RankFacts { local, place, requested: None }).collect();
        NodeFacts { node, ranks, vulkan: None }
    }

    pub(in crate::output) fn nodes() -> Vec<NodeFacts> {
        let with_gpus = node("big", 2, vec![gpu(0x65, "0-3", 0), gpu(0xc1, "4-7", 1)]);
        let mut big = facts(with_gpus, 0, &["0", "4", "1-3"]);
        big.ranks[1].requested = Some(Requested {
            rankfile: "my.rf".to_owned(),
            host: "big".to_owned(),
            slots: "5".to_owned(),
            cores: "5".parse().ok(),
            device: Some(DeviceRequest::Gpu),
        });
        let mut small = facts(node("small", 1, Vec::new()), 3, &["0-1", "0-1"]);
        small.node.allowed = "0-2".parse().unwrap();
        vec![big, small]
    }

    pub(in crate::output) fn report() -> PlacesReport {
        let nodes = nodes();
        let hosts = nodes.iter().map(|facts| HostFacts {
            host: name(&facts.node),
            architecture: "x86_64".to_owned(),
            mpi: "Open MPI v4.1.4".to_owned(),
            hwloc: "2.9".to_owned(),
            gpu_drivers: BTreeMap::new(),
        });
        let (hosts, findings) = (hosts.collect(), placement::audit(&nodes));
        PlacesReport::new("Open MPI v4.1.4", Some("my.rf".to_owned()), &nodes, hosts, findings)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn json_has_every_rank_with_its_place_and_what_was_asked() {
        let json: serde_json::Value = serde_json::from_str(&sample::report().json()).unwrap();
        let rank = &json["ranks"][1];
        assert_eq!((&rank["host"], &rank["cores"], &rank["numa_nodes"]), (&"big".into(), &"4".into(), &"1".into()));
        assert_eq!(rank["gpu"]["pci_bus_id"], "0000:c1:00.0");
        assert_eq!((&rank["gpu"]["driver"], &rank["gpu"]["distance"]), (&"nvidia".into(), &"near".into()));
        assert_eq!((&rank["asked"]["slots"], &rank["asked"]["fulfilled"]), (&"5".into(), &false.into()));
        assert!(json["ranks"][2]["gpu"].is_null() && json["ranks"][2]["asked"].is_null());
        assert_eq!(json["nodes"][0]["gpus"][1]["ranks"], serde_json::json!([1]));
        assert_eq!(json["findings"][0]["code"], "asked-is-not-actual");
        let host = &json["hosts"][1];
        assert_eq!(
            (&host["host"], &host["architecture"], &host["hwloc"]),
            (&"small".into(), &"x86_64".into(), &"2.9".into())
        );
    }

    #[test]
    fn yaml_says_the_same_as_json() {
        let report = sample::report();
        let from_yaml: serde_json::Value = serde_saphyr::from_str(&report.yaml()).unwrap();
        let from_json: serde_json::Value = serde_json::from_str(&report.json()).unwrap();
        assert_eq!(from_yaml, from_json, "{}", report.yaml());
        assert!(report.yaml().contains("pci_bus_id: '0000:65:00.0'"), "{}", report.yaml());
    }
}
