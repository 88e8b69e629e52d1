//! How the nodes of a job are to be used, and a node as ranks are seated on it under such wishes. Pure.

use super::{PlanError, reserve};
use crate::{
    request::{CoreKind, Reserve, Split},
    topology::{Core, CpuSet, Node, NumaNode, SlotUnit, homes},
};

/// How the nodes of a job are to be used.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Wishes {
    /// Ranks on each node; as many as fit it best where nothing is said.
    pub ranks_per_node: Option<u32>,
    /// Ranks that may share a GPU, or each partition of one.
    pub ranks_per_gpu: u16,
    /// Cores that are kept for the system.
    pub reserve: Option<Reserve>,
    /// The kind of cores that ranks are to have; any where nothing is said.
    pub core_kind: Option<CoreKind>,
    /// What no rank should span.
    pub split: Split,
}

impl Default for Wishes {
    fn default() -> Self {
        Self { ranks_per_node: None, ranks_per_gpu: 1, reserve: None, core_kind: None, split: Split::Numa }
    }
}

impl Wishes {
    /// What ranks may use of `node`, which goes by `host`.
    ///
    /// # Errors
    /// [`PlanError::NothingLeft`] where nothing would be left beside the cores that are to be kept.
    pub(super) fn usable(&self, host: &str, node: &Node) -> Result<Node, PlanError> {
        let mut usable = node.clone();
        if let Some(kind) = self.core_kind {
            usable.allowed = &usable.allowed & &pus_of_kind(node, kind);
        }
        if let Some(reserve) = self.reserve {
            let nothing_left =
                || PlanError::NothingLeft { host: host.to_owned(), reserve, cores: usable.allowed_cores().count() };
            let kept = reserve::kept(reserve, &usable).ok_or_else(nothing_left)?;
            usable.allowed = &usable.allowed - &kept;
        }
        Ok(usable)
    }

    /// A node as ranks are seated on it: with that as a core which a slot is, and with that as a NUMA node which no rank is to span.
    pub(super) fn as_seated(&self, usable: &Node) -> Node {
        let node = match usable.slot_unit {
            SlotUnit::Core => usable.clone(),
            SlotUnit::Thread => usable.with_threads_as_cores(),
        };
        match self.split {
            Split::L3 if node.allowed_cores().all(|core| core.l3.is_some()) => with_caches_as_homes(node),
            Split::L3 | Split::Numa => node,
        }
    }

    /// Notes on what of the wishes a node does not show.
    pub(super) fn notes(&self, host: &str, node: &Node, usable: &Node) -> Vec<String> {
        let mut notes = Vec::new();
        if self.core_kind.is_some() && node.cores.iter().all(|core| core.kind == node.cores[0].kind) {
            notes.push(format!("{host}: its cores are of one kind, as far as is known, so ranks may have any"));
        }
        if self.reserve.is_some() {
            let kinds = self.core_kind.map_or_else(|| node.allowed.clone(), |kind| pus_of_kind(node, kind));
            let kept = &(&node.allowed & &kinds) - &usable.allowed;
            notes.push(format!("{host}: PUs {kept} are kept for the system"));
        }
        if self.split == Split::L3 && usable.allowed_cores().any(|core| core.l3.is_none()) {
            notes.push(format!(
                "{host}: no third-level cache of all its cores is known, so NUMA nodes are not spanned instead"
            ));
        }
        notes
    }
}

/// The PUs of the cores of a kind; all of a node whose cores are of one.
fn pus_of_kind(node: &Node, kind: CoreKind) -> CpuSet {
    let most = node.allowed_cores().map(|core| core.kind).max().unwrap_or_default();
    let has_several = node.allowed_cores().any(|core| core.kind < most);
    let is_wanted = |core: &&Core| match kind {
        CoreKind::Performance => core.kind == most,
        CoreKind::Efficiency => core.kind < most || !has_several,
    };
    node.cores.iter().filter(is_wanted).map(|core| &core.pus).collect()
}

/// A node whose third-level caches stand for NUMA nodes, and its NUMA nodes for packages: so neighbours are sought among the caches
/// of a NUMA node first.
fn with_caches_as_homes(node: Node) -> Node {
    let mut cores = node.cores.clone();
    for (number, home) in (0..).zip(homes(&node.cores)) {
        home.into_iter().for_each(|index| cores[index].package = number);
    }
    for core in &mut cores {
        core.numa = core.l3;
    }
    let of_caches = homes(&cores).into_iter().filter_map(|home| {
        let pus = home.iter().map(|&index| &cores[index].pus).collect();
        Some(NumaNode { os_index: cores[*home.first()?].l3?, pus, memory_bytes: 0 })
    });
    Node { numa_nodes: of_caches.collect(), cores, ..node }
}
