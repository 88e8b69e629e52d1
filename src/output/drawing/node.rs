//! A node as nested boxes, before anybody draws it: packages, NUMA nodes, cores with the ranks on them, and each GPU beside
//! what is next to it. Knows neither characters nor pixels.

use crate::{
    placement::{Device, NodeFacts},
    topology::{Core, CpuSet, Gpu, Locality, Node},
};

/// A node.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct NodePicture {
    /// Its name, and what it is.
    pub title: String,
    /// Its packages.
    pub packages: Vec<PackagePicture>,
    /// GPUs of which nobody knows where they hang, and software adapters.
    pub gpus: Vec<GpuPicture>,
}

/// A package.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct PackagePicture {
    /// Its number, and the processor's model.
    pub title: String,
    /// Its NUMA nodes.
    pub numa_nodes: Vec<NumaPicture>,
    /// GPUs that are next to the package as a whole.
    pub gpus: Vec<GpuPicture>,
}

/// The cores of a package that belong to one NUMA node.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct NumaPicture {
    /// Its number, and the size of its memory.
    pub title: String,
    /// Its cores.
    pub cores: Vec<CorePicture>,
    /// GPUs next to it.
    pub gpus: Vec<GpuPicture>,
}

/// A core.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct CorePicture {
    /// Logical index on the node.
    pub logical: u32,
    /// The ranks that compute on it or feed a GPU from it, ascending.
    pub ranks: Vec<u32>,
    /// Whether the job may use it.
    pub allowed: bool,
}

/// A GPU.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct GpuPicture {
    /// Its PCI bus id, or that it is a software adapter.
    pub id: String,
    /// The product's name.
    pub name: String,
    /// The ranks that compute on it, ascending.
    pub ranks: Vec<u32>,
}

impl CorePicture {
    /// What stands in the core: its ranks, `.` where it is idle, `x` where the job may not use it.
    #[must_use]
    pub fn label(&self) -> String {
        match (self.allowed, self.ranks.is_empty()) {
            (false, _) => "x".to_owned(),
            (true, true) => ".".to_owned(),
            (true, false) => format!("r{}", list(&self.ranks)),
        }
    }
}

impl GpuPicture {
    /// The ranks in words.
    #[must_use]
    pub fn label(&self) -> String {
        if self.ranks.is_empty() { "idle".to_owned() } else { format!("r{}", list(&self.ranks)) }
    }
}

/// Characters of a GPU's name that are shown.
const NAME_CHARACTERS: usize = 32;

/// What the letters in the cores mean.
pub const LEGEND: &str = "r0: rank 0 is there   .: idle   x: not for this job";

/// The picture of a node and its ranks.
#[must_use]
pub fn picture(facts: &NodeFacts) -> NodePicture {
    let node = &facts.node;
    let packages: Vec<PackagePicture> =
        node.packages_of(&all_pus(node)).into_iter().map(|package| package_picture(facts, package)).collect();
    let mut gpus = gpu_pictures(facts, |gpu| home(node, gpu) == Home::Anywhere);
    let on_software = ranks_on(facts, Device::SoftwareGpu);
    if !on_software.is_empty() {
        let adapters = facts.vulkan.iter().flat_map(|vulkan| &vulkan.adapters);
        let name = adapters.filter(|adapter| adapter.is_software).map(|adapter| adapter.name.clone()).next();
        gpus.push(GpuPicture {
            id: "software gpu".to_owned(),
            name: short(&name.unwrap_or_default()),
            ranks: on_software,
        });
    }
    let host = node.host.as_deref().unwrap_or("node");
    NodePicture {
        title: format!("{host}: {} of {} cores", node.allowed_cores().count(), node.cores.len()),
        packages,
        gpus,
    }
}

fn package_picture(facts: &NodeFacts, package: u32) -> PackagePicture {
    let node = &facts.node;
    let cores: Vec<&Core> = node.cores.iter().filter(|core| core.package == package).collect();
    let mut homes: Vec<Option<u32>> = cores.iter().map(|core| core.numa).collect();
    homes.sort_unstable();
    homes.dedup();
    let model = node.packages.iter().find(|known| known.logical == package).and_then(|known| known.model.clone());
    PackagePicture {
        title: ["package ".to_owned(), package.to_string(), model.map_or(String::new(), |model| format!("  {model}"))]
            .concat(),
        numa_nodes: homes
            .into_iter()
            .map(|numa| NumaPicture {
                title: numa_title(node, numa),
                cores: cores.iter().filter(|core| core.numa == numa).map(|core| core_picture(facts, core)).collect(),
                gpus: gpu_pictures(facts, |gpu| numa.is_some_and(|numa| home(node, gpu) == Home::Numa(package, numa))),
            })
            .collect(),
        gpus: gpu_pictures(facts, |gpu| home(node, gpu) == Home::Package(package)),
    }
}

fn numa_title(node: &Node, numa: Option<u32>) -> String {
    let Some(numa) = numa else { return "no NUMA node".to_owned() };
    let memory = node.numa_nodes.iter().find(|known| known.os_index == numa).map_or(0, |known| known.memory_bytes);
    // Rounded to the nearest GiB: the kernel keeps some of the memory for itself.
    match (memory + (1 << 29)) >> 30 {
        0 => format!("NUMA node {numa}"),
        gib => format!("NUMA node {numa}  {gib} GiB"),
    }
}

