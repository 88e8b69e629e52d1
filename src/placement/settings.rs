//! The variables by which a program of any kind takes a rank's place: the GPU that its runtime may use, its number of threads, and
//! where these run. Pure: what is set already comes in, what is to be set goes out.

use std::collections::BTreeSet;

use super::{Device, Place};
use crate::topology::{Gpu, Node, PciBusId};

/// A variable of the program.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Setting {
    /// Its name.
    pub name: &'static str,
    /// Its value; `None` where it is taken away.
    pub value: Option<String>,
}

/// Why a program cannot be told of its GPU.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum SettingError {
    /// Its runtime knows the parts of the GPU by names that are not known here.
    #[error(
        "GPU {gpu} is cut into {parts} parts, which {variable} names in a way that is not known here: set it by hand, and start \
         with --device cpu"
    )]
    InParts {
        /// The GPU.
        gpu: PciBusId,
        /// How many parts.
        parts: usize,
        /// The variable that would name one.
        variable: &'static str,
    },
    /// It cannot be told from another one of its vendor.
    #[error(
        "GPU {gpu} has no name of its own that {variable} could have, as the vendor's driver gives it, and the node has {others} more of \
         its vendor: load that driver, or set the variable by hand and start with --device cpu"
    )]
    Twins {
        /// The GPU.
        gpu: PciBusId,
        /// How many others of the vendor there are.
        others: usize,
        /// The variable that would name it.
        variable: &'static str,
    },
}

/// How a vendor's runtime is told of one GPU.
struct Vendor {
    id: u16,
    variable: &'static str,
    form: Form,
    /// Variables that its runtime reads besides, and that would count what this one has left.
    others: &'static [&'static str],
}

/// The form in which a runtime reads its variable.
#[derive(Clone, Copy, PartialEq, Eq)]
enum Form {
    /// The unique name that the driver gives the GPU, `GPU-...`; nothing hides all.
    Name,
    /// A number in the order of the PCI bus ids, of cards and not of their tiles, if two more variables ask for that; nothing can hide
    /// all.
    Ordinal { by_bus_id: &'static str, whole_cards: &'static str },
}

/// CUDA's programming guide, the documentation of ROCm on isolation of GPUs, and the specification of Level Zero. HIP reads CUDA's
/// variable as its own; it counts what ROCr has left, so that only one of the two may be set.
const VENDORS: [Vendor; 3] = [
    Vendor { id: 0x10de, variable: "CUDA_VISIBLE_DEVICES", form: Form::Name, others: &[] },
    Vendor {
        id: 0x1002,
        variable: "ROCR_VISIBLE_DEVICES",
        form: Form::Name,
        others: &["HIP_VISIBLE_DEVICES", "GPU_DEVICE_ORDINAL"],
    },
    Vendor {
        id: 0x8086,
        variable: "ZE_AFFINITY_MASK",
        form: Form::Ordinal { by_bus_id: "ZE_ENABLE_PCI_ID_DEVICE_ORDER", whole_cards: "ZE_FLAT_DEVICE_HIERARCHY" },
        others: &[],
    },
];

/// What makes a program take `place` on `node`, some of whose GPUs are `withheld` from it; `is_set` tells which variables its user has
/// set. Those for threads stay, unless the number of threads is `asked` for now.
///
/// # Errors
/// A GPU that the vendor's variable cannot name.
pub fn settings(
    node: &Node,
    place: &Place,
    withheld: &[PciBusId],
    asked: bool,
    is_set: impl Fn(&str) -> bool,
) -> Result<Vec<Setting>, SettingError> {
    let mut all = gpus(node, place.device, withheld, &is_set)?;
    let threads = [
        ("OMP_NUM_THREADS", place.threads.to_string()),
        ("OMP_PLACES", places(node, place)),
        ("OMP_PROC_BIND", "close".to_owned()),
    ];
    let free = threads.into_iter().filter(|(name, _)| !is_set(name) || (asked && *name == "OMP_NUM_THREADS"));
    all.extend(free.map(|(name, value)| Setting { name, value: Some(value) }));
    Ok(all)
}

/// The cores as OpenMP lists places: the PUs of each in braces.
fn places(node: &Node, place: &Place) -> String {
    let braces = |pus: Vec<usize>| {
        let pus: Vec<String> = pus.iter().map(usize::to_string).collect();
        format!("{{{}}}", pus.join(","))
    };
    let cores = node.cores_in(&place.cores).map(|core| braces((&core.pus & &place.cores).iter().collect()));
    cores.collect::<Vec<_>>().join(",")
}

