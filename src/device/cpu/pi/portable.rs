//! The pi kernel in plain Rust, for any CPU: the definition, a block at a time instead of a dart at a time.

use std::ops::Range;

use crate::kernel::{
    pi::{counter, is_hit, key},
    threefry::{ROUNDS, threefry4x32},
};

/// The hits of `blocks`.
pub(super) fn hits(seed: u64, blocks: Range<u64>) -> u64 {
    let key = key(seed);
    blocks
        .map(|block| {
            let [x0, y0, x1, y1] = threefry4x32::<ROUNDS>(counter(block), key).map(u32::cast_signed);
            u64::from(is_hit(x0, y0)) + u64::from(is_hit(x1, y1))
        })
        .sum()
}