fn core_picture(facts: &NodeFacts, core: &Core) -> CorePicture {
    let here = facts.ranks.iter().filter(|rank| rank.place.cores.intersects(&core.pus));
    CorePicture {
        logical: core.logical,
        ranks: here.map(|rank| rank.local.rank).collect(),
        allowed: core.pus.intersects(&facts.node.allowed),
    }
}

fn gpu_pictures(facts: &NodeFacts, is_here: impl Fn(&Gpu) -> bool) -> Vec<GpuPicture> {
    let adapters = || facts.vulkan.iter().flat_map(|vulkan| &vulkan.adapters);
    let picture = |gpu: &Gpu| GpuPicture {
        id: gpu.pci_bus_id.to_string(),
        name: short(
            adapters()
                .find(|adapter| adapter.pci_bus_id == Some(gpu.pci_bus_id))
                .map_or(&gpu.name, |adapter| &adapter.name),
        ),
        ranks: ranks_on(facts, Device::Gpu(gpu.pci_bus_id)),
    };
    facts.node.gpus.iter().filter(|gpu| is_here(gpu)).map(picture).collect()
}

/// A product's name that leaves room for cores: of a long one the marketing name, which the PCI ID repository puts into
/// brackets at its end.
fn short(name: &str) -> String {
    let in_brackets = name.strip_suffix(']').and_then(|name| name.rsplit_once('[')).map(|(_, product)| product);
    let product = in_brackets.filter(|_| name.chars().count() > NAME_CHARACTERS).unwrap_or(name);
    product.chars().take(NAME_CHARACTERS).collect()
}

/// The smallest box that a GPU belongs to.
#[derive(Debug, PartialEq, Eq)]
enum Home {
    /// A NUMA node, in the first package that has cores of it.
    Numa(u32, u32),
    /// A package with several NUMA nodes.
    Package(u32),
    /// The node.
    Anywhere,
}

fn home(node: &Node, gpu: &Gpu) -> Home {
    let Locality::Near { pus, .. } = &gpu.locality else { return Home::Anywhere };
    let packages = node.packages_of(pus);
    let numa_nodes = node.numa_nodes_of(pus);
    match (packages.first(), numa_nodes.first()) {
        (Some(&package), Some(&numa)) if numa_nodes.len() == 1 => Home::Numa(package, numa),
        (Some(&package), _) if packages.len() == 1 => Home::Package(package),
        _ => Home::Anywhere,
    }
}

fn ranks_on(facts: &NodeFacts, device: Device) -> Vec<u32> {
    facts.ranks.iter().filter(|rank| rank.place.device == device).map(|rank| rank.local.rank).collect()
}

fn all_pus(node: &Node) -> CpuSet {
    node.cores.iter().map(|core| &core.pus).collect()
}

fn list(ranks: &[u32]) -> CpuSet {
    ranks.iter().map(|&rank| rank as usize).collect()
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::output::report::places::sample::nodes;

    #[test]
    fn ranks_stand_on_their_cores_and_gpus_beside_their_numa_node() {
        let [big, small] = <[_; 2]>::try_from(nodes()).unwrap();
        let big = picture(&big);
        let numa = &big.packages[1].numa_nodes[0];
        assert_eq!((numa.gpus[0].id.as_str(), numa.gpus[0].ranks.as_slice()), ("0000:c1:00.0", &[1][..]));
        let labels: Vec<String> = numa.cores.iter().map(CorePicture::label).collect();
        assert_eq!(labels, ["r1", ".", ".", "."]);
        let labels: Vec<String> =
            picture(&small).packages[0].numa_nodes[0].cores.iter().map(CorePicture::label).collect();
        assert_eq!(labels, ["r3", "r4", ".", "x"]);
    }

    #[test]
    fn long_names_of_gpus_are_shortened_to_what_people_call_them() {
        for (name, expected) in [
            ("NVIDIA H100", "NVIDIA H100"),
            ("Advanced Micro Devices, Inc. [AMD/ATI] Aldebaran/MI200 [Instinct MI250X]", "Instinct MI250X"),
            ("llvmpipe (LLVM 15.0.6, 256 bits) and more", "llvmpipe (LLVM 15.0.6, 256 bits)"),
        ] {
            assert_eq!(short(name), expected);
        }
    }

    #[test]
    fn a_gpu_of_unknown_place_hangs_on_the_node_and_one_of_a_package_on_it() {
        let mut big = nodes().remove(0);
        big.node.gpus[0].locality = Locality::Unknown;
        big.node.cores[0].numa = Some(7);
        big.node.gpus[1].locality = Locality::Near { pus: "0-3".parse().unwrap(), numa: None };
        let big = picture(&big);
        assert_eq!((big.gpus.len(), big.packages[0].gpus.len()), (1, 1));
        assert!(big.packages.iter().flat_map(|package| &package.numa_nodes).all(|numa| numa.gpus.is_empty()));
    }
}
