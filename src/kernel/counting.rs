//! The list of counting kernels: how many of a range of indices have a property.

use super::{listed::listed, pi::Pi, property::Counting};

listed! {
    /// The counting kernels.
    #[derive(Clone, Copy, Debug, PartialEq, Eq)]
    pub enum CountingKernel {
        /// See [`Pi`].
        Pi = Pi { seed: 7 },
    }
}

impl CountingKernel {
    /// The kernel itself.
    #[must_use]
    pub fn kernel(&self) -> &dyn Counting {
        match self {
            Self::Pi(pi) => pi,
        }
    }
}
