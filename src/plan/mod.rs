//! A job that has not started yet: the places of its ranks on all of its nodes, and the texts that make a launcher put
//! them there. Pure: nodes in, text out.

mod error;
mod header;
mod launch_line;
mod of_command;
mod of_rankfile;
mod reserve;
mod wishes;

use std::collections::{BTreeMap, BTreeSet};

use serde::Serialize;

pub(crate) use self::launch_line::launch_line;
pub use self::{error::PlanError, header::header, wishes::Wishes};
use crate::{
    host_name::{short_name, without_user},
    launcher::Dialect,
    placement::{Device, Rules, foresee, map_ranks},
    rankfile::{self, RankLine},
    request::DeviceRequest,
    topology::{CpuSet, Node, PciBusId, SlotUnit, homes},
    visible::visible_json,
    words,
};

/// A node of the job under the name that the launcher knows.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Host {
    /// Its name.
    pub name: String,
    /// What it consists of.
    pub node: Node,
}

impl Host {
    /// The node under that name, whatever it calls itself.
    #[must_use]
    pub fn new(name: &str, node: Node) -> Self {
        Self { name: name.to_owned(), node: Node { host: Some(name.to_owned()), ..node } }
    }
}

/// The place of one rank.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct PlannedRank {
    /// Rank in `MPI_COMM_WORLD`.
    pub rank: u32,
    /// The host's name.
    pub host: String,
    /// PUs by operating system index.
    pub cpuset: CpuSet,
    /// Cores by hwloc's logical index.
    pub cores: Vec<u32>,
    /// Cores as rankfiles count them: among those that the job may use.
    pub slots: Vec<u32>,
    /// What it computes on.
    pub device: Device,
    /// The device that its line of a rankfile asks for.
    pub request: DeviceRequest,
}

/// The places of all ranks, node by node.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Plan {
    /// In the order of the ranks.
    pub ranks: Vec<PlannedRank>,
    /// Whether any two of them have a core in common.
    pub shares_cores: bool,
    /// Whether all of them are on the machine that starts them, as far as is known.
    pub starts_here: bool,
    /// What slots count.
    pub slot_unit: SlotUnit,
    /// Whether what the ranks are to compute on is told them by comments of the rankfile.
    pub names_devices: bool,
    /// What the user should know about them.
    pub notes: Vec<String>,
}

/// How many ranks a node gets unless the user says otherwise: one for each place on a GPU or on each partition of one, and one for
/// each NUMA node, and for each package without one, to compute on the cores that are left. Then no GPU and no core is idle, and no
/// rank spans NUMA nodes.
fn default_ranks(node: &Node, ranks_per_gpu: u16) -> u32 {
    let cores = node.allowed_cores().count();
    let homes = homes(node.allowed_cores()).len();
    let partitions: usize = node.gpus.iter().map(|gpu| gpu.partitions).sum();
    let ranks = (partitions * usize::from(ranks_per_gpu) + homes).min(cores);
    u32::try_from(ranks).expect("a node's cores are counted in 32 bits")
}

/// What a rank computes on whose line asks for this, as far as a file tells: any GPU may be one in software.
fn device_of(request: DeviceRequest) -> Device {
    match request {
        DeviceRequest::ThisGpu(id) => Device::Gpu(id),
        DeviceRequest::Gpu => Device::SoftwareGpu,
        DeviceRequest::Cpu | DeviceRequest::Auto => Device::Cpu,
    }
}

/// A note on hosts of which nothing is known, and on what is done all the same.
fn not_described(hosts: &BTreeSet<String>, so: &str) -> Option<String> {
    let first = hosts.first()?;
    let names = words::names(hosts.iter().cloned(), NAMED_HOSTS);
    let are = if hosts.len() == 1 { "is" } else { "are" };
    Some(format!(
        "{names} {are} not described, so {so}: right where each core has one thread, counted as hwloc counts cores; --topology \
         {first}=FILE.xml, made there by `lstopo FILE.xml`, makes sure"
    ))
}

/// Hosts that a note names.
const NAMED_HOSTS: usize = 4;

impl Plan {
    /// Places `ranks_per_node` ranks on each of `hosts`, or as many as fit it best.
    ///
    /// # Errors
    /// As [`Plan::of_wishes`] has it.
    #[cfg(test)]
    pub(crate) fn of(hosts: &[Host], ranks_per_node: Option<u32>, ranks_per_gpu: u16) -> Result<Self, PlanError> {
        Self::of_wishes(&Wishes { ranks_per_node, ranks_per_gpu, ..Wishes::default() }, hosts)
    }

