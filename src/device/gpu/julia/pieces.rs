//! The dispatches of one tile: how many of its pixels each takes, and what becomes of the counts it returns.

use std::{marker::PhantomData, ops::Range};

use super::{
    assemble::{Assembler, Packed},
    params::GpuReal,
};
use crate::{
    device::gpu::{
        dispatch::{Dispatch, Grid, Work},
        pacer::Pacer,
    },
    kernel::julia::Julia,
};

/// Invocations of a workgroup; `GROUP` in the shader.
pub(super) const GROUP: u32 = 64;
/// What a pixel costs besides its iterations, in iterations: coordinates, packing, the way to the host.
const PIXEL_STEPS: u64 = 8;

/// The pixels of one dispatch.
#[derive(Clone, Copy, Debug)]
pub(super) struct Piece {
    /// Pixels in a row of the tile.
    pub(super) width: u32,
    /// Column in the tile of the first pixel.
    pub(super) first_column: u32,
    /// Row in the tile of the first pixel.
    pub(super) first_row: u32,
    /// Number of pixels, which go on through the rows.
    pub(super) pixels: u32,
    pub(super) grid: Grid,
}

/// The dispatches of one tile, computed in `T` and returned in `C`.
pub(super) struct Pieces<'a, 'b, T, C> {
    pub(super) julia: &'a Julia,
    pub(super) pipeline: &'a wgpu::ComputePipeline,
    /// One for each slot.
    pub(super) bind_groups: [wgpu::BindGroup; 2],
    pub(super) pacer: &'a mut Pacer,
    pub(super) assembler: &'a mut Assembler<'b, C>,
    /// Pixels that a slot has room for.
    pub(super) most_pixels: u64,
    /// Pixels in a row of the tile.
    pub(super) width: u32,
    /// Pixels of the tile that are not launched yet.
    pub(super) remaining: Range<u64>,
    pub(super) real: PhantomData<T>,
}

impl<T: GpuReal, C: Packed> Work for Pieces<'_, '_, T, C> {
    type Piece = Piece;

    /// No more pixels than a slot has room for and the time of a dispatch allows, and whole workgroups of them.
    fn next(&mut self) -> Option<Piece> {
        if self.remaining.is_empty() || self.assembler.is_enough() {
            return None;
        }
        let per_word = (size_of::<u32>() / size_of::<C>()) as u64;
        let group_pixels = u64::from(GROUP) * per_word;
        let most_steps = u64::from(self.julia.max_iter) + PIXEL_STEPS;
        let in_time = (self.pacer.items(most_steps) / group_pixels).max(1) * group_pixels;
        let start = self.remaining.start;
        let pixels = in_time.min(self.most_pixels).min(self.remaining.end - start);
        self.remaining.start += pixels;
        let small = |value: u64| u32::try_from(value).expect("tables and slots hold less than 2^32 pixels");
        let width = u64::from(self.width);
        Some(Piece {
            width: self.width,
            first_column: small(start % width),
            first_row: small(start / width),
            pixels: small(pixels),
            grid: Grid::of(small(pixels.div_ceil(group_pixels))),
        })
    }

    fn dispatch(&self, piece: &Piece, slot: usize) -> Dispatch<'_> {
        let counts_bytes = u64::from(piece.pixels) * size_of::<C>() as u64;
        Dispatch {
            pipeline: self.pipeline,
            bind_group: &self.bind_groups[slot],
            params: bytemuck::bytes_of(&T::params(self.julia, piece)).to_vec(),
            grid: piece.grid,
            out_bytes: counts_bytes.next_multiple_of(size_of::<u32>() as u64),
        }
    }

    fn finish(&mut self, piece: Piece, seconds: f64, out: &[u8]) {
        let counts: &[C] = &bytemuck::cast_slice(out)[..piece.pixels as usize];
        let left: u64 = counts.iter().map(|&count| Into::<u64>::into(count)).sum();
        let pixels = u64::from(piece.pixels);
        let iterations = pixels * u64::from(self.julia.max_iter) - left;
        self.pacer.record(iterations + pixels * PIXEL_STEPS, seconds);
        self.assembler.append(counts);
    }
}
