//! What the nodes of a job are, as a benchmark has to say it: the vector S(N,p,c,t), and what stands behind it. Knows no placement.

pub mod table;

use serde::{Deserialize, Serialize};

use crate::{topology::PciBusId, visible::visible_json};

/// A node, as its system tells of itself. What the system does not tell is `None`.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
pub struct NodeSystem {
    /// Its name.
    pub host: String,
    /// Ranks of the job on it.
    pub ranks: usize,
    /// The model of its processors.
    pub cpu: Option<String>,
    /// Cores of each processor, in the order of the processors.
    pub cores_per_processor: Vec<u32>,
    /// Hardware threads of each core, in the order of the cores.
    pub threads_per_core: Vec<u32>,
    /// Cores that the job may use.
    pub usable_cores: usize,
    /// NUMA nodes.
    pub numa_nodes: usize,
    /// The instruction set that kernels on the CPU use there.
    pub simd: String,
    /// Clock in MHz.
    pub frequency_mhz: Frequency,
    /// Caches, the nearest to a core first.
    pub caches: Vec<Cache>,
    /// Memory.
    pub memory: Memory,
    /// GPUs by PCI bus id.
    pub gpus: Vec<SystemGpu>,
    /// Name, release and version of the operating system's kernel, and the architecture.
    pub uname: Uname,
    /// The distribution.
    pub platform: Option<String>,
    /// Who runs the job.
    pub user: String,
    /// Version of the hwloc library.
    pub hwloc: String,
}

/// Clock of the first core, in MHz.
#[derive(Clone, Copy, Debug, Default, PartialEq, Serialize, Deserialize)]
pub struct Frequency {
    /// Now.
    pub current: Option<f64>,
    /// The least.
    pub min: Option<f64>,
    /// The most.
    pub max: Option<f64>,
}

/// A kind of cache.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Cache {
    /// Such as `L1d`.
    pub name: String,
    /// Bytes of one.
    pub bytes: u64,
    /// How many the node has.
    pub count: usize,
}

/// Memory in bytes.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct Memory {
    /// All.
    pub total: Option<u64>,
    /// What programs can have without swapping, as the kernel reckons it.
    pub available: Option<u64>,
    /// Used for nothing.
    pub free: Option<u64>,
    /// Used lately.
    pub active: Option<u64>,
    /// Not used lately.
    pub inactive: Option<u64>,
}

/// A GPU.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct SystemGpu {
    /// Its PCI bus id.
    pub pci_bus_id: PciBusId,
    /// Vendor and model.
    pub name: String,
    /// The kernel driver.
    pub driver: Option<String>,
    /// Its version, where it has one of its own.
    pub driver_version: Option<String>,
}

/// What uname(2) tells.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct Uname {
    /// `Linux`.
    pub system: String,
    /// The host's own name.
    pub node: String,
    /// Of the kernel.
    pub release: String,
    /// Of the kernel's build.
    pub version: String,
    /// Architecture.
    pub machine: String,
}

/// The numbers N, p, c and t of a kind of nodes.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize)]
pub struct Vector {
    /// N: nodes.
    pub nodes: usize,
    /// p: processors of a node.
    pub processors: usize,
    /// c: cores of a processor; `None` where its processors have not as many each.
    pub cores: Option<u32>,
    /// t: hardware threads of a core; `None` where its cores have not as many each.
    pub threads: Option<u32>,
}

/// Sums over nodes: N, N*p, N*p*c, N*p*c*t.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize)]
pub struct Totals {
    /// Nodes.
    pub nodes: usize,
    /// Processors.
    pub processors: usize,
    /// Cores.
    pub cores: u64,
    /// Hardware threads.
    pub threads: u64,
}

/// Nodes that are alike.
#[derive(Clone, Debug, PartialEq, Serialize)]
pub struct Kind {
    /// The vector of these nodes.
    pub vector: Vector,
    /// Their sums.
    pub totals: Totals,
    /// Their names.
    pub hosts: Vec<String>,
}

/// The system that a job runs on.
#[derive(Clone, Debug, PartialEq, Serialize)]
pub struct SystemReport {
    /// This program's version.
    pub version: String,
    /// Digest of its sources.
    pub sources: String,
    /// The MPI library.
    pub mpi: String,
    /// The launcher, where it is known.
    pub launcher: Option<String>,
    /// Ranks of the job.
    pub ranks: usize,
    /// Each kind of nodes, in the order of their first nodes.
    pub kinds: Vec<Kind>,
    /// Over all nodes.
    pub totals: Totals,
    /// Every node, in the order of their ranks.
    pub nodes: Vec<NodeSystem>,
}

