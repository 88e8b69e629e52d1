//! Counting on the GPU: whole blocks of indices go to the device, single indices at either end of the range to the definition.
//!
//! Host's side of `shaders/counting.wgsl`. Each workgroup returns the count of its own blocks, which the host adds in 64 bits.

use std::ops::Range;

use super::{
    context::Context,
    dispatch::{self, Work},
    launch::{Dispatch, Grid},
    pacer::Pacer,
    pipeline::{Binding, Contraction, Pipeline},
    shader::{GROUP, LANE_BLOCKS, Shader},
    slot::{Output, Slots},
};
use crate::{device::DeviceError, kernel::property::Counting};

/// Blocks of a workgroup.
const GROUP_BLOCKS: u64 = GROUP as u64 * LANE_BLOCKS as u64;
/// Most blocks of a dispatch: the shader numbers them in 32 bits.
const MAX_BLOCKS: u64 = 1 << 31;

/// The bindings of the kernel, in the order of their numbers.
const BINDINGS: [Binding; 1] = [Binding::Output];

/// The kernel, and what sizes its dispatches.
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
    ) -> Result<Self, DeviceError> {
        let pipeline = Pipeline::build(context, shader, &BINDINGS, contraction)?;
        Ok(Self { pipeline, pacer })
    }

    /// How its dispatches are sized, and how long they took.
    pub(super) fn pacer(&self) -> &Pacer {
        &self.pacer
    }

    /// How many of `indices` the kernel counts, whose text this is.
    pub(super) fn run(
        &mut self,
        context: &Context,
        slots: &mut Slots,
        kernel: &dyn Counting,
        indices: Range<u64>,
    ) -> Result<u64, DeviceError> {
        let size = kernel.block();
        let blocks = indices.start.div_ceil(size)..indices.end / size;
        if blocks.is_empty() {
            return Ok(kernel.count(indices));
        }
        let before = kernel.count(indices.start..blocks.start * size);
        let after = kernel.count(blocks.end * size..indices.end);
        let uniform: Vec<u32> = kernel.uniform().into_iter().map(|(_, word)| word).collect();
        Ok(before + self.run_blocks(context, slots, &uniform, kernel.block_steps(), blocks)? + after)
    }

    /// The count of `blocks`, each of which costs so many steps.
    fn run_blocks(
        &mut self,
        context: &Context,
        slots: &mut Slots,
        uniform: &[u32],
        block_steps: u64,
        blocks: Range<u64>,
    ) -> Result<u64, DeviceError> {
        let max_blocks = MAX_BLOCKS.min(blocks.end - blocks.start);
        slots.reserve(context, out_bytes(max_blocks))?;
        let mut batches = Batches {
            uniform,
            block_steps,
            pipeline: &self.pipeline.compute,
            bind_groups: slots.each(|slot| self.pipeline.bind(context, &[&slot.out])),
            pacer: &mut self.pacer,
            remaining: blocks,
            count: 0,
        };
        dispatch::run(context, slots, &mut batches)?;
        Ok(batches.count)
    }
}

/// Bytes that the workgroups of `blocks` blocks return.
fn out_bytes(blocks: u64) -> u64 {
    blocks.div_ceil(GROUP_BLOCKS) * size_of::<u32>() as u64
}

/// The dispatches of one call.
struct Batches<'a> {
    /// What the kernel's text reads.
    uniform: &'a [u32],
    block_steps: u64,
    pipeline: &'a wgpu::ComputePipeline,
    /// One for each slot.
    bind_groups: Vec<wgpu::BindGroup>,
    pacer: &'a mut Pacer,
    /// Blocks that are not launched yet.
    remaining: Range<u64>,
    count: u64,
}

impl Work for Batches<'_> {
    /// Blocks.
    type Batch = Range<u64>;

    /// As many as the time of a dispatch allows, all with the same upper half of their number.
    fn next(&mut self) -> Option<Range<u64>> {
        if self.remaining.is_empty() {
            return None;
        }
        let start = self.remaining.start;
        let in_time = (self.pacer.items(self.block_steps) / GROUP_BLOCKS).max(1) * GROUP_BLOCKS;
        let to_overflow = (1 << 32) - (start & u64::from(u32::MAX));
        let blocks = in_time.min(MAX_BLOCKS).min(to_overflow).min(self.remaining.end - start);
        self.remaining.start += blocks;
        Some(start..start + blocks)
    }

    fn dispatch(&self, batch: &Range<u64>, slot: usize) -> Dispatch<'_> {
        let blocks = u32::try_from(batch.end - batch.start).expect("a dispatch has at most 2^31 blocks");
        let groups = blocks.div_ceil(GROUP * LANE_BLOCKS);
        let grid = Grid::of(groups);
        let [low, high] = [batch.start & u64::from(u32::MAX), batch.start >> 32];
        let half = |half| u32::try_from(half).expect("half of 64 bits");
        let params = [self.uniform, &[half(low), half(high), blocks]].concat();
        Dispatch {
            pipeline: self.pipeline,
            bind_group: &self.bind_groups[slot],
            params: bytemuck::cast_slice(&params).to_vec(),
            is_timed: true,
            grid,
            out_bytes: out_bytes(u64::from(blocks)),
        }
    }

    fn finish(&mut self, batch: Range<u64>, seconds: f64, out: Output) {
        self.pacer.record((batch.end - batch.start) * self.block_steps, seconds);
        let sums: &[u32] = bytemuck::cast_slice(&out);
        self.count += sums.iter().copied().map(u64::from).sum::<u64>();
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::{
        device::gpu::{GpuDevice, Which, shader},
        kernel::pi::{Pi, is_hit},
    };

    const PI: Pi = Pi { seed: 7 };

    /// Hits of each pair of darts, thrown by the kernel with a generator that returns the key, after `edit`.
    fn hits_of(gpu: &mut GpuDevice, darts: &[[i32; 4]], edit: impl Fn(String) -> String) -> Vec<u64> {
        let text = shader::counting(&PI).wgsl;
        let (open, close) = (text.find("fn threefry").unwrap(), text.find("// Darts thrown").unwrap());
        let generator = "fn threefry(counter: vec4<u32>, key: Params) -> vec4<u32> {
            return vec4(key.k0, key.k1, key.k2, key.k3);
        }\n";
        let wgsl = edit([&text[..open], generator, &text[close..]].concat());
        let mut kernel =
            Kernel::build(&gpu.context, &Shader { wgsl, ..shader::counting(&PI) }, gpu.contraction, Pacer::new())
                .unwrap();
        let mut hits_of_pair = |pair: &[i32; 4]| {
            let key = pair.map(i32::cast_unsigned);
            let mut hits = |blocks| {
                let [x0, y0, x1, y1] = key;
                let uniform = [x0, y0, x1, y1, 0];
                kernel.run_blocks(&gpu.context, &mut gpu.slots, &uniform, PI.block_steps(), 0..blocks).unwrap()
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
