//! Which rank gets which cores, where several ranks may use the same ones.
//!
//! NUMA nodes are the unit. A rank that drives a GPU is seated next to it; beside CPU ranks it takes one core, for the thread
//! that feeds the GPU, and the CPU ranks share the rest. Each NUMA node with cores left gets a CPU rank before any gets a
//! second one, so that no CPU rank has to span two; where there are fewer CPU ranks than such NUMA nodes, each gets neighbours.
//! No core stays idle.

mod rest;

use std::cmp::Reverse;

use crate::topology::{Core, CpuSet, homes};

/// What a rank wants cores for.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Claim<'a> {
    /// It computes on them.
    Compute,
    /// It drives a GPU next to these PUs, or nobody knows where.
    Drive(Option<&'a CpuSet>),
}

/// The cores of each claim, as indexes into `cores`: disjoint, and each core assigned, as long as there are cores enough;
/// otherwise one core to each claim, and as few claims to a core as possible.
pub(super) fn assign_cores(cores: &[Core], claims: &[Claim<'_>]) -> Vec<Vec<usize>> {
    let (gpu_ranks, cpu_ranks): (Vec<usize>, Vec<usize>) =
        (0..claims.len()).partition(|&claim| matches!(claims[claim], Claim::Drive(_)));
    let mut assignment =
        Assignment { cores, claims, domains: domains(cores), assigned: vec![Vec::new(); claims.len()] };
    if claims.len() > cores.len() {
        assignment.crowd(&gpu_ranks, &cpu_ranks);
        return assignment.assigned;
    }
    assignment.seat_gpu_ranks(&gpu_ranks);
    if cpu_ranks.is_empty() {
        if assignment.domains.iter().all(|domain| domain.gpu_ranks.len() <= 1) {
            assignment.give_neighbours_to_gpu_ranks();
        } else {
            assignment.share_among_gpu_ranks();
            assignment.give_away_the_rest();
        }
    } else if cpu_ranks.len() < assignment.open().len() {
        assignment.give_neighbours_to_cpu_ranks(&cpu_ranks);
    } else {
        assignment.seat_cpu_ranks(&cpu_ranks);
        assignment.share_among_cpu_ranks();
    }
    assignment.assigned.iter_mut().for_each(|cores| cores.sort_unstable());
    assignment.assigned
}

struct Assignment<'a> {
    cores: &'a [Core],
    claims: &'a [Claim<'a>],
    domains: Vec<Domain>,
    /// Cores assigned to each claim so far.
    assigned: Vec<Vec<usize>>,
}

/// The cores of one NUMA node and who is seated there.
struct Domain {
    package: u32,
    /// Cores that nobody has.
    free: Vec<usize>,
    gpu_ranks: Vec<usize>,
    cpu_ranks: Vec<usize>,
}

/// The NUMA nodes in the order of their first cores, and groups of cores that have none.
fn domains(cores: &[Core]) -> Vec<Domain> {
    let domain =
        |free: Vec<usize>| Domain { package: cores[free[0]].package, free, gpu_ranks: vec![], cpu_ranks: vec![] };
    homes(cores).into_iter().map(domain).collect()
}

