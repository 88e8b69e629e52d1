//! Why there is no topology of a node.

use crate::visible::visible;

impl crate::error::ModuleError for TopologyError {}

/// Why a node is not known.
#[derive(Debug, thiserror::Error)]
pub enum TopologyError {
    /// hwloc could not describe this node, or bind a thread on it.
    #[error("hwloc cannot read this node's topology: {0}")]
    Live(String),
    /// A file or text is not a topology that anything can be placed on.
    #[error("cannot use the hwloc topology {}: {}", visible(name), visible(reason))]
    Stored {
        /// The file as the user named it.
        name: String,
        /// What is wrong with it.
        reason: String,
    },
}
