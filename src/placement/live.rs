//! Cores and devices for the ranks of a running job, inside the bindings that the launcher gave them.

use super::{LocalRank, Place, PlacementError, Rules, cores::cores, devices::devices, inspect};
use crate::topology::{CpuSet, Node};

/// Chooses the cores and the device of each rank of `node`, in the order of `ranks`. These are in local order, and the same on
/// all of them: the answer is then the same too, without a message between them.
///
/// # Errors
/// [`PlacementError::NoSuchGpu`] where a rank is to use a GPU that the node has not, [`PlacementError::NoRanksPerGpu`] where no rank may use one;
/// [`PlacementError::NoGpu`] where a rank that must have a GPU gets none; [`PlacementError::NoUsableCore`] where a binding names no core that the
/// job may use.
pub fn choose(node: &Node, ranks: &[LocalRank], rules: &Rules) -> Result<Vec<Place>, PlacementError> {
    if rules.ranks_per_gpu == 0 {
        return Err(PlacementError::NoRanksPerGpu);
    }
    let bindings = ranks.iter().map(|rank| usable(node, rank)).collect::<Result<Vec<_>, _>>()?;
    let devices = devices(node, ranks, &bindings, rules)?;
    let cores = cores(node, &bindings, &devices);
    let places = ranks.iter().zip(cores.into_iter().zip(devices)).map(|(rank, (cores, device))| {
        let threads = rules.threads.unwrap_or_else(|| node.cores_in(&cores).count());
        Place { rank: rank.rank, cores, threads, device }
    });
    Ok(places.collect())
}

