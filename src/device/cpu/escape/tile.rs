//! A rectangle of an image and what it takes to compute it. Knows no instruction set.

use super::span::Spans;
use crate::{device::proof::Orbits, kernel::escape::Constants};

/// A rectangle of an image, and what is known of its orbits.
pub(super) struct Tile<'a, T> {
    /// Real parts of its columns, padded to whole blocks.
    pub(super) columns: &'a [T],
    /// Their spans.
    pub(super) spans: Spans<&'a [T]>,
    /// How many of the columns there are.
    pub(super) width: usize,
    /// Imaginary parts of its rows.
    pub(super) rows: &'a [T],
    /// Of the iteration.
    pub(super) constants: Constants<T>,
    /// Sizes of its orbits.
    pub(super) orbits: Orbits,
    /// The number of first tests that every point is known to pass, at most [`MAX_FREE`](super::staging::MAX_FREE).
    pub(super) free: usize,
}
