//! What the system of this process tells of itself: clock, memory, names. Each may be missing, which is no error.

use std::{collections::BTreeMap, fs};

use crate::{
    commands::system,
    output::report::system::{Cache, Frequency, Memory, NodeSystem, SystemGpu},
    topology::{self, Node},
    visible::visible,
};

/// All that is told of the node of this process but its name and its ranks.
pub(super) fn system(node: &Node) -> NodeSystem {
    let every_core = Node { allowed: node.cores.iter().map(|core| &core.pus).collect(), ..node.clone() };
    NodeSystem {
        cpu: node.packages.iter().find_map(|package| package.model.clone()),
        cores_per_processor: every_core.cores_per_package(),
        threads_per_core: every_core.threads_per_core(),
        usable_cores: node.allowed_cores().count(),
        numa_nodes: node.numa_nodes.len(),
        frequency_mhz: frequency(),
        caches: topology::caches().into_iter().map(|(name, bytes, count)| Cache { name, bytes, count }).collect(),
        memory: memory(&text("/proc/meminfo").unwrap_or_default()),
        gpus: gpus(node),
        uname: system::uname(),
        platform: text("/etc/os-release").and_then(|text| distribution(&text)),
        user: system::user(),
        hwloc: topology::hwloc_version(),
        ..NodeSystem::default()
    }
}

fn gpus(node: &Node) -> Vec<SystemGpu> {
    let gpu = |gpu: &topology::Gpu| SystemGpu {
        pci_bus_id: gpu.pci_bus_id,
        name: gpu.name.clone() + &gpu.partitions_in_words(),
        driver: gpu.driver.clone(),
        driver_version: gpu.driver.as_deref().and_then(topology::driver_version),
    };
    node.gpus.iter().map(gpu).collect()
}

/// The clock of the first core, by the driver that governs it, or else as the processor tells it now.
fn frequency() -> Frequency {
    let khz = |name: &str| text(&format!("/sys/devices/system/cpu/cpu0/cpufreq/{name}"))?.trim().parse::<f64>().ok();
    let told = |name| khz(name).map(|khz| khz / 1000.0);
    let now = || of_cpuinfo(&text("/proc/cpuinfo")?);
    Frequency {
        current: told("scaling_cur_freq").or_else(now),
        min: told("cpuinfo_min_freq"),
        max: told("cpuinfo_max_freq"),
    }
}

fn of_cpuinfo(text: &str) -> Option<f64> {
    let (_, value) = text.lines().find(|line| line.starts_with("cpu MHz"))?.split_once(':')?;
    value.trim().parse().ok()
}

/// `/proc/meminfo`, whose numbers are KiB.
fn memory(text: &str) -> Memory {
    let numbers: BTreeMap<&str, u64> = text
        .lines()
        .filter_map(|line| {
            let (name, value) = line.split_once(':')?;
            Some((name, value.trim().strip_suffix(" kB")?.trim().parse::<u64>().ok()?.checked_mul(1024)?))
        })
        .collect();
    let of = |name: &str| numbers.get(name).copied();
    Memory {
        total: of("MemTotal"),
        available: of("MemAvailable"),
        free: of("MemFree"),
        active: of("Active"),
        inactive: of("Inactive"),
    }
}

/// The name that a distribution gives itself.
fn distribution(os_release: &str) -> Option<String> {
    let value = os_release.lines().find_map(|line| line.strip_prefix("PRETTY_NAME="))?;
    Some(visible(value.trim_matches('"')).into_owned())
}

fn text(path: &str) -> Option<String> {
    fs::read_to_string(path).ok()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_the_kernel_tells_is_read_and_what_it_does_not_is_missing() {
        let read = memory("MemTotal:       2048 kB\nMemFree: 1 kB\nActive:  nonsense\nHugePages_Total: 3\n");
        assert_eq!((read.total, read.free, read.active), (Some(2 << 20), Some(1 << 10), None));
        assert_eq!(memory(""), Memory::default());
        assert_eq!(of_cpuinfo("processor\t: 0\ncpu MHz\t\t: 2400.5\n"), Some(2400.5));
        assert_eq!(of_cpuinfo("Features : fp asimd\n"), None);
        assert_eq!(distribution("ID=x\nPRETTY_NAME=\"A B 12\"\n").as_deref(), Some("A B 12"));
    }

    #[test]
    fn this_system_tells_of_itself() {
        let node = Node::of_this_machine(std::path::Path::new("/")).unwrap();
        let system = system(&node);
        assert!(system.memory.total > system.memory.free, "{system:?}");
        assert_eq!(system.cores_per_processor.iter().sum::<u32>() as usize, node.cores.len());
        assert!(!system.uname.release.is_empty());
    }
}
