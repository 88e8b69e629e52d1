//! The GPUs that the graphics API shows on this node, and the choice of one of them.
//!
//! Vulkan, or Metal on macOS, and no other backend: OpenGL lacks what the kernels need. A GPU is named by its PCI bus
//! id alone, since identical cards have identical names. Vulkan knows nothing of `CUDA_VISIBLE_DEVICES` and its like:
//! honoring them is the business of whoever chooses.
//!
//! Opening the API starts threads and loads drivers. Mesa's loader complains on stderr where `XDG_RUNTIME_DIR` is unset;
//! whoever wants quiet sets that variable at the start of `main`, since the environment may be changed only before there
//! are threads.

use std::fmt;

use serde::{Deserialize, Serialize};

use crate::{device::DeviceError, visible::visible};

/// Which adapter to open.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub enum Which {
    /// The GPU at this PCI bus id, as in `0000:65:00.0`.
    PciBusId(String),
    /// The node's GPU that sits on no PCI bus, as a Raspberry Pi's or a Mac's does.
    WithoutPciBusId,
    /// A software adapter: the CPU in a GPU's place, for tests.
    Software,
}

impl fmt::Display for Which {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::PciBusId(id) => write!(f, "a GPU with PCI bus id {id}"),
            Self::WithoutPciBusId => f.write_str("a GPU without a PCI bus id"),
            Self::Software => f.write_str("a software adapter"),
        }
    }
}

impl Which {
    /// Whether these facts are of the adapter that is meant.
    #[must_use]
    pub fn matches(&self, facts: &AdapterFacts) -> bool {
        match self {
            Self::PciBusId(id) => facts.class != Class::Software && facts.pci_bus_id.as_deref() == Some(id.as_str()),
            Self::WithoutPciBusId => facts.class != Class::Software && facts.pci_bus_id.is_none(),
            Self::Software => facts.class == Class::Software,
        }
    }
}

/// What sort of hardware an adapter is.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum Class {
    /// A card with memory of its own.
    Discrete,
    /// Shares its memory with the CPU.
    Integrated,
    /// A part of a GPU, lent to a virtual machine.
    Virtual,
    /// The CPU.
    Software,
    /// The driver does not say.
    Other,
}

impl fmt::Display for Class {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Self::Discrete => "discrete",
            Self::Integrated => "integrated",
            Self::Virtual => "virtual",
            Self::Software => "software",
            Self::Other => "other",
        })
    }
}

/// What the graphics API says of an adapter before it is opened.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct AdapterFacts {
    /// The product's name.
    pub name: String,
    /// What sort of hardware it is.
    pub class: Class,
    /// The driver's name.
    pub driver: String,
    /// The driver's version, in its own words.
    pub driver_info: String,
    /// PCI bus id (`0000:65:00.0`), where it has one that the driver tells.
    pub pci_bus_id: Option<String>,
    /// PCI vendor id.
    pub vendor_id: u32,
    /// PCI device id.
    pub device_id: u32,
    /// Whether it can compute in f64.
    pub has_f64: bool,
}

impl AdapterFacts {
    fn of(adapter: &wgpu::Adapter) -> Self {
        let info = adapter.get_info();
        Self {
            class: match info.device_type {
                wgpu::DeviceType::DiscreteGpu => Class::Discrete,
                wgpu::DeviceType::IntegratedGpu => Class::Integrated,
                wgpu::DeviceType::VirtualGpu => Class::Virtual,
                wgpu::DeviceType::Cpu => Class::Software,
                wgpu::DeviceType::Other => Class::Other,
            },
            name: visible(&info.name).into_owned(),
            driver: info.driver,
            driver_info: visible(&info.driver_info).into_owned(),
            pci_bus_id: Some(info.device_pci_bus_id).filter(|id| !id.is_empty()),
            vendor_id: info.vendor,
            device_id: info.device,
            has_f64: adapter.features().contains(wgpu::Features::SHADER_F64),
        }
    }
}

impl fmt::Display for AdapterFacts {
    /// Name and driver: `llvmpipe (LLVM 15.0.6, 256 bits), llvmpipe Mesa 22.3.6`.
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}, {} {}", self.name, self.driver, self.driver_info)
    }
}

/// Every adapter of this node, in the order in which the drivers list them. Empty where there is no driver.
///
/// Costs a few tens of milliseconds.
#[must_use]
pub fn list() -> Vec<AdapterFacts> {
    adapters().iter().map(AdapterFacts::of).collect()
}

