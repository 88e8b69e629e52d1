//! Which rank gets which cores, where bindings overlap without being the same.
//!
//! First each rank gets one core of its binding, as far as that is possible for all at once (a matching); then each core that
//! is left goes to the rank with the fewest of those bound to it.

/// The cores of each rank, as indexes; `eligible` holds for each rank the cores of its binding, none of them empty. A rank
/// that no core is left for shares the least crowded one.
pub(super) fn contest(core_count: usize, eligible: &[Vec<usize>]) -> Vec<Vec<usize>> {
    let mut holders: Vec<Option<usize>> = vec![None; core_count];
    let without_core: Vec<usize> = (0..eligible.len())
        .filter(|&rank| !find_core(rank, eligible, &mut holders, &mut vec![false; core_count]))
        .collect();
    let mut assigned = vec![Vec::new(); eligible.len()];
    for (core, holder) in holders.iter().enumerate() {
        if let Some(rank) = *holder {
            assigned[rank].push(core);
        }
    }
    let mut left: Vec<(usize, usize)> = (0..core_count)
        .filter(|&core| holders[core].is_none())
        .map(|core| (eligible.iter().filter(|cores| cores.contains(&core)).count(), core))
        .collect();
    left.sort_unstable();
    for (_, core) in left {
        let bound_here = (0..eligible.len()).filter(|&rank| eligible[rank].contains(&core));
        if let Some(rank) = bound_here.min_by_key(|&rank| (assigned[rank].len(), rank)) {
            assigned[rank].push(core);
        }
    }
    for rank in without_core {
        let load = |core: usize| assigned.iter().filter(|own| own.contains(&core)).count();
        let core = eligible[rank].iter().copied().min_by_key(|&core| (load(core), core));
        assigned[rank].extend(core);
    }
    assigned.iter_mut().for_each(|own| own.sort_unstable());
    assigned
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

#[cfg(test)]
mod tests {
    use super::*;

    const CORES: usize = 4;

    /// The cores in a mask of four bits.
    fn cores(mask: usize) -> Vec<usize> {
        (0..CORES).filter(|core| mask >> core & 1 == 1).collect()
    }

    /// Whether each rank could have a core of its own: any set of ranks is bound to as many cores at least (Hall).
    fn is_enough(masks: [usize; 3]) -> bool {
        (1..8_usize).all(|ranks| {
            let union = (0..3).filter(|rank| ranks >> rank & 1 == 1).fold(0, |union, rank| union | masks[rank]);
            union.count_ones() >= ranks.count_ones()
        })
    }

    /// The combinations of bindings of three ranks to four cores for which the assignment is wrong.
    fn wrong(contest: impl Fn(&[Vec<usize>]) -> Vec<Vec<usize>>) -> Vec<[usize; 3]> {
        let all = (0..15 * 15 * 15).map(|code| [code % 15 + 1, code / 15 % 15 + 1, code / 225 + 1]);
        all.filter(|&masks| {
            let eligible = masks.map(cores);
            let assigned = contest(&eligible);
            let inside = assigned.iter().zip(&eligible).all(|(own, mine)| own.iter().all(|core| mine.contains(core)));
            let holders = |core: usize| assigned.iter().filter(|own| own.contains(&core)).count();
            let none_idle =
                (0..CORES).all(|core| holders(core) > 0 || eligible.iter().all(|mine| !mine.contains(&core)));
            let disjoint = (0..CORES).all(|core| holders(core) <= 1);
            let none_empty = assigned.iter().all(|own| !own.is_empty());
            !(inside && none_idle && none_empty && (disjoint || !is_enough(masks)))
        })
        .collect()
    }

    #[test]
    fn whatever_the_bindings_cores_are_disjoint_where_they_can_be_and_none_is_idle() {
        assert_eq!(wrong(|eligible| contest(CORES, eligible)), [[0; 3]; 0]);
    }

    #[test]
    fn first_come_first_served_is_wrong_and_the_same_check_shows_it() {
        let greedy = |eligible: &[Vec<usize>]| {
            let mut taken = [false; CORES];
            let take = |mine: &Vec<usize>| {
                let free: Vec<usize> = mine.iter().copied().filter(|&core| !taken[core]).collect();
                free.iter().for_each(|&core| taken[core] = true);
                free
            };
            eligible.iter().map(take).collect()
        };
        assert!(wrong(greedy).len() > 1000);
    }
}
