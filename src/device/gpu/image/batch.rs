//! The part of a tile that one dispatch computes. Plain numbers.

use crate::device::gpu::launch::Grid;

/// The pixels of one dispatch.
#[derive(Clone, Copy, Debug)]
pub(super) struct Batch {
    /// Pixels in a row of the tile.
    pub(super) width: u32,
    /// Column in the tile of the first pixel.
    pub(super) first_column: u32,
    /// Row in the tile of the first pixel.
    pub(super) first_row: u32,
    /// Number of pixels, which go on through the rows.
    pub(super) pixels: u32,
    pub(super) grid: Grid,
    /// Iterations come in blocks where more than so many are left.
    pub(super) leap_above: u32,
    /// Whether it would have more pixels if the device had more time for them.
    pub(super) is_short: bool,
}