    /// Places ranks on each of `hosts` as is wished.
    ///
    /// # Errors
    /// [`PlanError::SameName`] where two nodes have one name; [`PlanError::NothingLeft`] where a node has no cores that could be kept,
    /// or would have none left; else as [`map_ranks`] has it.
    pub fn of_wishes(wishes: &Wishes, hosts: &[Host]) -> Result<Self, PlanError> {
        let rules = Rules { ranks_per_gpu: usize::from(wishes.ranks_per_gpu), ..Rules::default() };
        let mut names = BTreeSet::new();
        let mut plan =
            Self { slot_unit: hosts.first().map(|host| host.node.slot_unit).unwrap_or_default(), ..Self::default() };
        let mut first = 0;
        for Host { name, node } in hosts {
            if !names.insert(name) {
                return Err(PlanError::SameName(name.clone()));
            }
            // What ranks may use may be less; slots count all that the launcher sees.
            let usable = wishes.usable(name, node)?;
            let seats = wishes.as_seated(&usable);
            let ranks = wishes.ranks_per_node.unwrap_or_else(|| default_ranks(&seats, wishes.ranks_per_gpu));
            let facts = map_ranks(&seats, first..first + ranks, &rules)?;
            first += ranks;
            plan.notes.extend(wishes.notes(name, node, &usable));
            plan.notes.extend(foresee(&usable, &facts).iter().map(|finding| format!("{name}: {finding}")));
            plan.ranks.extend(facts.into_iter().map(|facts| facts.place).map(|place| PlannedRank {
                rank: place.rank,
                host: name.clone(),
                cores: node.cores_in(&place.cores).map(|core| core.logical).collect(),
                slots: node.slots_of(&place.cores),
                cpuset: place.cores,
                device: place.device,
                request: match place.device {
                    Device::Gpu(id) => DeviceRequest::ThisGpu(id),
                    Device::SoftwareGpu => DeviceRequest::Gpu,
                    Device::Cpu => DeviceRequest::Cpu,
                },
            }));
        }
        plan.shares_cores = plan.has_shared_cores();
        plan.names_devices = plan.ranks.iter().any(|rank| rank.device.kind() == "gpu");
        Ok(plan)
    }

    /// The ranks of each host, in the order of the hosts.
    pub fn by_host(&self) -> impl Iterator<Item = &[PlannedRank]> {
        self.ranks.chunk_by(|one, next| one.host == next.host)
    }

    /// Whether the places of any two ranks of a host have a core in common, wherever these ranks stand.
    fn has_shared_cores(&self) -> bool {
        let mut taken: BTreeMap<&str, CpuSet> = BTreeMap::new();
        self.ranks.iter().any(|rank| {
            let taken = taken.entry(short_name(without_user(&rank.host))).or_default();
            let is_shared = taken.intersects(&rank.cpuset);
            *taken = &*taken | &rank.cpuset;
            is_shared
        })
    }

    /// The text of a rankfile, with `header` above it as comments.
    ///
    /// # Errors
    /// [`PlanError::Unwritable`] where a name or a list of cores is one that a launcher would refuse or misread.
    #[cfg(test)]
    pub(crate) fn rankfile(&self, header: &[String]) -> Result<String, PlanError> {
        self.rankfile_for(&Dialect::ALL, header)
    }

    /// The same for a file that is read in these dialects only; with none of them by this program alone.
    ///
    /// # Errors
    /// [`PlanError::Unwritable`] where a name or a list of cores is one that these launchers would refuse or misread.
    pub fn rankfile_for(&self, dialects: &[Dialect], header: &[String]) -> Result<String, PlanError> {
        let lines: Vec<RankLine> = self
            .ranks
            .iter()
            .map(|rank| RankLine {
                rank: rank.rank,
                host: rank.host.clone(),
                cores: rank.slots.clone(),
                device: Some(rank.request),
            })
            .collect();
        rankfile::write_for(dialects, header, &lines).map_err(|reason| PlanError::Unwritable { reason })
    }

