//! The caches of the running machine: which kinds there are, how large, how many.

use std::collections::BTreeMap;

use hwlocality::{
    object::{
        attributes::ObjectAttributes,
        types::{CacheType, ObjectType},
    },
    topology::builder::TopologyBuilder,
};

use super::this_machine;

/// For each kind of caches, such as `L1d`, the bytes of one and how many there are; the nearest to a core first. Empty where hwloc tells
/// of none.
#[must_use]
pub fn caches() -> Vec<(String, u64, usize)> {
    let Ok(topology) = this_machine(TopologyBuilder::new()) else { return Vec::new() };
    let levels =
        [ObjectType::L1Cache, ObjectType::L1ICache, ObjectType::L2Cache, ObjectType::L3Cache, ObjectType::L4Cache];
    let mut kinds: BTreeMap<(usize, &'static str, u64), usize> = BTreeMap::new();
    for object in levels.into_iter().flat_map(|level| topology.objects_with_type(level)) {
        if let Some(ObjectAttributes::Cache(cache)) = object.attributes() {
            let Some(bytes) = cache.size() else { continue };
            let content = match cache.cache_type() {
                CacheType::Data => "d",
                CacheType::Instruction => "i",
                _ => "",
            };
            *kinds.entry((cache.depth(), content, bytes.get())).or_default() += 1;
        }
    }
    kinds.into_iter().map(|((level, content, bytes), count)| (format!("L{level}{content}"), bytes, count)).collect()
}