impl Assignment<'_> {
    /// Seats the ranks with the fewest near cores first: nobody else's seat can then be worth more to them.
    fn seat_gpu_ranks(&mut self, gpu_ranks: &[usize]) {
        let mut order = gpu_ranks.to_vec();
        order.sort_by_key(|&claim| (self.near(claim).map_or(usize::MAX, CpuSet::len), claim));
        for claim in order {
            let (domain, core) = self.best_seat(claim);
            self.domains[domain].free.retain(|&free| free != core);
            self.domains[domain].gpu_ranks.push(claim);
            self.assigned[claim].push(core);
        }
    }

    /// The domain and core that a GPU rank sits best on: near, else on the same package, and where fewest others sit.
    fn best_seat(&self, claim: usize) -> (usize, usize) {
        let package_is_near =
            |package| self.cores.iter().any(|core| core.package == package && self.is_near(claim, core));
        let seats = self.domains.iter().enumerate().filter_map(|(index, domain)| {
            let near = domain.free.iter().copied().find(|&core| self.is_near(claim, &self.cores[core]));
            let core = near.or(domain.free.first().copied())?;
            let room = per_seat(domain.free.len(), domain.gpu_ranks.len());
            Some(((near.is_none(), !package_is_near(domain.package), Reverse(room), index), core))
        });
        let ((.., domain), core) = seats.min().expect("there are no more claims than cores");
        (domain, core)
    }

    /// Shares the cores of each NUMA node with GPU ranks among these, to each the cores next to its own GPU first.
    fn share_among_gpu_ranks(&mut self) {
        for index in 0..self.domains.len() {
            let mut gpu_ranks = self.domains[index].gpu_ranks.clone();
            let mut pool = std::mem::take(&mut self.domains[index].free);
            pool.extend(gpu_ranks.iter().flat_map(|&claim| std::mem::take(&mut self.assigned[claim])));
            pool.sort_unstable();
            let near_in_pool =
                |claim: usize| pool.iter().filter(|&&core| self.is_near(claim, &self.cores[core])).count();
            gpu_ranks.sort_by_key(|&claim| (near_in_pool(claim), claim));
            let quotas: Vec<usize> = even_parts(pool.len(), gpu_ranks.len()).collect();
            for near_only in [true, false] {
                for (&claim, &quota) in gpu_ranks.iter().zip(&quotas) {
                    let wanted = quota - self.assigned[claim].len();
                    let eligible = |core: usize| !near_only || self.is_near(claim, &self.cores[core]);
                    let taken: Vec<usize> = pool.iter().copied().filter(|&core| eligible(core)).take(wanted).collect();
                    pool.retain(|core| !taken.contains(core));
                    self.assigned[claim].extend(taken);
                }
            }
            self.domains[index].free = pool;
        }
    }

    /// Chooses NUMA nodes for the CPU ranks: an empty one first, on the package with the most room, then where there is most
    /// room for one more; and seats the ranks there in their order.
    fn seat_cpu_ranks(&mut self, cpu_ranks: &[usize]) {
        let mut seats = vec![0_usize; self.domains.len()];
        for _ in cpu_ranks {
            let room_on = |package: u32| {
                let here = || self.domains.iter().zip(&seats).filter(move |(domain, _)| domain.package == package);
                per_seat(here().map(|(domain, _)| domain.free.len()).sum(), here().map(|(_, seats)| seats).sum())
            };
            let open = (0..self.domains.len()).filter(|&index| self.domains[index].free.len() > seats[index]);
            let best = open.max_by_key(|&index| {
                let empty_on = (seats[index] == 0).then(|| room_on(self.domains[index].package));
                (empty_on, per_seat(self.domains[index].free.len(), seats[index]), Reverse(index))
            });
            seats[best.expect("there are no more claims than cores")] += 1;
        }
        let mut claims = cpu_ranks.iter().copied();
        for (domain, seats) in self.domains.iter_mut().zip(seats) {
            domain.cpu_ranks.extend(claims.by_ref().take(seats));
        }
    }

    fn share_among_cpu_ranks(&mut self) {
        for domain in self.domains.iter_mut().filter(|domain| !domain.cpu_ranks.is_empty()) {
            let mut free = std::mem::take(&mut domain.free).into_iter();
            let count = free.len();
            for (&claim, part) in domain.cpu_ranks.iter().zip(even_parts(count, domain.cpu_ranks.len())) {
                self.assigned[claim].extend(free.by_ref().take(part));
            }
        }
    }

    /// More ranks than cores: each gets one core, near its GPU as long as a seat there is left, and the cores are crowded
    /// evenly.
    fn crowd(&mut self, gpu_ranks: &[usize], cpu_ranks: &[usize]) {
        let seats = self.claims.len() / self.cores.len();
        let mut extra_seats = self.claims.len() % self.cores.len();
        let mut load = vec![0_usize; self.cores.len()];
        for &claim in gpu_ranks.iter().chain(cpu_ranks) {
            let has_seat = |core: usize| load[core] < seats || (load[core] == seats && extra_seats > 0);
            let core = (0..self.cores.len())
                .filter(|&core| has_seat(core))
                .min_by_key(|&core| (!self.is_near(claim, &self.cores[core]), load[core]))
                .expect("there are as many seats as claims");
            extra_seats -= usize::from(load[core] == seats);
            load[core] += 1;
            self.assigned[claim].push(core);
        }
    }

    fn near(&self, claim: usize) -> Option<&CpuSet> {
        match self.claims[claim] {
            Claim::Drive(near) => near,
            Claim::Compute => None,
        }
    }

    fn is_near(&self, claim: usize, core: &Core) -> bool {
        self.near(claim).is_some_and(|near| core.pus.intersects(near))
    }
}

