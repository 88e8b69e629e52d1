//! Image kernels on 64-bit Arm (NEON).
//!
//! Four interleaved vectors of two points in f64 or four in f32; with their counters and the constants they fill half of the
//! 32 registers. An iteration of a vector takes the 8 instructions of the AVX2 kernel, on 128 bits: a core with four vector
//! pipes ends at 4 x 2 / 8 = 1 iteration a cycle in f64. Checked in an emulator, not tuned on a machine.

use fearless_simd::Neon;

use crate::{
    device::cpu::escape::{
        Target,
        lane::{Cell, Lane, Pack},
        map::Rules,
        staged::Workspace,
        tally::Lanes,
        tile::Tile,
    },
    kernel::escape::EscapeTime,
};

impl Pack for Neon {}

impl<T: Lane> Target<T> for Neon {
    fn fill<K: EscapeTime, R: Rules, C: Cell>(
        self,
        work: &mut Workspace<T>,
        tile: &Tile<'_, T>,
        out: &mut [C],
        stride: usize,
    ) -> u64 {
        work.fill::<K, Self, Lanes, R, C, 4>(self, Lanes, tile, out, stride)
    }
}
