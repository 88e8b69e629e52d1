//! A finding on where ranks are: a stable code, the ranks it concerns, what is so, and a hint: the command that helps.

use std::fmt;

use serde::{Deserialize, Serialize};

use crate::severity::Severity;

/// What is remarkable about a placement. The codes are stable, so that scripts can ask for them.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum Code {
    /// The launcher's rankfile cannot be read here, so that nothing can be compared with it.
    RankfileUnread,
    /// The rankfile has text that the launcher or this program cannot follow.
    RankfileFaulty,
    /// The rankfile requests other cores or another device than the rank has.
    AskedIsNotActual,
    /// Several ranks compute on the same core.
    RanksShareCores,
    /// A rank has cores of more than one NUMA node.
    RankSpansNumaNodes,
    /// The launcher bound several ranks to the whole node.
    RankUnbound,
    /// No rank has these cores.
    CoresIdle,
    /// More threads than cores.
    MoreThreadsThanCores,
    /// A rank's GPU is far from its cores while a nearer one is free.
    GpuRemote,
    /// A GPU serves no rank.
    GpuUnused,
    /// A GPU serves several ranks.
    GpuShared,
    /// A rank has few cores to encode what its GPU computes, while others serve no rank.
    GpuRankFewCores,
    /// Which cores a GPU is near to is not known.
    GpuLocalityUnknown,
    /// A variable hides GPUs, or cannot be understood.
    GpuMask,
    /// hwloc, the kernel and Vulkan do not tell the same of the node's GPUs.
    GpuWitnessesDisagree,
    /// A GPU of the node that Vulkan does not list.
    GpuWithoutVulkan,
    /// Vulkan has a software device only.
    SoftwareOnly,
    /// Hosts differ in architecture or in the version of a library or a driver.
    HostsDiffer,
}

impl Code {
    /// The code as scripts see it.
    #[must_use]
    pub fn as_str(self) -> &'static str {
        match self {
            Self::RankfileUnread => "rankfile-unread",
            Self::RankfileFaulty => "rankfile-faulty",
            Self::AskedIsNotActual => "asked-is-not-actual",
            Self::RanksShareCores => "ranks-share-cores",
            Self::RankSpansNumaNodes => "rank-spans-numa-nodes",
            Self::RankUnbound => "rank-unbound",
            Self::CoresIdle => "cores-idle",
            Self::MoreThreadsThanCores => "more-threads-than-cores",
            Self::GpuRemote => "gpu-remote",
            Self::GpuUnused => "gpu-unused",
            Self::GpuShared => "gpu-shared",
            Self::GpuRankFewCores => "gpu-rank-few-cores",
            Self::GpuLocalityUnknown => "gpu-locality-unknown",
            Self::GpuMask => "gpu-mask",
            Self::GpuWitnessesDisagree => "gpu-witnesses-disagree",
            Self::GpuWithoutVulkan => "gpu-without-vulkan",
            Self::SoftwareOnly => "software-only",
            Self::HostsDiffer => "hosts-differ",
        }
    }
}

/// One finding.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Finding {
    /// What kind of remark.
    pub code: Code,
    /// How much it matters.
    pub severity: Severity,
    /// The node.
    pub host: String,
    /// The ranks of `MPI_COMM_WORLD` it concerns, ascending; none where it concerns the node.
    pub ranks: Vec<u32>,
    /// What is so, with values.
    pub message: String,
    /// What to do about it; a report calls it `mend`.
    #[serde(rename = "mend")]
    pub hint: Option<String>,
}

impl fmt::Display for Finding {
    /// What is so, and after a colon what to do about it.
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.message)?;
        self.hint.iter().try_for_each(|hint| write!(f, ": {hint}"))
    }
}

/// Ranks in words: `rank 3`, `ranks 0-2,5`.
#[must_use]
pub fn ranks_in_words(ranks: &[u32]) -> String {
    let list = ranks.iter().map(|&rank| rank as usize).collect::<crate::topology::CpuSet>();
    if ranks.len() == 1 { format!("rank {list}") } else { format!("ranks {list}") }
}
