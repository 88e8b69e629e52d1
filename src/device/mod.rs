//! What computes: the CPU cores or the GPU of one rank, behind one trait.
//!
//! [`Device`] has one blocking method for each shape of kernels and no default methods; which kernels there are, it does not know.
//! Knows nothing of MPI, files or what the results are for.

pub mod cpu;
mod error;
pub mod gpu;
mod proof;

use std::{
    fmt,
    ops::{ControlFlow, Range},
};

use serde::{Deserialize, Serialize};

pub use self::error::DeviceError;

use crate::kernel::{Precision, band::Band, count::Counts, counting::CountingKernel, image::Image};

/// The two kinds of device.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum Kind {
    /// Cores of the rank's binding.
    Cpu,
    /// A GPU, or a software adapter that was allowed to stand in for one.
    Gpu,
}

impl fmt::Display for Kind {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Self::Cpu => "cpu",
            Self::Gpu => "gpu",
        })
    }
}

/// What a device is and what it can do, for placement decisions and for the report.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Identity {
    /// CPU or GPU.
    pub kind: Kind,
    /// The processor's or adapter's name, with the instruction set or the driver.
    pub adapter: String,
    /// PCI bus id (`0000:65:00.0`) of a GPU that has one.
    pub pci_bus_id: Option<String>,
    /// Threads: of a CPU those that compute, of a GPU those that take over what it has computed.
    pub threads: usize,
    /// Whether it can compute in f64.
    pub has_f64: bool,
    /// Why + - * on it may give other bits than on a CPU, or its counts may differ from the definition's, where they may.
    pub inexact: Option<String>,
}

/// Called with each band as soon as its counts are known, from any thread of the device, each band once. Its answer tells
/// whether more are wanted.
pub type Deliver<'a> = &'a (dyn Fn(&Band, Counts<'_>) -> ControlFlow<()> + Sync);

/// One rank's means of computing.
pub trait Device: fmt::Debug + Send {
    /// What it is.
    fn identity(&self) -> &Identity;

    /// Computes `bands` of `image` and hands each to `deliver`; returns when all are delivered, or when no more are wanted:
    /// then some at the end of `bands` are left out, and all before them are delivered. Returns how many of the iterations that
    /// the counts tell of it did not make, since what becomes of the orbit was known.
    ///
    /// # Errors
    /// [`DeviceError::Gpu`] where the device is lost, out of memory or lacks the precision.
    fn image(
        &mut self,
        image: &Image,
        precision: Precision,
        bands: &[Band],
        deliver: Deliver<'_>,
    ) -> Result<u64, DeviceError>;

    /// Seconds in which a device of its own computed since it was opened, what it computed on its way to the host included;
    /// `None` where the host's cores are the device.
    fn busy_s(&self) -> Option<f64>;

    /// How many of `indices` `kernel` counts.
    ///
    /// # Errors
    /// [`DeviceError::Gpu`] where the device is lost or out of memory.
    fn count(&mut self, kernel: &CountingKernel, indices: Range<u64>) -> Result<u64, DeviceError>;
}
