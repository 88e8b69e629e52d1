//! The kernels on the calling thread alone, timed or ready to be timed: what `cargo bench` and the comparison with other
//! programs call. Nothing of a run goes through here.

use std::{hint::black_box, time::Instant};

use crate::{
    device::cpu::{
        count,
        escape::{Cell, Filler, Lane},
        isa::Isa,
    },
    kernel::{
        Precision,
        band::Bands,
        counting::CountingKernel,
        escape::EscapeTime,
        image::{Image, Visitor},
    },
};

/// What a number of runs took.
#[derive(Clone, Copy, Debug)]
pub struct Times {
    /// The shortest, in seconds.
    pub shortest_s: f64,
    /// All together, in seconds.
    pub total_s: f64,
    /// Work of one run: iterations that the counts tell of, or indices.
    pub work: u64,
    /// What of it was made.
    pub made: u64,
}

impl Times {
    /// Of `runs` calls of `run`.
    fn of(runs: u64, mut run: impl FnMut()) -> Self {
        let mut times = Self { shortest_s: f64::INFINITY, total_s: 0.0, work: 0, made: 0 };
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

/// Times `runs` runs over all pixels of `image`.
#[must_use]
pub fn time_image(isa: Isa, precision: Precision, image: &Image, runs: u64) -> Times {
    image.kernel.visit(TimeImage { isa, precision, image, runs })
}

struct TimeImage<'a> {
    isa: Isa,
    precision: Precision,
    image: &'a Image,
    runs: u64,
}

impl Visitor for TimeImage<'_> {
    type Output = Times;

    fn visit<K: EscapeTime>(self, _: &K) -> Times {
        match (self.precision, self.image.counts_fit_u8()) {
            (Precision::F64, true) => self.time::<K, f64, u8>(),
            (Precision::F64, false) => self.time::<K, f64, u16>(),
            (Precision::F32, true) => self.time::<K, f32, u8>(),
            (Precision::F32, false) => self.time::<K, f32, u16>(),
        }
    }
}

impl TimeImage<'_> {
    fn time<K: EscapeTime, T: Lane, C: Cell>(&self) -> Times {
        let Self { isa, image, runs, .. } = *self;
        let mut filler = Filler::<K, T>::new(isa, &image.columns(), image.constants());
        let row_coordinates: Vec<T> = image.rows(0..image.height);
        let width = image.width as usize;
        let band_rows = Bands::of(image.width, image.height).band_rows() as usize;
        let mut out = vec![C::from_u16(0); width * row_coordinates.len()];
        let mut skipped = 0;
        let times = Times::of(runs, || {
            skipped = 0;
            for (rows, out) in row_coordinates.chunks(band_rows).zip(out.chunks_mut(band_rows * width)) {
                skipped += filler.fill(rows, out);
            }
            black_box(&mut out);
        });
        let work: u64 = out.iter().map(|&n| u64::from(image.max_iter) - Into::<u64>::into(n)).sum();
        Times { work, made: work - skipped, ..times }
    }
}

/// Times `runs` runs over the first `indices` indices.
#[must_use]
pub fn time_counting(isa: Isa, kernel: &CountingKernel, indices: u64, runs: u64) -> Times {
    let times = Times::of(runs, || {
        black_box(count(isa, black_box(kernel), 0..indices));
    });
    Times { work: indices, made: indices, ..times }
}
