//! An opened adapter: its queue, and every way in which it can fail, turned into [`DeviceError::Gpu`].
//!
//! wgpu panics by default on errors that nobody catches. Here the first error, whether of validation, of memory or the
//! loss of the device, is kept, and the next [`Context::check`] returns it. A lost device is lost for good.

use std::{
    error::Error as StdError,
    sync::{Arc, Mutex, PoisonError},
    time::Duration,
};

use super::adapter::AdapterFacts;
use crate::device::DeviceError;

/// How long a submission may stay unanswered before the device counts as hung. Submissions are sized to take about a
/// tenth of a second; a software adapter on a crowded node can need many times that.
const PATIENCE: Duration = Duration::from_secs(120);

/// How output comes to the host.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Way {
    /// The kernel writes where the host reads.
    Shared,
    /// The kernel writes into the device's memory, which is copied after it.
    Copied,
}

/// An opened adapter.
#[derive(Debug)]
pub(super) struct Context {
    pub(super) device: wgpu::Device,
    pub(super) queue: wgpu::Queue,
    /// Nanoseconds of a timestamp's unit, where the device can write timestamps.
    pub(super) timestamp_period_ns: Option<f64>,
    name: String,
    failure: Failure,
}

/// The first failure, shared with the callbacks of wgpu.
#[derive(Clone, Debug, Default)]
struct Failure(Arc<Mutex<Option<String>>>);

impl Failure {
    fn record(&self, cause: String) {
        self.0.lock().unwrap_or_else(PoisonError::into_inner).get_or_insert(cause);
    }

    fn first(&self) -> Option<String> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner).clone()
    }
}

impl Context {
    /// Opens `adapter` with every feature in `wanted` that it has.
    pub(super) fn open(
        adapter: &wgpu::Adapter,
        facts: &AdapterFacts,
        wanted: wgpu::Features,
    ) -> Result<Self, DeviceError> {
        let name = match &facts.pci_bus_id {
            Some(id) => format!("{} at {id}", facts.name),
            None => facts.name.clone(),
        };
        let descriptor = wgpu::DeviceDescriptor {
            label: Some("hybrid"),
            required_features: adapter.features() & wanted,
            // A limit is a permission and costs nothing: no buffer is larger for it.
            required_limits: adapter.limits(),
            ..wgpu::DeviceDescriptor::default()
        };
        let (device, queue) = pollster::block_on(adapter.request_device(&descriptor)).map_err(|error| {
            DeviceError::Gpu { adapter: name.clone(), step: "opening the device", cause: describe(&error) }
        })?;
        let failure = Failure::default();
        let uncaptured = failure.clone();
        device.on_uncaptured_error(Arc::new(move |error| uncaptured.record(describe(&error))));
        let lost = failure.clone();
        device.set_device_lost_callback(move |reason, message| {
            if reason != wgpu::DeviceLostReason::Destroyed {
                lost.record(format!("the device is lost: {message}"));
            }
        });
        let timestamp_period_ns = device
            .features()
            .contains(wgpu::Features::TIMESTAMP_QUERY)
            .then(|| f64::from(queue.get_timestamp_period()));
        Ok(Self { device, queue, timestamp_period_ns, name, failure })
    }

    /// Most bytes that a kernel can have bound as one buffer.
    pub(super) fn max_binding_bytes(&self) -> u64 {
        let limits = self.device.limits();
        limits.max_storage_buffer_binding_size.min(limits.max_buffer_size) / 4 * 4
    }

    /// How output comes to the host soonest.
    pub(super) fn best_way(&self) -> Way {
        let can_share = self.device.features().contains(wgpu::Features::MAPPABLE_PRIMARY_BUFFERS);
        if can_share { Way::Shared } else { Way::Copied }
    }

    /// What happened since the device was opened.
    ///
    /// # Errors
    /// The first failure, if there was one; `step` says what was being done.
    pub(super) fn check(&self, step: &'static str) -> Result<(), DeviceError> {
        self.failure.first().map_or(Ok(()), |cause| Err(self.error(step, cause)))
    }

    /// An error of this device.
    pub(super) fn error(&self, step: &'static str, cause: String) -> DeviceError {
        DeviceError::Gpu { adapter: self.name.clone(), step, cause }
    }

    /// Waits, without spinning, until `submission` is done and the buffers to be mapped after it are mapped.
    pub(super) fn wait(&self, submission: wgpu::SubmissionIndex, step: &'static str) -> Result<(), DeviceError> {
        let wait = wgpu::PollType::Wait { submission_index: Some(submission), timeout: Some(PATIENCE) };
        let outcome = self.device.poll(wait);
        // A lost device is the cause, a wait in vain only its consequence.
        self.check(step)?;
        outcome.map_err(|error| self.error(step, format!("{error} (waited {} s at most)", PATIENCE.as_secs())))?;
        Ok(())
    }

    /// A callback for [`wgpu::Buffer::map_async`] that keeps a failure.
    pub(super) fn on_mapped(&self) -> impl FnOnce(Result<(), wgpu::BufferAsyncError>) + Send + 'static {
        let failure = self.failure.clone();
        move |outcome| {
            if let Err(error) = outcome {
                failure.record(describe(&error));
            }
        }
    }

    /// Makes a buffer of `size_bytes`.
    pub(super) fn buffer(
        &self,
        label: &str,
        size_bytes: u64,
        usage: wgpu::BufferUsages,
    ) -> Result<wgpu::Buffer, DeviceError> {
        let descriptor =
            wgpu::BufferDescriptor { label: Some(label), size: size_bytes, usage, mapped_at_creation: false };
        let buffer = self.device.create_buffer(&descriptor);
        self.failure.first().map_or(Ok(buffer), |cause| {
            Err(self.error("allocating", format!("{cause} ({size_bytes} bytes for {label})")))
        })
    }
}

/// An error with its causes, on one line.
fn describe(error: &dyn StdError) -> String {
    let mut text = error.to_string();
    let mut cause = error.source();
    while let Some(inner) = cause {
        let inner_text = inner.to_string();
        if !text.contains(&inner_text) {
            text = format!("{text}: {inner_text}");
        }
        cause = inner.source();
    }
    text.split_whitespace().collect::<Vec<_>>().join(" ")
}

#[cfg(test)]
mod tests {
    use crate::{
        device::{
            Device, DeviceError,
            gpu::{GpuDevice, Which},
        },
        kernel::counting::CountingKernel,
    };

    #[test]
    fn more_memory_than_there_is_gives_an_error() {
        let gpu = GpuDevice::open(&Which::Software).unwrap();
        let error = gpu.context.buffer("a test", 1 << 60, wgpu::BufferUsages::STORAGE).unwrap_err();
        assert!(matches!(&error, DeviceError::Gpu { step: "allocating", .. }), "{error:?}");
        assert!(error.to_string().contains(&format!("{} bytes for a test", 1_u64 << 60)), "{error}");
    }

    #[test]
    fn a_device_that_is_gone_gives_an_error() {
        let mut gpu = GpuDevice::open(&Which::Software).unwrap();
        assert!(gpu.count(&CountingKernel::ALL[0], 0..100_000).is_ok());
        gpu.context.device.destroy();
        let error = gpu.count(&CountingKernel::ALL[0], 0..100_000).unwrap_err();
        assert!(matches!(error, DeviceError::Gpu { .. }), "{error:?}");
    }
}
