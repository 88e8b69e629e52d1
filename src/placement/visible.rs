//! Which GPUs the environment leaves to a rank: those whose device files its process may use, and of these what the variables
//! leave by which vendors and Slurm hide GPUs.
//!
//! Vulkan ignores these variables, so they are obeyed here. The vendors' variables count the GPUs of one vendor, Slurm's
//! counts all; both by PCI bus id here, which is the vendors' own order with `CUDA_DEVICE_ORDER=PCI_BUS_ID`, and on nodes
//! whose GPUs are alike in any case. The environment comes in as a function, so that a test can make it up.

use std::collections::{BTreeMap, BTreeSet};

use serde::{Deserialize, Serialize};

use crate::topology::{Gpu, OutOfReach, PciBusId};

const SLURM: &str = "SLURM_STEP_GPUS";
const SLURM_JOB: &str = "SLURM_JOB_GPUS";

/// A vendor's variable. `HIP_VISIBLE_DEVICES` counts what `ROCR_VISIBLE_DEVICES` left, so it comes after it.
struct Mask {
    variable: &'static str,
    vendor_id: u16,
    /// Whether an empty value hides all GPUs rather than none.
    empty_hides: bool,
}

const MASKS: [Mask; 4] = [
    Mask { variable: "CUDA_VISIBLE_DEVICES", vendor_id: 0x10de, empty_hides: true },
    Mask { variable: "ROCR_VISIBLE_DEVICES", vendor_id: 0x1002, empty_hides: true },
    Mask { variable: "HIP_VISIBLE_DEVICES", vendor_id: 0x1002, empty_hides: true },
    Mask { variable: "ZE_AFFINITY_MASK", vendor_id: 0x8086, empty_hides: false },
];

/// What the environment leaves visible.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct Visible {
    /// The visible GPUs, by PCI bus id.
    pub gpus: Vec<PciBusId>,
    /// The GPUs of this node that the process cannot reach.
    pub withheld: Vec<PciBusId>,
    /// What hides a GPU of this node: what keeps it out of reach, and settings, as `NAME=value`.
    pub hidden_by: Vec<String>,
    /// What could not be understood, or was understood in one of two possible ways.
    pub notes: Vec<String>,
}

impl Visible {
    /// All GPUs.
    #[must_use]
    pub fn all(gpus: &[Gpu]) -> Self {
        Self { gpus: gpus.iter().map(|gpu| gpu.pci_bus_id).collect(), ..Self::default() }
    }
}

/// The GPUs of `gpus` (by PCI bus id) that the environment leaves visible; `variable` looks up one variable, as
/// `|name| std::env::var(name).ok()` does. What is `out_of_reach` is not.
pub fn visible(gpus: &[Gpu], variable: impl Fn(&str) -> Option<String>, out_of_reach: &[OutOfReach]) -> Visible {
    let mut notes = Vec::new();
    let mut hidden_by = Vec::new();
    // Numbers of Slurm's are of the order in its configuration; where its cgroup withholds the others, what is left is known better.
    let by_number = |name: &'static str| Some((name, variable(name)?));
    let slurm = [SLURM, SLURM_JOB].into_iter().find_map(by_number).filter(|_| out_of_reach.is_empty());
    let is_reached = |gpu: &&Gpu| out_of_reach.iter().all(|out| out.gpu != gpu.pci_bus_id);
    let mut left: Vec<&Gpu> = gpus.iter().filter(is_reached).collect();
    if let Some((name, value)) = &slurm {
        left = apply(name, value, &left, &mut notes);
        note_if_fewer(name, value, gpus.len(), left.len(), &mut hidden_by);
    }
    for mask in &MASKS {
        let Some(value) = variable(mask.variable).filter(|value| mask.empty_hides || !value.trim().is_empty()) else {
            continue;
        };
        let (own, others): (Vec<&Gpu>, Vec<&Gpu>) = left.iter().partition(|gpu| gpu.vendor_id == mask.vendor_id);
        if own.is_empty() {
            continue;
        }
        note_order(mask, &own, &variable, &mut notes);
        // Without device cgroups Slurm repeats the node's numbers in the vendor's variable, with them it counts anew.
        let all: Vec<&Gpu> = gpus.iter().filter(|gpu| gpu.vendor_id == mask.vendor_id).collect();
        let repeats = slurm.as_ref().is_some_and(|(_, slurm)| repeats(&value, slurm));
        let counted = if repeats { &all } else { &own };
        let mut kept = apply(mask.variable, &value, counted, &mut notes);
        kept.retain(|gpu| own.contains(gpu));
        note_if_fewer(mask.variable, &value, own.len(), kept.len(), &mut hidden_by);
        left.retain(|gpu| others.contains(gpu) || kept.contains(gpu));
    }
    hidden_by.splice(0..0, keepers(out_of_reach));
    let withheld = out_of_reach.iter().map(|out| out.gpu).collect();
    Visible { gpus: left.iter().map(|gpu| gpu.pci_bus_id).collect(), withheld, hidden_by, notes }
}

