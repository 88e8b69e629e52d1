//! The plan that a rankfile is, for launchers that read none: cores of hosts that are known become PUs.

use std::collections::{BTreeMap, BTreeSet};

use super::{Plan, PlanError, PlannedRank, device_of, not_described};
use crate::{
    host_name::short_name,
    rankfile::{self, Entry, NodeShape, Rankfile, Reading},
    topology::{CpuSet, Node, SlotUnit},
};

impl Plan {
    /// The places that `rankfile` gives its ranks, in the order of the ranks, as its author or a launcher reads it. Those on a host
    /// that is not among `nodes` have no PUs: enough for a launcher that reads the file.
    ///
    /// # Errors
    /// [`PlanError::NoSuchSlots`] where a rank asks for a core that its host has not.
    pub fn of_rankfile(
        rankfile: &Rankfile,
        reading: Reading,
        nodes: &BTreeMap<String, Node>,
        slot_unit: SlotUnit,
    ) -> Result<Self, PlanError> {
        let by_rank: BTreeMap<u32, &Entry> = rankfile.entries.iter().map(|entry| (entry.rank, entry)).collect();
        let users = users(rankfile);
        let ranks = by_rank.values().map(|entry| {
            let host = match users.get(entry.short_host()) {
                Some(user) => format!("{user}@{}", entry.host),
                None => entry.host.clone(),
            };
            planned(entry, reading, host, nodes.get(entry.short_host()))
        });
        let mut plan = Self { ranks: ranks.collect::<Result<_, _>>()?, slot_unit, ..Self::default() };
        let among_unknown = rankfile::lint_overlaps(rankfile, |host| nodes.contains_key(host));
        plan.shares_cores = plan.has_shared_cores() || !among_unknown.is_empty();
        plan.names_devices = by_rank.values().any(|entry| entry.device.is_some());
        Ok(plan)
    }

    /// The first host whose PUs are not known.
    #[must_use]
    pub fn unknown_host(&self) -> Option<&str> {
        self.ranks.iter().find(|rank| rank.cpuset.is_empty()).map(|rank| rank.host.as_str())
    }

    /// Takes slots of hosts that are not known for PUs of the same numbers, which holds where each core has one hardware thread and
    /// the operating system counts them as hwloc does; says for which. Slots that are counted within a package stay unknown.
    pub fn count_slots_as_pus(&mut self) {
        let mut hosts = BTreeSet::new();
        for rank in self.ranks.iter_mut().filter(|rank| rank.cpuset.is_empty()) {
            let slots: Vec<usize> = rank.slots.iter().filter_map(|&slot| usize::try_from(slot).ok()).collect();
            if !slots.is_empty() && slots.iter().all(|&slot| slot < CpuSet::LIMIT) {
                slots.into_iter().for_each(|slot| rank.cpuset.insert(slot));
                hosts.insert(short_name(&rank.host).to_owned());
            }
        }
        self.notes.extend(not_described(&hosts, "hardware threads with the numbers of slots are told"));
    }

    /// The first rank that lacks a line, as the next one shows.
    #[must_use]
    pub fn missing_rank(&self) -> Option<u32> {
        (0..).zip(&self.ranks).find(|(number, rank)| rank.rank != *number).map(|(number, _)| number)
    }
}

/// The user of each host, as the first line has it that names one: launchers that are told hosts are told each once.
fn users(rankfile: &Rankfile) -> BTreeMap<&str, &str> {
    let named = rankfile.entries.iter().rev();
    named.filter_map(|entry| Some((entry.short_host(), entry.user.as_deref()?))).collect()
}

/// No node has more cores.
const MOST_SLOTS: u32 = 1 << 16;

fn planned(entry: &Entry, reading: Reading, host: String, node: Option<&Node>) -> Result<PlannedRank, PlanError> {
    let request = entry.device.unwrap_or_default();
    let device = device_of(request);
    let unknown =
        PlannedRank { rank: entry.rank, host, cpuset: CpuSet::new(), cores: vec![], slots: vec![], device, request };
    let Some(node) = node else {
        // Slots over the whole node are numbers, whatever the node is.
        let slots = rankfile::resolve(&entry.slots, reading, &NodeShape::of_cores(&[MOST_SLOTS])).unwrap_or_default();
        let is_numbers = entry.slots.counts_over_the_node();
        return Ok(PlannedRank { slots: if is_numbers { slots } else { vec![] }, ..unknown });
    };
    let slots = rankfile::resolve(&entry.slots, reading, &NodeShape::of_node(node)).map_err(|misfit| {
        let (rank, slots, host) = (entry.rank, entry.slots.text().to_owned(), entry.host.clone());
        PlanError::NoSuchSlots { rank, slots, host, misfit }
    })?;
    let cpuset = node.pus_of_slots(&slots);
    let cores = node.cores_in(&cpuset).map(|core| core.logical).collect();
    Ok(PlannedRank { cpuset, cores, slots, ..unknown })
}

