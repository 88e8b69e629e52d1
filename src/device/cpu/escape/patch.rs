//! Patches: small rectangles of pixels whose orbits are known to leave the circle of escape together, or to stay together for good, so
//! that one is followed for all.
//!
//! Away from the set's boundary neighbours have the same count. Let w_0, w_1, ... be what the kernel computes for the middle of a
//! patch, and let z_0 lie within d_0 of w_0 and the c of the two within d_c of each other. z_i lies within d_i of w_i, where
//!
//!   d_{i+1} = (d_i (2 |w_i| + d_i) + d_c) (1 + MARGIN) + e,
//!
//! since |f(z, c) - f(w, b)| <= |z - w| (2 |w| + |z - w|) + |c - b|, and e has room for the roundings of both. If for some k
//!
//!   |w_i| + d_i < r (1 - MARGIN), for all i < k,    and    |w_k| - d_k > r (1 + MARGIN),
//!
//! where r is the radius of escape, then all pixels of the patch pass k tests and fail the next, which is all the definition asks for:
//! whether one would come back does not matter. And if they pass some tests together, after which the disc, or a larger one, is a
//! [`trap`](super::trap), they pass all there are.
//!
//! The roundings: let u be the rounding unit and M = r^2 + |c| + |z_0|, each at most. All z_i and w_i with i < k have squares below
//! r^2, so that a computed step lies within 6u M of f, see [`EscapeTime`], which is 12u M for two; what |w_k|, at most M, loses is
//! below 4u M. e is 32u M, of which d_0 has its part too. What else is rounded loses a few u of itself, far less than MARGIN. M is at
//! most 2^40, so that no square leaves the format, and r at least 1/1024, so that what underflows is far below e.

use fearless_simd::{Simd, SimdBase, SimdFloat, SimdMask};

use super::{
    budget,
    lane::{BLOCK, Cell, Lane, Vector},
    map::{Map, Points, Rules},
    span::{self, Spans, span},
    tile::Tile,
    trap::{Disc, Trap, trapped},
};
use crate::{
    device::proof::{MARGIN, SMALLEST_RADIUS},
    kernel::escape::{EscapeTime, Plane},
};

/// Rows of a patch, at most.
const ROWS: usize = 8;

/// Tests that are looked at: what is whole after them is mostly torn by the next, or stays.
const TESTS: u16 = 8;

/// Largest M.
const LARGEST: f64 = 1_099_511_627_776.0; // 2^40

/// The tests that the pixels of a patch pass, where that is not known.
const TORN: u16 = u16::MAX;

/// What is known of the patches of a tile.
#[derive(Debug, Default)]
pub(super) struct Patches {
    /// For each the tests that its pixels pass before they fail one, or [`TORN`]; row of patches after row.
    passed: Vec<u16>,
    /// Patches of a row, to whole groups.
    across: usize,
    /// Rows of a patch: the last ones may have fewer.
    height: usize,
}

/// What the proof needs.
#[derive(Clone, Copy, Debug)]
struct Proof {
    /// r (1 - MARGIN).
    within: f64,
    /// r (1 + MARGIN).
    beyond: f64,
    /// e.
    rounding: f64,
    /// All tests there are.
    total: u16,
}

impl Proof {
    /// None where it does not hold.
    fn of<T: Lane>(tile: &Tile<'_, T>) -> Option<Self> {
        let (radius, size) = (tile.orbits.radius(), tile.orbits.size());
        (radius >= SMALLEST_RADIUS && size <= LARGEST).then_some(Self {
            within: radius * (1.0 - MARGIN),
            beyond: radius * (1.0 + MARGIN),
            rounding: 32.0 * T::UNIT * size,
            total: tile.constants.max_iter - 1,
        })
    }
}

/// Where the patches of a group are.
#[derive(Clone, Copy, Debug)]
struct Places<'a, T> {
    columns: Spans<&'a [T]>,
    /// The middle of their rows, and how far from it these are.
    row: (T, T),
}

