//! What can go wrong with a device. CPU cores fail at nothing, so all of it is about GPUs.

use crate::request::NO_GPU;

/// Why a device cannot compute.
#[derive(Debug, thiserror::Error)]
pub enum DeviceError {
    /// There is no such GPU.
    #[error("{NO_GPU}: {reason}; {way_out}")]
    NoGpu {
        /// What was looked for, and why nothing was found.
        reason: String,
        /// What the user can do.
        way_out: String,
    },
    /// A GPU that was there failed.
    #[error("GPU {adapter}: {step}: {cause}")]
    Gpu {
        /// The adapter's name and PCI bus id.
        adapter: String,
        /// What was being done.
        step: &'static str,
        /// What the driver said.
        cause: String,
    },
}

impl crate::error::ModuleError for DeviceError {}
