//! Placement on stored topologies: what a person expects, rules that hold everywhere, and mappings that break them.
//!
//! `topologies/NAME.xml` is a node; `topologies/NAME.txt` says in tables where ranks belong on it. A case is added by writing
//! its heading; the failing test then writes the file as it would be. Slots are a rankfile's: cores that the job may use.

#![expect(clippy::unwrap_used, reason = "a test fails by panicking")]

mod assigning;
mod machines;
mod round_trip;
mod rules;
mod saboteurs;

use std::{
    fmt::Write as _,
    fs,
    path::{Path, PathBuf},
};

use hybrid::inside::{
    launcher::Launcher,
    placement::{Device, DeviceRequest, LocalRank, Place, RankFacts, Rules, Visible, choose, foresee, map, map_ranks},
    topology::{CpuSet, Node},
};

/// Each stored topology, and the file that it comes from.
fn topologies() -> Vec<(PathBuf, Node)> {
    let folder = Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/topologies");
    let mut files: Vec<PathBuf> = fs::read_dir(folder).unwrap().map(|entry| entry.unwrap().path()).collect();
    files.retain(|file| file.extension().is_some_and(|extension| extension == "xml"));
    files.sort();
    assert!(files.len() >= 20, "some of the stored topologies are missing: {files:?}");
    files.into_iter().map(|file| (file.clone(), Node::from_xml_file(&file).unwrap())).collect()
}

fn topology(name: &str) -> Node {
    let found = topologies().into_iter().find(|(file, _)| file.file_stem().unwrap() == name);
    found.unwrap_or_else(|| panic!("no stored topology {name}")).1
}

/// A heading like `4 ranks` or `4 ranks, 2 to a GPU`.
fn heading(line: &str) -> Option<(u32, Rules)> {
    let (ranks, sharing) = line.split_once(", ").unwrap_or((line, "1 to a GPU"));
    let (ranks, _) = ranks.split_once(" rank")?;
    let ranks_per_gpu = sharing.strip_suffix(" to a GPU")?.parse().ok()?;
    Some((ranks.parse().ok()?, Rules { ranks_per_gpu, ..Rules::default() }))
}

fn list(indexes: impl IntoIterator<Item = u32>) -> String {
    let indexes: CpuSet = indexes.into_iter().map(|index| index as usize).collect();
    if indexes.is_empty() { "-".to_owned() } else { indexes.to_string() }
}

fn table(node: &Node, ranks: &[RankFacts]) -> String {
    let mut rows = vec![["rank", "slots", "PUs", "NUMA", "device"].map(str::to_owned)];
    rows.extend(ranks.iter().map(|facts| &facts.place).map(|place| {
        let (slots, numa) = (list(node.slots_of(&place.cores)), list(node.numa_nodes_of(&place.cores)));
        [place.rank.to_string(), slots, place.cores.to_string(), numa, place.device.to_string()]
    }));
    let widths: [usize; 5] = std::array::from_fn(|column| rows.iter().map(|row| row[column].len()).max().unwrap_or(0));
    let mut text = String::new();
    for row in rows {
        let cells: Vec<String> = row.iter().zip(widths).map(|(cell, width)| format!("{cell:<width$}")).collect();
        writeln!(text, "{}", cells.join("  ").trim_end()).unwrap();
    }
    for finding in foresee(node, ranks) {
        writeln!(text, "{}: {}", finding.code.as_str(), finding.message).unwrap();
        if let Some(hint) = &finding.hint {
            writeln!(text, "    {hint}").unwrap();
        }
    }
    text
}

#[test]
fn each_stored_topology_is_mapped_as_the_table_beside_it_says() {
    let mut wrong = Vec::new();
    for (file, node) in topologies() {
        let expected_file = file.with_extension("txt");
        let expected = fs::read_to_string(&expected_file).unwrap_or_else(|cause| panic!("{expected_file:?}: {cause}"));
        let mut actual: String =
            expected.lines().take_while(|line| line.starts_with('#')).map(|line| format!("{line}\n")).collect();
        for line in expected.lines() {
            if let Some((ranks, rules)) = heading(line) {
                let ranks = map_ranks(&node, 0..ranks, &rules).unwrap();
                write!(actual, "\n{line}\n{}", table(&node, &ranks)).unwrap();
            }
        }
        if actual != expected {
            let actual_file = Path::new(env!("CARGO_TARGET_TMPDIR")).join(expected_file.file_name().unwrap());
            fs::write(&actual_file, actual).unwrap();
            wrong.push(format!("diff {} {}", expected_file.display(), actual_file.display()));
        }
    }
    assert!(wrong.is_empty(), "other mappings than expected; see\n{}", wrong.join("\n"));
}

