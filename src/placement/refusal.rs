//! Why a rank that must have a GPU gets none, and the way out.

use super::{Device, DeviceRequest, LocalRank, PlacementError, Rules, Software, inspect, ranks_in_words};
use crate::topology::Node;

/// Says what the rank `loser` was looking for and why nothing was found; `devices` are what the ranks would have got.
pub(super) fn refusal(
    node: &Node,
    ranks: &[LocalRank],
    devices: &[Option<Device>],
    loser: usize,
    rules: &Rules,
) -> PlacementError {
    let LocalRank { rank, request, source, visible, .. } = &ranks[loser];
    let otherwise = without_a_gpu(source.as_deref());
    let host = inspect::host(node);
    let holders = |wanted: &dyn Fn(Device) -> bool| {
        let holders = ranks.iter().zip(devices).filter(|(_, device)| device.is_some_and(wanted));
        ranks_in_words(&holders.map(|(rank, _)| rank.rank).collect::<Vec<_>>())
    };
    let limit = rules.ranks_per_gpu;
    let share = format!("--ranks-per-gpu {} lets more ranks share a GPU", limit + 1);
    let (reason, way_out) = match request {
        DeviceRequest::ThisGpu(id) if node.gpu(*id).is_none() => {
            let inventory = inventory(node);
            return PlacementError::NoSuchGpu { rank: *rank, id: *id, source_line: source.clone(), host, inventory };
        }
        DeviceRequest::ThisGpu(id) => {
            let holders = holders(&|device| device == Device::Gpu(*id));
            (format!("GPU {id} of {host} serves {holders} already, of at most {limit}"), share)
        }
        _ if node.gpus.is_empty() && rules.software == Software::OnePerNode => {
            let holders = holders(&|device| device == Device::SoftwareGpu);
            let reason = format!("the software adapter of {host} serves {holders} already, of at most {limit}");
            (reason, format!("{share}; {otherwise}"))
        }
        _ if node.gpus.is_empty() => {
            let way_out = match rules.software {
                Software::Unasked => format!("{otherwise}; --software-gpu lets a software adapter stand in for one"),
                Software::Never | Software::OnePerNode => otherwise,
            };
            (format!("{host} {}", inventory(node)), way_out)
        }
        _ if visible.gpus.is_empty() && !visible.hidden_by.is_empty() => (
            format!("{} hides all GPUs; {host} {}", visible.hidden_by.join(" with "), inventory(node)),
            format!("{}; {otherwise}", if visible.withheld.is_empty() { "change it" } else { inspect::ASK_FOR_GPUS }),
        ),
        _ => {
            let holders = holders(&|device| device != Device::Cpu);
            let reason =
                format!("the GPUs left to it serve {holders} already, {limit} to a GPU; {host} {}", inventory(node));
            (reason, format!("{share}; {otherwise}"))
        }
    };
    PlacementError::NoGpu { rank: *rank, source_line: source.clone(), reason, way_out }
}

/// How the rank would do without a GPU, depending on the line of a rankfile that told it to use one.
fn without_a_gpu(source: Option<&str>) -> String {
    match source {
        Some(line) => format!("leave the comment at {line} away, then the rank computes on cores where there is none"),
        None => "--device auto computes on cores where there is none".to_owned(),
    }
}

/// Who was asked for GPUs in vain, up to the word before what was not found. The library is named where it lists no PCI function.
fn who_finds(node: &Node) -> String {
    let Some(witnesses) = &node.witnesses else { return "hwloc finds no".to_owned() };
    let library = witnesses.hwloc_library.as_ref().filter(|_| !witnesses.hwloc_lists_pci);
    let library = library.map(|path| format!(" ({path})")).unwrap_or_default();
    match &witnesses.kernel_silent {
        None => format!("neither hwloc{library} nor the kernel finds a"),
        Some(reason) => format!("{reason}, and hwloc{library} finds no"),
    }
}