fn gpus(
    node: &Node,
    device: Device,
    withheld: &[PciBusId],
    is_set: impl Fn(&str) -> bool,
) -> Result<Vec<Setting>, SettingError> {
    let mut all = Vec::new();
    let vendors: BTreeSet<u16> = node.gpus.iter().map(|gpu| gpu.vendor_id).collect();
    for vendor in VENDORS.iter().filter(|vendor| vendors.contains(&vendor.id)) {
        // Runtimes count what they can open.
        let is_counted = |gpu: &&Gpu| gpu.vendor_id == vendor.id && !withheld.contains(&gpu.pci_bus_id);
        let mut own: Vec<&Gpu> = node.gpus.iter().filter(is_counted).collect();
        own.sort_by_key(|gpu| gpu.pci_bus_id);
        let chosen = own.iter().position(|gpu| device == Device::Gpu(gpu.pci_bus_id));
        let set = |name, value| Setting { name, value: Some(value) };
        match (chosen, vendor.form) {
            (Some(index), Form::Name) => all.push(set(vendor.variable, name(&own, index, vendor.variable)?)),
            (Some(index), Form::Ordinal { by_bus_id, whole_cards }) => {
                whole(own[index], vendor.variable)?;
                let ordinal = set(vendor.variable, index.to_string());
                all.extend([set(by_bus_id, "1".to_owned()), set(whole_cards, "COMPOSITE".to_owned()), ordinal]);
            }
            (None, Form::Name) => all.push(set(vendor.variable, String::new())),
            (None, Form::Ordinal { .. }) => {}
        }
        let misread = vendor.others.iter().copied().filter(|name| is_set(name));
        all.extend(misread.map(|name| Setting { name, value: None }));
    }
    let has = |id| vendors.contains(&id);
    // HIP takes it for its own where there is no CUDA to mean it.
    if has(0x1002) && !has(0x10de) && is_set("CUDA_VISIBLE_DEVICES") {
        all.push(Setting { name: "CUDA_VISIBLE_DEVICES", value: None });
    }
    Ok(all)
}

/// The name of one of a vendor's GPUs; the only one needs none.
fn name(own: &[&Gpu], index: usize, variable: &'static str) -> Result<String, SettingError> {
    let gpu = own[index];
    whole(gpu, variable)?;
    let uuid =
        gpu.uuid.as_ref().filter(|uuid| own.iter().filter(|other| other.uuid.as_ref() == Some(uuid)).count() == 1);
    match uuid {
        Some(uuid) => Ok(uuid.clone()),
        None if own.len() == 1 => Ok("0".to_owned()),
        None => Err(SettingError::Twins { gpu: gpu.pci_bus_id, others: own.len() - 1, variable }),
    }
}

fn whole(gpu: &Gpu, variable: &'static str) -> Result<(), SettingError> {
    match gpu.partitions {
        0 | 1 => Ok(()),
        parts => Err(SettingError::InParts { gpu: gpu.pci_bus_id, parts, variable }),
    }
}

#[cfg(test)]
mod tests {
    use super::{super::sample, *};

    fn with(vendor_id: u16, uuids: &[Option<&str>]) -> Node {
        let mut node = sample::node(1, 1, 4, &[(0x10, Some(0))]);
        let model = node.gpus[0].clone();
        node.gpus = uuids
            .iter()
            .enumerate()
            .map(|(index, uuid)| Gpu {
                pci_bus_id: format!("0000:{:02x}:00.0", 0x10 + index).parse().unwrap(),
                vendor_id,
                uuid: uuid.map(str::to_owned),
                partitions: 1,
                ..model.clone()
            })
            .collect();
        node
    }

    fn place(node: &Node, gpu: Option<usize>) -> Place {
        let device = gpu.map_or(Device::Cpu, |index| Device::Gpu(node.gpus[index].pci_bus_id));
        let cores = node.cores.iter().take(2).map(|core| &core.pus).collect();
        Place { rank: 0, cores, threads: 2, device }
    }

