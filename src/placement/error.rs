//! Why ranks have no place on their node. The messages name the options of the command line that help.

use crate::{pci::PciBusId, request::NO_GPU, topology::CpuSet};

/// Why ranks cannot be placed.
#[derive(Debug, thiserror::Error)]
#[allow(clippy::enum_variant_names, reason = "what there is none of")]
pub enum PlacementError {
    /// No rank may use a GPU.
    #[error("0 ranks a GPU: --ranks-per-gpu is at least 1")]
    NoRanksPerGpu,
    /// A GPU is requested that the node has not got.
    #[error("rank {rank} is to use GPU {id}{}, but {host} {inventory}", in_brackets(source_line.as_deref()))]
    NoSuchGpu {
        /// The rank.
        rank: u32,
        /// The GPU.
        id: PciBusId,
        /// The line of a rankfile that requests it.
        source_line: Option<String>,
        /// The node.
        host: String,
        /// What display devices the node has, as the rest of a sentence.
        inventory: String,
    },
    /// A GPU is requested and there is none left for the rank.
    #[error("{NO_GPU}: rank {rank}{}: {reason}; {way_out}", in_brackets(source_line.as_deref()))]
    NoGpu {
        /// The rank.
        rank: u32,
        /// The line of a rankfile that requests it.
        source_line: Option<String>,
        /// What was looked for, and why nothing was found.
        reason: String,
        /// What the user can do.
        way_out: String,
    },
    /// A binding names no core that the job may use.
    #[error(
        "ranks cannot be placed: rank {rank} is bound to PUs {binding}, but the PUs that can be used on {host} are {allowed}"
    )]
    NoUsableCore {
        /// The rank.
        rank: u32,
        /// The PUs that it is bound to.
        binding: CpuSet,
        /// The node.
        host: String,
        /// The PUs that the job may use there.
        allowed: CpuSet,
    },
}

impl PlacementError {
    /// Whether the command line or a rankfile asks for something that cannot be on any day.
    #[must_use]
    pub fn is_usage(&self) -> bool {
        matches!(self, Self::NoRanksPerGpu | Self::NoSuchGpu { .. })
    }
}

impl From<PlacementError> for crate::error::Error {
    /// What the user asks for in vain is for the user to change.
    fn from(error: PlacementError) -> Self {
        if error.is_usage() { Self::Usage(error.to_string()) } else { Self::Module(Box::new(error)) }
    }
}

fn in_brackets(line: Option<&str>) -> String {
    line.map_or_else(String::new, |line| format!(" ({line})"))
}
