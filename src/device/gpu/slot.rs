//! The buffers of a dispatch in flight, two sets of them, shared by all kernels of a device.
//!
//! They grow to what a call needs, so that a small image does not pay for a large one's memory. Knows nothing of kernels.

use std::time::Instant;

use super::{context::Context, dispatch::Dispatch, timer::Timer};
use crate::error::Error;

/// Room for the uniform of any kernel.
const PARAMS_BYTES: u64 = 64;
/// Output that a slot has room for from the start.
const FIRST_OUT_BYTES: u64 = 64 << 10;

/// The two slots of a device.
#[derive(Debug)]
pub(super) struct Slots([Slot; 2]);

impl Slots {
    pub(super) fn new(context: &Context) -> Result<Self, Error> {
        Ok(Self([Slot::new(context)?, Slot::new(context)?]))
    }

    /// Makes room for `out_bytes` of output a dispatch.
    pub(super) fn reserve(&mut self, context: &Context, out_bytes: u64) -> Result<(), Error> {
        self.0.iter_mut().try_for_each(|slot| slot.reserve(context, out_bytes))
    }

    /// What `make` makes of each slot.
    pub(super) fn each<T>(&self, make: impl FnMut(&Slot) -> T) -> [T; 2] {
        self.0.each_ref().map(make)
    }

    pub(super) fn get(&self, number: usize) -> &Slot {
        &self.0[number]
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
pub(super) struct Launched {
    submission: wgpu::SubmissionIndex,
    /// When it was handed to the driver.
    pub(super) at: Instant,
    out_bytes: u64,
}

impl Slot {
    fn new(context: &Context) -> Result<Self, Error> {
        use wgpu::BufferUsages as Usage;
        let (out, back) = output(context, FIRST_OUT_BYTES)?;
        Ok(Self {
            params: context.buffer("a uniform", PARAMS_BYTES, Usage::UNIFORM | Usage::COPY_DST)?,
            out,
            back,
            timer: Timer::new(context)?,
        })
    }

    fn reserve(&mut self, context: &Context, out_bytes: u64) -> Result<(), Error> {
        if self.out.size() < out_bytes {
            (self.out, self.back) = output(context, out_bytes.next_multiple_of(size_of::<u32>() as u64))?;
        }
        Ok(())
    }

    /// Hands `dispatch` to the driver.
    pub(super) fn launch(&self, context: &Context, dispatch: &Dispatch<'_>) -> Launched {
        context.queue.write_buffer(&self.params, 0, &dispatch.params);
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
    pub(super) fn finish(
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

/// Buffers for `out_bytes` of output: on the device, and where the host reads.
fn output(context: &Context, out_bytes: u64) -> Result<(wgpu::Buffer, wgpu::Buffer), Error> {
    use wgpu::BufferUsages as Usage;
    Ok((
        context.buffer("an output", out_bytes, Usage::STORAGE | Usage::COPY_SRC)?,
        context.buffer("a readback", out_bytes, Usage::MAP_READ | Usage::COPY_DST)?,
    ))
}
