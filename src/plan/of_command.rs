//! The plan that a launcher's command is: PUs of hosts that are known become the cores that a rankfile counts.

use std::collections::{BTreeMap, BTreeSet};

use super::{Plan, PlanError, PlannedRank, device_of, not_described};
use crate::{
    host_name::short_name,
    rankfile::{self, Rankfile},
    request::DeviceRequest,
    topology::{CpuSet, Node, SlotUnit},
};

impl Plan {
    /// The places of ranks that a command names: the host and the PUs of each. Devices are those that `rankfile` names, where the
    /// command tells the ranks of one. On a host that is not among `nodes` PUs are taken for cores of the same numbers, with a note.
    ///
    /// # Errors
    /// [`PlanError::NoHost`] where a host's name is none, [`PlanError::NoSuchPus`] where a rank is to have a PU that its host has not.
    pub fn of_places(
        places: &[(String, CpuSet)],
        rankfile: Option<&Rankfile>,
        nodes: &BTreeMap<String, Node>,
        slot_unit: SlotUnit,
    ) -> Result<Self, PlanError> {
        if let Some((rank, (host, _))) = (0..).zip(places).find(|(_, (host, _))| !rankfile::is_host(host)) {
            return Err(PlanError::NoHost { rank, host: host.clone() });
        }
        let request = |rank| rankfile.and_then(|rankfile| rankfile.entry(rank)?.device);
        let ranks = (0..)
            .zip(places)
            .map(|(rank, (host, pus))| planned(rank, host, pus, request(rank), nodes.get(short_name(host))));
        let mut plan = Self { ranks: ranks.collect::<Result<_, _>>()?, slot_unit, ..Self::default() };
        let hosts = places.iter().map(|(host, _)| short_name(host).to_owned());
        let unknown: BTreeSet<String> = hosts.filter(|host| !nodes.contains_key(host)).collect();
        plan.notes.extend(not_described(&unknown, "hardware threads are counted as cores"));
        plan.shares_cores = plan.has_shared_cores();
        plan.names_devices = plan.ranks.iter().any(|rank| request(rank.rank).is_some());
        Ok(plan)
    }

    /// The first rank whose PUs are not all those of its slots, which is more than a rankfile can say.
    ///
    /// # Errors
    /// [`PlanError::HalfCore`], naming it.
    pub fn check_whole_slots(&self, nodes: &BTreeMap<String, Node>) -> Result<(), PlanError> {
        for rank in &self.ranks {
            let Some(node) = nodes.get(short_name(&rank.host)) else { continue };
            let whole = node.pus_of_slots(&node.slots_of(&rank.cpuset));
            if whole != rank.cpuset {
                let (pus, host) = (rank.cpuset.to_string(), rank.host.clone());
                return Err(PlanError::HalfCore { rank: rank.rank, pus, host, whole: whole.to_string() });
            }
        }
        Ok(())
    }
}

fn planned(
    rank: u32,
    host: &str,
    pus: &CpuSet,
    request: Option<DeviceRequest>,
    node: Option<&Node>,
) -> Result<PlannedRank, PlanError> {
    let numbers = || pus.iter().filter_map(|pu| u32::try_from(pu).ok()).collect::<Vec<u32>>();
    let (cores, slots) = match node {
        None => (numbers(), numbers()),
        Some(node) => {
            let missing = pus - &node.allowed;
            if !missing.is_empty() {
                let (host, pus, usable) = (host.to_owned(), missing.to_string(), node.allowed.to_string());
                return Err(PlanError::NoSuchPus { rank, host, pus, usable });
            }
            (node.cores_in(pus).map(|core| core.logical).collect(), node.slots_of(pus))
        }
    };
    let request = request.unwrap_or_default();
    let device = device_of(request);
    Ok(PlannedRank { rank, host: host.to_owned(), cpuset: pus.clone(), cores, slots, device, request })
}

#[cfg(test)]
mod tests {
    use super::{super::tests::host, *};

    fn nodes() -> BTreeMap<String, Node> {
        BTreeMap::from([("a".to_owned(), host("a", "laptop").node)])
    }

    fn places(places: &[(&str, &str)]) -> Vec<(String, CpuSet)> {
        places.iter().map(|(host, pus)| ((*host).to_owned(), pus.parse().unwrap())).collect()
    }

    #[test]
    fn hardware_threads_become_the_cores_that_have_them() {
        let plan = Plan::of_places(&places(&[("a", "0,1,4,5"), ("b", "6")]), None, &nodes(), SlotUnit::Core).unwrap();
        assert_eq!((plan.ranks[0].slots.as_slice(), plan.ranks[1].slots.as_slice()), (&[0, 1][..], &[6][..]));
        assert!(plan.notes.len() == 1 && plan.notes[0].starts_with("b is not described"), "{:?}", plan.notes);
        plan.check_whole_slots(&nodes()).unwrap();
    }

    #[test]
    fn a_thread_that_is_not_there_and_half_a_core_are_named() {
        let error = Plan::of_places(&places(&[("a", "99")]), None, &nodes(), SlotUnit::Core).unwrap_err().to_string();
        assert!(error.contains("rank 0") && error.contains("99") && error.contains("0-7"), "{error}");
        let half = Plan::of_places(&places(&[("a", "0-7"), ("a", "4")]), None, &nodes(), SlotUnit::Core).unwrap();
        let error = half.check_whole_slots(&nodes()).unwrap_err().to_string();
        assert!(error.contains("rank 1") && error.contains("0,4"), "{error}");
    }
}
