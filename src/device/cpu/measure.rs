//! The kernels on the calling thread alone, timed or ready to be timed: what `cargo bench` and the comparison with other
//! programs call. Nothing of a run goes through here.

use std::{hint::black_box, time::Instant};

use crate::{
    device::cpu::{
        isa::Isa,
        julia::{Cell, Filler, Lane},
        pi,
    },
    kernel::{Precision, band::Bands, julia::Julia},
};

/// What a number of runs took.
#[derive(Clone, Copy, Debug)]
pub struct Times {
    /// The shortest, in seconds.
    pub shortest_s: f64,
    /// All together, in seconds.
    pub total_s: f64,
    /// Work of one run: iterations of all points, or darts.
    pub work: u64,
}

impl Times {
    /// Of `runs` calls of `run`.
    fn of(runs: u64, mut run: impl FnMut()) -> Self {
        let mut times = Self { shortest_s: f64::INFINITY, total_s: 0.0, work: 0 };
        for _ in 0..runs {
            let start = Instant::now();
            run();
            let run_s = start.elapsed().as_secs_f64();
            times.shortest_s = times.shortest_s.min(run_s);
            times.total_s += run_s;
        }
        times
    }
}

/// Times `runs` runs over all pixels of `julia`.
#[must_use]
pub fn time_julia(isa: Isa, precision: Precision, julia: &Julia, runs: u64) -> Times {
    match (precision, julia.counts_fit_u8()) {
        (Precision::F64, true) => time_julia_in::<f64, u8>(isa, julia, runs),
        (Precision::F64, false) => time_julia_in::<f64, u16>(isa, julia, runs),
        (Precision::F32, true) => time_julia_in::<f32, u8>(isa, julia, runs),
        (Precision::F32, false) => time_julia_in::<f32, u16>(isa, julia, runs),
    }
}

fn time_julia_in<T: Lane, C: Cell>(isa: Isa, julia: &Julia, runs: u64) -> Times {
    let round = |values: Vec<f64>| values.into_iter().map(T::round).collect::<Vec<_>>();
    let mut filler = Filler::<T>::new(isa, &round(julia.columns()), julia.constants());
    let lines = round(julia.lines(0..julia.height));
    let width = julia.width as usize;
    let rows = Bands::of(julia.width, julia.height).band_rows() as usize;
    let mut out = vec![C::from_u16(0); width * lines.len()];
    let times = Times::of(runs, || {
        for (lines, out) in lines.chunks(rows).zip(out.chunks_mut(rows * width)) {
            filler.fill(lines, out);
        }
        black_box(&mut out);
    });
    let work = out.iter().map(|&n| u64::from(julia.max_iter) - Into::<u64>::into(n)).sum();
    Times { work, ..times }
}

/// Times `runs` runs of `darts` darts.
#[must_use]
pub fn time_pi(isa: Isa, darts: u64, runs: u64) -> Times {
    let times = Times::of(runs, || {
        black_box(pi::hits(isa, black_box(7), 0..darts));
    });
    Times { work: darts, ..times }
}