/// What of a rank's binding is a PU that the job may use.
fn usable(node: &Node, rank: &LocalRank) -> Result<CpuSet, PlacementError> {
    let usable = &rank.binding & &node.allowed;
    if node.cores_in(&usable).next().is_none() {
        return Err(PlacementError::NoUsableCore {
            rank: rank.rank,
            binding: rank.binding.clone(),
            host: inspect::host(node),
            allowed: node.allowed.clone(),
        });
    }
    Ok(usable)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::placement::{
        Code, DeviceRequest, Finding, NodeFacts, RankFacts, audit,
        sample::{TWO_BY_TWO, in_short, node, ranks},
        visible,
    };

    /// What became of ranks.
    struct Placed {
        places: Vec<Place>,
        findings: Vec<Finding>,
    }

    /// Ranks in their places, and what the audit says of that.
    fn placed(node: &Node, locals: &[LocalRank], rules: &Rules) -> Placed {
        let places = choose(node, locals, rules).unwrap();
        let facts = |(local, place): (&LocalRank, &Place)| {
            let (local, place) = (local.clone(), place.clone());
            RankFacts { local, place, requested: None }
        };
        let ranks = locals.iter().zip(&places).map(facts).collect();
        Placed { findings: audit(&[NodeFacts { node: node.clone(), ranks, vulkan: None }]), places }
    }

    /// `cores device` of each rank, with the bus of a GPU alone.
    fn table(places: &[Place]) -> Vec<String> {
        places.iter().map(|place| format!("{} {}", place.cores, in_short(place.device))).collect()
    }

    fn chosen(node: &Node, bindings: &[&str], rules: &Rules) -> Vec<String> {
        table(&choose(node, &ranks(node, bindings), rules).unwrap())
    }

    fn codes(placed: &Placed) -> Vec<Code> {
        placed.findings.iter().map(|finding| finding.code).collect()
    }

    #[test]
    fn a_bound_rank_keeps_its_cores_and_computes_with_a_thread_on_each() {
        let node = node(1, 1, 4, &[]);
        let placed = placed(&node, &ranks(&node, &["0", "1-3"]), &Rules::default());
        assert_eq!(table(&placed.places), ["0 cpu", "1-3 cpu"]);
        assert_eq!(placed.places[1].threads, 3);
        assert_eq!(placed.findings, []);
    }

    #[test]
    fn unbound_ranks_assign_cores_and_gpus_among_themselves() {
        let node = node(2, 1, 4, &TWO_BY_TWO);
        let all = "0-7";
        assert_eq!(chosen(&node, &[all; 2], &Rules::default()), ["0-3 10", "4-7 20"]);
        assert_eq!(chosen(&node, &[all; 4], &Rules::default()), ["0 10", "4 20", "1-3 cpu", "5-7 cpu"]);
    }

    #[test]
    fn ranks_bound_to_the_same_package_share_its_cores() {
        let node = node(2, 1, 4, &TWO_BY_TWO);
        let bindings = ["0-3", "0-3", "4-7", "4-7"];
        assert_eq!(chosen(&node, &bindings, &Rules::default()), ["0 10", "1-3 cpu", "4 20", "5-7 cpu"]);
    }

    #[test]
    fn more_ranks_than_cores_share_them_and_it_is_said() {
        let node = node(1, 1, 2, &[]);
        let placed = placed(&node, &ranks(&node, &["0-1"; 5]), &Rules::default());
        assert_eq!(table(&placed.places), ["0 cpu", "1 cpu", "0 cpu", "1 cpu", "0 cpu"]);
        assert!(placed.places.iter().all(|place| place.threads == 1));
        assert_eq!(codes(&placed), [Code::RanksShareCores, Code::RankUnbound]);
        assert!(placed.findings[0].message.contains("5 ranks are on 2 cores"), "{:?}", placed.findings);
        assert!(placed.findings[0].message.contains("ranks 0,2,4 share PUs 0"), "{:?}", placed.findings);
        assert_eq!(placed.findings[0].ranks, [0, 1, 2, 3, 4]);
    }

    #[test]
    fn ranks_on_hardware_threads_of_one_core_keep_them_and_it_is_said() {
        let mut node = node(1, 1, 1, &[]);
        node.cores[0].pus = "0-1".parse().unwrap();
        node.allowed = "0-1".parse().unwrap();
        let placed = placed(&node, &ranks(&node, &["0", "1"]), &Rules::default());
        assert_eq!(table(&placed.places), ["0 cpu", "1 cpu"]);
        assert_eq!(codes(&placed), [Code::RanksShareCores]);
    }

    #[test]
    fn cores_that_a_resource_manager_keeps_are_not_assigned() {
        let mut node = node(1, 1, 4, &[]);
        node.allowed = "0-1".parse().unwrap();
        assert_eq!(chosen(&node, &["0-3", "0-3"], &Rules::default()), ["0 cpu", "1 cpu"]);
        let error = choose(&node, &ranks(&node, &["2"]), &Rules::default()).unwrap_err().to_string();
        assert!(error.contains("rank 0") && error.contains("PUs 2") && error.contains("0-1"), "{error}");
    }

    #[test]
    fn idle_gpus_are_named_with_the_number_of_ranks_that_would_use_them() {
        let node = node(2, 1, 4, &[(0x10, Some(0)), (0x20, Some(0)), (0x30, Some(1)), (0x40, Some(1))]);
        let placed = placed(&node, &ranks(&node, &["0-7", "0-7"]), &Rules::default());
        assert_eq!(table(&placed.places), ["0-3 10", "4-7 30"], "one GPU of each NUMA node comes before two of one");
        let finding = placed.findings.iter().find(|finding| finding.code == Code::GpuUnused).unwrap();
        assert!(finding.message.contains("2 of 4") && finding.message.contains("0000:20:00.0"), "{finding:?}");
        assert!(finding.hint.as_deref().unwrap().contains("4 ranks"), "{finding:?}");
    }

    #[test]
    fn ranks_that_want_cores_leave_the_gpus_idle_without_a_word() {
        let node = node(1, 1, 2, &[(0x10, Some(0))]);
        let mut ranks = ranks(&node, &["0", "1"]);
        ranks.iter_mut().for_each(|rank| rank.request = DeviceRequest::Cpu);
        let placed = placed(&node, &ranks, &Rules::default());
        assert_eq!((table(&placed.places), codes(&placed)), (vec!["0 cpu".into(), "1 cpu".into()], vec![]));
    }

    #[test]
    fn a_mask_hides_gpus_and_is_named_where_one_is_missed() {
        let node = node(2, 1, 4, &TWO_BY_TWO);
        let hide = |value: &'static str| {
            visible(&node.gpus, move |name| (name == "CUDA_VISIBLE_DEVICES").then(|| value.to_owned()), &[])
        };
        let mut ranks = ranks(&node, &["0-3", "4-7"]);
        ranks.iter_mut().for_each(|rank| rank.visible = hide("1"));
        let placed = placed(&node, &ranks, &Rules::default());
        assert_eq!(table(&placed.places), ["0-3 cpu", "4-7 20"]);
        assert_eq!(codes(&placed), [Code::GpuMask]);

        ranks[0].visible = hide("");
        ranks[0].request = DeviceRequest::Gpu;
        let message = choose(&node, &ranks, &Rules::default()).unwrap_err().to_string();
        assert!(message.contains("CUDA_VISIBLE_DEVICES= hides all GPUs"), "{message}");
    }

    #[test]
    fn cores_that_the_launcher_leaves_to_nobody_are_named() {
        let node = node(1, 1, 4, &[]);
        let placed = placed(&node, &ranks(&node, &["0", "1"]), &Rules::default());
        assert_eq!(codes(&placed), [Code::CoresIdle]);
        assert!(placed.findings[0].message.contains("2 of 4 cores serve no rank: PUs 2-3"), "{:?}", placed.findings);
    }

    #[test]
    fn where_nothing_is_known_of_the_place_the_order_of_the_ranks_decides() {
        let node = node(2, 1, 4, &[(0x10, None), (0x20, None)]);
        let placed = placed(&node, &ranks(&node, &["4-7", "0", "1-3"]), &Rules::default());
        assert_eq!(table(&placed.places), ["4-7 10", "0 20", "1-3 cpu"]);
        assert_eq!(codes(&placed), [Code::GpuLocalityUnknown]);
    }

    #[test]
    fn threads_can_be_set_and_too_many_are_named() {
        let node = node(1, 1, 4, &[]);
        let rules = Rules { threads: Some(3), ..Rules::default() };
        let placed = placed(&node, &ranks(&node, &["0", "1-3"]), &rules);
        assert!(placed.places.iter().all(|place| place.threads == 3));
        assert_eq!(codes(&placed), [Code::MoreThreadsThanCores]);
        assert_eq!(placed.findings[0].ranks, [0]);
    }

    #[test]
    fn no_rank_and_no_share_are_no_panic() {
        let node = node(1, 1, 1, &[]);
        assert_eq!(choose(&node, &[], &Rules::default()).unwrap(), []);
        let rules = Rules { ranks_per_gpu: 0, ..Rules::default() };
        assert!(matches!(choose(&node, &[], &rules), Err(PlacementError::NoRanksPerGpu)));
    }
}
