//! How far a GPU is from a set of PUs.

use serde::{Deserialize, Serialize};

use crate::topology::{CpuSet, Locality, Node};

/// From near to far. What is not known stands between: it may be near, what is remote cannot.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum Distance {
    /// All of the PUs are next to the GPU.
    Near,
    /// Some of the PUs are next to the GPU.
    Partly,
    /// The PUs are on the GPU's package, at another NUMA node or cache.
    SamePackage,
    /// The firmware does not tell where the GPU hangs.
    Unknown,
    /// The PUs are on another package.
    Remote,
}

/// The distance between a GPU's `locality` and `pus` on `node`.
#[must_use]
pub fn distance(node: &Node, pus: &CpuSet, locality: &Locality) -> Distance {
    let Some(near) = locality.pus() else { return Distance::Unknown };
    if pus.is_subset(near) {
        Distance::Near
    } else if pus.intersects(near) {
        Distance::Partly
    } else if node.packages_of(pus).is_disjoint(&node.packages_of(near)) {
        Distance::Remote
    } else {
        Distance::SamePackage
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::placement::sample::node;

    #[test]
    fn distances_grow_from_the_gpus_cores_to_the_other_package() {
        let node = node(2, 2, 2, &[(0x10, Some(1)), (0x20, None)]);
        let of = |pus: &str, gpu: usize| distance(&node, &pus.parse().unwrap(), &node.gpus[gpu].locality);
        assert_eq!(of("2", 0), Distance::Near);
        assert_eq!(of("1-2", 0), Distance::Partly);
        assert_eq!(of("0-1", 0), Distance::SamePackage);
        assert_eq!(of("4-7", 0), Distance::Remote);
        assert_eq!(of("2", 1), Distance::Unknown);
    }
}
