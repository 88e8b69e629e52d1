//! The mathematics: parameters and the scalar definition of each kernel.
//!
//! A kernel is what a rank computes on its device. Its definition here is the reference that every device must reproduce
//! bit for bit; the twins that are fast live in [`crate::device`] and in `shaders/`. Knows nothing of devices, threads,
//! MPI or files.
//!
//! A kernel has one of two shapes. An image kernel counts for every pixel of a grid ([`image`], [`escape`]); a counting kernel
//! counts over a range of indices ([`counting`], [`property`]). Devices, jobs, tests and benchmarks take any kernel of a shape; what a kernel
//! brings is in its own file alone.

pub mod band;
pub mod count;
pub mod counting;
pub mod escape;
pub mod image;
pub mod julia;
mod listed;
pub mod mandelbrot;
pub mod number;
pub mod pi;
pub mod picture;
pub mod property;
pub mod threefry;
#[cfg(test)]
mod ties;

use std::fmt;

use serde::{Deserialize, Serialize};

/// A kernel of either shape: what a device is opened for.
#[derive(Clone, Copy, Debug, PartialEq)]
pub enum Kernel {
    /// A count for every pixel of a grid.
    Image(image::ImageKernel),
    /// A sum over a range of indices.
    Counting(counting::CountingKernel),
}

impl Kernel {
    /// One whose test shows how a device rounds: for devices that are opened for a kernel of somebody else's.
    pub const OF_ROUNDING: Self = Self::Image(image::ImageKernel::ALL[0]);

    /// Its name, which is that of its subcommand.
    #[must_use]
    pub fn name(&self) -> &'static str {
        match self {
            Self::Image(kernel) => kernel.name(),
            Self::Counting(kernel) => kernel.kernel().name(),
        }
    }
}

/// The floating-point format in which a whole run computes. It belongs to the run, not to a rank: ranks that computed in
/// different formats would draw pictures that do not match along their borders.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum Precision {
    /// IEEE 754 binary32.
    F32,
    /// IEEE 754 binary64.
    F64,
}

impl fmt::Display for Precision {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Self::F32 => "f32",
            Self::F64 => "f64",
        })
    }
}