/// What keeps GPUs out of reach, each with the files.
fn keepers(out_of_reach: &[OutOfReach]) -> Vec<String> {
    let mut files = BTreeMap::<&str, Vec<&str>>::new();
    out_of_reach.iter().for_each(|out| files.entry(out.by).or_default().push(&out.file));
    files.into_iter().map(|(by, files)| format!("{by} ({})", files.join(", "))).collect()
}

fn note_if_fewer(name: &str, value: &str, before: usize, after: usize, hidden_by: &mut Vec<String>) {
    if after < before {
        hidden_by.push(format!("{name}={value}"));
    }
}

/// CUDA's own order is the fastest first; only where GPUs differ is that another order than the one by PCI bus id.
fn note_order(mask: &Mask, own: &[&Gpu], variable: impl Fn(&str) -> Option<String>, notes: &mut Vec<String>) {
    let alike = own.windows(2).all(|pair| pair[0].device_id == pair[1].device_id);
    let by_bus_id = variable("CUDA_DEVICE_ORDER").as_deref() == Some("PCI_BUS_ID");
    if mask.variable == "CUDA_VISIBLE_DEVICES" && !alike && !by_bus_id {
        notes.push(
            "CUDA_VISIBLE_DEVICES is counted by PCI bus id here, CUDA counts the fastest GPU first; set \
             CUDA_DEVICE_ORDER=PCI_BUS_ID so that both agree"
                .to_owned(),
        );
    }
}

/// Whether a vendor's variable repeats numbers of Slurm's.
fn repeats(value: &str, slurm: &str) -> bool {
    let slurm: BTreeSet<&str> = slurm.split(',').map(str::trim).collect();
    value.split(',').all(|item| slurm.contains(item.trim()))
}

/// The GPUs that the list `value` names among `counted`. As the vendors have it, the list ends at the first item that names
/// no GPU. Where an item cannot be understood at all, nothing is hidden, and a note says so.
fn apply<'a>(name: &str, value: &str, counted: &[&'a Gpu], notes: &mut Vec<String>) -> Vec<&'a Gpu> {
    let mut kept = Vec::<&Gpu>::new();
    for item in value.split(',').map(str::trim).filter(|item| !item.is_empty()) {
        match item_meaning(item, counted) {
            Meaning::Gpus(gpus) => kept.extend(gpus),
            Meaning::End => {
                if !matches!(item, "-1" | "NoDevFiles") {
                    notes.push(format!(
                        "{name}={value}: {item} is none of the {} GPUs; the list ends there",
                        counted.len()
                    ));
                }
                break;
            }
            Meaning::Unclear(why) => {
                notes.push(format!(
                    "{name}={value} is ignored: {why}; name the GPU by --device and its PCI bus id instead"
                ));
                return counted.to_vec();
            }
        }
    }
    kept.sort_unstable_by_key(|gpu| gpu.pci_bus_id);
    kept.dedup();
    kept
}

