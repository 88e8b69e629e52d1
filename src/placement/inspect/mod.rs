//! What is remarkable about the places of one node's ranks: one function a remark.
//!
//! Each function looks at facts alone and gives its finding together with a hint: the command that helps.

mod cores;
mod gpus;
mod requested;
mod vulkan;
mod vulkan_cause;
mod vulkan_facts;
mod witnesses;

use std::collections::BTreeMap;

use serde::{Deserialize, Serialize};

pub use self::requested::{differences, unsatisfied};
pub(super) use self::vulkan::without_unlisted;
pub use self::{
    vulkan_cause::{Cause, why_no_software, why_unlisted},
    vulkan_facts::{DeviceFile, IcdFile, LibraryFault, NvidiaFacts, UnreadIcdFile, VulkanAdapter, VulkanFacts},
};
use super::{Code, Device, DeviceRequest, Finding, LocalRank, Place, Severity};
use crate::{
    launcher::Launcher,
    topology::{CpuSet, Node, PciBusId},
};

/// The way out of a `setting`, which is told as `NAME=value`.
fn unset(setting: &str) -> String {
    format!("unset {}", setting.split('=').next().unwrap_or(setting))
}

/// The way out where GPUs are kept from a process.
pub(super) const ASK_FOR_GPUS: &str =
    "ask for GPUs where the job or the container is started (Slurm: `--gpus-per-node=1`, Docker: `--gpus all`)";

/// What places ranks best.
fn written(ranks: &[RankFacts]) -> &'static str {
    if reads_rankfiles(ranks) {
        "a rankfile made by `hybrid rankfile write`"
    } else {
        "the command that `hybrid rankfile write` prints"
    }
}

fn launcher(ranks: &[RankFacts]) -> Option<Launcher> {
    ranks.first()?.local.launcher
}

/// Whether the launcher of these ranks reads rankfiles.
fn reads_rankfiles(ranks: &[RankFacts]) -> bool {
    launcher(ranks).is_some_and(|launcher| launcher.dialect().is_some())
}

/// A rank, and what became of it.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct RankFacts {
    /// How it started.
    pub local: LocalRank,
    /// Where it computes.
    pub place: Place,
    /// What a rankfile requested.
    pub requested: Option<Requested>,
}

/// What a rankfile requests for a rank.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Requested {
    /// The rankfile, as the user named it.
    pub rankfile: String,
    /// The host, as the rankfile names it.
    pub host: String,
    /// The cores, as the rankfile names them.
    pub slots: String,
    /// The PUs of these cores on the rank's node; `None` where it has no such cores.
    pub cores: Option<CpuSet>,
    /// The device that a comment in it names.
    pub device: Option<DeviceRequest>,
}

/// What is remarkable about places, whether their job runs or is yet to be started.
pub(super) fn of_places(node: &Node, ranks: &[RankFacts]) -> Vec<Finding> {
    let mut findings = gpus::masks(node, ranks);
    findings.extend(cores::shared_cores(node, ranks));
    findings.extend(cores::excess_threads(node, ranks));
    findings.extend(cores::idle_cores(node, ranks));
    findings.extend(cores::few_cores_for_a_gpu(node, ranks));
    findings.extend(gpus::unused_gpus(node, ranks));
    findings.extend(gpus::unknown_locality(node, ranks));
    findings.extend(witnesses::disagreements(node));
    findings
}

/// What is remarkable about the job that has come of them.
pub(super) fn of_a_job(node: &Node, ranks: &[RankFacts]) -> Vec<Finding> {
    let mut findings = gpus::remote_gpus(node, ranks);
    findings.extend(cores::unbound(node, ranks));
    findings.extend(unsatisfied(node, ranks));
    findings.extend(cores::spanning_ranks(node, ranks));
    findings.extend(gpus::shared_gpus(node, ranks));
    findings
}

/// What Vulkan lacks on a node.
pub(super) fn of_vulkan(node: &Node, ranks: &[RankFacts], vulkan: &VulkanFacts) -> Vec<Finding> {
    let mut findings = vulkan::unseen_gpus(node, ranks, vulkan);
    findings.extend(vulkan::ranks_without_adapter(node, ranks, vulkan));
    findings.extend(vulkan::software_only(node, ranks, vulkan));
    findings.extend(witnesses::unheard(node, vulkan));
    findings
}

/// A remark on `node`, without a hint yet.
fn finding(node: &Node, code: Code, severity: Severity, ranks: Vec<u32>, message: String) -> Finding {
    Finding { code, severity, host: host(node), ranks, message, hint: None }
}

/// The node's name in a sentence.
pub(super) fn host(node: &Node) -> String {
    node.host.clone().unwrap_or_else(|| "this node".to_owned())
}

/// What makes the launcher give each of `ranks` whole cores of its own.
fn bind_to_own_cores(node: &Node, ranks: &[RankFacts]) -> String {
    let cores = node.allowed_cores().count();
    let each = cores / ranks.len().max(1);
    if each == 0 {
        return format!("start at most {cores} ranks on this node");
    }
    // Options that bind go with no rankfile.
    let has_rankfile = ranks.iter().any(|facts| facts.requested.is_some());
    let launcher = launcher(ranks).filter(|_| !has_rankfile);
    let options = launcher.and_then(|launcher| launcher.binding_options(ranks.len(), each));
    let options = options.map(|options| format!("{options}, or with ")).unwrap_or_default();
    format!("start with {options}{}", written(ranks))
}

/// The ranks on each GPU that serves any.
fn ranks_by_gpu(ranks: &[RankFacts]) -> BTreeMap<PciBusId, Vec<u32>> {
    let mut by_gpu = BTreeMap::<PciBusId, Vec<u32>>::new();
    for facts in ranks {
        if let Device::Gpu(id) = facts.place.device {
            by_gpu.entry(id).or_default().push(facts.local.rank);
        }
    }
    by_gpu
}
