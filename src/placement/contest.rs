//! Which rank gets which cores, where bindings overlap without being the same.
//!
//! First each rank gets one core of its binding, as far as that is possible for all at once (a matching); then each core that
//! is left goes to the rank with the fewest among those bound to it.

/// The cores of each rank, as indexes; `eligible` holds for each rank the cores of its binding, none of them empty. A rank
/// that no core is left for shares the least crowded one.
pub(super) fn contest(core_count: usize, eligible: &[Vec<usize>]) -> Vec<Vec<usize>> {
    let mut holders: Vec<Option<usize>> = vec![None; core_count];
    let landless: Vec<usize> = (0..eligible.len())
        .filter(|&rank| !find_core(rank, eligible, &mut holders, &mut vec![false; core_count]))
        .collect();
    let mut hands = vec![Vec::new(); eligible.len()];
    for (core, holder) in holders.iter().enumerate() {
        if let Some(rank) = *holder {
            hands[rank].push(core);
        }
    }
    let mut left: Vec<(usize, usize)> = (0..core_count)
        .filter(|&core| holders[core].is_none())
        .map(|core| (eligible.iter().filter(|cores| cores.contains(&core)).count(), core))
        .collect();
    left.sort_unstable();
    for (_, core) in left {
        let bound_here = (0..eligible.len()).filter(|&rank| eligible[rank].contains(&core));
        if let Some(poorest) = bound_here.min_by_key(|&rank| (hands[rank].len(), rank)) {
            hands[poorest].push(core);
        }
    }
    for rank in landless {
        let load = |core: usize| hands.iter().filter(|hand| hand.contains(&core)).count();
        let core = eligible[rank].iter().copied().min_by_key(|&core| (load(core), core));
        hands[rank].extend(core);
    }
    hands.iter_mut().for_each(|hand| hand.sort_unstable());
    hands
}

/// Finds `rank` a core, moving others to another core of theirs where that frees one (Kuhn's matching).
fn find_core(rank: usize, eligible: &[Vec<usize>], holders: &mut [Option<usize>], tried: &mut Vec<bool>) -> bool {
    for &core in &eligible[rank] {
        if std::mem::replace(&mut tried[core], true) {
            continue;
        }
        if holders[core].is_none_or(|holder| find_core(holder, eligible, holders, tried)) {
            holders[core] = Some(rank);
            return true;
        }
    }
    false
}
