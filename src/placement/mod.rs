//! Ranks and a node's topology in, cores and device of each rank out.
//!
//! Everything here is a pure function of values, so that every machine can be tried on any machine. [`choose`] serves the
//! ranks of a running job, inside the bindings that the launcher gave them; [`map`] plans a new job. Both deal GPUs and cores
//! by the same functions. Opening a device, binding a thread and asking MPI are left to others.

mod assign;
mod contest;
mod deal;
mod distance;
mod finding;
mod inspect;
mod live;
mod visible;

use std::{fmt, str::FromStr};

use serde::{Deserialize, Serialize};

pub use self::{
    distance::{Distance, distance},
    finding::{Code, Finding, Severity, ranks_in_words},
    inspect::{Asked, RankFacts},
    live::choose,
    visible::{VARIABLES, Visible, visible},
};
use crate::topology::{CpuSet, PciBusId};

/// The device a rank was told to use.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(into = "String", try_from = "String")]
pub enum DeviceWish {
    /// A GPU where one is left, else cores.
    #[default]
    Auto,
    /// Cores.
    Cpu,
    /// Any GPU; without one the job fails.
    Gpu,
    /// This GPU; without it the job fails.
    ThisGpu(PciBusId),
}

/// The device a rank got.
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
    /// The device it was told to use.
    pub wish: DeviceWish,
    /// The GPUs that its environment leaves visible.
    pub visible: Visible,
}

/// How places are dealt; the same on all ranks of a job.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Rules {
    /// Ranks that may share a GPU, at least 1.
    pub ranks_per_gpu: usize,
    /// Software adapters of a node that may stand in for a GPU, 0 or 1.
    pub software_gpus: usize,
    /// Threads of each rank; `None` for one a core.
    pub threads: Option<usize>,
}

impl Default for Rules {
    fn default() -> Self {
        Self { ranks_per_gpu: 1, software_gpus: 0, threads: None }
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

/// The places of a node's ranks.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct Placement {
    /// One place a rank, in the order the ranks were given in.
    pub places: Vec<Place>,
    /// What the user should know about them.
    pub findings: Vec<Finding>,
}

impl fmt::Display for DeviceWish {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Auto => f.pad("auto"),
            Self::Cpu => f.pad("cpu"),
            Self::Gpu => f.pad("gpu"),
            Self::ThisGpu(id) => id.fmt(f),
        }
    }
}

/// A text that names no device.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[error("`{0}` is no device; give auto, cpu, gpu or a PCI bus id like 0000:65:00.0")]
pub struct ParseDeviceWishError(String);

impl FromStr for DeviceWish {
    type Err = ParseDeviceWishError;

    fn from_str(text: &str) -> Result<Self, ParseDeviceWishError> {
        match text {
            "auto" => Ok(Self::Auto),
            "cpu" => Ok(Self::Cpu),
            "gpu" => Ok(Self::Gpu),
            _ => text.parse().map(Self::ThisGpu).map_err(|_| ParseDeviceWishError(text.to_owned())),
        }
    }
}

impl From<DeviceWish> for String {
    fn from(wish: DeviceWish) -> Self {
        wish.to_string()
    }
}

impl TryFrom<String> for DeviceWish {
    type Error = ParseDeviceWishError;

    fn try_from(text: String) -> Result<Self, ParseDeviceWishError> {
        text.parse()
    }
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

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_device_wish_is_read_as_it_is_written() {
        for text in ["auto", "cpu", "gpu", "0000:65:00.0"] {
            assert_eq!(text.parse::<DeviceWish>().unwrap().to_string(), text);
        }
        let message = "gpu0".parse::<DeviceWish>().unwrap_err().to_string();
        assert!(message.contains("`gpu0`") && message.contains("0000:65:00.0"), "{message}");
    }
}
