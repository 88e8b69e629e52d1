//! Cores in groups that have one memory, which ranks should not span. Pure.

use super::Core;

/// The cores of each NUMA node, as indexes into `cores`, in the order of their first ones. Cores without a NUMA node of their own,
/// as on a package without memory, are a group together with their neighbours of the same package.
pub fn homes<'a>(cores: impl IntoIterator<Item = &'a Core>) -> Vec<Vec<usize>> {
    let mut homes = Vec::<(&Core, Vec<usize>)>::new();
    let mut before = None;
    for (index, core) in cores.into_iter().enumerate() {
        let at = match core.numa {
            Some(_) => homes.iter().position(|(first, _)| first.numa == core.numa),
            None => before.filter(|&at: &usize| homes[at].0.numa.is_none() && homes[at].0.package == core.package),
        };
        let at = at.unwrap_or_else(|| {
            homes.push((core, Vec::new()));
            homes.len() - 1
        });
        homes[at].1.push(index);
        before = Some(at);
    }
    homes.into_iter().map(|(_, cores)| cores).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn cores_without_memory_are_at_home_with_their_neighbours_alone() {
        let core = |&(package, numa): &(u32, Option<u32>)| Core {
            logical: 0,
            package,
            numa,
            l3: None,
            kind: 0,
            pus: "0".parse().unwrap(),
        };
        let of = |cores: &[(u32, Option<u32>)]| homes(&cores.iter().map(core).collect::<Vec<_>>());
        assert_eq!(of(&[(0, Some(1)), (0, Some(0)), (1, Some(1))]), [vec![0, 2], vec![1]]);
        assert_eq!(of(&[(0, None), (0, None), (1, None)]), [vec![0, 1], vec![2]]);
        assert_eq!(of(&[(0, None), (0, Some(0)), (0, None), (0, None)]), [vec![0], vec![1], vec![2, 3]]);
        assert!(of(&[]).is_empty());
    }
}
