//! What a counting kernel brings: a property that each index has or has not by itself. Knows no kernel. Twin: `shaders/counting.wgsl`.

use std::{fmt::Debug, ops::Range};

/// A counting kernel. No method has a default: the compiler names what a new kernel lacks.
pub trait Counting: Debug {
    /// Its name: the subcommand's, and the stem of its files in `kernel/` and `shaders/`.
    fn name(&self) -> &'static str;

    /// The definition: how many of `indices` have the property.
    fn count(&self, indices: Range<u64>) -> u64;

    /// Indices that a device looks at together, those from a multiple of this number on. A device leaves single ones at either end
    /// of a range to the definition.
    fn block(&self) -> u64;

    /// What a block costs, in units of about ten operations.
    fn block_steps(&self) -> u64;

    /// Its text in WGSL: `block_count(block: u32) -> u32`, and `pair_count(a: u32, b: u32) -> u32` of two blocks, whose numbers
    /// count from `params.block_low` and `params.block_high` on.
    fn wgsl(&self) -> String;

    /// What the text reads from `params`.
    fn uniform(&self) -> Vec<(&'static str, u32)>;
}