#[cfg(test)]
mod tests {
    use super::{super::tests::host, *};
    use crate::{launcher::Launcher, plan::launch_line};

    fn plan(text: &str, hosts: &[(&str, &str)]) -> Result<Plan, PlanError> {
        let nodes = hosts.iter().map(|(name, topology)| ((*name).to_owned(), host(name, topology).node)).collect();
        Plan::of_rankfile(&rankfile::parse(text.as_bytes()).rankfile, Reading::Meant, &nodes, SlotUnit::Core)
    }

    fn line(text: &str, hosts: &[(&str, &str)], launcher: Launcher) -> String {
        launch_line(&plan(text, hosts).unwrap(), launcher, "f", "p").unwrap().command
    }

    #[test]
    fn mpich_is_told_the_pus_of_the_cores_that_the_file_names() {
        let text = "rank 0=a slot=0\nrank 1=a slot=1\nrank 2=a slot=0\nrank 3=a slot=1\n";
        assert_eq!(
            line(text, &[("a", "laptop")], Launcher::Mpich),
            "mpiexec -n 4 -hosts a:4 -bind-to user:0+4,1+5,0+4,1+5 p"
        );
    }

    #[test]
    fn open_mpi_5_is_told_of_shared_cores_whether_the_host_is_known_or_not() {
        let shared = "mpiexec -n 2 -H a:2 --map-by rankfile:file=f:oversubscribe --bind-to core:overload-allowed p";
        for (text, expected) in [
            ("rank 0=a slot=0\nrank 1=a slot=0-1\n", shared),
            ("rank 0=a slot=0\nrank 1=a slot=1\n", "mpiexec -n 2 -H a:2 --map-by rankfile:file=f --bind-to core p"),
        ] {
            assert_eq!(line(text, &[], Launcher::OpenMpi5), expected, "{text}");
            assert_eq!(line(text, &[("a", "laptop")], Launcher::OpenMpi5), expected, "{text}");
        }
        // Also where ranks go to and fro between hosts.
        let apart = "rank 0=a slot=0\nrank 1=b slot=1\nrank 2=a slot=0-1\n";
        for hosts in [&[][..], &[("a", "laptop"), ("b", "laptop")]] {
            assert!(line(apart, hosts, Launcher::OpenMpi5).contains(":overload-allowed"), "{hosts:?}");
        }
        // A package and a core of it overlap only where the node is known.
        let mixed = "rank 0=a slot=0:*\nrank 1=a slot=3\n";
        assert_eq!(line(mixed, &[("a", "laptop")], Launcher::OpenMpi5), shared);
    }

    #[test]
    fn any_device_comment_is_told_to_ranks_of_open_mpi_5() {
        assert_eq!(
            line("rank 0=a slot=0 # cpu\n", &[], Launcher::OpenMpi5),
            "mpiexec -n 1 -H a:1 --map-by rankfile:file=f --bind-to core -x HYBRID_RANKFILE=f p"
        );
    }

    #[test]
    fn a_core_that_is_not_there_is_named() {
        let error = plan("rank 0=a slot=0\nrank 1=a slot=9\n", &[("a", "laptop")]).unwrap_err().to_string();
        assert!(error.contains("rank 1 asks for slot=9 of a") && error.contains("rankfile write"), "{error}");
    }

    #[test]
    fn a_rank_without_a_line_is_named() {
        let missing = |text| plan(text, &[]).unwrap().missing_rank();
        assert_eq!(missing("rank 0=b slot=0\nrank 1=a slot=1\nrank 2=b slot=0\n"), None);
        assert_eq!(missing("rank 0=b slot=0\nrank 2=b slot=1\n"), Some(1));
    }

    #[test]
    fn slots_of_hosts_that_are_not_known_are_counted_as_pus_with_a_note_each_host() {
        let mut plan = plan("rank 0=b slot=0-1\nrank 1=a slot=1:0\nrank 2=b slot=2\n", &[]).unwrap();
        plan.count_slots_as_pus();
        let pus: Vec<String> = plan.ranks.iter().map(|rank| rank.cpuset.to_string()).collect();
        assert_eq!(
            (pus.as_slice(), plan.unknown_host()),
            (&["0-1".to_owned(), String::new(), "2".to_owned()][..], Some("a"))
        );
        assert!(plan.notes.len() == 1 && plan.notes[0].starts_with("b is not described"), "{:?}", plan.notes);
    }
}