/// Of the adapters that `which` matches, the one with the number `part`, from 0: a GPU that is cut in partitions has several of one
/// PCI bus id. Where there are fewer, the count begins anew.
pub(super) fn find(which: &Which, part: usize) -> Result<(wgpu::Adapter, AdapterFacts), DeviceError> {
    let all = adapters().into_iter().map(|adapter| {
        let facts = AdapterFacts::of(&adapter);
        (adapter, facts)
    });
    let (mut matching, others): (Vec<_>, Vec<_>) = all.partition(|(_, facts)| which.matches(facts));
    if matching.is_empty() {
        return Err(nothing_found(which, &others.into_iter().map(|(_, facts)| facts).collect::<Vec<_>>()));
    }
    Ok(matching.swap_remove(part % matching.len()))
}

fn adapters() -> Vec<wgpu::Adapter> {
    let instance = wgpu::Instance::new(wgpu::InstanceDescriptor {
        backends: BACKENDS,
        // Validation layers only where WGPU_VALIDATION or WGPU_DEBUG asks for them, in builds of every kind.
        flags: wgpu::InstanceFlags::empty().with_env(),
        ..wgpu::InstanceDescriptor::new_without_display_handle()
    });
    pollster::block_on(instance.enumerate_adapters(BACKENDS))
}

#[cfg(not(target_os = "macos"))]
const BACKENDS: wgpu::Backends = wgpu::Backends::VULKAN;
#[cfg(target_os = "macos")]
const BACKENDS: wgpu::Backends = wgpu::Backends::METAL;

fn nothing_found(which: &Which, seen: &[AdapterFacts]) -> DeviceError {
    let (reason, way_out) = if seen.is_empty() {
        (
            "no Vulkan driver shows an adapter".to_owned(),
            match which {
                Which::Software => "install one: apt install mesa-vulkan-drivers",
                _ => "install the GPU's Vulkan driver, or compute on the CPU: --device cpu",
            },
        )
    } else {
        let seen: Vec<String> = seen
            .iter()
            .map(|facts| {
                let id = facts.pci_bus_id.as_deref().unwrap_or("no PCI bus id");
                format!("{} ({}, {id})", facts.name, facts.class)
            })
            .collect();
        (
            format!("Vulkan shows {}", seen.join("; ")),
            match which {
                Which::Software => "install one: apt install mesa-vulkan-drivers",
                _ => "name one of these, or compute on the CPU: --device cpu",
            },
        )
    };
    DeviceError::NoGpu { reason: format!("{which} was looked for, {reason}"), way_out: way_out.to_owned() }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn facts(class: Class, pci_bus_id: Option<&str>) -> AdapterFacts {
        AdapterFacts {
            name: "Card".to_owned(),
            class,
            driver: "driver".to_owned(),
            driver_info: "1.0".to_owned(),
            pci_bus_id: pci_bus_id.map(str::to_owned),
            vendor_id: 0x10de,
            device_id: 0x2330,
            has_f64: true,
        }
    }

    #[test]
    fn a_software_adapter_counts_only_where_one_was_asked_for() {
        let software = facts(Class::Software, None);
        assert!(Which::Software.matches(&software));
        assert!(!Which::WithoutPciBusId.matches(&software));
        assert!(!Which::Software.matches(&facts(Class::Integrated, None)));
    }

    #[test]
    fn a_pci_bus_id_tells_identical_cards_apart() {
        let which = Which::PciBusId("0000:65:00.0".to_owned());
        assert!(which.matches(&facts(Class::Discrete, Some("0000:65:00.0"))));
        assert!(!which.matches(&facts(Class::Discrete, Some("0000:66:00.0"))));
        assert!(!which.matches(&facts(Class::Discrete, None)));
    }

    #[test]
    fn what_was_seen_instead_is_named() {
        let message =
            nothing_found(&Which::PciBusId("0000:01:00.0".to_owned()), &[facts(Class::Discrete, None)]).to_string();
        assert!(message.contains("0000:01:00.0") && message.contains("Card (discrete, no PCI bus id)"), "{message}");
        let message = nothing_found(&Which::Software, &[]).to_string();
        assert!(message.contains("apt install mesa-vulkan-drivers"), "{message}");
    }
}
