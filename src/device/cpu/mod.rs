//! The CPU cores of one rank as a device: worker threads that take band after band.
//!
//! Threads live in this file; the kernels under it are plain functions of one thread.

pub mod isa;
mod julia;
pub mod measure;
mod pi;

use std::{
    ops::{ControlFlow, Range},
    panic,
    sync::atomic::{AtomicBool, AtomicU64, AtomicUsize, Ordering},
    thread::{self, Builder},
};

use ndarray::Array2;

use self::{
    isa::Isa,
    julia::{Cell, Filler, Lane},
};
use super::{Deliver, Device, Identity, Kind};
use crate::{
    error::Error,
    kernel::{
        Precision,
        band::Band,
        julia::{Counts, Julia},
    },
    topology::{self, CpuSet},
};

/// Darts that a worker takes at a time: some milliseconds, so that workers end together.
const PIECE_DARTS: u64 = 1 << 22;

/// Cores to compute on.
#[derive(Debug)]
pub struct CpuDevice {
    identity: Identity,
    isa: Isa,
    cores: Option<CpuSet>,
}

impl CpuDevice {
    /// A device of `threads` workers on a CPU of that `model`, computing with `isa`, which the CPU has. Each worker is bound
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

    /// Runs `work` on every worker thread and waits for all. Where the operating system starts fewer, the device has fewer
    /// from now on; where it starts none, the calling thread does the work.
    fn on_every_worker(&mut self, tasks: usize, work: impl Fn() + Sync) {
        let workers = self.identity.threads.min(tasks);
        let cores = self.cores.as_ref();
        let bound_work = || {
            if let Some(cores) = cores {
                // An unbound worker computes the same; the report's table shows where ranks are bound.
                let _ = topology::bind_thread(cores);
            }
            work();
        };
        if workers == 1 && cores.is_none() {
            return work();
        }
        let started = thread::scope(|scope| {
            let start = |_| Builder::new().spawn_scoped(scope, bound_work).ok();
            let started: Vec<_> = (0..workers).map_while(start).collect();
            if started.is_empty() {
                bound_work();
            }
            let number = started.len();
            // A thread that is joined counts against no limit any more.
            started.into_iter().for_each(|worker| worker.join().unwrap_or_else(|panic| panic::resume_unwind(panic)));
            number
        });
        if started < workers {
            self.identity.threads = started.max(1);
        }
    }

    fn fill<T: Lane, C: Cell>(
        &mut self,
        julia: &Julia,
        bands: &[Band],
        deliver: impl Fn(&Band, &Array2<C>) -> ControlFlow<()> + Sync,
    ) {
        let columns: Vec<T> = julia.columns().into_iter().map(T::round).collect();
        let constants = julia.constants::<T>();
        let (next, enough) = (AtomicUsize::new(0), AtomicBool::new(false));
        let isa = self.isa;
        self.on_every_worker(bands.len(), || {
            let mut filler = Filler::new(isa, &columns, constants);
            while !enough.load(Ordering::Relaxed)
                && let Some(band) = bands.get(next.fetch_add(1, Ordering::Relaxed))
            {
                let lines: Vec<T> = julia.lines(band.rows.clone()).into_iter().map(T::round).collect();
                let mut counts = Array2::from_elem((lines.len(), columns.len()), C::from_u16(0));
                filler.fill(&lines, counts.as_slice_mut().expect("a new array has no gaps"));
                if deliver(band, &counts).is_break() {
                    enough.store(true, Ordering::Relaxed);
                }
            }
        });
    }
}

impl Device for CpuDevice {
    fn identity(&self) -> &Identity {
        &self.identity
    }

    fn julia(
        &mut self,
        julia: &Julia,
        precision: Precision,
        bands: &[Band],
        deliver: Deliver<'_>,
    ) -> Result<(), Error> {
        let bytes = |band: &Band, counts: &Array2<u8>| deliver(band, Counts::U8(counts.view()));
        let words = |band: &Band, counts: &Array2<u16>| deliver(band, Counts::U16(counts.view()));
        match (precision, julia.counts_fit_u8()) {
            (Precision::F32, true) => self.fill::<f32, _>(julia, bands, bytes),
            (Precision::F32, false) => self.fill::<f32, _>(julia, bands, words),
            (Precision::F64, true) => self.fill::<f64, _>(julia, bands, bytes),
            (Precision::F64, false) => self.fill::<f64, _>(julia, bands, words),
        }
        Ok(())
    }

    fn busy_s(&self) -> Option<f64> {
        None
    }

    fn pi(&mut self, seed: u64, darts: Range<u64>) -> Result<u64, Error> {
        let pieces = usize::try_from((darts.end - darts.start).div_ceil(PIECE_DARTS)).unwrap_or(usize::MAX);
        let (next, hits) = (AtomicU64::new(0), AtomicU64::new(0));
        let isa = self.isa;
        self.on_every_worker(pieces, || {
            let mut mine = 0;
            loop {
                let piece = next.fetch_add(1, Ordering::Relaxed);
                let Some(start) = piece.checked_mul(PIECE_DARTS).map(|offset| darts.start.saturating_add(offset))
                else {
                    break;
                };
                if start >= darts.end {
                    break;
                }
                mine += pi::hits(isa, seed, start..start.saturating_add(PIECE_DARTS).min(darts.end));
            }
            hits.fetch_add(mine, Ordering::Relaxed);
        });
        Ok(hits.into_inner())
    }
}
