//! Cores that a plan keeps for the system: which these are, and the node without them. Pure.

use std::collections::BTreeSet;

use crate::{
    request::Reserve,
    topology::{CpuSet, Node},
};

/// The PUs of the cores that are kept on `node`; `None` where it has no such cores, or would have none left.
pub(super) fn kept(reserve: Reserve, node: &Node) -> Option<CpuSet> {
    let cores = node.allowed_cores();
    let kept: Vec<_> = match reserve {
        Reserve::First(count) => cores.take(count).collect(),
        Reserve::EachL3 => {
            let mut seen = BTreeSet::new();
            cores.filter(|core| core.l3.is_some_and(|cache| seen.insert(cache))).collect()
        }
    };
    let all = node.allowed_cores().count();
    let kept: CpuSet = kept.iter().map(|core| &core.pus).collect();
    let left = node.allowed_cores().filter(|core| !core.pus.intersects(&kept)).count();
    (left > 0 && left < all).then_some(kept)
}

#[cfg(test)]
mod tests {
    use super::{super::tests::host, *};

    fn pus(topology: &str, reserve: &str) -> Option<String> {
        let node = host("a", topology).node;
        kept(reserve.parse().unwrap(), &node).map(|pus| pus.to_string())
    }

    #[test]
    fn the_first_cores_are_kept_with_all_their_threads() {
        assert_eq!(pus("laptop", "1").as_deref(), Some("0,4"));
        assert_eq!(pus("laptop", "3").as_deref(), Some("0-2,4-6"));
        assert_eq!(pus("laptop", "4"), None, "nothing would be left");
    }

    #[test]
    fn the_first_core_of_each_cache_is_kept_where_caches_are_known() {
        let node = host("a", "gpu-at-a-cache").node;
        let caches: BTreeSet<u32> = node.allowed_cores().filter_map(|core| core.l3).collect();
        assert!(caches.len() > 1, "{caches:?}");
        let pus = kept(Reserve::EachL3, &node).unwrap();
        let of_kept: Vec<u32> = node.cores_in(&pus).filter_map(|core| core.l3).collect();
        assert_eq!(of_kept, caches.into_iter().collect::<Vec<_>>());
        let mut node = host("a", "laptop").node;
        node.cores.iter_mut().for_each(|core| core.l3 = None);
        assert_eq!(kept(Reserve::EachL3, &node), None);
    }
}
