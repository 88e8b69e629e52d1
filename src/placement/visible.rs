//! Which GPUs the environment leaves to a rank: the variables by which vendors and Slurm hide GPUs.
//!
//! Vulkan ignores these variables, so they are obeyed here. The vendors' variables count the GPUs of one vendor, Slurm's
//! counts all; both by PCI bus id here, which is the vendors' own order with `CUDA_DEVICE_ORDER=PCI_BUS_ID`, and on nodes
//! whose GPUs are alike in any case. The environment comes in as a function, so that a test can make it up.

use std::collections::BTreeSet;

use serde::{Deserialize, Serialize};

use crate::topology::{Gpu, PciBusId};

/// The variables that are read; for a message on why a GPU is not there.
pub const VARIABLES: [&str; 6] =
    [SLURM, SLURM_JOB, "CUDA_VISIBLE_DEVICES", "ROCR_VISIBLE_DEVICES", "HIP_VISIBLE_DEVICES", "ZE_AFFINITY_MASK"];

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
    /// The settings that hide a GPU of this node, as `NAME=value`.
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
/// `|name| std::env::var(name).ok()` does.
pub fn visible(gpus: &[Gpu], variable: impl Fn(&str) -> Option<String>) -> Visible {
    let mut notes = Vec::new();
    let mut hidden_by = Vec::new();
    let slurm = [SLURM, SLURM_JOB].into_iter().find_map(|name| Some((name, variable(name)?)));
    let mut left: Vec<&Gpu> = gpus.iter().collect();
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
        left = others.into_iter().chain(kept).collect();
    }
    let mut gpus: Vec<PciBusId> = left.iter().map(|gpu| gpu.pci_bus_id).collect();
    gpus.sort_unstable();
    Visible { gpus, hidden_by, notes }
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
    let mut kept = Vec::new();
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
