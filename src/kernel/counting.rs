//! The list of counting kernels: how many of a range of indices have a property.

use super::{pi::Pi, property::Counting};

/// The counting kernels.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum CountingKernel {
    /// See [`Pi`].
    Pi(Pi),
}

impl CountingKernel {
    /// One of each kind, with parameters of no importance.
    pub const ALL: [Self; 1] = [Self::Pi(Pi { seed: 7 })];

    /// The kernel itself.
    #[must_use]
    pub fn kernel(&self) -> &dyn Counting {
        match self {
            Self::Pi(pi) => pi,
        }
    }
}
