//! The dispatches of one tile: how many of its pixels each takes, and what becomes of the counts it returns.

use std::{marker::PhantomData, ops::Range};

use super::{
    assemble::Assembler,
    batch::{self, Batch},
    params::GpuReal,
    seeker::{Sample, Seeker},
};
use crate::{
    device::gpu::{
        dispatch::Work,
        launch::{Dispatch, Grid},
        pacer::Pacer,
        shader::Repeats,
        slot::Output,
    },
    kernel::{
        count::{Count, sum},
        image::Image,
    },
};

/// What a pixel costs besides its iterations, in iterations: coordinates, packing, the way to the host.
const PIXEL_STEPS: u64 = 8;

/// A compiled kernel, and its bindings for each slot.
pub(super) struct Bound<'a> {
    pub(super) pipeline: &'a wgpu::ComputePipeline,
    pub(super) bind_groups: Vec<wgpu::BindGroup>,
}

/// The dispatches of one tile, computed in `T` and returned in `C`.
pub(super) struct Batches<'a, 'b, 'q, T, C> {
    pub(super) image: &'a Image,
    /// The kernel that ignores repeats, and the one that seeks them.
    pub(super) bound: [Bound<'a>; Repeats::ALL.len()],
    /// What all dispatches do about repeats; where it is open, `seeker` decides.
    pub(super) repeats: Option<Repeats>,
    pub(super) pacer: &'a mut Pacer,
    pub(super) seeker: &'a mut Seeker,
    pub(super) assembler: &'a mut Assembler<'b, 'q, C, Output>,
    /// Pixels that a slot has room for.
    pub(super) max_pixels: u64,
    /// Pixels in a row of the tile.
    pub(super) width: u32,
    /// Where the bands end, in pixels of the tile, in order; nothing where a row does not lie whole in it.
    pub(super) ends: Vec<u64>,
    /// Pixels of the tile that are not launched yet.
    pub(super) remaining: Range<u64>,
    /// See [`Batch::leap_above`].
    pub(super) leap_above: u32,
    /// Iterations that were not made, since the orbit was found to repeat.
    pub(super) skipped: u64,
    pub(super) real: PhantomData<T>,
}

impl<T: GpuReal, C: Count> Work for Batches<'_, '_, '_, T, C> {
    type Batch = Batch;

    /// No more pixels than a slot has room for and the time of a dispatch allows: whole bands where one fits, since they need
    /// not be copied, else whole workgroups.
    fn next(&mut self) -> Option<Batch> {
        if self.remaining.is_empty() || self.assembler.is_enough() {
            return None;
        }
        let group_pixels = batch::group_pixels::<C>();
        let in_time = (self.pacer.items(self.max_steps()) / group_pixels).max(1) * group_pixels;
        let start = self.remaining.start;
        let max_end = self.remaining.end.min(start + in_time.min(self.max_pixels));
        let ended = self.ends.partition_point(|end| *end <= max_end);
        let end = self.ends[..ended].last().copied().filter(|end| *end > start).unwrap_or(max_end);
        self.remaining.start = end;
        let small = |value: u64| u32::try_from(value).expect("tables and slots hold less than 2^32 pixels");
        let width = u64::from(self.width);
        let pixels = end - start;
        Some(Batch {
            width: self.width,
            first_column: small(start % width),
            first_row: small(start / width),
            pixels: small(pixels),
            grid: Grid::of(small(pixels.div_ceil(group_pixels))),
            leap_above: self.leap_above,
            repeats: self.repeats.unwrap_or_else(|| self.seeker.next()),
            is_short: in_time < self.max_pixels,
        })
    }

    fn dispatch(&self, batch: &Batch, slot: usize) -> Dispatch<'_> {
        let bound = &self.bound[batch.repeats as usize];
        Dispatch {
            pipeline: bound.pipeline,
            bind_group: &bound.bind_groups[slot],
            params: bytemuck::bytes_of(&T::params(self.image, batch)).to_vec(),
            is_timed: batch.is_short,
            grid: batch.grid,
            out_bytes: batch::out_bytes::<C>(batch.pixels.into(), batch.repeats),
        }
    }

    /// Adding up the counts costs the host more than some devices need to compute them, so it is left out where the time
    /// that the sum would tell is not what limits the dispatches.
    fn finish(&mut self, batch: Batch, seconds: f64, out: Output) {
        let pixels = u64::from(batch.pixels);
        let counts: &[C] = &bytemuck::cast_slice(&out)[..batch.pixels as usize];
        let skipped = batch::skipped::<C>(&out, pixels, batch.repeats);
        self.skipped += skipped;
        if self.repeats.is_none() {
            self.seeker.record(batch.repeats, Sample::of(counts, self.image.max_iter), skipped);
        }
        if batch.is_short {
            let left = sum(counts);
            let iterations = pixels * u64::from(self.image.max_iter) - left - skipped;
            self.pacer.record(iterations + pixels * PIXEL_STEPS, seconds);
        } else {
            self.pacer.record_at_most(pixels * self.max_steps(), seconds);
        }
        self.assembler.append(out, batch.pixels as usize);
    }
}

impl<T, C> Batches<'_, '_, '_, T, C> {
    /// What a pixel may cost.
    fn max_steps(&self) -> u64 {
        u64::from(self.image.max_iter) + PIXEL_STEPS
    }
}
