//! How long a dispatch took by the device's own clock, where the device has one.
//!
//! The host's clock also counts what the host did meanwhile. Knows one dispatch at a time.

use super::context::Context;
use crate::device::DeviceError;

/// Two timestamps: begin and end of a dispatch.
const TICKS_BYTES: u64 = 16;

/// The timestamps of one dispatch in flight.
#[derive(Debug)]
pub(super) struct Timer {
    queries: wgpu::QuerySet,
    resolved: wgpu::Buffer,
    back: wgpu::Buffer,
    period_ns: f64,
}

impl Timer {
    /// A timer, where the device has timestamps.
    pub(super) fn new(context: &Context) -> Result<Option<Self>, DeviceError> {
        use wgpu::BufferUsages as Usage;
        let Some(period_ns) = context.timestamp_period_ns else { return Ok(None) };
        let queries = context.device.create_query_set(&wgpu::QuerySetDescriptor {
            label: None,
            ty: wgpu::QueryType::Timestamp,
            count: 2,
        });
        Ok(Some(Self {
            queries,
            resolved: context.buffer("timestamps", TICKS_BYTES, Usage::QUERY_RESOLVE | Usage::COPY_SRC)?,
            back: context.buffer("timestamps", TICKS_BYTES, Usage::MAP_READ | Usage::COPY_DST)?,
            period_ns,
        }))
    }

    /// What makes a compute pass write the timestamps.
    pub(super) fn writes(&self) -> wgpu::ComputePassTimestampWrites<'_> {
        wgpu::ComputePassTimestampWrites {
            query_set: &self.queries,
            beginning_of_pass_write_index: Some(0),
            end_of_pass_write_index: Some(1),
        }
    }

    /// After the pass: has the timestamps copied to where the host reads.
    pub(super) fn read_back(&self, encoder: &mut wgpu::CommandEncoder) {
        encoder.resolve_query_set(&self.queries, 0..2, &self.resolved, 0);
        encoder.copy_buffer_to_buffer(&self.resolved, 0, &self.back, 0, TICKS_BYTES);
    }

    /// Asks for the timestamps to be mapped once the submission is done.
    pub(super) fn map(&self, context: &Context) {
        self.back.slice(..).map_async(wgpu::MapMode::Read, context.on_mapped());
    }

    /// Seconds between the timestamps, after the wait that follows [`Self::map`]; `None` where they make no sense, as
    /// some drivers' do when queries are resolved in the submission that wrote them.
    pub(super) fn take_s(&self) -> Option<f64> {
        let ticks = {
            let view = self.back.slice(..).get_mapped_range().ok()?;
            let ticks: [u64; 2] = bytemuck::pod_read_unaligned(&view);
            ticks
        };
        self.back.unmap();
        let [begin, end] = ticks;
        #[expect(clippy::cast_precision_loss, reason = "a dispatch takes far fewer than 2^53 ticks")]
        let elapsed = end.checked_sub(begin)? as f64;
        Some(elapsed * self.period_ns * 1e-9).filter(|_| begin > 0 && elapsed > 0.0)
    }
}
