//! The CPU cores of one rank as a device: threads that take band after band.
//!
//! Threads live in this file; the kernels under it are plain functions of one thread.

mod escape;
pub mod isa;
#[cfg(feature = "inside")]
pub mod measure;
mod pi;

use std::{
    ops::Range,
    panic,
    sync::atomic::{AtomicBool, AtomicU64, AtomicUsize, Ordering},
    thread::{self, Builder},
};

use ndarray::ArrayView2;

use self::{
    escape::{Cell, Filler, Lane},
    isa::Isa,
};
use super::{Deliver, Device, DeviceError, Identity, Kind};
use crate::{
    kernel::{
        Precision,
        band::Band,
        counting::CountingKernel,
        escape::EscapeTime,
        image::{Image, Visitor},
    },
    topology::{self, CpuSet},
};

/// Indices that a thread takes at a time: some milliseconds, so that threads end together.
const CHUNK_INDICES: u64 = 1 << 22;

/// Cores to compute on.
#[derive(Debug)]
pub struct CpuDevice {
    identity: Identity,
    isa: Isa,
    cores: Option<CpuSet>,
}

impl CpuDevice {
    /// A device of `threads` threads on a CPU of that `model`, computing with `isa`, which the CPU has. Each thread is bound
    /// to `cores` where they are given; otherwise it stays where the launcher bound the process.
    #[must_use]
    pub fn new(model: &str, isa: Isa, threads: usize, cores: Option<CpuSet>) -> Self {
        let identity = Identity {
            kind: Kind::Cpu,
            adapter: format!("{model} ({isa})"),
            pci_bus_id: None,
            threads,
            has_f64: true,
            inexact: None,
        };
        Self { identity, isa, cores }
    }

    /// Runs `work` on every thread and waits for all. Where the operating system starts fewer, the device has fewer
    /// from now on; where it starts none, the calling thread does the work.
    fn on_every_thread(&mut self, tasks: usize, work: impl Fn() + Sync) {
        let threads = self.identity.threads.min(tasks);
        let cores = self.cores.as_ref();
        let bound_work = || {
            if let Some(cores) = cores {
                // An unbound thread computes the same; the report's table shows where ranks are bound.
                let _ = topology::bind_thread(cores);
            }
            work();
        };
        if threads == 1 && cores.is_none() {
            return work();
        }
        let started = thread::scope(|scope| {
            let start = |_| Builder::new().spawn_scoped(scope, bound_work).ok();
            let started: Vec<_> = (0..threads).map_while(start).collect();
            if started.is_empty() {
                bound_work();
            }
            let number = started.len();
            // A thread that is joined counts against no limit any more.
            started.into_iter().for_each(|thread| thread.join().unwrap_or_else(|panic| panic::resume_unwind(panic)));
            number
        });
        if started < threads {
            self.identity.threads = started.max(1);
        }
    }

    fn fill<K: EscapeTime, T: Lane, C: Cell>(&mut self, image: &Image, bands: &[Band], deliver: Deliver<'_>) -> u64 {
        let columns: Vec<T> = image.columns();
        let constants = image.constants::<T>();
        let (next, enough, skipped) = (AtomicUsize::new(0), AtomicBool::new(false), AtomicU64::new(0));
        let isa = self.isa;
        self.on_every_thread(bands.len(), || {
            let mut filler = Filler::<K, T>::new(isa, &columns, constants);
            // One memory for all bands: what is freed and taken again costs a page fault for every 4 KiB.
            let mut memory = Vec::new();
            while !enough.load(Ordering::Relaxed)
                && let Some(band) = bands.get(next.fetch_add(1, Ordering::Relaxed))
            {
                let rows: Vec<T> = image.rows(band.rows.clone());
                let shape = (rows.len(), columns.len());
                memory.resize(memory.len().max(shape.0 * shape.1), C::from_u16(0));
                let counts = &mut memory[..shape.0 * shape.1];
                skipped.fetch_add(filler.fill(&rows, counts), Ordering::Relaxed);
                let counts = ArrayView2::from_shape(shape, counts).expect("as many counts as pixels");
                if deliver(band, C::counts(counts)).is_break() {
                    enough.store(true, Ordering::Relaxed);
                }
            }
        });
        skipped.into_inner()
    }
}

/// The bands of an image, for whatever kernel it has.
struct Fill<'a> {
    device: &'a mut CpuDevice,
    image: &'a Image,
    precision: Precision,
    bands: &'a [Band],
    deliver: Deliver<'a>,
}

impl Visitor for Fill<'_> {
    type Output = u64;

    fn visit<K: EscapeTime>(self, _: &K) -> u64 {
        let Self { device, image, precision, bands, deliver } = self;
        match (precision, image.counts_fit_u8()) {
            (Precision::F32, true) => device.fill::<K, f32, u8>(image, bands, deliver),
            (Precision::F32, false) => device.fill::<K, f32, u16>(image, bands, deliver),
            (Precision::F64, true) => device.fill::<K, f64, u8>(image, bands, deliver),
            (Precision::F64, false) => device.fill::<K, f64, u16>(image, bands, deliver),
        }
    }
}

/// How many of `indices` `kernel` counts, on the calling thread, on a CPU that has `isa`.
fn count(isa: Isa, kernel: &CountingKernel, indices: Range<u64>) -> u64 {
    match kernel {
        CountingKernel::Pi(kernel) => pi::hits(isa, kernel.seed, indices),
    }
}

impl Device for CpuDevice {
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
        Ok(image.kernel.visit(Fill { device: self, image, precision, bands, deliver }))
    }

    fn busy_s(&self) -> Option<f64> {
        None
    }

    fn count(&mut self, kernel: &CountingKernel, indices: Range<u64>) -> Result<u64, DeviceError> {
        let chunks = usize::try_from((indices.end - indices.start).div_ceil(CHUNK_INDICES)).unwrap_or(usize::MAX);
        let (next, counted) = (AtomicU64::new(0), AtomicU64::new(0));
        let isa = self.isa;
        self.on_every_thread(chunks, || {
            let mut mine = 0;
            loop {
                let chunk = next.fetch_add(1, Ordering::Relaxed);
                let Some(start) = chunk.checked_mul(CHUNK_INDICES).map(|offset| indices.start.saturating_add(offset))
                else {
                    break;
                };
                if start >= indices.end {
                    break;
                }
                mine += count(isa, kernel, start..start.saturating_add(CHUNK_INDICES).min(indices.end));
            }
            counted.fetch_add(mine, Ordering::Relaxed);
        });
        Ok(counted.into_inner())
    }
}