    /// Of GPUs alone, as `NAME=value`, or `-NAME` where it is taken away.
    fn of_gpus(node: &Node, gpu: Option<usize>, set: &[&str]) -> Result<Vec<String>, SettingError> {
        let settings = settings(node, &place(node, gpu), &[], false, |name| set.contains(&name))?;
        let words =
            settings.into_iter().filter(|setting| !setting.name.starts_with("OMP_")).map(|setting| {
                match setting.value {
                    Some(value) => format!("{}={value}", setting.name),
                    None => format!("-{}", setting.name),
                }
            });
        Ok(words.collect())
    }

    #[test]
    fn each_runtime_is_told_in_the_form_that_it_reads() {
        let nvidia = with(0x10de, &[Some("GPU-aa"), Some("GPU-bb")]);
        assert_eq!(of_gpus(&nvidia, Some(1), &[]).unwrap(), ["CUDA_VISIBLE_DEVICES=GPU-bb"]);
        assert_eq!(of_gpus(&nvidia, None, &[]).unwrap(), ["CUDA_VISIBLE_DEVICES="], "a rank of cores sees none");
        let amd = with(0x1002, &[Some("GPU-1"), Some("GPU-2")]);
        let set = ["HIP_VISIBLE_DEVICES", "CUDA_VISIBLE_DEVICES"];
        assert_eq!(
            of_gpus(&amd, Some(0), &set).unwrap(),
            ["ROCR_VISIBLE_DEVICES=GPU-1", "-HIP_VISIBLE_DEVICES", "-CUDA_VISIBLE_DEVICES"],
            "never both, since the one counts what the other has left"
        );
        let intel = with(0x8086, &[None, None]);
        assert_eq!(
            of_gpus(&intel, Some(1), &[]).unwrap(),
            ["ZE_ENABLE_PCI_ID_DEVICE_ORDER=1", "ZE_FLAT_DEVICE_HIERARCHY=COMPOSITE", "ZE_AFFINITY_MASK=1"]
        );
        assert_eq!(of_gpus(&intel, None, &[]).unwrap(), [""; 0]);
    }

    #[test]
    fn gpus_that_cannot_be_told_apart_are_refused() {
        assert_eq!(of_gpus(&with(0x10de, &[None]), Some(0), &[]).unwrap(), ["CUDA_VISIBLE_DEVICES=0"]);
        for uuids in [[None, Some("GPU-bb")], [Some("GPU-aa"), Some("GPU-aa")]] {
            let error = of_gpus(&with(0x1002, &uuids), Some(0), &[]).unwrap_err();
            assert!(
                matches!(error, SettingError::Twins { others: 1, variable: "ROCR_VISIBLE_DEVICES", .. }),
                "{error}"
            );
        }
        let mut parts = with(0x10de, &[Some("GPU-aa")]);
        parts.gpus[0].partitions = 7;
        let error = of_gpus(&parts, Some(0), &[]).unwrap_err().to_string();
        assert!(error.contains("7 parts") && error.contains("CUDA_VISIBLE_DEVICES"), "{error}");
    }

    #[test]
    fn what_is_withheld_is_not_counted() {
        let of_second = |node: &Node| {
            let withheld = [node.gpus[0].pci_bus_id];
            let all = gpus(node, Device::Gpu(node.gpus[1].pci_bus_id), &withheld, |_| false).unwrap();
            all.into_iter().map(|setting| format!("{}={}", setting.name, setting.value.unwrap())).next_back().unwrap()
        };
        assert_eq!(of_second(&with(0x8086, &[None, None])), "ZE_AFFINITY_MASK=0");
        assert_eq!(of_second(&with(0x10de, &[None, None])), "CUDA_VISIBLE_DEVICES=0", "the only one needs no name");
    }

    #[test]
    fn threads_are_as_many_as_the_place_has_unless_the_user_has_said() {
        let node = with(0x10de, &[]);
        let all = |set: &[&str], asked: bool| {
            let settings = settings(&node, &place(&node, None), &[], asked, |name| set.contains(&name)).unwrap();
            settings.into_iter().map(|setting| (setting.name, setting.value.unwrap())).collect::<Vec<_>>()
        };
        let told = all(&[], false);
        assert_eq!(told[0], ("OMP_NUM_THREADS", "2".to_owned()));
        assert_eq!((told[1].0, told[1].1.matches('{').count()), ("OMP_PLACES", 2));
        assert_eq!(told[2], ("OMP_PROC_BIND", "close".to_owned()));
        assert_eq!(all(&["OMP_NUM_THREADS"], false).len(), 2);
        assert_eq!(all(&["OMP_NUM_THREADS"], true).len(), 3, "what is asked for now counts");
    }
}
