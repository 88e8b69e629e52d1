//! The node that this process runs on, by all who know of its GPUs. hwloc and the kernel are always asked; Vulkan, which takes
//! longer than both, where these two leave a doubt or somebody insists on a GPU that they do not list.

use crate::{
    device::gpu,
    error::Error,
    fault,
    placement::{DeviceRequest, VulkanFacts},
    topology::{self, Node, VulkanSighting},
};

/// Reads the node. `requests` are the devices that its ranks are told to use. What Vulkan offers comes with it where Vulkan was
/// asked.
pub(super) fn read(requests: &[DeviceRequest]) -> Result<(Node, Option<VulkanFacts>), Error> {
    let mut node = Node::of_this_machine(&fault::root())?;
    let is_missing = |request: &DeviceRequest| match request {
        DeviceRequest::Gpu => node.gpus.is_empty(),
        DeviceRequest::ThisGpu(id) => node.gpu(*id).is_none(),
        DeviceRequest::Auto | DeviceRequest::Cpu => false,
    };
    let asks = node.is_in_doubt() || requests.iter().any(is_missing);
    let vulkan = asks.then(vulkan);
    node.hear_vulkan(&vulkan.iter().flat_map(|vulkan| &vulkan.adapters).filter_map(sighting).collect::<Vec<_>>());
    Ok((node, vulkan))
}

/// The node with the GPUs alone that this process can reach: what a plan for its job may use.
pub(super) fn within_reach(mut node: Node) -> Node {
    let out_of_reach = topology::out_of_reach(&fault::root(), &node.gpus);
    node.gpus.retain(|gpu| out_of_reach.iter().all(|out| out.gpu != gpu.pci_bus_id));
    node
}

/// Asks what Vulkan offers here.
pub(super) fn vulkan() -> VulkanFacts {
    fault::with_adapters(gpu::vulkan_facts(&fault::root()))
}

/// `None` for an adapter that is no hardware or that nobody can name.
fn sighting(adapter: &crate::placement::VulkanAdapter) -> Option<VulkanSighting> {
    let pci_bus_id = adapter.pci_bus_id.filter(|_| !adapter.is_software)?;
    Some(VulkanSighting {
        pci_bus_id,
        vendor_id: adapter.vendor_id.try_into().ok()?,
        device_id: adapter.device_id.try_into().ok()?,
        name: adapter.name.clone(),
    })
}