impl Patches {
    /// Looks at those of `tile`.
    #[inline(always)]
    pub(super) fn look<K, S, T, R, const U: usize>(&mut self, simd: S, map: &Map<K, S, T, R>, tile: &Tile<'_, T>)
    where
        K: EscapeTime,
        S: Simd,
        T: Lane,
        R: Rules,
    {
        const { assert!((U * T::Vector::<S>::LEN * span::COLUMNS).is_multiple_of(BLOCK), "a row's groups end with a block") };
        let group = U * T::Vector::<S>::LEN;
        self.across = tile.width.div_ceil(span::COLUMNS).next_multiple_of(group);
        self.passed.clear();
        let down = tile.rows.len().div_ceil(ROWS);
        self.height = tile.rows.len().div_ceil(down);
        self.passed.resize(self.across * down, TORN);
        let Some(proof) = Proof::of(tile) else {
            return;
        };
        for (rows, patches) in tile.rows.chunks(self.height).zip(self.passed.chunks_exact_mut(self.across)) {
            let row = span(rows);
            for (at, patches) in (0..).step_by(group).zip(patches.chunks_exact_mut(group)) {
                let Spans { middles, reaches } = tile.spans;
                let columns = Spans { middles: &middles[at..at + group], reaches: &reaches[at..at + group] };
                let places = Places { columns, row };
                follow::<K, S, T, R, U>(simd, map, tile, &proof, places, patches, |_, _| ());
            }
        }
    }

    /// Those in which the pixels of row `row` lie.
    #[inline(always)]
    pub(super) fn row(&self, row: usize) -> Row<'_> {
        let start = row / self.height * self.across;
        Row(&self.passed[start..start + self.across])
    }

    /// Writes the counts of the pixels of those that are known to `out`, whose rows lie `stride` counts apart.
    pub(super) fn write<T, C: Cell>(&self, tile: &Tile<'_, T>, out: &mut [C], stride: usize) {
        let count = |passed: u16| C::from_u16(tile.constants.max_iter - passed);
        for (row, out) in out.chunks_mut(stride).enumerate().take(tile.rows.len()) {
            let patches = self.row(row).0;
            // Of as many pixels as the compiler knows of, or else each patch is a call.
            let (whole, rest) = out[..tile.width].as_chunks_mut::<{ span::COLUMNS }>();
            for (pixels, &passed) in whole.iter_mut().zip(patches) {
                if passed != TORN {
                    *pixels = [count(passed); span::COLUMNS];
                }
            }
            if let Some(&passed) = patches.get(whole.len()).filter(|&&passed| passed != TORN) {
                rest.fill(count(passed));
            }
        }
    }
}

/// A row of patches.
#[derive(Clone, Copy, Debug)]
pub(super) struct Row<'a>(&'a [u16]);

impl<'a> Row<'a> {
    /// Those of the group of `points` pixels that begins with `column`, with the tests that their pixels pass, if that is known of all.
    #[inline(always)]
    pub(super) fn known(self, column: usize, points: usize) -> Option<&'a [u16]> {
        let patches = &self.0[column / span::COLUMNS..][..points.div_ceil(span::COLUMNS)];
        patches.iter().all(|&passed| passed != TORN).then_some(patches)
    }
}

/// Follows the middles of a group of patches of one row: writes to `passed` how many tests the pixels of each pass, where that is known.
/// `watch` is shown the middles' orbits and the discs around them before each test.
///
/// An iteration of a vector takes 13 operations and a root beside those of the map.
#[inline(always)]
fn follow<K: EscapeTime, S: Simd, T: Lane, R: Rules, const U: usize>(
    simd: S,
    map: &Map<K, S, T, R>,
    tile: &Tile<'_, T>,
    proof: &Proof,
    Places { columns, row }: Places<'_, T>,
    passed: &mut [u16],
    mut watch: impl FnMut(&Points<S, T, U>, &[Vector<S, T>; U]),
) {
    let len = T::Vector::<S>::LEN;
    let splat = |value: f64| Vector::<S, T>::splat(simd, T::round(value));
    let (within, beyond, rounding) = (splat(proof.within), splat(proof.beyond), splat(proof.rounding));
    let (grown, none) = (splat(1.0 + MARGIN), splat(0.0));
    let height = Vector::<S, T>::splat(simd, row.1);
    let reach: [Vector<S, T>; U] = std::array::from_fn(|u| {
        let width = Vector::<S, T>(T::Vector::<S>::from_slice(simd, &columns.reaches[u * len..(u + 1) * len]));
        Vector((width * width + height * height).0.sqrt())
    });
    let (start, c) = match K::PLANE {
        Plane::Orbits => (reach, [none; U]),
        Plane::Parameters => ([none; U], reach),
    };
    let mut disc: [Vector<S, T>; U] = std::array::from_fn(|u| start[u].times_plus(grown, rounding));
    let mut group = Points::<S, T, U>::row::<K>(simd, columns.middles, row.0, tile.constants.fixed);
    let mut whole = u64::MAX >> (64 - U * len);
    let tests = proof.total.min(TESTS);
    for test in 0..tests {
        watch(&group, &disc);
        let (mut inside, mut outside) = (0, 0);
        for u in 0..U {
            let squares = group.z[u].squares();
            let modulus = Vector::<S, T>((squares.x + squares.y).0.sqrt());
            inside |= (modulus + disc[u]).0.simd_lt(within.0).to_bitmask() << (u * len);
            outside |= (modulus - disc[u]).0.simd_gt(beyond.0).to_bitmask() << (u * len);
            let spread = disc[u].times_plus(modulus + (modulus + disc[u]), c[u]);
            disc[u] = spread.times_plus(grown, rounding);
            map.advance(&mut group, u);
        }
        note(passed, whole & outside, test);
        whole &= inside;
        if whole == 0 {
            return;
        }
    }
    let staying = if tests == proof.total {
        whole
    } else {
        let done = usize::from(tests);
        let trap = Trap::after(done, budget::longest(done), &tile.constants);
        let (least, lost) = (splat(trap.radius), splat(trap.rounding));
        let around = |u: usize| Disc { radius: Vector(least.0.max(disc[u].0)), spread: c[u] + lost };
        trapped(simd, map, &trap, &group, around, whole, |_, _| ())
    };
    note(passed, staying, proof.total);
}

