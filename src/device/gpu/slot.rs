//! The buffers of a dispatch in flight, some sets of them, shared by all kernels of a device.
//!
//! Where the device can, a kernel writes into memory that the host reads: what it has computed travels while it computes,
//! and nothing is copied after it. They grow to what a call needs, so that a small image does not pay for a large one's
//! memory. Knows nothing of kernels.

use std::{ops::Deref, sync::mpsc::Sender, time::Instant};

use super::{
    context::{Context, Way},
    launch::Dispatch,
    timer::Timer,
};
use crate::device::DeviceError;

/// Slots of a device: one is computed, one waits for the device, one is taken over, and one more for the host's delays.
const SLOTS: usize = 4;
/// Output that a slot has room for from the start.
const FIRST_OUT_BYTES: u64 = 64 << 10;

/// The slots of a device.
#[derive(Debug)]
pub(super) struct Slots {
    slots: Vec<Slot>,
    way: Way,
}

impl Slots {
    pub(super) fn new(context: &Context, way: Way) -> Result<Self, DeviceError> {
        let slots = (0..SLOTS).map(|_| Slot::new(context, way)).collect::<Result<_, _>>()?;
        Ok(Self { slots, way })
    }

    /// How many there are.
    pub(super) fn len(&self) -> usize {
        self.slots.len()
    }

    /// Makes room for `out_bytes` of output a dispatch.
    pub(super) fn reserve(&mut self, context: &Context, out_bytes: u64) -> Result<(), DeviceError> {
        self.slots.iter_mut().try_for_each(|slot| slot.reserve(context, self.way, out_bytes))
    }

    /// What `make` makes of each slot.
    pub(super) fn each<T>(&self, make: impl FnMut(&Slot) -> T) -> Vec<T> {
        self.slots.iter().map(make).collect()
    }

    pub(super) fn get(&self, number: usize) -> &Slot {
        &self.slots[number]
    }
}

/// The buffers of one dispatch in flight.
#[derive(Debug)]
pub(super) struct Slot {
    /// Where the kernel writes.
    pub(super) out: wgpu::Buffer,
    /// Where the host reads; none where it reads what the kernel writes.
    back: Option<wgpu::Buffer>,
    timer: Option<Timer>,
}

/// A dispatch on its way.
#[derive(Debug)]
pub(super) struct Launched {
    submission: wgpu::SubmissionIndex,
    /// When it was handed to the driver.
    pub(super) at: Instant,
    out_bytes: u64,
    /// Whether the device's clock is read for it.
    is_timed: bool,
}

/// What a dispatch put out, in memory of the device or the driver: the slot is free again when this is dropped.
#[derive(Debug)]
pub(super) struct Output {
    /// None once it is given back.
    view: Option<wgpu::BufferView>,
    buffer: wgpu::Buffer,
    /// Where to tell that the slot with this number is free.
    free: Option<(Sender<usize>, usize)>,
}

impl Output {
    /// The same, which says to `free` that the slot with this `number` is free.
    pub(super) fn then_free(mut self, free: &Sender<usize>, number: usize) -> Self {
        self.free = Some((free.clone(), number));
        self
    }
}

impl Deref for Output {
    type Target = [u8];

    fn deref(&self) -> &[u8] {
        self.view.as_deref().unwrap_or_default()
    }
}

impl Drop for Output {
    fn drop(&mut self) {
        self.view = None;
        self.buffer.unmap();
        if let Some((free, number)) = self.free.take() {
            // Nobody listens any more where the device has failed.
            let _ = free.send(number);
        }
    }
}

impl Slot {
    fn new(context: &Context, way: Way) -> Result<Self, DeviceError> {
        let (out, back) = output(context, way, FIRST_OUT_BYTES)?;
        Ok(Self { out, back, timer: Timer::new(context)? })
    }

    fn reserve(&mut self, context: &Context, way: Way, out_bytes: u64) -> Result<(), DeviceError> {
        if self.out.size() < out_bytes {
            (self.out, self.back) = output(context, way, out_bytes.next_multiple_of(size_of::<u32>() as u64))?;
        }
        Ok(())
    }

    /// Where the host reads.
    fn read(&self) -> &wgpu::Buffer {
        self.back.as_ref().unwrap_or(&self.out)
    }

    /// Hands `dispatch` to the driver.
    pub(super) fn launch(&self, context: &Context, dispatch: &Dispatch<'_>) -> Launched {
        let timer = self.timer.as_ref().filter(|_| dispatch.is_timed || self.back.is_some());
        let mut encoder = context.device.create_command_encoder(&wgpu::CommandEncoderDescriptor::default());
        {
            let mut pass = encoder.begin_compute_pass(&wgpu::ComputePassDescriptor {
                label: None,
                timestamp_writes: timer.map(Timer::writes),
            });
            pass.set_pipeline(dispatch.pipeline);
            pass.set_bind_group(0, dispatch.bind_group, &[]);
            if !dispatch.params.is_empty() {
                pass.set_immediates(0, &dispatch.params);
            }
            pass.dispatch_workgroups(dispatch.grid.width, dispatch.grid.height, 1);
        }
        if let Some(back) = &self.back {
            encoder.copy_buffer_to_buffer(&self.out, 0, back, 0, dispatch.out_bytes);
        }
        if let Some(timer) = timer {
            timer.read_back(&mut encoder);
        }
        let at = Instant::now();
        let submission = context.queue.submit([encoder.finish()]);
        self.read().map_async(wgpu::MapMode::Read, ..dispatch.out_bytes, context.on_mapped());
        if let Some(timer) = timer {
            timer.map(context);
        }
        Launched { submission, at, out_bytes: dispatch.out_bytes, is_timed: timer.is_some() }
    }

    /// Waits for `launched` and returns how long it took by the device's clock, and its output.
    pub(super) fn finish(&self, context: &Context, launched: Launched) -> Result<(Option<f64>, Output), DeviceError> {
        const STEP: &str = "reading back a result";
        context.wait(launched.submission, STEP)?;
        let seconds = self.timer.as_ref().filter(|_| launched.is_timed).and_then(Timer::take_s);
        let buffer = self.read().clone();
        let view =
            buffer.get_mapped_range(..launched.out_bytes).map_err(|error| context.error(STEP, error.to_string()))?;
        Ok((seconds, Output { view: Some(view), buffer, free: None }))
    }
}

/// Buffers for `out_bytes` of output: where the kernel writes, and where the host reads if that is elsewhere.
fn output(context: &Context, way: Way, out_bytes: u64) -> Result<(wgpu::Buffer, Option<wgpu::Buffer>), DeviceError> {
    use wgpu::BufferUsages as Usage;
    match way {
        Way::Shared => Ok((context.buffer("an output", out_bytes, Usage::STORAGE | Usage::MAP_READ)?, None)),
        Way::Copied => Ok((
            context.buffer("an output", out_bytes, Usage::STORAGE | Usage::COPY_SRC)?,
            Some(context.buffer("a readback", out_bytes, Usage::MAP_READ | Usage::COPY_DST)?),
        )),
    }
}
