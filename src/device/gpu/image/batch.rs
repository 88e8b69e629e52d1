//! The part of a tile that one dispatch computes, and what it puts out: the counts, packed, and behind them a word a workgroup, the
//! iterations that it did not make. Plain numbers.

use crate::device::gpu::{launch::Grid, shader::GROUP};

/// Bytes of a word of output.
const WORD_BYTES: u64 = size_of::<u32>() as u64;
/// Bytes that a workgroup puts out: a word of counts an invocation, and its word behind all counts.
pub(super) const GROUP_BYTES: u64 = (GROUP as u64 + 1) * WORD_BYTES;

/// Pixels of a workgroup with counts in `C`.
pub(super) const fn group_pixels<C>() -> u64 {
    GROUP as u64 * WORD_BYTES / size_of::<C>() as u64
}

/// Bytes of the counts of so many pixels, to whole words.
pub(super) const fn counts_bytes<C>(pixels: u64) -> u64 {
    (pixels * size_of::<C>() as u64).next_multiple_of(WORD_BYTES)
}

/// Bytes that a dispatch of so many pixels puts out.
pub(super) const fn out_bytes<C>(pixels: u64) -> u64 {
    counts_bytes::<C>(pixels) + pixels.div_ceil(group_pixels::<C>()) * WORD_BYTES
}

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
