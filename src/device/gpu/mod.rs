//! The GPU, through wgpu and Vulkan.
//!
//! Counts are the definition's, bit for bit: coordinates are rounded on the host, contraction is forbidden in the SPIR-V,
//! and a self-test of each kernel says before its first use whether that holds; where it does not, [`Identity::inexact`] tells why.
//! Work goes to the device in dispatches of less than a tenth of a second, some of them in flight.
//!
//! | file | what it is for |
//! |---|---|
//! | `adapter` | which GPUs there are, and the choice of one |
//! | `diagnosis` | what Vulkan consists of on this node |
//! | `context` | the opened device, and its failures as errors |
//! | `shader`, `no_contraction`, `pipeline` | from WGSL to something that runs |
//! | `pacer` | how much work a dispatch gets |
//! | `launch`, `dispatch`, `slot`, `timer` | one launch, dispatches in flight, their buffers, and how long each took |
//! | `image`, `counting` | the host's side of a shape of kernels |
//! | `custom` | kernels of a caller's own |
//! | `self_test` | whether the counts are exact |

pub mod adapter;
mod context;
mod counting;
mod custom;
mod diagnosis;
mod dispatch;
pub mod image;
mod launch;
mod no_contraction;
mod pacer;
mod pipeline;
mod self_test;
pub mod shader;
mod slot;
mod timer;

use std::{
    collections::{HashMap, hash_map::Entry},
    ops::Range,
};

pub use adapter::Which;
#[cfg(any(test, feature = "inside"))]
pub use adapter::list;
use context::{Context, Way};
pub use custom::CustomKernel;
pub use diagnosis::vulkan_facts;
use pacer::Pacer;
use pipeline::Contraction;
use shader::Repeats;
use slot::Slots;

use super::{Deliver, Device, DeviceError, Identity, Kind};
use crate::kernel::{Kernel, Precision, band::Band, counting::CountingKernel, image::Image};

/// Features to be had where the adapter offers them.
const WANTED: wgpu::Features = wgpu::Features::PASSTHROUGH_SHADERS
    .union(wgpu::Features::SHADER_F64)
    .union(wgpu::Features::TIMESTAMP_QUERY)
    .union(wgpu::Features::IMMEDIATES)
    .union(wgpu::Features::MAPPABLE_PRIMARY_BUFFERS);

/// An opened GPU. A rank gets its own from [`gpu_of_rank`](crate::gpu_of_rank).
#[derive(Debug)]
pub struct GpuDevice {
    identity: Identity,
    context: Context,
    contraction: Contraction,
    slots: Slots,
    /// Compiled when first needed.
    image: HashMap<image::Format, image::Kernel>,
    /// Compiled when first needed, by their names.
    counting: HashMap<&'static str, counting::Kernel>,
    /// Names of the kernels that were tested.
    tested: Vec<&'static str>,
}

impl GpuDevice {
    /// Opens the adapter that `which` names.
    ///
    /// # Errors
    /// [`DeviceError::NoGpu`] where there is no such adapter, [`DeviceError::Gpu`] where it does not open.
    #[doc(hidden)]
    pub fn open(which: &Which) -> Result<Self, DeviceError> {
        Self::open_part(which, 0)
    }

    /// The same for a GPU that is cut in partitions: the one with the number `part`.
    ///
    /// # Errors
    /// As [`GpuDevice::open`] has it.
    #[doc(hidden)]
    pub fn open_part(which: &Which, part: usize) -> Result<Self, DeviceError> {
        let (adapter, facts) = adapter::find(which, part)?;
        let context = Context::open(&adapter, &facts, WANTED)?;
        let contraction = Contraction::on(&context.device);
        let slots = Slots::new(&context, context.best_way())?;
        let identity = Identity {
            kind: Kind::Gpu,
            adapter: facts.to_string(),
            pci_bus_id: facts.pci_bus_id,
            threads: 1,
            has_f64: facts.has_f64,
            inexact: self_test::contraction(contraction),
        };
        let (image, counting, tested) = (HashMap::new(), HashMap::new(), Vec::new());
        Ok(Self { identity, context, contraction, slots, image, counting, tested })
    }

    /// What it is, and whether it rounds as a CPU does.
    #[must_use]
    pub fn identity(&self) -> &Identity {
        &self.identity
    }

    /// The adapter's name, with its driver and its PCI bus id where it has one.
    #[must_use]
    pub fn name(&self) -> &str {
        &self.identity.adapter
    }

