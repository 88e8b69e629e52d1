//! How a node becomes a picture: which box a GPU hangs in, what its cores are called, and which ranks stand where.

use super::node::{CorePicture, GpuPicture, NodePicture, NumaPicture, PackagePicture};
use crate::{
    placement::{Device, NodeFacts, VulkanAdapter},
    topology::{Core, CpuSet, Gpu, Locality, NO_CORE_AT_GPU, Node},
};

/// Characters of a GPU's name that are shown.
const NAME_CHARACTERS: usize = 32;

/// A rank on a node.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Occupant {
    /// Rank in `MPI_COMM_WORLD`.
    pub rank: u32,
    /// The PUs of its cores.
    pub pus: CpuSet,
    /// What it computes on.
    pub device: Device,
}

/// A node with what is on it.
struct Scene<'a> {
    node: &'a Node,
    occupants: Vec<Occupant>,
    adapters: &'a [VulkanAdapter],
    /// What each core is called.
    number: &'a dyn Fn(&Core) -> String,
}

/// A node of a job: its cores have their logical indexes, as in the report beside it.
#[must_use]
pub fn of_job(facts: &NodeFacts) -> NodePicture {
    let occupants = facts.ranks.iter().map(|rank| Occupant {
        rank: rank.local.rank,
        pus: rank.place.cores.clone(),
        device: rank.place.device,
    });
    let host = facts.node.host.as_deref().unwrap_or("node");
    Scene {
        node: &facts.node,
        occupants: occupants.collect(),
        adapters: facts.vulkan.as_ref().map_or(&[], |vulkan| &vulkan.adapters),
        number: &|core| core.logical.to_string(),
    }
    .picture(host)
}

/// A node that a rankfile calls `host`: its cores have the numbers by which rankfiles know them.
#[must_use]
pub fn of_rankfile(host: &str, node: &Node, occupants: Vec<Occupant>) -> NodePicture {
    let number =
        |core: &Core| node.slots_of(&core.pus).first().map_or_else(|| "-".to_owned(), |slot: &u32| slot.to_string());
    Scene { node, occupants, adapters: &[], number: &number }.picture(host)
}

impl Scene<'_> {
    fn picture(&self, name: &str) -> NodePicture {
        let node = self.node;
        let packages = node.packages_of(&all_pus(node)).into_iter().map(|package| self.package(package)).collect();
        let mut gpus = self.gpus(|gpu| home(node, gpu) == Home::Anywhere);
        let on_software = self.ranks_on(Device::SoftwareGpu);
        if !on_software.is_empty() {
            let adapter = self.adapters.iter().find(|adapter| adapter.is_software);
            gpus.push(GpuPicture {
                id: "software gpu".to_owned(),
                name: short(adapter.map_or("", |adapter| &adapter.name)),
                ranks: on_software,
                place: None,
            });
        }
        let title = format!("{name}: {} of {} cores", node.allowed_cores().count(), node.cores.len());
        NodePicture { title, packages, gpus }
    }

    fn package(&self, package: u32) -> PackagePicture {
        let node = self.node;
        let cores: Vec<&Core> = node.cores.iter().filter(|core| core.package == package).collect();
        let mut homes: Vec<Option<u32>> = cores.iter().map(|core| core.numa).collect();
        homes.sort_unstable();
        homes.dedup();
        let model = node.packages.iter().find(|known| known.logical == package).and_then(|known| known.model.clone());
        PackagePicture {
            title: format!("package {package}{}", model.map_or(String::new(), |model| format!("  {model}"))),
            numa_nodes: homes
                .into_iter()
                .map(|numa| NumaPicture {
                    title: numa_title(node, numa),
                    cores: cores.iter().filter(|core| core.numa == numa).map(|core| self.core(core)).collect(),
                    gpus: self.gpus(|gpu| numa.is_some_and(|numa| home(node, gpu) == Home::Numa(package, numa))),
                })
                .collect(),
            gpus: self.gpus(|gpu| home(node, gpu) == Home::Package(package)),
        }
    }

    fn core(&self, core: &Core) -> CorePicture {
        let here = self.occupants.iter().filter(|occupant| occupant.pus.intersects(&core.pus));
        CorePicture {
            number: (self.number)(core),
            ranks: here.map(|occupant| occupant.rank).collect(),
            allowed: core.pus.intersects(&self.node.allowed),
        }
    }

    fn gpus(&self, is_here: impl Fn(&Gpu) -> bool) -> Vec<GpuPicture> {
        self.node.gpus.iter().filter(|gpu| is_here(gpu)).map(|gpu| self.gpu(gpu)).collect()
    }

    fn gpu(&self, gpu: &Gpu) -> GpuPicture {
        let adapter = self.adapters.iter().find(|adapter| adapter.pci_bus_id == Some(gpu.pci_bus_id));
        GpuPicture {
            id: gpu.pci_bus_id.to_string(),
            name: short(adapter.map_or(&gpu.name, |adapter| &adapter.name)),
            ranks: self.ranks_on(Device::Gpu(gpu.pci_bus_id)),
            place: match gpu.locality {
                Locality::Unknown => Some("near to no core that is known"),
                Locality::Near { .. } => (!self.node.has_usable_core_at(gpu)).then_some(NO_CORE_AT_GPU),
            },
        }
    }

    fn ranks_on(&self, device: Device) -> Vec<u32> {
        self.occupants.iter().filter(|occupant| occupant.device == device).map(|occupant| occupant.rank).collect()
    }
}

