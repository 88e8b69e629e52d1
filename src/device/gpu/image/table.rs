//! A coordinate table on the device: one real a column, or one a row.

use bytemuck::Pod;

use crate::device::{DeviceError, gpu::context::Context};

/// What most images need, so that the buffer is made once.
const USUAL_BYTES: u64 = 16 << 10;
const USAGE: wgpu::BufferUsages = wgpu::BufferUsages::STORAGE.union(wgpu::BufferUsages::COPY_DST);

/// A coordinate table.
#[derive(Debug)]
pub(super) struct Table {
    pub(super) buffer: wgpu::Buffer,
}

impl Table {
    pub(super) fn new(context: &Context) -> Result<Self, DeviceError> {
        Ok(Self { buffer: context.buffer("a coordinate table", USUAL_BYTES, USAGE)? })
    }

    /// Replaces the contents by `values`, in a larger buffer where they do not fit.
    pub(super) fn fill<T: Pod>(&mut self, context: &Context, values: &[T]) -> Result<(), DeviceError> {
        let bytes: &[u8] = bytemuck::cast_slice(values);
        let needed_bytes = bytes.len() as u64;
        if self.buffer.size() < needed_bytes {
            self.buffer = context.buffer("a coordinate table", needed_bytes.next_power_of_two(), USAGE)?;
        }
        context.queue.write_buffer(&self.buffer, 0, bytes);
        Ok(())
    }
}