/// Writes `tests` for each of the `patches` that has its bit set.
#[inline(always)]
fn note(passed: &mut [u16], mut patches: u64, tests: u16) {
    while patches != 0 {
        passed[patches.trailing_zeros() as usize] = tests;
        patches &= patches - 1;
    }
}

#[cfg(test)]
mod tests {
    use fearless_simd::{Level, dispatch};

    use super::*;
    use crate::{
        device::{
            cpu::escape::map::Revocable,
            proof::{self, Orbits},
        },
        kernel::{
            escape::{self, Constants, orbit},
            julia::Julia,
            mandelbrot::Mandelbrot,
            number::Point,
        },
    };

    /// What patches are looked at of.
    #[derive(Debug)]
    struct Scene<T> {
        columns: Vec<T>,
        rows: Vec<T>,
        constants: Constants<T>,
    }

    impl<T: Lane> Scene<T> {
        /// Of `size` columns and rows around `middle`, `side` wide.
        fn new(size: (u32, u32), middle: (f64, f64), side: f64, fixed: (f64, f64), radius: f64) -> Self {
            let grid = |middle: f64, n: u32| {
                let part = |i: u32| (f64::from(i) + 0.5 - f64::from(n) / 2.0) / f64::from(size.0);
                (0..n).map(|i| T::round(middle + side * part(i))).collect()
            };
            let constants = Constants {
                fixed: Point { x: T::round(fixed.0), y: T::round(fixed.1) },
                radius2: T::round(radius * radius),
                max_iter: 255,
            };
            Self { columns: grid(middle.0, size.0), rows: grid(middle.1, size.1), constants }
        }

        /// As a tile, whose columns have these `spans`.
        fn tile<'a, K: EscapeTime>(&'a self, spans: &'a Spans<Vec<T>>) -> Tile<'a, T> {
            let Self { columns, rows, constants } = self;
            let orbits = Orbits::of::<K, T>(constants, (proof::reach(columns), proof::reach(rows)));
            let (spans, width) = (spans.starting_at(0), columns.len());
            Tile { columns, spans, width, rows, constants: *constants, orbits, free: 0 }
        }

        /// Of how many pixels it is known what becomes of them, which has to be right.
        fn known<K: EscapeTime>(&self) -> usize {
            dispatch!(Level::new(), simd => self.known_on::<K, _>(simd))
        }

        #[inline(always)]
        fn known_on<K: EscapeTime, S: Simd>(&self, simd: S) -> usize {
            let Self { columns, rows, constants } = self;
            let spans = Spans::of(columns);
            let mut patches = Patches::default();
            patches.look::<K, S, T, Revocable, 2>(simd, &Map::new(simd, constants), &self.tile::<K>(&spans));
            let mut known = 0;
            for (i, &y) in rows.iter().enumerate() {
                for (j, &x) in columns.iter().enumerate() {
                    if let Some(passed) = patches.row(i).known(j, 1) {
                        let expected = constants.max_iter - escape::count::<K, T>(x, y, constants);
                        assert_eq!(passed[0], expected, "{} {x:?} {y:?} of {constants:?}", K::NAME);
                        known += 1;
                    }
                }
            }
            known
        }

        /// The farthest that a pixel of the first patch comes from the middle's orbit, as a part of the disc's radius.
        fn farthest<K: EscapeTime>(&self) -> f64 {
            dispatch!(Level::new(), simd => self.farthest_on::<K, _>(simd))
        }