    /// Tests whether this GPU computes what the definition of `kernel` says, in each precision it has, unless it was tested before;
    /// where it does not, [`Identity::inexact`] tells. The first use of a kernel tests it too.
    ///
    /// # Errors
    /// [`DeviceError::Gpu`] where the device fails.
    #[doc(hidden)]
    pub fn test(&mut self, kernel: &Kernel) -> Result<(), DeviceError> {
        let name = kernel.name();
        if self.tested.contains(&name) {
            return Ok(());
        }
        // First, since the test itself uses the kernel.
        self.tested.push(name);
        let found = self_test::differences(self, kernel)?;
        let known = self.identity.inexact.take();
        self.identity.inexact = known.into_iter().chain(found).reduce(|known, found| format!("{known}; {found}"));
        Ok(())
    }

    /// Computes `bands`, in a format that was tested or is under test.
    fn compute(
        &mut self,
        precision: Precision,
        (image, bands): (&Image, &[Band]),
        repeats: Option<Repeats>,
        deliver: Deliver<'_>,
    ) -> Result<u64, DeviceError> {
        let format = image::Format::of(image, precision);
        let pacer = self.first_pacer(precision);
        let kernel = match self.image.entry(format) {
            Entry::Occupied(kernel) => kernel.into_mut(),
            Entry::Vacant(place) => {
                let text = |repeats| format.shader(image, repeats);
                place.insert(image::Kernel::build(&self.context, format, text, self.contraction, pacer)?)
            }
        };
        let call = image::Call { image, bands, repeats, threads: self.identity.threads, deliver };
        kernel.run(&self.context, &mut self.slots, call)
    }

    /// The same GPU, with so many threads of the host to take over what it has computed.
    #[must_use]
    pub(crate) fn with_threads(mut self, threads: usize) -> Self {
        self.identity.threads = threads.max(1);
        self
    }

    /// The same GPU, whose kernels write into its own memory, from which what they have computed is copied: kernels are then
    /// timed without the way to the host.
    ///
    /// # Errors
    /// [`DeviceError::Gpu`] where there is no memory for it.
    #[doc(hidden)]
    pub fn with_copies(mut self) -> Result<Self, DeviceError> {
        self.slots = Slots::new(&self.context, Way::Copied)?;
        Ok(self)
    }

    /// Seconds of the longest dispatch since the device was opened.
    #[doc(hidden)]
    #[must_use]
    pub fn longest_dispatch_s(&self) -> f64 {
        self.pacers().map(Pacer::longest_s).fold(0.0, f64::max)
    }

    fn pacers(&self) -> impl Iterator<Item = &Pacer> {
        self.image.values().map(image::Kernel::pacer).chain(self.counting.values().map(counting::Kernel::pacer))
    }

    /// The pacer of a kernel that is new to this device: it starts from the best rate of others in `precision`.
    fn first_pacer(&self, precision: Precision) -> Pacer {
        let others = self.image.iter().filter(|(format, _)| format.precision == precision);
        let fastest = others.map(|(_, kernel)| kernel.pacer()).max_by_key(|pacer| pacer.items(1));
        fastest.map_or_else(Pacer::new, Pacer::heir)
    }

    fn precisions(&self) -> Vec<Precision> {
        if self.identity.has_f64 { vec![Precision::F32, Precision::F64] } else { vec![Precision::F32] }
    }
}

impl Device for GpuDevice {
    fn identity(&self) -> &Identity {
        &self.identity
    }

    fn image(
        &mut self,
        image: &Image,
        precision: Precision,
        bands: &[Band],
        deliver: Deliver<'_>,
    ) -> Result<u64, DeviceError> {
        if !self.precisions().contains(&precision) {
            let cause = format!("it has no {precision}; --precision f32 is what it can");
            return Err(self.context.error("starting a computation", cause));
        }
        self.test(&Kernel::Image(image.kernel))?;
        self.compute(precision, (image, bands), None, deliver)
    }

    fn busy_s(&self) -> Option<f64> {
        Some(self.pacers().map(Pacer::busy_s).sum())
    }

    fn count(&mut self, kernel: &CountingKernel, indices: Range<u64>) -> Result<u64, DeviceError> {
        self.test(&Kernel::Counting(*kernel))?;
        let pacer = self.first_pacer(Precision::F32);
        let kernel = kernel.kernel();
        let compiled = match self.counting.entry(kernel.name()) {
            Entry::Occupied(compiled) => compiled.into_mut(),
            Entry::Vacant(place) => {
                let shader = shader::counting(kernel);
                place.insert(counting::Kernel::build(&self.context, &shader, self.contraction, pacer)?)
            }
        };
        compiled.run(&self.context, &mut self.slots, kernel, indices)
    }
}
