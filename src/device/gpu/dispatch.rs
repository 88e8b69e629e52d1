//! Dispatches, two in flight: while the host takes over what one has computed, the next one computes.
//!
//! A [`Slot`] holds the buffers of one dispatch in flight; [`run`] takes the pieces of a [`Work`] through two of them.
//! Knows nothing of kernels.

use std::{collections::VecDeque, time::Instant};

use super::{context::Context, timer::Timer};
use crate::error::Error;

/// Workgroups in one dimension of a dispatch: what every device allows.
const MOST_WORKGROUPS: u32 = 65_535;

/// The two-dimensional grid that holds a number of workgroups; a kernel numbers them y * width + x.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct Grid {
    /// Workgroups in a row.
    pub(super) width: u32,
    /// Rows.
    pub(super) height: u32,
}

impl Grid {
    /// A grid of at least `workgroups`, at most 65535^2, and less than a row more.
    pub(super) fn of(workgroups: u32) -> Self {
        let height = workgroups.div_ceil(MOST_WORKGROUPS).max(1);
        Self { width: workgroups.div_ceil(height), height }
    }
}

/// One launch of a kernel.
#[derive(Debug)]
pub(super) struct Dispatch<'a> {
    pub(super) pipeline: &'a wgpu::ComputePipeline,
    pub(super) bind_group: &'a wgpu::BindGroup,
    /// The kernel's uniform.
    pub(super) params: &'a [u8],
    pub(super) grid: Grid,
    /// Bytes of the output that the host wants, a multiple of 4, at most the slot's capacity.
    pub(super) out_bytes: u64,
}

/// Work that goes to the device in pieces.
pub(super) trait Work {
    /// What must be known of a dispatch in flight.
    type Piece;

    /// Decides the next piece and what to launch for it in slot `slot`; `None` where all is launched.
    fn launch(&mut self, slot: usize, launch: &mut dyn FnMut(Dispatch<'_>)) -> Option<Self::Piece>;

    /// Takes over a piece that is done, in the order of the launches: how long it took and what it put out.
    fn finish(&mut self, piece: Self::Piece, seconds: f64, out: &[u8]);
}

/// Takes all of `work` through `slots`.
///
/// # Errors
/// The device's first failure.
pub(super) fn run<W: Work>(context: &Context, slots: &[Slot; 2], work: &mut W) -> Result<(), Error> {
    let mut in_flight = VecDeque::with_capacity(slots.len());
    let mut last_done = Instant::now();
    let mut free = [1, 0].to_vec();
    loop {
        while let Some(slot) = free.pop() {
            let mut launched = None;
            let piece = work.launch(slot, &mut |dispatch| launched = Some(slots[slot].launch(context, &dispatch)));
            let (Some(piece), Some(launched)) = (piece, launched) else { break };
            context.check("starting a dispatch")?;
            in_flight.push_back((slot, piece, launched));
        }
        let Some((slot, piece, launched)) = in_flight.pop_front() else { return Ok(()) };
        let started = last_done.max(launched.at);
        slots[slot].finish(context, launched, |ticks_s, out| {
            last_done = Instant::now();
            // By the device's clock where it has one. By the host's, a dispatch that was done before the host came to
            // look seems longer than it was, which makes the next ones shorter than they need be.
            work.finish(piece, ticks_s.unwrap_or((last_done - started).as_secs_f64()), out);
        })?;
        free.push(slot);
    }
}

/// The buffers of one dispatch in flight.
#[derive(Debug)]
pub(super) struct Slot {
    /// The kernel's uniform.
    pub(super) params: wgpu::Buffer,
    /// Where the kernel writes.
    pub(super) out: wgpu::Buffer,
    /// Where the host reads.
    back: wgpu::Buffer,
    timer: Option<Timer>,
}

/// A dispatch on its way.
#[derive(Debug)]
struct Launched {
    submission: wgpu::SubmissionIndex,
    at: Instant,
    out_bytes: u64,
}

impl Slot {
    /// A slot for at most `out_bytes` of output and uniforms of at most `params_bytes`.
    pub(super) fn new(context: &Context, params_bytes: u64, out_bytes: u64) -> Result<Self, Error> {
        use wgpu::BufferUsages as Usage;
        Ok(Self {
            params: context.buffer("a uniform", params_bytes, Usage::UNIFORM | Usage::COPY_DST)?,
            out: context.buffer("an output", out_bytes, Usage::STORAGE | Usage::COPY_SRC)?,
            back: context.buffer("a readback", out_bytes, Usage::MAP_READ | Usage::COPY_DST)?,
            timer: Timer::new(context)?,
        })
    }

    fn launch(&self, context: &Context, dispatch: &Dispatch<'_>) -> Launched {
        context.queue.write_buffer(&self.params, 0, dispatch.params);
        let mut encoder = context.device.create_command_encoder(&wgpu::CommandEncoderDescriptor::default());
        {
            let mut pass = encoder.begin_compute_pass(&wgpu::ComputePassDescriptor {
                label: None,
                timestamp_writes: self.timer.as_ref().map(Timer::writes),
            });
            pass.set_pipeline(dispatch.pipeline);
            pass.set_bind_group(0, dispatch.bind_group, &[]);
            pass.dispatch_workgroups(dispatch.grid.width, dispatch.grid.height, 1);
        }
        encoder.copy_buffer_to_buffer(&self.out, 0, &self.back, 0, dispatch.out_bytes);
        if let Some(timer) = &self.timer {
            timer.read_back(&mut encoder);
        }
        let at = Instant::now();
        let submission = context.queue.submit([encoder.finish()]);
        Launched { submission, at, out_bytes: dispatch.out_bytes }
    }

    /// Waits for `launched` and shows `take` how long it took by the device's clock, and its output.
    fn finish(
        &self,
        context: &Context,
        launched: Launched,
        take: impl FnOnce(Option<f64>, &[u8]),
    ) -> Result<(), Error> {
        const STEP: &str = "reading back a result";
        let slice = self.back.slice(..launched.out_bytes);
        slice.map_async(wgpu::MapMode::Read, context.on_mapped());
        if let Some(timer) = &self.timer {
            timer.map(context);
        }
        context.wait(launched.submission, STEP)?;
        let seconds = self.timer.as_ref().and_then(Timer::take_s);
        let view = slice.get_mapped_range().map_err(|error| context.error(STEP, error.to_string()))?;
        take(seconds, &view);
        drop(view);
        self.back.unmap();
        Ok(())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_grid_holds_its_workgroups_within_the_limit_of_a_dimension() {
        for workgroups in [1, 2, 65_535, 65_536, 100_003, 16_777_216, 65_535 * 65_535] {
            let Grid { width, height } = Grid::of(workgroups);
            assert!(width <= MOST_WORKGROUPS && height <= MOST_WORKGROUPS, "{workgroups}");
            let held = u64::from(width) * u64::from(height);
            assert!((u64::from(workgroups)..u64::from(workgroups) + u64::from(height)).contains(&held), "{workgroups}");
        }
    }
}
