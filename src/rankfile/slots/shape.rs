//! What slot lists can see of a node: how many cores each package has, and how many hardware threads each core. Asks no hwloc.

use std::ops::Range;

use crate::topology::{Node, SlotUnit};

/// A node as slot lists count it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct NodeShape {
    /// Cores in each package, in logical order.
    pub(in crate::rankfile) cores_per_package: Vec<u32>,
    /// For each core the hardware threads before it, and at last all of them.
    threads_before: Vec<u32>,
    /// What a number without a package counts.
    pub(in crate::rankfile) unit: SlotUnit,
}

impl NodeShape {
    /// Packages with so many cores each, and cores with so many hardware threads, in logical order.
    #[must_use]
    pub fn new(cores_per_package: &[u32], threads_per_core: &[u32], unit: SlotUnit) -> Self {
        let mut sum = 0_u32;
        let before = threads_per_core.iter().map(|threads| {
            sum = sum.saturating_add(*threads);
            sum
        });
        let threads_before = [0].into_iter().chain(before).collect();
        Self { cores_per_package: cores_per_package.to_vec(), threads_before, unit }
    }

    /// Packages with so many cores each, where slots count cores and each has one hardware thread.
    #[must_use]
    pub fn of_cores(cores_per_package: &[u32]) -> Self {
        Self { cores_per_package: cores_per_package.to_vec(), threads_before: Vec::new(), unit: SlotUnit::Core }
    }

    /// What the job may use of a node.
    #[must_use]
    pub fn of_node(node: &Node) -> Self {
        Self::new(&node.cores_per_package(), &node.threads_per_core(), node.slot_unit)
    }

    pub(in crate::rankfile) fn cores(&self) -> u32 {
        self.cores_per_package.iter().sum()
    }

    /// How many slots there are.
    pub(in crate::rankfile) fn slots(&self) -> u32 {
        match self.unit {
            SlotUnit::Core => self.cores(),
            SlotUnit::Thread => self.threads_before.last().copied().unwrap_or_default(),
        }
    }

    /// The slots of these cores.
    pub(super) fn slots_of_cores(&self, cores: Range<u32>) -> Range<u32> {
        let before = |core: u32| usize::try_from(core).ok().and_then(|core| self.threads_before.get(core)).copied();
        match self.unit {
            SlotUnit::Core => cores,
            SlotUnit::Thread => before(cores.start).unwrap_or_default()..before(cores.end).unwrap_or_default(),
        }
    }

    /// The most hardware threads that a core has.
    pub(in crate::rankfile) fn threads_of_a_core(&self) -> u32 {
        self.threads_before.windows(2).map(|pair| pair[1] - pair[0]).max().unwrap_or(1)
    }
}
