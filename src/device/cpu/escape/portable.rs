//! Image kernels in plain Rust, for any CPU and any parameters.
//!
//! Points go in groups of sixteen through loops without branches, which the compiler turns into whatever vectors the
//! baseline of the architecture has. A point that has failed a test stays out for good, whether or not it would pass a
//! later one, so nothing needs to be proved about the radius. Orbits that repeat are found as in `staged`.
//! Operations on a vector: 3 multiplications, 5 additions, 1
//! comparison, 1 `and`, 1 more addition: 11 for 2 iterations in f64 on SSE2. No compaction: a group runs on until its last
//! point has escaped, which doubles the work on the picture of z*z + 0.65i.

use crate::{
    device::cpu::escape::{lane::Lane, map::is_carried, tile::Tile},
    kernel::{
        count::Count,
        escape::{EscapeTime, orbit},
        number::Point,
    },
};

/// Points of a group.
const GROUP: usize = 16;

/// Iterations between two looks at whether the group still has a point inside.
const STRIDE: u16 = 8;

/// Iterations between two looks at whether orbits repeat, and before the first.
const LOOK: u16 = 4 * STRIDE;

/// A point of each of a group's orbits.
#[derive(Clone, Copy)]
struct Lanes<T> {
    x: [T; GROUP],
    y: [T; GROUP],
}

/// Computes `tile` into `out`, whose rows lie `stride` counts apart. Returns how many iterations were not made, since the orbit
/// was found to repeat.
pub(super) fn fill<K: EscapeTime, T: Lane, C: Count>(tile: &Tile<'_, T>, out: &mut [C], stride: usize) -> u64 {
    let mut skipped = 0;
    for (row, &y) in out.chunks_mut(stride).zip(tile.rows) {
        for (pixels, columns) in row[..tile.width].chunks_mut(GROUP).zip(tile.columns.chunks_exact(GROUP)) {
            let (passed, left) = group::<K, T>(columns, y, tile);
            for (pixel, (passed, left)) in pixels.iter_mut().zip(passed.into_iter().zip(left)) {
                *pixel = C::from_u16(tile.constants.max_iter - passed - left);
                skipped += u64::from(left);
            }
        }
    }
    skipped
}

/// The number of tests that each point of a group passes before the first it fails: those that were made, and those that need not
/// be made since its orbit repeats.
fn group<K: EscapeTime, T: Lane>(columns: &[T], row: T, tile: &Tile<'_, T>) -> ([u16; GROUP], [u16; GROUP]) {
    let constants = &tile.constants;
    let (zero, one) = (T::round(0.0), T::round(1.0));
    let columns: [T; GROUP] = columns.try_into().expect("columns are padded to whole groups");
    let orbits = columns.map(|x| orbit::<K, T>(Point { x, y: row }, constants.fixed));
    let c = Lanes { x: orbits.map(|(_, c)| c.x), y: orbits.map(|(_, c)| c.y) };
    let mut z = Lanes { x: orbits.map(|(z, _)| z.x), y: orbits.map(|(z, _)| z.y) };
    let mut alive = [one; GROUP];
    let mut passed = [zero; GROUP];
    let mut left = constants.max_iter - 1;
    let (mut past, mut past_done) = (z, 0);
    let mut repeats = [zero; GROUP];
    let mut next_look = LOOK;
    while left > 0 && alive != repeats {
        let steps = left.min(STRIDE);
        let c = |i: usize| if is_carried::<K>() { Point { x: c.x[i], y: c.y[i] } } else { constants.fixed };
        advance::<K, T>(&mut z, c, &mut alive, &mut passed, constants.radius2, steps);
        left -= steps;
        let done = constants.max_iter - 1 - left;
        if done < next_look {
            continue;
        }
        next_look = done.saturating_add(LOOK);
        if past_done > 0 {
            for i in 0..GROUP {
                let is_back = z.x[i] == past.x[i] && z.y[i] == past.y[i];
                repeats[i] = if is_back { alive[i] } else { repeats[i] };
            }
        }
        if done / 2 >= past_done {
            (past, past_done) = (z, done);
        }
    }
    (passed.map(to_u16), repeats.map(|repeats| if repeats == one { left } else { 0 }))
}

/// Points whose vectors a processor's registers hold all at once, which is as much as is taken through several iterations at a time.
const fn points_at_once<T>() -> usize {
    if size_of::<T>() > 4 { GROUP / 2 } else { GROUP }
}

/// Takes `steps` iterations of a group, a test before each.
#[inline(always)]
fn advance<K: EscapeTime, T: Lane>(
    z: &mut Lanes<T>,
    c: impl Fn(usize) -> Point<T>,
    alive: &mut [T; GROUP],
    passed: &mut [T; GROUP],
    radius2: T,
    steps: u16,
) {
    if points_at_once::<T>() == GROUP {
        return advance_part::<K, T, GROUP>(z, c, alive, passed, 0, radius2, steps);
    }
    for first in [0, GROUP / 2] {
        advance_part::<K, T, { GROUP / 2 }>(z, &c, alive, passed, first, radius2, steps);
    }
}

/// The same for `N` points from `first` on. Each coordinate has a place of its own, and a `c` that all orbits share is one number,
/// or else the compiler makes poorer vectors of it.
#[inline(always)]
fn advance_part<K: EscapeTime, T: Lane, const N: usize>(
    z: &mut Lanes<T>,
    c: impl Fn(usize) -> Point<T>,
    alive: &mut [T; GROUP],
    passed: &mut [T; GROUP],
    first: usize,
    radius2: T,
    steps: u16,
) {
    let zero = T::round(0.0);
    let [x, y, alive, passed] = [&mut z.x, &mut z.y, alive, passed]
        .map(|all| all[first..].first_chunk_mut::<N>().expect("the part is within the group"));
    for _ in 0..steps {
        for i in 0..N {
            let point = Point { x: x[i], y: y[i] };
            let squares = point.squares();
            alive[i] = if squares.x + squares.y < radius2 { alive[i] } else { zero };
            passed[i] += alive[i];
            let next = K::next(point, squares, c(first + i));
            // In this order: the other one costs a quarter in f32.
            y[i] = next.y;
            x[i] = next.x;
        }
    }
}

/// A count of at most 65534, held exactly by either format.
#[expect(clippy::cast_possible_truncation, clippy::cast_sign_loss, reason = "a whole number of at most 65534")]
fn to_u16<T: Lane>(passed: T) -> u16 {
    let passed: f64 = passed.into();
    passed as u16
}
