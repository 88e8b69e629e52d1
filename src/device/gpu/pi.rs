//! Pi on the GPU: whole blocks of the generator go to the device, a single dart at either end of the range to the
//! definition.
//!
//! Twin of `shaders/pi.wgsl`. Each workgroup returns the hits of its own blocks, which the host adds in 64 bits.

use std::ops::Range;

use bytemuck::{Pod, Zeroable};

use super::{
    context::Context,
    dispatch::{self, Dispatch, Grid, Work},
    pacer::Pacer,
    pipeline::{Binding, Contraction, Pipeline},
    shader::{self, Shader},
    slot::{Output, Slots},
};
use crate::{
    error::Error,
    kernel::{
        pi::{DARTS_PER_BLOCK, counter, hits, key},
        threefry::schedule,
    },
};

/// Invocations of a workgroup.
pub(super) const GROUP: u32 = 64;
/// Blocks of an invocation: enough that adding up a workgroup's hits costs nothing beside them.
pub(super) const LANE_BLOCKS: u32 = 256;
/// Blocks of a workgroup.
const GROUP_BLOCKS: u64 = GROUP as u64 * LANE_BLOCKS as u64;
/// Most blocks of a dispatch: the shader numbers them in 32 bits.
const MOST_BLOCKS: u64 = 1 << 31;
/// Cost of a block in the pacer's steps, each about ten operations.
const BLOCK_STEPS: u64 = 12;

/// The bindings of the kernel, in the order of their numbers.
const BINDINGS: [Binding; 1] = [Binding::Output];

/// The shader's `Params`, whose members its text explains.
#[repr(C)]
#[derive(Clone, Copy, Debug, Pod, Zeroable)]
#[expect(missing_docs, reason = "the shader's twin explains each member")]
pub struct Params {
    pub k0: u32,
    pub k1: u32,
    pub k2: u32,
    pub k3: u32,
    pub k4: u32,
    pub block_low: u32,
    pub block_high: u32,
    pub blocks: u32,
}

/// The kernel's text.
pub(super) fn shader() -> Shader {
    shader::pi(GROUP, LANE_BLOCKS)
}

/// The kernel and its pace.
#[derive(Debug)]
pub(super) struct Kernel {
    pipeline: Pipeline,
    pacer: Pacer,
}

impl Kernel {
    /// Compiles `shader`.
    pub(super) fn build(
        context: &Context,
        shader: &Shader,
        contraction: Contraction,
        pacer: Pacer,
    ) -> Result<Self, Error> {
        let pipeline = Pipeline::build(context, shader, &BINDINGS, contraction)?;
        Ok(Self { pipeline, pacer })
    }

    /// How its dispatches are sized, and how long they took.
    pub(super) fn pacer(&self) -> &Pacer {
        &self.pacer
    }

    /// Hits of `darts`.
    pub(super) fn run(
        &mut self,
        context: &Context,
        slots: &mut Slots,
        seed: u64,
        darts: Range<u64>,
    ) -> Result<u64, Error> {
        let blocks = darts.start.div_ceil(DARTS_PER_BLOCK)..darts.end / DARTS_PER_BLOCK;
        if blocks.is_empty() {
            return Ok(hits(seed, darts));
        }
        let before = hits(seed, darts.start..blocks.start * DARTS_PER_BLOCK);
        let after = hits(seed, blocks.end * DARTS_PER_BLOCK..darts.end);
        Ok(before + self.run_blocks(context, slots, schedule(key(seed)), blocks)? + after)
    }

    /// Hits of the darts of `blocks`.
    fn run_blocks(
        &mut self,
        context: &Context,
        slots: &mut Slots,
        schedule: [u32; 5],
        blocks: Range<u64>,
    ) -> Result<u64, Error> {
        let most_blocks = MOST_BLOCKS.min(blocks.end - blocks.start);
        slots.reserve(context, out_bytes(most_blocks))?;
        let mut pieces = Pieces {
            schedule,
            pipeline: &self.pipeline.compute,
            bind_groups: slots.each(|slot| self.pipeline.bind(context, &[&slot.out])),
            pacer: &mut self.pacer,
            remaining: blocks,
            hits: 0,
        };
        dispatch::run(context, slots, &mut pieces)?;
        Ok(pieces.hits)
    }
}

/// Bytes that the workgroups of `blocks` blocks return.
fn out_bytes(blocks: u64) -> u64 {
    blocks.div_ceil(GROUP_BLOCKS) * size_of::<u32>() as u64
}

/// The dispatches of one call.
struct Pieces<'a> {
    schedule: [u32; 5],
    pipeline: &'a wgpu::ComputePipeline,
    /// One for each slot.
    bind_groups: Vec<wgpu::BindGroup>,
    pacer: &'a mut Pacer,
    /// Blocks that are not launched yet.
    remaining: Range<u64>,
    hits: u64,
}