/// What display devices the node has, as the rest of a sentence.
fn inventory(node: &Node) -> String {
    let gpus: Vec<String> = node.gpus.iter().map(|gpu| gpu.pci_bus_id.to_string()).collect();
    let others: Vec<String> =
        node.other_displays.iter().map(|other| format!("{} ({})", other.function.pci_bus_id, other.reason)).collect();
    let have = match (gpus.len(), others.len()) {
        (0, 0) => {
            format!("has no GPU: {} PCI device of the display class, and others do not count", who_finds(node))
        }
        (0, _) => "has no GPU".to_owned(),
        (1, _) => format!("has GPU {}", gpus[0]),
        _ => format!("has GPUs {}", gpus.join(", ")),
    };
    if others.is_empty() { have } else { format!("{have}; no GPU is {}", others.join(", ")) }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::{
        placement::{
            choose,
            sample::{TWO_BY_TWO, node, ranks},
        },
        topology::{Gpu, OtherDisplay, Witnesses},
    };

    #[test]
    fn a_gpu_that_cannot_be_had_is_an_error_that_says_why_and_what_to_do() {
        let two = node(2, 1, 4, &TWO_BY_TWO);
        let mut vga = node(1, 1, 4, &[]);
        vga.other_displays.push(OtherDisplay {
            function: Gpu { pci_bus_id: "03:00.0".parse().unwrap(), ..two.gpus[0].clone() },
            reason: "management VGA (ASPEED)".into(),
            may_compute: false,
        });
        let this = |id: &str| DeviceRequest::ThisGpu(id.parse().unwrap());
        let none = node(1, 1, 4, &[]);
        let message = |node: &Node, requests: &[DeviceRequest], rules: &Rules| {
            let mut ranks = ranks(node, &["0", "1", "2"][..requests.len()]);
            ranks.iter_mut().zip(requests).for_each(|(rank, request)| rank.request = *request);
            choose(node, &ranks, rules).unwrap_err().to_string()
        };
        let cases: [(&Node, &[DeviceRequest], &[&str]); 5] = [
            (&none, &[DeviceRequest::Gpu], &["rank 0", "n1 has no GPU", "display class", "--software-gpu"]),
            (&vga, &[DeviceRequest::Gpu], &["has no GPU", "0000:03:00.0 (management VGA (ASPEED))"]),
            (
                &two,
                &[DeviceRequest::Gpu; 3],
                &["rank 2", "serve ranks 0-1 already", "0000:20:00.0", "--ranks-per-gpu 2"],
            ),
            (&two, &[this("66:00.0")], &["rank 0", "GPU 0000:66:00.0", "n1 has GPUs 0000:10:00.0, 0000:20:00.0"]),
            (&two, &[this("10:00.0"), this("10:00.0")], &["rank 1", "serves rank 0 already", "--ranks-per-gpu 2"]),
        ];
        for (node, requests, parts) in cases {
            let message = message(node, requests, &Rules::default());
            assert!(parts.iter().all(|part| message.contains(part)), "{message}\nlacks one of {parts:?}");
        }
        for (hwloc_lists_pci, kernel_silent, expected) in [
            (true, None, "has no GPU: neither hwloc nor the kernel finds a PCI device of the display class"),
            (false, None, "has no GPU: neither hwloc (/lib/libhwloc.so.15) nor the kernel finds a PCI device"),
            (false, Some("/sys is hidden"), "/sys is hidden, and hwloc (/lib/libhwloc.so.15) finds no PCI device"),
        ] {
            let mut asked = none.clone();
            asked.witnesses = Some(Witnesses {
                hwloc_library: Some("/lib/libhwloc.so.15".to_owned()),
                hwloc_lists_pci,
                hwloc_setting: None,
                kernel_silent: kernel_silent.map(str::to_owned),
            });
            let message = message(&asked, &[DeviceRequest::Gpu], &Rules::default());
            assert!(message.contains(expected), "{message}");
        }
        // Another program is not told of an option that it cannot have.
        let other_program = Rules { software: Software::Never, ..Rules::default() };
        let told = message(&none, &[DeviceRequest::Gpu], &other_program);
        assert!(told.contains("--device auto computes") && !told.contains("--software-gpu"), "{told}");
        let software = Rules { software: Software::OnePerNode, ..Rules::default() };
        let message = message(&none, &[DeviceRequest::Gpu; 2], &software);
        assert!(
            message.contains("rank 1: the software adapter of n1 serves rank 0 already, of at most 1"),
            "{message}"
        );
    }
}