enum Meaning<'a> {
    Gpus(Vec<&'a Gpu>),
    End,
    Unclear(&'static str),
}

fn item_meaning<'a>(item: &str, counted: &[&'a Gpu]) -> Meaning<'a> {
    if item.starts_with("MIG-") {
        return Meaning::Unclear("Vulkan cannot compute on a MIG partition");
    }
    if item.len() > 4 && item.starts_with("GPU-") {
        // The vendors take a unique beginning for the whole.
        let is_meant = |gpu: &&&Gpu| gpu.uuid.as_deref().is_some_and(|uuid| uuid.starts_with(item));
        return match counted.iter().find(is_meant) {
            Some(gpu) => Meaning::Gpus(vec![gpu]),
            None if counted.iter().any(|gpu| gpu.uuid.is_none()) => {
                Meaning::Unclear("a UUID cannot be mapped to a PCI bus id without the vendor's driver")
            }
            None => Meaning::End,
        };
    }
    // Intel's `1.0` is tile 0 of device 1; Vulkan knows only the whole device.
    let (first, last) = item.split_once('-').unwrap_or((item, item));
    let index = |text: &str| text.split('.').next().and_then(|digits| digits.parse::<usize>().ok());
    match (index(first), index(last)) {
        (Some(first), Some(last)) if first <= last && last < counted.len() => {
            Meaning::Gpus(counted[first..=last].to_vec())
        }
        _ => Meaning::End,
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::placement::sample::node;

    /// What these variables leave of the GPUs, and its buses.
    fn left(gpus: &[Gpu], variables: &[(&str, &str)], out_of_reach: &[OutOfReach]) -> (String, Visible) {
        let lookup =
            |name: &str| variables.iter().find(|(known, _)| *known == name).map(|(_, value)| (*value).to_owned());
        let visible = visible(gpus, lookup, out_of_reach);
        (visible.gpus.iter().map(|id| format!("{:02x}", id.bus)).collect::<Vec<_>>().join(" "), visible)
    }

    /// Buses of the visible GPUs of a node with NVIDIA's on 10, 20, 30, 40 and AMD's on 50, 60.
    fn buses(variables: &[(&str, &str)]) -> (String, Visible) {
        let mut node = node(1, 1, 1, &[0x10, 0x20, 0x30, 0x40, 0x50, 0x60].map(|bus| (bus, Some(0))));
        node.gpus[4..].iter_mut().for_each(|gpu| {
            gpu.vendor_id = 0x1002;
            gpu.uuid = None;
        });
        left(&node.gpus, variables, &[])
    }

    #[test]
    fn each_variable_means_what_its_vendor_says() {
        const CUDA: &str = "CUDA_VISIBLE_DEVICES";
        const ROCR: &str = "ROCR_VISIBLE_DEVICES";
        const HIP: &str = "HIP_VISIBLE_DEVICES";
        for (variables, expected) in [
            (&[][..], "10 20 30 40 50 60"),
            (&[(CUDA, "2")], "30 50 60"),
            (&[(CUDA, "3,0")], "10 40 50 60"),
            (&[(CUDA, "")], "50 60"),
            (&[(CUDA, "-1")], "50 60"),
            (&[(CUDA, "NoDevFiles")], "50 60"),
            (&[(CUDA, "0,-1,2")], "10 50 60"),
            (&[(CUDA, "0,9,2")], "10 50 60"),
            (&[(CUDA, "GPU-20ab")], "20 50 60"),
            (&[(CUDA, "GPU-30,GPU-10ab")], "10 30 50 60"),
            (&[(CUDA, "GPU-ffff")], "50 60"),
            (&[(CUDA, "1"), (ROCR, "1")], "20 60"),
            (&[(ROCR, "1"), (HIP, "0")], "10 20 30 40 60"),
            (&[(ROCR, "GPU-18dc2e2d4f1a4d3b")], "10 20 30 40 50 60"),
            (&[("ZE_AFFINITY_MASK", "0")], "10 20 30 40 50 60"),
            (&[("SLURM_JOB_GPUS", "0-2")], "10 20 30"),
            (&[("SLURM_JOB_GPUS", "0-2"), (SLURM, "1")], "20"),
            (&[(SLURM, "2,3"), (CUDA, "2,3")], "30 40"),
            (&[(SLURM, "2,3"), (CUDA, "0,1")], "30 40"),
            (&[(SLURM, "2,3"), (CUDA, "1")], "40"),
        ] {
            assert_eq!(buses(variables).0, expected, "{variables:?}");
        }
    }

    #[test]
    fn what_hides_a_gpu_is_named_and_what_hides_none_is_not() {
        assert_eq!(buses(&[("CUDA_VISIBLE_DEVICES", "0,1")]).1.hidden_by, ["CUDA_VISIBLE_DEVICES=0,1"]);
        assert_eq!(buses(&[("CUDA_VISIBLE_DEVICES", "0,1,2,3")]).1, buses(&[]).1);
    }

    #[test]
    fn what_cannot_be_understood_hides_nothing_and_is_said() {
        for (value, reason) in [("MIG-1234", "MIG"), ("0,9", "9 is none of the 4 GPUs"), ("x", "x is none of")] {
            let notes = buses(&[("CUDA_VISIBLE_DEVICES", value)]).1.notes;
            assert!(notes[0].contains(reason), "{notes:?}");
        }
        let notes = buses(&[("ROCR_VISIBLE_DEVICES", "GPU-18dc2e2d4f1a4d3b")]).1.notes;
        assert!(notes[0].contains("UUID") && notes[0].contains("--device"), "{notes:?}");
    }

    /// Buses of what is left of NVIDIA's GPUs on 10, 20, 30, 40 where these buses are out of reach.
    fn reached(closed: &[u8], variables: &[(&str, &str)]) -> (String, Visible) {
        let node = node(1, 1, 1, &[0x10, 0x20, 0x30, 0x40].map(|bus| (bus, Some(0))));
        let of = |bus: u8| node.gpus.iter().position(|gpu| gpu.pci_bus_id.bus == bus).unwrap();
        let out = |bus: &u8| OutOfReach {
            gpu: node.gpus[of(*bus)].pci_bus_id,
            by: "the device cgroup",
            file: format!("/dev/nvidia{}", of(*bus)),
        };
        left(&node.gpus, variables, &closed.iter().map(out).collect::<Vec<_>>())
    }

    #[test]
    fn gpus_out_of_reach_are_hidden_and_vendors_count_what_is_left() {
        const CUDA: &str = "CUDA_VISIBLE_DEVICES";
        for (closed, variables, expected) in [
            (&[0x10, 0x30][..], &[][..], "20 40"),
            (&[0x10, 0x30], &[(CUDA, "0")], "20"),
            (&[0x10, 0x30], &[(CUDA, "0,1")], "20 40"),
            (&[0x10, 0x30], &[(CUDA, "1")], "40"),
            (&[0x10, 0x40], &[("SLURM_JOB_GPUS", "1,2"), (CUDA, "1")], "30"),
            (&[0x10, 0x40], &[("SLURM_JOB_GPUS", "1,2"), (CUDA, "0,1")], "20 30"),
            // Slurm may count in another order.
            (&[0x10, 0x30, 0x40], &[("SLURM_JOB_GPUS", "0"), (CUDA, "0")], "20"),
            (&[0x10, 0x20, 0x30, 0x40], &[(CUDA, "0")], ""),
        ] {
            assert_eq!(reached(closed, variables).0, expected, "{closed:x?} {variables:?}");
        }
        let (_, visible) = reached(&[0x10, 0x30], &[(CUDA, "0")]);
        assert_eq!(visible.hidden_by, ["the device cgroup (/dev/nvidia0, /dev/nvidia2)", "CUDA_VISIBLE_DEVICES=0"]);
        assert_eq!(visible.withheld.iter().map(|id| id.bus).collect::<Vec<_>>(), [0x10, 0x30]);
    }

    #[test]
    fn intels_tiles_are_tiles_of_a_whole_device() {
        let mut node = node(1, 1, 1, &[(0x10, Some(0)), (0x20, Some(0))]);
        node.gpus.iter_mut().for_each(|gpu| gpu.vendor_id = 0x8086);
        let visible_by = |value: &'static str| {
            let lookup = move |name: &str| (name == "ZE_AFFINITY_MASK").then(|| value.to_owned());
            visible(&node.gpus, lookup, &[]).gpus.len()
        };
        assert_eq!([visible_by("1.0"), visible_by("0.0,0.1"), visible_by("0,1"), visible_by("")], [1, 1, 2, 2]);
    }

    #[test]
    fn where_cuda_counts_otherwise_it_is_said() {
        let mut node = node(1, 1, 1, &[(0x10, Some(0)), (0x20, Some(0))]);
        node.gpus[1].device_id = 0x20b0;
        let notes = |order: Option<&'static str>| {
            let lookup = move |name: &str| match name {
                "CUDA_VISIBLE_DEVICES" => Some("0".to_owned()),
                "CUDA_DEVICE_ORDER" => order.map(str::to_owned),
                _ => None,
            };
            visible(&node.gpus, lookup, &[]).notes.len()
        };
        assert_eq!((notes(None), notes(Some("PCI_BUS_ID"))), (1, 0));
    }
}
