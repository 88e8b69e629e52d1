//! Where hwloc, the kernel and Vulkan do not tell the same of a node's GPUs. Each disagreement is a remark, with what is known of
//! its cause; what Vulkan lacks has a file of its own.

use std::collections::BTreeMap;

use super::{finding, unset};
use crate::{
    placement::{Code, Finding, Severity, VulkanAdapter, VulkanFacts},
    topology::{Gpu, Locality, Node, Witness, Witnesses},
};

/// Disagreements of those who were asked on a running node; none of a stored one.
pub(in crate::placement) fn disagreements(node: &Node) -> Vec<Finding> {
    let Some(witnesses) = &node.witnesses else { return Vec::new() };
    let mut findings = Vec::new();
    findings.extend(unlisted(node, Witness::Hwloc, |lost| of_hwloc(witnesses, lost)));
    findings.extend(unlisted(node, Witness::Kernel, |_| of_kernel(witnesses)));
    findings.extend(doubted(node));
    findings.extend(contradicted(node));
    findings
}

/// What is remarkable about GPUs that `witness` does not list; `cause` says why it does not, and the way out.
fn unlisted<'a>(node: &'a Node, witness: Witness, cause: impl Fn(&[&'a Gpu]) -> (String, String)) -> Option<Finding> {
    let lost: Vec<&Gpu> = node.gpus.iter().filter(|gpu| !gpu.seen_by.contains(&witness)).collect();
    let first = lost.first()?;
    let others: Vec<&str> = first.seen_by.iter().map(|other| name(*other)).collect();
    let (why, hint) = cause(&lost);
    let unknown = lost.iter().filter(|gpu| gpu.locality == Locality::Unknown).count();
    // A GPU that is used, and near to its cores, is in its place whoever does not know of it.
    let (severity, place) = match unknown {
        0 => (Severity::Note, "what is near to it is known all the same".to_owned()),
        _ => (Severity::Warning, "which cores are near to it is not known".to_owned()),
    };
    let message = format!(
        "{} does not list {} {}, which {} {}: {why}; {place}",
        name(witness),
        if lost.len() == 1 { "GPU" } else { "GPUs" },
        lost.iter().map(|gpu| gpu.pci_bus_id.to_string()).collect::<Vec<_>>().join(", "),
        others.join(" and "),
        if others.len() == 1 { "lists" } else { "list" }
    );
    let remark = finding(node, Code::GpuWitnessesDisagree, severity, Vec::new(), message);
    Some(Finding { hint: Some(hint), ..remark })
}

fn name(witness: Witness) -> &'static str {
    match witness {
        Witness::Hwloc => "hwloc",
        Witness::Kernel => "the kernel",
        Witness::Vulkan => "Vulkan",
    }
}

/// Why hwloc does not list these GPUs.
fn of_hwloc(witnesses: &Witnesses, lost: &[&Gpu]) -> (String, String) {
    let library = witnesses.hwloc_library.as_deref().unwrap_or("its library");
    match &witnesses.hwloc_setting {
        Some(setting) => (format!("{setting} tells {library} what to list"), unset(setting)),
        None if witnesses.hwloc_lists_pci => (
            format!("{library} lists other PCI functions, and why it leaves out {} is not known", these(lost)),
            "compare `lspci -D` with `lstopo-no-graphics --filter pci:all`".to_owned(),
        ),
        None => {
            let folder = library.rsplit_once('/').map_or(library, |(folder, _)| folder);
            (
                format!("{library} lists no PCI function at all, as one that was built without PCI devices"),
                format!(
                    "put the folder of the system's libhwloc (Debian: libhwloc15) before {folder} in LD_LIBRARY_PATH; \
                     `ldd $(which hybrid)` shows which comes first"
                ),
            )
        }
    }
}

/// Why the kernel does not list a GPU.
fn of_kernel(witnesses: &Witnesses) -> (String, String) {
    match (&witnesses.kernel_silent, &witnesses.hwloc_setting) {
        (Some(reason), _) => (reason.clone(), "let /sys be seen; a container has it with `-v /sys:/sys:ro`".to_owned()),
        (None, Some(setting)) if setting.starts_with("HWLOC_XMLFILE=") => (
            format!("it is not in /sys/bus/pci/devices, and {setting} makes hwloc read a file"),
            "unset HWLOC_XMLFILE, or make the file anew with `lstopo FILE.xml`".to_owned(),
        ),
        (None, _) => (
            "it is not in /sys/bus/pci/devices, and why is not known".to_owned(),
            "`dmesg | grep -i pci` tells whether it has fallen off the bus; --device cpu computes without it"
                .to_owned(),
        ),
    }
}

fn these(gpus: &[&Gpu]) -> &'static str {
    if gpus.len() == 1 { "this one" } else { "these" }
}

/// Displays that count because Vulkan lists them.
fn doubted(node: &Node) -> Option<Finding> {
    let cases: Vec<String> =
        node.gpus.iter().filter_map(|gpu| Some(format!("{} ({})", gpu.pci_bus_id, gpu.doubt.as_ref()?))).collect();
    (!cases.is_empty()).then(|| {
        let message = format!("counted as GPUs for Vulkan lists them as hardware: {}", cases.join(", "));
        let remark = finding(node, Code::GpuWitnessesDisagree, Severity::Note, Vec::new(), message);
        Finding { hint: Some("--device cpu computes without them".to_owned()), ..remark }
    })
}

/// GPUs that hwloc and the kernel have at different places.
fn contradicted(node: &Node) -> Option<Finding> {
    let mut cases = BTreeMap::new();
    for gpu in &node.gpus {
        if let (Some(hwlocs), Some(kernels)) = (&gpu.hwloc_contradicts, gpu.locality.pus()) {
            cases.insert(gpu.pci_bus_id, format!("{} is near PUs {kernels}, not {hwlocs}", gpu.pci_bus_id));
        }
    }
    (!cases.is_empty()).then(|| {
        let cases: Vec<String> = cases.into_values().collect();
        let message = format!("the kernel was believed, and not hwloc, which tells otherwise: {}", cases.join("; "));
        let remark = finding(node, Code::GpuWitnessesDisagree, Severity::Note, Vec::new(), message);
        let hint =
            "compare /sys/bus/pci/devices/*/numa_node with `lstopo-no-graphics`; HWLOC_PCI_LOCALITY sets hwloc's";
        Finding { hint: Some(hint.to_owned()), ..remark }
    })
}

/// Adapters in hardware that Vulkan lists and no rank is given: a look at Vulkan has shown them, and a computing job need not
/// have looked.
pub(in crate::placement) fn unheard(node: &Node, vulkan: &VulkanFacts) -> Vec<Finding> {
    let is_free = |adapter: &&VulkanAdapter| !adapter.is_software && !node.gpus.iter().any(|gpu| adapter.may_be(gpu));
    let remark = |adapter: &VulkanAdapter| match adapter.pci_bus_id {
        Some(id) => {
            let message = format!(
                "Vulkan lists {} at {id}, and neither hwloc nor the kernel lists a GPU there: --device auto does not use it",
                adapter.name
            );
            let remark = finding(node, Code::GpuWitnessesDisagree, Severity::Warning, Vec::new(), message);
            Finding { hint: Some(format!("--device {id} computes on it")), ..remark }
        }
        None => {
            let message = format!(
                "Vulkan lists {}, whose driver tells no PCI bus id: it has no name by which a rank can be given it",
                adapter.name
            );
            finding(node, Code::GpuWitnessesDisagree, Severity::Note, Vec::new(), message)
        }
    };
    vulkan.adapters.iter().filter(is_free).map(remark).collect()
}
