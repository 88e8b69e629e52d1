//! A node as a drawing in plain ASCII: its packages as boxes, in them the cores and the ranks on each, and the GPUs next to
//! the cores they are near to. Cores are numbered as rankfiles number them.

use std::collections::BTreeMap;

use crate::{
    placement::Device,
    topology::{Gpu, Locality, NO_CORE_AT_GPU, Node, PciBusId},
};

/// A rank on the drawing.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Occupant {
    /// Rank in `MPI_COMM_WORLD`.
    pub rank: u32,
    /// The cores it is on, as rankfiles count them.
    pub slots: Vec<u32>,
    /// What it computes on.
    pub device: Device,
}

/// Width of what stands inside a box, in characters: with its frame it fits a terminal of 80.
const INNER_WIDTH: usize = 74;
/// Ranks that are named on one core; more are counted.
const NAMED_RANKS: usize = 3;

/// The slots of one NUMA node in one package, or of the cores there that have none.
type Domain = ((u32, Option<u32>), Vec<u32>);

/// Draws `node` with `occupants`. Ends with a newline.
#[must_use]
pub fn draw(node: &Node, occupants: &[Occupant]) -> String {
    let mut domains = BTreeMap::<_, Vec<u32>>::new();
    for (slot, core) in (0..).zip(node.allowed_cores()) {
        domains.entry((core.package, core.numa)).or_default().push(slot);
    }
    let mut domains: Vec<Domain> = domains.into_iter().collect();
    domains.sort_by_key(|((package, _), slots)| (*package, slots.first().copied()));
    let mut text = String::new();
    let mut package_before = None;
    for ((package, numa), slots) in &domains {
        if package_before != Some(*package) {
            text += &rule(&format!(" package {package} "));
            package_before = Some(*package);
        }
        text += &row(&numa.map_or_else(|| "no NUMA node of its own".to_owned(), |numa| format!("NUMA node {numa}")));
        text += &cores(slots, occupants);
        for gpu in node.gpus.iter().filter(|gpu| home(node, gpu, &domains) == Some((*package, *numa))) {
            text += &row(&gpu_in_words(gpu, occupants));
        }
    }
    text += &rule("");
    for gpu in node.gpus.iter().filter(|gpu| home(node, gpu, &domains).is_none()) {
        let place = match gpu.locality {
            Locality::Near { .. } => format!(": {NO_CORE_AT_GPU}"),
            Locality::Unknown => ", near to no core that is known".to_owned(),
        };
        text += &format!("{}{place}\n", gpu_in_words(gpu, occupants).trim_start());
    }
    text
}

/// Cores and the ranks on them, as many beside each other as fit.
fn cores(slots: &[u32], occupants: &[Occupant]) -> String {
    let cells: Vec<[String; 2]> = slots.iter().map(|slot| [slot.to_string(), ranks_on(*slot, occupants)]).collect();
    let width = 2 + cells.iter().flatten().map(String::len).max().unwrap_or(0);
    let beside = ((INNER_WIDTH - "  core".len()) / width).max(1);
    let mut text = String::new();
    for cells in cells.chunks(beside) {
        for (label, index) in [("  core", 0), ("  rank", 1)] {
            let line: String = cells.iter().map(|cell| format!("{:>width$}", cell[index])).collect();
            text += &row(&format!("{label}{line}"));
        }
    }
    text
}

/// `0`, `0,2`, `0,2,4+5` or, for an idle core, `.`.
fn ranks_on(slot: u32, occupants: &[Occupant]) -> String {
    let ranks: Vec<String> = occupants
        .iter()
        .filter(|occupant| occupant.slots.contains(&slot))
        .map(|occupant| occupant.rank.to_string())
        .collect();
    match ranks.len() {
        0 => ".".to_owned(),
        count if count <= NAMED_RANKS => ranks.join(","),
        count => format!("{}+{}", ranks[..NAMED_RANKS].join(","), count - NAMED_RANKS),
    }
}

/// The domain in whose box a GPU is drawn: the first with a core that it is near to.
fn home(node: &Node, gpu: &Gpu, domains: &[Domain]) -> Option<(u32, Option<u32>)> {
    let Locality::Near { pus, .. } = &gpu.locality else { return None };
    let is_slot_near = |slot| node.core_of_slot(slot).is_some_and(|core| node.usable_pus(core).intersects(pus));
    let is_near = |slots: &[u32]| slots.iter().any(|&slot| is_slot_near(slot));
    domains.iter().find(|(_, slots)| is_near(slots)).map(|(domain, _)| *domain)
}

fn gpu_in_words(gpu: &Gpu, occupants: &[Occupant]) -> String {
    let id: PciBusId = gpu.pci_bus_id;
    let ranks: Vec<String> = occupants
        .iter()
        .filter(|occupant| occupant.device == Device::Gpu(id))
        .map(|occupant| occupant.rank.to_string())
        .collect();
    let users = if ranks.is_empty() { "no rank".to_owned() } else { format!("rank {}", ranks.join(",")) };
    format!("  GPU {id}  {users}")
}

fn rule(title: &str) -> String {
    format!("+-{title:-<INNER_WIDTH$}-+\n")
}

fn row(text: &str) -> String {
    let printable: String = text.chars().take(INNER_WIDTH).collect();
    format!("| {printable:<INNER_WIDTH$} |\n")
}

#[cfg(test)]
mod tests {
    use std::path::Path;

    use super::*;
    use crate::placement::{Rules, map};

    fn drawn(topology: &str, ranks: u32) -> String {
        let folder = Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/topologies");
        let node = Node::from_xml_file(&folder.join(topology).with_extension("xml")).unwrap();
        let places = map(&node, ranks, &Rules::default()).unwrap();
        let occupants: Vec<Occupant> = places
            .iter()
            .map(|place| Occupant { rank: place.rank, slots: node.slots_of(&place.cores), device: place.device })
            .collect();
        draw(&node, &occupants)
    }

    #[test]
    fn cores_have_their_ranks_below_them_and_gpus_stand_beside_their_cores() {
        let text = drawn("part-of-a-node", 3);
        let lines: Vec<&str> = text.lines().map(|line| line.trim_matches(['|', '+', '-', ' '])).collect();
        let expected = [
            "package 0",
            "NUMA node 0",
            "core  0  1",
            "rank  0  2",
            "GPU 0000:07:00.0  rank 0",
            "package 1",
            "NUMA node 1",
            "core  2  3  4  5",
            "rank  1  2  2  2",
            "GPU 0000:88:00.0  rank 1",
            "",
        ];
        assert_eq!(lines, expected, "{text}");
    }

    #[test]
    fn every_line_of_a_box_is_as_wide_as_the_others_and_ascii() {
        for (topology, ranks) in [("crossed-numbering", 12), ("smt-four", 3), ("raspberry-pi", 400), ("laptop", 1)] {
            let text = drawn(topology, ranks);
            assert!(text.is_ascii(), "{text}");
            assert!(text.lines().all(|line| line.len() == INNER_WIDTH + 4), "{text}");
        }
    }

    #[test]
    fn a_gpu_without_a_known_place_and_crowded_cores_are_drawn_too() {
        assert!(drawn("unknown-locality", 2).contains("near to no core that is known"));
        let crowded = drawn("raspberry-pi", 400);
        assert!(crowded.contains("0,4,8+97"), "{crowded}");
    }
}