fn numa_title(node: &Node, numa: Option<u32>) -> String {
    let Some(numa) = numa else { return "no NUMA node of its own".to_owned() };
    let memory = node.numa_nodes.iter().find(|known| known.os_index == numa).map_or(0, |known| known.memory_bytes);
    // Rounded to the nearest GiB: the kernel keeps some of the memory for itself.
    match (memory + (1 << 29)) >> 30 {
        0 => format!("NUMA node {numa}"),
        gib => format!("NUMA node {numa}  {gib} GiB"),
    }
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

fn all_pus(node: &Node) -> CpuSet {
    node.cores.iter().map(|core| &core.pus).collect()
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::output::report::places::sample::nodes;

    #[test]
    fn ranks_stand_on_their_cores_and_gpus_beside_their_numa_node() {
        let [big, small] = <[_; 2]>::try_from(nodes()).unwrap();
        let big = of_job(&big);
        let numa = &big.packages[1].numa_nodes[0];
        assert_eq!((numa.gpus[0].id.as_str(), numa.gpus[0].ranks.as_slice()), ("0000:c1:00.0", &[1][..]));
        let labels: Vec<String> = numa.cores.iter().map(CorePicture::label).collect();
        assert_eq!(labels, ["r1", ".", ".", "."]);
        let labels: Vec<String> =
            of_job(&small).packages[0].numa_nodes[0].cores.iter().map(CorePicture::label).collect();
        assert_eq!(labels, ["r3", "r4", ".", "x"]);
    }

    #[test]
    fn a_rankfile_counts_the_cores_of_the_job() {
        let mut small = nodes().remove(1).node;
        small.allowed = "1,3".parse().unwrap();
        let occupants = vec![Occupant { rank: 5, pus: "3".parse().unwrap(), device: Device::Cpu }];
        let picture = of_rankfile("pi1", &small, occupants);
        assert_eq!(picture.title, "pi1: 2 of 4 cores");
        let cores = &picture.packages[0].numa_nodes[0].cores;
        let cells: Vec<String> = cores.iter().map(|core| format!("{} {}", core.number, core.label())).collect();
        assert_eq!(cells, ["- x", "0 .", "- x", "1 r5"]);
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
        let big = of_job(&big);
        assert_eq!((big.gpus.len(), big.packages[0].gpus.len()), (1, 1));
        assert_eq!(big.gpus[0].place, Some("near to no core that is known"));
        assert!(big.packages.iter().flat_map(|package| &package.numa_nodes).all(|numa| numa.gpus.is_empty()));
    }
}
