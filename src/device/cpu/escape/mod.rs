//! Image kernels on one core: cuts a band into tiles that stay in the cache and hands each to the instruction set.
//!
//! A [`Filler`] belongs to one thread and one image; its memory is used for band after band. All instruction sets give
//! the counts of the definition, [`kernel::escape::count`](crate::kernel::escape::count), bit for bit, for any parameters.

mod budget;
mod lane;
mod map;
mod patch;
mod portable;
mod span;
mod staged;
mod staging;
mod tally;
mod tile;
mod trap;

#[cfg(test)]
mod conformance;

#[cfg(target_arch = "x86_64")]
mod avx2;
#[cfg(target_arch = "x86_64")]
mod avx512;
#[cfg(target_arch = "aarch64")]
mod neon;

use std::{fmt, marker::PhantomData};

use fearless_simd::{Level, Simd};

pub(crate) use self::lane::{Cell, Lane};
use self::{
    lane::BLOCK,
    map::{General, Imaginary, Revocable, Rules},
    span::Spans,
    staged::Workspace,
    tile::Tile,
};
use crate::{
    device::{
        cpu::isa::Isa,
        proof::{self, Orbits},
    },
    kernel::escape::{Constants, EscapeTime, Plane},
};

/// Points of a tile: with the survivors of the first stage (16 bytes each in f64) and the counts of all stages it fills
/// about half a megabyte, which the L2 cache of every server core holds.
const TILE_POINTS: usize = 32 * 1024;

/// An instruction set with image kernels in the format `T`.
trait Target<T: Lane>: Simd {
    /// Computes `tile` into `out`, whose rows lie `stride` counts apart. Returns how many iterations were not made, since what
    /// becomes of the orbit was known.
    fn fill<K: EscapeTime, R: Rules, C: Cell>(
        self,
        work: &mut Workspace<T>,
        tile: &Tile<'_, T>,
        out: &mut [C],
        stride: usize,
    ) -> u64;
}

/// The kernel that a filler uses.
#[derive(Clone, Copy, Debug)]
enum Engine {
    #[cfg(target_arch = "x86_64")]
    Avx512(fearless_simd::Avx512),
    #[cfg(target_arch = "x86_64")]
    Avx2(fearless_simd::Avx2),
    #[cfg(target_arch = "aarch64")]
    Neon(fearless_simd::Neon),
    Portable,
}

impl Engine {
    /// That of `isa`, which this CPU has.
    fn of(isa: Isa) -> Self {
        let level = Level::new();
        match isa {
            #[cfg(target_arch = "x86_64")]
            Isa::Avx512 => Self::Avx512(level.as_avx512().expect("the CPU has the instruction set that was chosen")),
            #[cfg(target_arch = "x86_64")]
            Isa::Avx2 => Self::Avx2(level.as_avx2().expect("the CPU has the instruction set that was chosen")),
            #[cfg(target_arch = "aarch64")]
            Isa::Neon => Self::Neon(level.as_neon().expect("the CPU has the instruction set that was chosen")),
            Isa::Scalar => Self::Portable,
            #[allow(unreachable_patterns, reason = "which arms are left depends on the architecture")]
            other => unreachable!("{other} is no instruction set of this architecture"),
        }
    }
}

/// Fills bands of one image with counts, on one thread.
pub(crate) struct Filler<K, T> {
    engine: Engine,
    /// Real parts of the columns, padded to whole blocks.
    columns: Vec<T>,
    spans: Spans<Vec<T>>,
    width: usize,
    /// Size of the largest real part.
    reach: f64,
    constants: Constants<T>,
    work: Workspace<T>,
    kernel: PhantomData<K>,
}

impl<K, T> fmt::Debug for Filler<K, T> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Filler").field("engine", &self.engine).field("width", &self.width).finish_non_exhaustive()
    }
}