    /// A JSON list of `{rank, host, cpuset, cores, gpu}`: PUs as Linux lists them, logical cores, and a PCI bus id or null.
    #[must_use]
    pub fn json(&self) -> String {
        #[derive(Serialize)]
        struct Row<'a> {
            rank: u32,
            host: &'a str,
            cpuset: &'a CpuSet,
            cores: &'a [u32],
            gpu: Option<PciBusId>,
        }
        let rows: Vec<String> = self
            .ranks
            .iter()
            .map(|PlannedRank { rank, host, cpuset, cores, device, .. }| {
                let gpu = match device {
                    Device::Gpu(id) => Some(*id),
                    Device::Cpu | Device::SoftwareGpu => None,
                };
                let row = Row { rank: *rank, host, cpuset, cores, gpu };
                serde_json::to_string(&row).expect("numbers and strings always have a JSON form")
            })
            .collect();
        format!("[\n{}\n]\n", visible_json(&rows.join(",\n")))
    }
}

#[cfg(test)]
mod tests {
    use std::path::Path;

    use super::*;

    pub(super) fn host(name: &str, topology: &str) -> Host {
        let folder = Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/topologies");
        Host::new(name, Node::from_xml_file(&folder.join(topology).with_extension("xml")).unwrap())
    }

    #[test]
    fn by_default_every_gpu_and_every_numa_node_has_a_rank() {
        for (topology, expected) in [
            ("laptop", 1),
            ("raspberry-pi", 1),
            ("two-sockets-four-gpus", 6),
            ("crossed-numbering", 12),
            ("management-vga", 6),
            ("eight-gpus-one-socket", 9),
        ] {
            let host = host("a", topology);
            assert_eq!(default_ranks(&host.node, 1), expected, "{topology}");
            let plan = Plan::of(std::slice::from_ref(&host), None, 1).unwrap();
            let used: CpuSet = plan.ranks.iter().map(|rank| &rank.cpuset).collect();
            assert_eq!(used, host.node.allowed, "{topology}");
            let on_gpus = plan.ranks.iter().filter(|rank| rank.device != Device::Cpu).count();
            assert_eq!(on_gpus, host.node.gpus.len(), "{topology}");
            assert!(plan.ranks.iter().all(|rank| host.node.numa_nodes_of(&rank.cpuset).len() == 1), "{topology}");
        }
    }

    #[test]
    fn no_more_ranks_than_cores_are_planned_unless_asked_for() {
        let host = host("a", "raspberry-pi");
        assert_eq!(default_ranks(&host.node, 9), 1);
        let plan = Plan::of(&[host], Some(6), 1).unwrap();
        assert!(plan.shares_cores);
        assert!(plan.notes.iter().any(|note| note.starts_with("a: 6 ranks are on 4 cores")), "{:?}", plan.notes);
    }

    #[test]
    fn ranks_are_numbered_through_in_the_order_of_the_hosts_and_in_their_notes() {
        let plan = Plan::of(&[host("b", "raspberry-pi"), host("a", "raspberry-pi")], Some(5), 1).unwrap();
        assert_eq!(plan.ranks.iter().map(|rank| rank.rank).collect::<Vec<_>>(), (0..10).collect::<Vec<_>>());
        assert_eq!((plan.ranks[4].host.as_str(), plan.ranks[5].host.as_str()), ("b", "a"));
        assert!(plan.notes.iter().any(|note| note.contains("ranks 5,9 share PUs 0")), "{:?}", plan.notes);
    }

    #[test]
    fn slots_count_what_the_job_may_use_and_cores_count_all() {
        let plan = Plan::of(&[host("a", "part-of-a-node")], Some(2), 1).unwrap();
        assert_eq!(
            (plan.ranks[1].slots.as_slice(), plan.ranks[1].cores.as_slice()),
            (&[2, 3, 4, 5][..], &[8, 9, 10, 11][..])
        );
        assert!(plan.rankfile(&[]).unwrap().contains("rank 1=a slot=2-5 # gpu=0000:88:00.0\n"));
        assert!(plan.json().contains(r#""cpuset":"8-11","cores":[8,9,10,11],"gpu":"0000:88:00.0""#), "{}", plan.json());
    }

    #[test]
    fn names_that_cannot_stand_in_a_rankfile_are_refused() {
        let error = |names: [&str; 2]| {
            let hosts = names.map(|name| host(name, "raspberry-pi"));
            Plan::of(&hosts, None, 1).and_then(|plan| plan.rankfile(&[])).unwrap_err().to_string()
        };
        assert!(error(["a", "a"]).contains("two nodes are called a"));
        assert!(error(["a", "b_c"]).contains("'b_c' is no host name"));
        assert!(error(["a.x", "a.y"]).contains("first dot"));
    }
}