/// Cores for one more rank beside `seated` others, in fixed point, so that it can be compared exactly enough.
fn per_seat(cores: usize, seated: usize) -> usize {
    (cores << 16) / (seated + 1)
}

/// `total` in `parts` parts that differ by at most one, the larger ones first.
fn even_parts(total: usize, parts: usize) -> impl Iterator<Item = usize> {
    (0..parts).map(move |part| total / parts + usize::from(part < total % parts))
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::placement::sample::node;

    /// Two packages with two NUMA nodes each, which have so many cores.
    fn cores(sizes: [usize; 4]) -> Vec<Core> {
        let cores = node(2, 2, 8, &[]).cores;
        (0..4).flat_map(|numa| cores[8 * numa..8 * numa + sizes[numa]].to_vec()).collect()
    }

    fn set(pus: &str) -> CpuSet {
        pus.parse().unwrap()
    }

    /// The cores of each claim, by PU.
    fn assigned(cores: &[Core], claims: &[Claim<'_>]) -> Vec<String> {
        let pus = |own: &Vec<usize>| own.iter().map(|&core| &cores[core].pus).collect::<CpuSet>().to_string();
        assign_cores(cores, claims).iter().map(pus).collect()
    }

    #[test]
    fn few_cpu_ranks_start_on_different_packages() {
        assert_eq!(assigned(&cores([5, 5, 3, 3]), &[Claim::Compute; 2]), ["0-4,8-12", "16-18,24-26"]);
    }

    #[test]
    fn a_small_numa_node_gets_a_cpu_rank_of_its_own_before_a_large_one_gets_two() {
        assert_eq!(assigned(&cores([8, 2, 0, 0]), &[Claim::Compute; 2]), ["0-7", "8-9"]);
        assert_eq!(assigned(&cores([8, 2, 0, 0]), &[Claim::Compute; 3]), ["0-3", "4-7", "8-9"]);
    }

    #[test]
    fn a_numa_node_left_over_goes_to_a_rank_on_its_own_package() {
        assert_eq!(assigned(&cores([2; 4]), &[Claim::Compute; 3]), ["0-1,8-9", "16-17", "24-25"]);
    }

    #[test]
    fn where_no_core_is_left_next_to_a_gpu_its_package_comes_before_the_other() {
        let (near, drive) = (set("24-31"), |near| Claim::Drive(Some(near)));
        let claims = [drive(&near), drive(&near), Claim::Compute, Claim::Compute, Claim::Compute];
        assert_eq!(assigned(&cores([2, 2, 2, 1]), &claims)[..2], ["24", "16"]);
    }

    #[test]
    fn ranks_that_share_a_numa_node_have_the_cores_at_their_own_gpus() {
        let (high, low) = (set("6-7"), set("0-1"));
        let claims = [Claim::Drive(Some(&high)), Claim::Drive(Some(&low))];
        assert_eq!(assigned(&cores([8, 0, 0, 0]), &claims), ["2-3,6-7", "0-1,4-5"]);
    }

    #[test]
    fn of_ranks_that_share_a_numa_node_the_one_with_the_fewest_near_cores_chooses_first() {
        let (wide, narrow) = (set("0-3"), set("0-1"));
        let claims = [Claim::Drive(Some(&wide)), Claim::Drive(Some(&narrow))];
        assert_eq!(assigned(&cores([4, 0, 0, 0]), &claims), ["2-3", "0-1"]);
    }

    #[test]
    fn the_gpu_with_the_fewest_near_cores_is_served_first() {
        let (wide, narrow) = (set("0-7"), set("0"));
        let claims = [Claim::Drive(Some(&wide)), Claim::Drive(Some(&narrow)), Claim::Compute];
        assert_eq!(assigned(&cores([4, 0, 0, 0]), &claims), ["1", "0", "2-3"]);
    }

    #[test]
    fn a_gpu_of_unknown_place_is_driven_from_where_there_is_room() {
        let near = set("0-7");
        let claims = [Claim::Drive(Some(&near)), Claim::Drive(None), Claim::Compute, Claim::Compute];
        assert_eq!(assigned(&cores([3, 3, 0, 0]), &claims), ["0", "8", "1-2", "9-10"]);
    }
}