impl Work for Pieces<'_> {
    /// Blocks.
    type Piece = Range<u64>;

    /// As many as the time of a dispatch allows, all with the same upper half of their number.
    fn next(&mut self) -> Option<Range<u64>> {
        if self.remaining.is_empty() {
            return None;
        }
        let start = self.remaining.start;
        let in_time = (self.pacer.items(BLOCK_STEPS) / GROUP_BLOCKS).max(1) * GROUP_BLOCKS;
        let to_overflow = (1 << 32) - (start & u64::from(u32::MAX));
        let blocks = in_time.min(MOST_BLOCKS).min(to_overflow).min(self.remaining.end - start);
        self.remaining.start += blocks;
        Some(start..start + blocks)
    }

    fn dispatch(&self, piece: &Range<u64>, slot: usize) -> Dispatch<'_> {
        let blocks = u32::try_from(piece.end - piece.start).expect("a dispatch has at most 2^31 blocks");
        let groups = blocks.div_ceil(GROUP * LANE_BLOCKS);
        let grid = Grid::of(groups);
        let [k0, k1, k2, k3, k4] = self.schedule;
        let [block_low, block_high, ..] = counter(piece.start);
        let params = Params { k0, k1, k2, k3, k4, block_low, block_high, blocks };
        Dispatch {
            pipeline: self.pipeline,
            bind_group: &self.bind_groups[slot],
            params: bytemuck::bytes_of(&params).to_vec(),
            is_timed: true,
            grid,
            out_bytes: out_bytes(u64::from(blocks)),
        }
    }

    fn finish(&mut self, piece: Range<u64>, seconds: f64, out: Output) {
        self.pacer.record((piece.end - piece.start) * BLOCK_STEPS, seconds);
        let sums: &[u32] = bytemuck::cast_slice(&out);
        self.hits += sums.iter().copied().map(u64::from).sum::<u64>();
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::{
        device::gpu::{GpuDevice, Which},
        kernel::pi::is_hit,
    };

    /// Hits of each pair of darts, thrown by the kernel with a generator that returns the key, after `edit`.
    fn hits_of(gpu: &mut GpuDevice, darts: &[[i32; 4]], edit: impl Fn(String) -> String) -> Vec<u64> {
        let text = shader().wgsl;
        let (open, close) = (text.find("fn threefry").unwrap(), text.find("// Darts thrown").unwrap());
        let generator = "fn threefry(counter: vec4<u32>, key: Params) -> vec4<u32> {
            return vec4(key.k0, key.k1, key.k2, key.k3);
        }\n";
        let wgsl = edit([&text[..open], generator, &text[close..]].concat());
        let mut kernel =
            Kernel::build(&gpu.context, &Shader { wgsl, ..shader() }, gpu.contraction, Pacer::new()).unwrap();
        let mut hits_of_pair = |pair: &[i32; 4]| {
            let key = pair.map(i32::cast_unsigned);
            let mut hits = |blocks| {
                let [x0, y0, x1, y1] = key;
                kernel.run_blocks(&gpu.context, &mut gpu.slots, [x0, y0, x1, y1, 0], 0..blocks).unwrap()
            };
            // An invocation judges one block by itself, and two together.
            let (alone, together) = (hits(1), hits(2 * u64::from(GROUP)));
            assert_eq!(together, alone * 2 * u64::from(GROUP), "{pair:?}");
            alone
        };
        darts.iter().map(&mut hits_of_pair).collect()
    }

    /// Pairs of darts on both sides of the circle, as near to it as the lattice allows, and at the edges.
    fn near_the_circle() -> Vec<[i32; 4]> {
        let mut darts = vec![
            [0; 4],
            [i32::MIN, 0, 0, i32::MIN],
            [i32::MIN; 4],
            [i32::MAX; 4],
            [i32::MAX, 65_535, i32::MAX, 65_536],
        ];
        for k in 0..100_i32 {
            let x = 21_474_836 * k;
            // The largest y that hits.
            let (mut hit, mut miss) = (0, i32::MAX);
            while miss - hit > 1 {
                let middle = hit + (miss - hit) / 2;
                if is_hit(x, middle) { hit = middle } else { miss = middle }
            }
            darts.push([x, hit, x, miss]);
            darts.push([-x, -hit, -miss, x]);
        }
        darts
    }

    fn expected(darts: &[[i32; 4]]) -> Vec<u64> {
        darts.iter().map(|&[x0, y0, x1, y1]| u64::from(is_hit(x0, y0)) + u64::from(is_hit(x1, y1))).collect()
    }

    #[test]
    fn darts_next_to_the_circle_are_judged_exactly() {
        let mut gpu = GpuDevice::open(&Which::Software).unwrap();
        let darts = near_the_circle();
        assert_eq!(hits_of(&mut gpu, &darts, |wgsl| wgsl), expected(&darts));
    }

    #[test]
    fn a_test_without_the_low_words_carry_is_noticed() {
        let mut gpu = GpuDevice::open(&Which::Software).unwrap();
        let darts = near_the_circle();
        let careless = hits_of(&mut gpu, &darts, |wgsl| wgsl.replace("x2.y + y2.y + carry <", "x2.y + y2.y <"));
        assert_ne!(careless, expected(&darts));
        let coarse = hits_of(&mut gpu, &darts, |wgsl| wgsl.replace("if doubt {", "if false {"));
        assert_ne!(coarse, expected(&darts));
    }
}
