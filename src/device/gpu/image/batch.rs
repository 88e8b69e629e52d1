//! The part of a tile that one dispatch computes, and what it puts out: the counts, packed, and behind them, where repeats are sought,
//! a vector a workgroup, the iterations that it did not make. Plain numbers.

use crate::device::gpu::{
    launch::Grid,
    shader::{GROUP_WORDS, Repeats},
};

/// Bytes of a word of output.
const WORD_BYTES: u64 = size_of::<u32>() as u64;
/// Bytes of a vector, in which the output is written.
const VECTOR_BYTES: u64 = 4 * WORD_BYTES;
/// Most bytes that a workgroup puts out: its counts, and its vector behind all counts.
pub(super) const GROUP_BYTES: u64 = GROUP_WORDS as u64 * WORD_BYTES + VECTOR_BYTES;

/// Pixels of a workgroup with counts in `C`.
pub(super) const fn group_pixels<C>() -> u64 {
    GROUP_WORDS as u64 * WORD_BYTES / size_of::<C>() as u64
}

/// Bytes of the counts of so many pixels, to whole vectors.
pub(super) const fn counts_bytes<C>(pixels: u64) -> u64 {
    (pixels * size_of::<C>() as u64).next_multiple_of(VECTOR_BYTES)
}

/// Bytes that a dispatch of so many pixels puts out.
pub(super) const fn out_bytes<C>(pixels: u64, repeats: Repeats) -> u64 {
    let behind = match repeats {
        Repeats::Ignored => 0,
        Repeats::Sought => pixels.div_ceil(group_pixels::<C>()) * VECTOR_BYTES,
    };
    counts_bytes::<C>(pixels) + behind
}

/// The iterations that a dispatch of so many pixels did not make, by what it put `out`.
pub(super) fn skipped<C>(out: &[u8], pixels: u64, repeats: Repeats) -> u64 {
    let counts = usize::try_from(counts_bytes::<C>(pixels)).expect("a slot is in memory");
    match repeats {
        Repeats::Ignored => 0,
        Repeats::Sought => {
            bytemuck::cast_slice::<_, [u32; 4]>(&out[counts..]).iter().map(|group| u64::from(group[0])).sum()
        }
    }
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
    pub(super) repeats: Repeats,
    /// Whether it would have more pixels if the device had more time for them.
    pub(super) is_short: bool,
}
