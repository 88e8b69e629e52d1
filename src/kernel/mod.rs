//! The mathematics: parameters and the scalar definition of each kernel.
//!
//! A kernel is what a rank computes on its device. Its definition here is the reference that every device must reproduce
//! bit for bit; the twins that are fast live in [`crate::device`] and in `shaders/`. Knows nothing of devices, threads,
//! MPI or files.

pub mod band;
pub mod julia;
pub mod pi;
pub mod threefry;
#[cfg(test)]
mod ties;

use std::fmt;

use serde::{Deserialize, Serialize};

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
