//! Ranks and a node's topology in, cores and device of each rank out.
//!
//! Everything here is a pure function of values, so that every machine can be tried on any machine. [`choose`] serves the
//! ranks of a running job, inside the bindings that the launcher gave them; [`map()`] plans a new job; both assign GPUs and cores
//! by the same functions. [`audit()`] says what is
//! remarkable about the places of a running job, [`foresee()`] of a planned one. Opening a device, binding a thread and asking MPI are left to others.

mod assign_cores;
mod assign_gpus;
mod audit;
mod contest;
mod cores;
mod devices;
mod distance;
mod error;
mod finding;
mod hosts;
mod inspect;
mod live;
mod map;
mod neighbours;
mod refusal;
#[cfg(test)]
mod sample;
mod settings;
mod visible;

use std::fmt;

use serde::{Deserialize, Serialize};

pub use self::{
    audit::{NodeFacts, audit, foresee},
    distance::{Distance, distance},
    error::PlacementError,
    finding::{Code, Finding, ranks_in_words},
    hosts::{HostFacts, unlike_hosts},
    inspect::{
        Cause, DeviceFile, IcdFile, LibraryFault, NvidiaFacts, RankFacts, Requested, UnreadIcdFile, VulkanAdapter,
        VulkanFacts, differences, unsatisfied, why_no_software, why_unlisted,
    },
    live::choose,
    map::{map, map_ranks},
    settings::{Setting, settings},
    visible::{Visible, visible},
};
use crate::{launcher::Launcher, pci::PciBusId, topology::CpuSet};
pub use crate::{request::DeviceRequest, severity::Severity};

/// The device that a rank has.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
pub enum Device {
    /// Its cores.
    Cpu,
    /// A GPU.
    Gpu(PciBusId),
    /// A software adapter that stands in for a GPU.
    SoftwareGpu,
}

/// A rank of one node, before it has a place.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct LocalRank {
    /// Rank in `MPI_COMM_WORLD`, for messages.
    pub rank: u32,
    /// The PUs that the launcher bound it to.
    pub binding: CpuSet,
    /// The device that is requested for it.
    pub request: DeviceRequest,
    /// Source of the request: a line of a rankfile, as `FILE:LINE`; `None` for the command line.
    pub source: Option<String>,
    /// The GPUs that its environment leaves visible.
    pub visible: Visible,
    /// What started it, where that is known.
    pub launcher: Option<Launcher>,
}

/// How places are assigned; the same on all ranks of a job.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Rules {
    /// Ranks that may share a GPU, at least 1.
    pub ranks_per_gpu: usize,
    /// Whether a software adapter stands in for a GPU.
    pub software: Software,
    /// Threads of each rank; `None` for one a core.
    pub threads: Option<usize>,
}

/// Whether a software adapter stands in for a GPU.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Software {
    /// No, and nobody can ask for one: what is placed is not this program.
    Never,
    /// No, but it can be asked for.
    Unasked,
    /// One a node.
    OnePerNode,
}

impl Software {
    /// How many a node has.
    fn per_node(self) -> usize {
        usize::from(self == Self::OnePerNode)
    }
}

impl Default for Rules {
    fn default() -> Self {
        Self { ranks_per_gpu: 1, software: Software::Unasked, threads: None }
    }
}

/// Where a rank computes.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Place {
    /// Rank in `MPI_COMM_WORLD`.
    pub rank: u32,
    /// The PUs of its own cores.
    pub cores: CpuSet,
    /// Threads it computes with.
    pub threads: usize,
    /// What it computes on.
    pub device: Device,
}

impl Device {
    /// `cpu` or `gpu`: a software adapter runs the same shaders as a GPU and counts as one.
    #[must_use]
    pub fn kind(&self) -> &'static str {
        match self {
            Self::Cpu => "cpu",
            Self::Gpu(_) | Self::SoftwareGpu => "gpu",
        }
    }
}

impl fmt::Display for Device {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Cpu => f.pad("cpu"),
            Self::Gpu(id) => id.fmt(f),
            Self::SoftwareGpu => f.pad("software gpu"),
        }
    }
}