#[test]
fn the_rules_hold_on_every_topology_for_every_number_of_ranks() {
    for (file, node) in topologies() {
        let cores = u32::try_from(node.allowed_cores().count()).unwrap();
        for (ranks, ranks_per_gpu) in (1..=2 * cores).flat_map(|ranks| [(ranks, 1), (ranks, 2)]) {
            let rules = Rules { ranks_per_gpu, ..Rules::default() };
            let facts = map_ranks(&node, 0..ranks, &rules).unwrap();
            let places: Vec<Place> = facts.iter().map(|facts| facts.place.clone()).collect();
            let broken = rules::broken(&node, &rules, &places);
            let name = file.file_stem().unwrap().display();
            assert!(
                broken.is_empty(),
                "{name}, {ranks} ranks, {ranks_per_gpu} to a GPU:\n{}\n{broken:#?}",
                table(&node, &facts)
            );
        }
    }
}

#[test]
fn ranks_bound_as_mapped_get_the_places_that_were_mapped() {
    for (file, node) in topologies() {
        for ranks in 1..=u32::try_from(node.allowed_cores().count()).unwrap() {
            let planned = map(&node, ranks, &Rules::default()).unwrap();
            let started: Vec<LocalRank> = planned
                .iter()
                .map(|place| LocalRank {
                    rank: place.rank,
                    binding: place.cores.clone(),
                    request: DeviceRequest::Auto,
                    source: None,
                    visible: Visible::all(&node.gpus),
                    launcher: Some(Launcher::OpenMpi4),
                })
                .collect();
            let places = choose(&node, &started, &Rules::default()).unwrap();
            assert_eq!(places, planned, "{}, {ranks} ranks", file.display());
        }
    }
}

#[test]
fn ranks_bound_to_numa_nodes_keep_within_them_and_to_themselves() {
    for (file, node) in topologies() {
        let homes: Vec<CpuSet> = node.numa_nodes.iter().map(|numa| &numa.pus & &node.allowed).collect();
        let homes: Vec<CpuSet> = homes.into_iter().filter(|home| !home.is_empty()).collect();
        for count in 1..=2 * node.cores.len() {
            let ranks: Vec<LocalRank> = (0..count)
                .map(|rank| LocalRank {
                    rank: u32::try_from(rank).unwrap(),
                    binding: homes[rank % homes.len()].clone(),
                    request: DeviceRequest::Auto,
                    source: None,
                    visible: Visible::all(&node.gpus),
                    launcher: Some(Launcher::OpenMpi4),
                })
                .collect();
            let places = choose(&node, &ranks, &Rules::default()).unwrap();
            for (rank, place) in ranks.iter().zip(&places) {
                assert!(!place.cores.is_empty() && place.cores.is_subset(&rank.binding), "{file:?} {count}: {place:?}");
            }
            for home in &homes {
                let here: Vec<&Place> = places.iter().filter(|place| place.cores.intersects(home)).collect();
                if here.len() <= node.cores_in(home).count() {
                    let assigned: usize = here.iter().map(|place| place.cores.len()).sum();
                    assert!(here.is_empty() || assigned == home.len(), "{file:?} {count}: {here:?}");
                }
            }
        }
    }
}

#[test]
fn crossed_numbering_leaves_each_rank_with_a_gpu_of_its_own_numa_node() {
    let node = topology("crossed-numbering");
    for place in &map(&node, 8, &Rules::default()).unwrap() {
        let Device::Gpu(id) = place.device else { panic!("rank {} has no GPU", place.rank) };
        let near = node.gpu(id).unwrap().locality.pus().unwrap();
        assert!(place.cores.is_subset(near), "rank {}: cores {}, GPU {id} near {near}", place.rank, place.cores);
    }
    let gpus_of_node_0: Vec<usize> = (0..node.gpus.len())
        .filter(|&gpu| node.gpus[gpu].locality.pus().is_some_and(|near| node.numa_nodes_of(near).contains(&0)))
        .collect();
    assert_eq!(gpus_of_node_0, [4, 5], "the topology is the one that this test is about");
}

#[test]
fn what_the_job_may_not_use_is_known_but_not_assigned() {
    let node = topology("part-of-a-node");
    assert_eq!((node.cores.len(), node.allowed_cores().count(), node.gpus.len()), (16, 6, 2));
    assert_eq!(node.allowed.to_string(), "0-1,8-11");
}

#[test]
fn what_is_no_gpu_is_said() {
    let reasons = |name: &str| {
        let node = topology(name);
        let others: Vec<String> =
            node.other_displays.iter().map(|other| format!("{} {}", other.function.pci_bus_id, other.reason)).collect();
        (node.gpus.len(), others.join("\n"))
    };
    let (gpus, vga) = reasons("management-vga");
    assert_eq!((gpus, vga.as_str()), (2, "0000:03:00.0 management VGA (ASPEED)"));
    let (gpus, functions) = reasons("virtual-functions");
    assert_eq!((gpus, functions.lines().count()), (2, 2), "{functions}");
    assert!(functions.contains("another function of 0000:65:00.0"), "{functions}");
    assert_eq!(reasons("raspberry-pi"), (0, String::new()), "a USB controller is no display");
    assert_eq!(reasons("console-vga"), (1, "0000:00:03.0 console VGA (Amazon EC2)".to_owned()));
    let (gpus, fpga) = reasons("class-12");
    assert!(gpus == 2 && fpga.starts_with("0000:07:00.0 processing accelerator"), "{gpus} {fpga}");
}
