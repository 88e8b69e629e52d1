//! Why a rank that must have a GPU gets none, and the way out.

use super::{Device, DeviceWish, LocalRank, Rules, inspect, ranks_in_words};
use crate::{error::Error, topology::Node};

/// Says what the rank `loser` was looking for and why nothing was found; `devices` are what the ranks would have got.
pub(super) fn refusal(
    node: &Node,
    ranks: &[LocalRank],
    devices: &[Option<Device>],
    loser: usize,
    rules: &Rules,
) -> Error {
    let LocalRank { rank, wish, told_by, visible, .. } = &ranks[loser];
    let (told_by_line, otherwise) = match told_by {
        Some(line) => (
            format!(" ({line})"),
            format!("leave the comment at {line} away, then the rank computes on cores where there is none"),
        ),
        None => (String::new(), "--device auto computes on cores where there is none".to_owned()),
    };
    let host = inspect::host(node);
    let holders = |wanted: &dyn Fn(Device) -> bool| {
        let holders = ranks.iter().zip(devices).filter(|(_, device)| device.is_some_and(wanted));
        ranks_in_words(&holders.map(|(rank, _)| rank.rank).collect::<Vec<_>>())
    };
    let limit = rules.ranks_per_gpu;
    let share = format!("--share-gpus {} lets more ranks share a GPU", limit + 1);
    let (reason, way_out) = match wish {
        DeviceWish::ThisGpu(id) if node.gpu(*id).is_none() => {
            return Error::Usage(format!(
                "rank {rank} is to use GPU {id}{told_by_line}, but {host} {}",
                inventory(node)
            ));
        }
        DeviceWish::ThisGpu(id) => {
            let holders = holders(&|device| device == Device::Gpu(*id));
            (format!("GPU {id} of {host} serves {holders} already, of at most {limit}"), share)
        }
        _ if node.gpus.is_empty() && rules.software_gpus == 0 => (
            format!("{host} {}", inventory(node)),
            format!("{otherwise}; --software-gpu lets a software adapter stand in for one"),
        ),
        _ if node.gpus.is_empty() => {
            let holders = holders(&|device| device == Device::SoftwareGpu);
            let reason = format!("the software adapter of {host} serves {holders} already, of at most {limit}");
            (reason, format!("{share}; {otherwise}"))
        }
        _ if visible.gpus.is_empty() && !visible.hidden_by.is_empty() => (
            format!("{} hides all GPUs; {host} {}", visible.hidden_by.join(" with "), inventory(node)),
            format!("change it; {otherwise}"),
        ),
        _ => {
            let holders = holders(&|device| device != Device::Cpu);
            let reason =
                format!("the GPUs left to it serve {holders} already, {limit} to a GPU; {host} {}", inventory(node));
            (reason, format!("{share}; {otherwise}"))
        }
    };
    Error::NoGpu { reason: format!("rank {rank}{told_by_line}: {reason}"), way_out }
}

/// What display devices the node has, as the rest of a sentence.
fn inventory(node: &Node) -> String {
    let gpus: Vec<String> = node.gpus.iter().map(|gpu| gpu.pci_bus_id.to_string()).collect();
    let others: Vec<String> =
        node.other_displays.iter().map(|other| format!("{} ({})", other.pci_bus_id, other.reason)).collect();
    let have = match (gpus.len(), others.len()) {
        (0, 0) => "has no GPU: hwloc finds no PCI device of the display class, and others do not count".to_owned(),
        (0, _) => "has no GPU".to_owned(),
        (1, _) => format!("has GPU {}", gpus[0]),
        _ => format!("has GPUs {}", gpus.join(", ")),
    };
    if others.is_empty() { have } else { format!("{have}; no GPU is {}", others.join(", ")) }
}
