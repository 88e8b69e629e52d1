//! Remarks on GPUs that Vulkan has no adapter for, and on ranks that want one.

use std::collections::BTreeMap;

use super::{
    RankFacts, finding,
    vulkan_cause::{Cause, why_no_software, why_unlisted},
    vulkan_facts::VulkanFacts,
};
use crate::{
    placement::{Code, Device, DeviceRequest, Finding, Severity, ranks_in_words},
    topology::{Gpu, Node},
};

/// GPUs of the node that Vulkan does not list; one remark for each cause.
pub(in crate::placement) fn unseen_gpus(node: &Node, ranks: &[RankFacts], vulkan: &VulkanFacts) -> Vec<Finding> {
    let mut by_cause = BTreeMap::<Cause, Vec<String>>::new();
    for gpu in reached(node, ranks).filter(|gpu| !is_listed(gpu, vulkan)) {
        by_cause.entry(why_unlisted(gpu, vulkan)).or_default().push(gpu.pci_bus_id.to_string());
    }
    by_cause
        .into_iter()
        .map(|(Cause { what, hint }, ids)| {
            let message = format!("Vulkan does not list GPU {}: {what}", ids.join(", "));
            let remark = finding(node, Code::GpuWithoutVulkan, Severity::Warning, Vec::new(), message);
            Finding { hint: Some(hint), ..remark }
        })
        .collect()
}

/// The places that a run comes to: a rank whose GPU Vulkan does not list computes on its cores, unless it was told to use one.
pub(in crate::placement) fn without_unlisted(node: &Node, ranks: &mut [RankFacts], vulkan: &VulkanFacts) {
    for RankFacts { local, place, .. } in ranks {
        if local.request == DeviceRequest::Auto && !has_adapter(node, place.device, vulkan) {
            place.device = Device::Cpu;
        }
    }
}

/// Ranks that were told to use a GPU and will find no adapter for it: their job fails.
pub(in crate::placement) fn ranks_without_adapter(
    node: &Node,
    ranks: &[RankFacts],
    vulkan: &VulkanFacts,
) -> Option<Finding> {
    let lacking = ranks.iter().filter(|facts| !has_adapter(node, facts.place.device, vulkan));
    let lacking: Vec<u32> = lacking.map(|facts| facts.local.rank).collect();
    if lacking.is_empty() {
        return None;
    }
    let (who, verb) = (ranks_in_words(&lacking), if lacking.len() == 1 { "was" } else { "were" });
    let is_software = |facts: &&RankFacts| facts.place.device == Device::SoftwareGpu;
    let software = ranks.iter().filter(is_software).find(|facts| lacking.contains(&facts.local.rank));
    let (of_software, mend) = match software.map(|_| why_no_software(vulkan)) {
        Some(Cause { what, hint }) => (format!(" (of a software adapter: {what})"), hint),
        None => (String::new(), "mend what keeps the GPU from Vulkan".to_owned()),
    };
    let message =
        format!("{who} {verb} told to use a GPU that Vulkan does not list{of_software}: a computing job fails");
    let remark = finding(node, Code::GpuWithoutVulkan, Severity::Warning, lacking, message);
    let hint = format!("{mend}; or let them choose: --device auto, and no `# gpu` in the rankfile");
    Some(Finding { hint: Some(hint), ..remark })
}

fn has_adapter(node: &Node, device: Device, vulkan: &VulkanFacts) -> bool {
    match device {
        Device::Cpu => true,
        Device::Gpu(id) => node.gpu(id).is_some_and(|gpu| is_listed(gpu, vulkan)),
        Device::SoftwareGpu => vulkan.adapters.iter().any(|adapter| adapter.is_software),
    }
}

/// All adapters compute on the processor.
pub(in crate::placement) fn software_only(node: &Node, ranks: &[RankFacts], vulkan: &VulkanFacts) -> Option<Finding> {
    if vulkan.adapters.is_empty() || vulkan.adapters.iter().any(|adapter| !adapter.is_software) {
        return None;
    }
    let names: Vec<&str> = vulkan.adapters.iter().map(|adapter| adapter.name.as_str()).collect();
    let message = format!("Vulkan lists a software adapter only: {}", names.join(", "));
    let has_gpu = reached(node, ranks).next().is_some();
    let severity = if has_gpu { Severity::Warning } else { Severity::Note };
    let hint = if has_gpu { "install the GPU's Vulkan driver" } else { "--software-gpu computes on it" };
    let remark = finding(node, Code::SoftwareOnly, severity, Vec::new(), message);
    Some(Finding { hint: Some(hint.to_owned()), ..remark })
}

/// The GPUs of the node but for those that no rank can reach, which are others'; of the ranks that is told.
fn reached<'a>(node: &'a Node, ranks: &'a [RankFacts]) -> impl Iterator<Item = &'a Gpu> + 'a {
    let is_withheld = |gpu: &Gpu, facts: &RankFacts| facts.local.visible.withheld.contains(&gpu.pci_bus_id);
    node.gpus.iter().filter(move |gpu| ranks.is_empty() || ranks.iter().any(|facts| !is_withheld(gpu, facts)))
}

fn is_listed(gpu: &Gpu, vulkan: &VulkanFacts) -> bool {
    vulkan.adapters.iter().any(|adapter| adapter.may_be(gpu))
}
