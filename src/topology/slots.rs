//! What a slot of a rankfile is on a node: a core, or a hardware thread where the launcher counts those. Pure; reads no rankfile.

use std::collections::BTreeMap;

use serde::{Deserialize, Serialize};

use super::{Core, CpuSet, Node};

/// What the launcher counts.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub enum SlotUnit {
    /// Cores with all their hardware threads: Open MPI unless told otherwise.
    #[default]
    Core,
    /// Hardware threads: Open MPI under `--use-hwthread-cpus`.
    Thread,
}

impl SlotUnit {
    /// What one of them is called.
    #[must_use]
    pub fn noun(self) -> &'static str {
        match self {
            Self::Core => "core",
            Self::Thread => "hardware thread",
        }
    }
}

impl Node {
    /// The slots of a rankfile that have a PU in `pus`: their indexes among the cores, or the hardware threads, that the job may
    /// use. Where a resource manager keeps cores for others, that is less than the logical index; so count Open MPI 4.1 and 5.0.
    #[must_use]
    pub fn slots_of(&self, pus: &CpuSet) -> Vec<u32> {
        (0..).zip(self.slots()).filter(|(_, slot)| slot.intersects(pus)).map(|(number, _)| number).collect()
    }

    /// The PUs that slots of a rankfile mean; see [`Node::slots_of`]. Numbers that no slot has mean none.
    #[must_use]
    pub fn pus_of_slots(&self, slots: &[u32]) -> CpuSet {
        let wanted = |number: &u32| slots.contains(number);
        let taken: Vec<CpuSet> =
            (0..).zip(self.slots()).filter(|(number, _)| wanted(number)).map(|(_, pus)| pus).collect();
        taken.iter().collect()
    }

    /// The usable PUs of each slot, in logical order.
    pub fn slots(&self) -> impl Iterator<Item = CpuSet> + '_ {
        self.allowed_cores().flat_map(|core| {
            let pus = self.usable_pus(core);
            match self.slot_unit {
                SlotUnit::Core => vec![pus],
                SlotUnit::Thread => pus.iter().map(|pu| [pu].into_iter().collect()).collect(),
            }
        })
    }

    /// Cores that the job may use of each package, in logical order. Packages without such a core do not count, as they do not for
    /// the launchers; see [`Node::slots_of`].
    #[must_use]
    pub fn cores_per_package(&self) -> Vec<u32> {
        let mut packages = BTreeMap::new();
        for core in self.allowed_cores() {
            *packages.entry(core.package).or_insert(0) += 1;
        }
        packages.into_values().collect()
    }

    /// Hardware threads of each core that the job may use, in logical order.
    #[must_use]
    pub fn threads_per_core(&self) -> Vec<u32> {
        let threads = |core: &Core| u32::try_from(self.usable_pus(core).len()).unwrap_or(u32::MAX);
        self.allowed_cores().map(threads).collect()
    }

    /// The same node with each hardware thread as a core of its own, for ranks that are to have single ones.
    #[must_use]
    pub fn with_threads_as_cores(&self) -> Self {
        let threads = self.cores.iter().flat_map(|core| core.pus.iter().map(move |pu| (core, pu)));
        let cores = (0..).zip(threads).map(|(logical, (core, pu))| Core {
            logical,
            pus: [pu].into_iter().collect(),
            ..core.clone()
        });
        Self { cores: cores.collect(), ..self.clone() }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// Four cores with two hardware threads each, of which the job may use two and one half.
    fn node(slot_unit: SlotUnit) -> Node {
        let core = |logical: u32| Core {
            logical,
            package: 0,
            numa: None,
            l3: None,
            kind: 0,
            pus: [logical as usize, logical as usize + 4].into_iter().collect(),
        };
        Node {
            host: None,
            packages: Vec::new(),
            numa_nodes: Vec::new(),
            cores: (0..4).map(core).collect(),
            gpus: Vec::new(),
            other_displays: Vec::new(),
            allowed: "1,3,5,6,7".parse().unwrap(),
            slot_unit,
            witnesses: None,
        }
    }

    fn set(pus: &str) -> CpuSet {
        pus.parse().unwrap()
    }

    #[test]
    fn slots_count_the_cores_that_the_job_may_use() {
        let node = node(SlotUnit::Core);
        assert_eq!(node.slots_of(&set("1,5")), [0]);
        assert_eq!(node.slots_of(&node.allowed), [0, 1, 2]);
        assert_eq!(node.pus_of_slots(&[1]), set("6"));
        assert_eq!(node.pus_of_slots(&[3]), CpuSet::new());
        assert_eq!(node.cores_per_package(), [3]);
        assert_eq!(node.threads_per_core(), [2, 1, 2]);
    }

    #[test]
    fn slots_count_the_threads_that_the_job_may_use_core_by_core() {
        let node = node(SlotUnit::Thread);
        assert_eq!(node.slots_of(&set("5")), [1]);
        assert_eq!(node.slots_of(&node.allowed), [0, 1, 2, 3, 4]);
        assert_eq!(node.pus_of_slots(&[0, 2, 9]), set("1,6"));
        let threads = node.with_threads_as_cores();
        assert_eq!(
            threads.cores.iter().map(|core| core.pus.to_string()).collect::<Vec<_>>(),
            ["0", "4", "1", "5", "2", "6", "3", "7"]
        );
        assert_eq!(threads.cores_per_package(), [5]);
    }
}