impl NodeSystem {
    fn vector(&self, nodes: usize) -> Vector {
        let same = |numbers: &[u32]| {
            let first = *numbers.first()?;
            numbers.iter().all(|number| *number == first).then_some(first)
        };
        Vector {
            nodes,
            processors: self.cores_per_processor.len(),
            cores: same(&self.cores_per_processor),
            threads: same(&self.threads_per_core),
        }
    }

    fn totals(&self, nodes: usize) -> Totals {
        let times = |numbers: &[u32]| nodes as u64 * numbers.iter().map(|number| u64::from(*number)).sum::<u64>();
        Totals {
            nodes,
            processors: nodes * self.cores_per_processor.len(),
            cores: times(&self.cores_per_processor),
            threads: times(&self.threads_per_core),
        }
    }

    /// Whether a benchmark may take one node for the other.
    fn is_like(&self, other: &Self) -> bool {
        let gpus = |node: &Self| node.gpus.iter().map(|gpu| gpu.name.clone()).collect::<Vec<_>>();
        self.cpu == other.cpu
            && self.cores_per_processor == other.cores_per_processor
            && self.threads_per_core == other.threads_per_core
            && self.uname.machine == other.uname.machine
            && self.simd == other.simd
            && gpus(self) == gpus(other)
    }
}

/// The kinds of these nodes, in the order of their first ones.
#[must_use]
pub fn kinds(nodes: &[NodeSystem]) -> Vec<Kind> {
    let mut groups: Vec<Vec<&NodeSystem>> = Vec::new();
    for node in nodes {
        match groups.iter_mut().find(|group| group[0].is_like(node)) {
            Some(group) => group.push(node),
            None => groups.push(vec![node]),
        }
    }
    let kind = |group: Vec<&NodeSystem>| Kind {
        vector: group[0].vector(group.len()),
        totals: group[0].totals(group.len()),
        hosts: group.iter().map(|node| node.host.clone()).collect(),
    };
    groups.into_iter().map(kind).collect()
}

impl Totals {
    /// Over several kinds.
    pub fn of(kinds: &[Kind]) -> Self {
        kinds.iter().fold(Self::default(), |sum, kind| Self {
            nodes: sum.nodes + kind.totals.nodes,
            processors: sum.processors + kind.totals.processors,
            cores: sum.cores + kind.totals.cores,
            threads: sum.threads + kind.totals.threads,
        })
    }
}

impl SystemReport {
    /// One JSON object on one line.
    #[must_use]
    pub fn json(&self) -> String {
        let json = serde_json::to_string(self).expect("numbers, strings and lists always have a JSON form");
        visible_json(&json).into_owned()
    }
}

#[cfg(test)]
pub(super) mod tests {
    use super::*;

    pub(in crate::output::report) fn node(host: &str, cores: &[u32], threads: u32) -> NodeSystem {
        let all: u32 = cores.iter().sum();
        NodeSystem {
            host: host.to_owned(),
            ranks: 1,
            cpu: Some("Made-up CPU".to_owned()),
            cores_per_processor: cores.to_vec(),
            threads_per_core: vec![threads; all as usize],
            usable_cores: all as usize,
            ..NodeSystem::default()
        }
    }

    #[test]
    fn nodes_that_are_alike_are_one_vector_and_totals_add_up() {
        let nodes = [node("a", &[8, 8], 2), node("b", &[4], 1), node("c", &[8, 8], 2)];
        let kinds = kinds(&nodes);
        assert_eq!(kinds[0].vector, Vector { nodes: 2, processors: 2, cores: Some(8), threads: Some(2) });
        assert_eq!(kinds[0].hosts, ["a", "c"]);
        assert_eq!(kinds[1].vector, Vector { nodes: 1, processors: 1, cores: Some(4), threads: Some(1) });
        assert_eq!(Totals::of(&kinds), Totals { nodes: 3, processors: 5, cores: 36, threads: 68 });
    }

    #[test]
    fn processors_that_differ_have_no_one_number_but_totals() {
        let kinds = kinds(&[node("a", &[8, 4], 2)]);
        assert_eq!(kinds[0].vector.cores, None);
        assert_eq!(kinds[0].totals, Totals { nodes: 1, processors: 2, cores: 12, threads: 24 });
    }
}
