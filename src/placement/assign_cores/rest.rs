//! NUMA nodes for ranks that have several of them: each gets neighbours. Does not seat ranks, but knows where they sit.

use std::{cmp::Reverse, ops::Range};

use super::{Assignment, Domain};
use crate::placement::neighbours::runs;

impl Assignment<'_> {
    /// The NUMA nodes with cores that nobody has, in order.
    pub(super) fn open(&self) -> Vec<usize> {
        (0..self.domains.len()).filter(|&index| !self.domains[index].free.is_empty()).collect()
    }

    /// Fewer CPU ranks than NUMA nodes: each gets neighbours, as many cores as the others, and of one package if that can be.
    pub(super) fn give_neighbours_to_cpu_ranks(&mut self, cpu_ranks: &[usize]) {
        let open = self.open();
        let cores_before = sums(open.iter().map(|&index| self.domains[index].free.len()));
        let changes =
            |index: &usize| self.domains[open[*index]].package != self.domains[open[index.saturating_sub(1)]].package;
        let changes_before = sums((0..open.len()).map(|index| usize::from(changes(&index))));
        let cost = |_: usize, run: Range<usize>| {
            let cores = cores_before[run.end] - cores_before[run.start];
            [cores.pow(2), changes_before[run.end] - changes_before[run.start + 1], 0]
        };
        for (&claim, run) in cpu_ranks.iter().zip(runs(open.len(), cpu_ranks.len(), cost)) {
            for &index in &open[run] {
                self.assigned[claim].extend(std::mem::take(&mut self.domains[index].free));
            }
        }
    }

    /// No more than one GPU rank on a NUMA node, and no CPU rank: each gets neighbours that are next to its GPU, or else on its
    /// package, as many cores as the others.
    pub(super) fn give_neighbours_to_gpu_ranks(&mut self) {
        let gpu_ranks: Vec<usize> = self.domains.iter().flat_map(|domain| domain.gpu_ranks.iter().copied()).collect();
        for domain in &mut self.domains {
            domain.free.extend(domain.gpu_ranks.iter().flat_map(|&claim| std::mem::take(&mut self.assigned[claim])));
        }
        let cores_before = sums(self.domains.iter().map(|domain| domain.free.len()));
        let count_far = |claim: usize, run: &Range<usize>| {
            let packages: Vec<u32> =
                self.cores.iter().filter(|core| self.is_near(claim, core)).map(|core| core.package).collect();
            let is_far = |domain: &&Domain| !packages.is_empty() && !packages.contains(&domain.package);
            self.domains[run.clone()].iter().filter(is_far).count()
        };
        let touches = |claim: usize, run: &Range<usize>| {
            let mut cores = self.domains[run.clone()].iter().flat_map(|domain| &domain.free);
            self.near(claim).is_none() || cores.any(|&core| self.is_near(claim, &self.cores[core]))
        };
        let cost = |part: usize, run: Range<usize>| {
            let cores = cores_before[run.end] - cores_before[run.start];
            [usize::from(!touches(gpu_ranks[part], &run)), count_far(gpu_ranks[part], &run), cores.pow(2)]
        };
        for (claim, run) in gpu_ranks.iter().zip(runs(self.domains.len(), gpu_ranks.len(), cost)) {
            let free = self.domains[run].iter_mut().flat_map(|domain| std::mem::take(&mut domain.free));
            self.assigned[*claim].extend(free);
        }
    }

    /// Gives the NUMA nodes without a rank to their neighbours: those between two seats are parted where the packages change, or
    /// else evenly, so that each rank's cores are neighbours.
    pub(super) fn give_away_the_rest(&mut self) {
        let homes: Vec<usize> =
            (0..self.domains.len()).filter(|&index| !self.domains[index].gpu_ranks.is_empty()).collect();
        let mut start = 0;
        for seat in 0..=homes.len() {
            let (left, right) = (seat.checked_sub(1).map(|seat| homes[seat]), homes.get(seat).copied());
            let end = right.unwrap_or(self.domains.len());
            let cut = match (left, right) {
                (None, _) => start,
                (_, None) => end,
                (Some(left), Some(right)) => self.cut(left, right, start..end),
            };
            let last = left.and_then(|home| self.edge(home, |cores| cores.iter().max().copied().map(Reverse)));
            let first = right.and_then(|home| self.edge(home, |cores| cores.iter().min().copied()));
            for (receiver, part) in [(last, start..cut), (first, cut..end)] {
                let Some(receiver) = receiver else { continue };
                let free = self.domains[part].iter_mut().flat_map(|domain| std::mem::take(&mut domain.free));
                self.assigned[receiver].extend(free);
            }
            start = end + 1;
        }
    }

    /// Where the NUMA nodes in `between` are parted among the ranks on either side.
    fn cut(&self, left: usize, right: usize, between: Range<usize>) -> usize {
        let strangers = |home: usize, part: Range<usize>| {
            self.domains[part].iter().filter(|domain| domain.package != self.domains[home].package).count()
        };
        let cores = |part: Range<usize>| self.domains[part].iter().map(|domain| domain.free.len()).sum::<usize>();
        let cost = |&cut: &usize| {
            let (before, after) = (between.start..cut, cut..between.end);
            let far = strangers(left, before.clone()) + strangers(right, after.clone());
            (far, cores(before).pow(2) + cores(after).pow(2))
        };
        (between.start..=between.end).min_by_key(cost).expect("both ends are there")
    }

    /// The rank on a NUMA node whose cores comes first by `key`.
    fn edge<K: Ord>(&self, home: usize, key: impl Fn(&[usize]) -> K) -> Option<usize> {
        self.domains[home].gpu_ranks.iter().copied().min_by_key(|&claim| key(&self.assigned[claim]))
    }
}

/// For each place in a row, the sum of what comes before it.
fn sums(numbers: impl Iterator<Item = usize>) -> Vec<usize> {
    let mut total = 0;
    std::iter::once(0)
        .chain(numbers.map(|number| {
            total += number;
            total
        }))
        .collect()
}