        #[inline(always)]
        fn farthest_on<K: EscapeTime, S: Simd>(&self, simd: S) -> f64 {
            let Self { columns, rows, constants } = self;
            assert!(columns.len() <= span::COLUMNS && rows.len() <= ROWS, "one patch");
            let spans = Spans::of(columns);
            let tile = self.tile::<K>(&spans);
            let proof = Proof::of(&tile).expect("the proof holds");
            let pixels = rows.iter().flat_map(|&y| columns.iter().map(move |&x| Point { x, y }));
            let mut orbits: Vec<_> = pixels.map(|pixel| orbit::<K, T>(pixel, constants.fixed)).collect();
            let mut farthest = 0.0_f64;
            let first_of = |vector: Vector<S, T>| Into::<f64>::into(vector.0.as_slice()[0]);
            follow::<K, S, T, Revocable, 1>(
                simd,
                &Map::new(simd, constants),
                &tile,
                &proof,
                Places { columns: tile.spans, row: span(rows) },
                &mut vec![TORN; T::Vector::<S>::LEN],
                |middle, disc| {
                    let [x, y, disc] = [middle.z[0].x, middle.z[0].y, disc[0]].map(first_of);
                    for (z, c) in &mut orbits {
                        let (zx, zy): (f64, f64) = (z.x.into(), z.y.into());
                        farthest = farthest.max((zx - x).hypot(zy - y) / disc);
                        *z = K::next(*z, z.squares(), *c);
                    }
                },
            );
            farthest
        }
    }

    /// Of patches all over the circle, from a few roundings to an eighth of it wide.
    fn farthest<K: EscapeTime, T: Lane>() -> f64 {
        let mut farthest = 0.0_f64;
        for k in 0..3000_u16 {
            let part = |factor: f64| (f64::from(k) * factor).fract();
            let middle = (part(0.618_033_988_7).mul_add(4.0, -2.0), part(0.754_877_666_2).mul_add(4.0, -2.0));
            let fixed = match K::PLANE {
                Plane::Orbits => (part(0.569_840_291).mul_add(3.0, -2.0), part(0.324_717_957_2).mul_add(2.0, -1.0)),
                Plane::Parameters => (0.0, 0.0),
            };
            let side = 0.75 * (T::UNIT * 16.0).powf(part(0.819_172_513_4));
            let here = Scene::<T>::new((16, 8), middle, side, fixed, 3.0).farthest::<K>();
            assert!(here <= 1.0, "{middle:?} {fixed:?} {side}: {here}");
            farthest = farthest.max(here);
        }
        farthest
    }

    #[test]
    fn no_orbit_of_a_patch_leaves_the_disc_and_some_come_near_to_it() {
        let all = [
            farthest::<Julia, f64>(),
            farthest::<Julia, f32>(),
            farthest::<Mandelbrot, f64>(),
            farthest::<Mandelbrot, f32>(),
        ];
        assert!(all.iter().all(|&part| part > 0.98), "{all:?}");
    }

    #[test]
    fn what_is_known_of_a_patch_is_right_and_of_the_outside_much_is_known() {
        fn known<T: Lane>(side: f64, fixed: (f64, f64), radius: f64) -> [usize; 2] {
            let scene = |fixed| Scene::<T>::new((400, 300), (0.0, 0.0), side, fixed, radius);
            [scene(fixed).known::<Julia>(), scene((0.0, 0.0)).known::<Mandelbrot>()]
        }
        for (side, fixed, radius) in [
            (4.0, (0.0, 0.65), 3.0),
            (4.0, (-1.0, 0.0), 2.0),
            (3.0, (-0.12, 0.74), 1.3),
            (30.0, (1.0, 0.2), 3.0),
            (4.0, (-1.0, 0.0), 0.7),
            // Whose interior takes nearly all of the view.
            (1.0, (-0.1, 0.1), 2.0),
        ] {
            for known in [known::<f64>(side, fixed, radius), known::<f32>(side, fixed, radius)] {
                assert!(known.iter().all(|&known| known > 12_000), "{side} {fixed:?} {radius}: {known:?} of 120000");
            }
        }
    }

    #[test]
    fn where_the_proof_does_not_hold_nothing_is_known() {
        for (radius, holds) in [(3.0, true), (1e-4, false), (2e6, false), (f64::INFINITY, false), (f64::NAN, false)] {
            let scene = Scene::<f64>::new((64, 64), (0.0, 0.0), 0.01, (10.0, 0.0), radius);
            let spans = Spans::of(&scene.columns);
            assert_eq!(Proof::of(&scene.tile::<Julia>(&spans)).is_some(), holds, "{radius}");
            assert_eq!(scene.known::<Julia>() > 0, holds, "{radius}");
        }
        for (x, y) in [(f64::NAN, 10.0), (10.0, f64::INFINITY), (f64::NEG_INFINITY, 10.0)] {
            let one = Scene::new((1, 1), (0.0, 0.0), 1.0, (0.0, 0.0), 3.0);
            assert_eq!(Scene { columns: vec![10.0, x], rows: vec![10.0, y], ..one }.known::<Julia>(), 0, "{x} {y}");
        }
    }
}