impl<K: EscapeTime, T: Lane> Filler<K, T> {
    /// For the image with these `columns` and `constants`, on a CPU that has `isa`.
    pub(crate) fn new(isa: Isa, columns: &[T], constants: Constants<T>) -> Self {
        let width = columns.len();
        let mut padded = columns.to_vec();
        padded.resize(width.next_multiple_of(BLOCK), T::round(0.0));
        // Beyond its range the fused multiply-add of the vector kernels is not the definition's sum.
        let engine = if proof::fused_is_exact(&constants) { Engine::of(isa) } else { Engine::Portable };
        let work = Workspace::new::<K>(if matches!(engine, Engine::Portable) { 0 } else { TILE_POINTS });
        let (spans, reach) = (Spans::of(columns), proof::reach(columns));
        Self { engine, columns: padded, spans, width, reach, constants, work, kernel: PhantomData }
    }

    /// The counts of one row for each of `rows`, its imaginary parts: `out` has one count a pixel, row after row. Returns how many of
    /// the iterations that the counts tell of were not made, since what becomes of the orbit was known.
    pub(crate) fn fill<C: Cell>(&mut self, rows: &[T], out: &mut [C]) -> u64 {
        assert_eq!(out.len(), self.width * rows.len(), "out has one count for each pixel of the band");
        let tile_columns = self.columns.len().clamp(BLOCK, TILE_POINTS);
        // Tiles of equal height: a low one at the end would be computed with half-empty stages.
        let tiles = rows.len().div_ceil((TILE_POINTS / tile_columns).max(1)).max(1);
        let tile_rows = rows.len().div_ceil(tiles).max(1);
        let mut skipped = 0;
        for (rows, out) in rows.chunks(tile_rows).zip(out.chunks_mut((tile_rows * self.width).max(1))) {
            for start in (0..self.width).step_by(tile_columns) {
                let width = tile_columns.min(self.width - start);
                skipped += self.fill_tile(start, width, rows, &mut out[start..]);
            }
        }
        skipped
    }

    fn fill_tile<C: Cell>(&mut self, start: usize, width: usize, rows: &[T], out: &mut [C]) -> u64 {
        let constants = self.constants;
        let limit = staging::MAX_FREE.min(usize::from(constants.max_iter) - 1);
        let orbits = Orbits::of::<K, T>(&constants, (self.reach, proof::reach(rows)));
        let tile = Tile {
            columns: &self.columns[start..start + width.next_multiple_of(BLOCK)],
            spans: self.spans.starting_at(start),
            width,
            rows,
            constants,
            orbits,
            free: orbits.tests_passed_by_all(limit),
        };
        match self.engine {
            #[cfg(target_arch = "x86_64")]
            Engine::Avx512(simd) => fill_by_rules::<K, T, C>(simd, orbits, &mut self.work, &tile, out, self.width),
            #[cfg(target_arch = "x86_64")]
            Engine::Avx2(simd) => fill_by_rules::<K, T, C>(simd, orbits, &mut self.work, &tile, out, self.width),
            #[cfg(target_arch = "aarch64")]
            Engine::Neon(simd) => fill_by_rules::<K, T, C>(simd, orbits, &mut self.work, &tile, out, self.width),
            Engine::Portable => portable::fill::<K, T, C>(&tile, out, self.width),
        }
    }
}

/// Computes `tile` with the kernel compiled for what is known of it.
fn fill_by_rules<K: EscapeTime, T: Lane, C: Cell>(
    target: impl Target<T>,
    orbits: Orbits,
    work: &mut Workspace<T>,
    tile: &Tile<'_, T>,
    out: &mut [C],
    stride: usize,
) -> u64 {
    if !orbits.escape_is_final() {
        target.fill::<K, Revocable, C>(work, tile, out, stride)
    } else if K::PLANE == Plane::Orbits && tile.constants.fixed.x == T::round(0.0) {
        target.fill::<K, Imaginary, C>(work, tile, out, stride)
    } else {
        target.fill::<K, General, C>(work, tile, out, stride)
    }
}
