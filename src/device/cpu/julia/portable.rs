//! The Julia kernel in plain Rust, for any CPU and any parameters.
//!
//! Points go in groups of sixteen through loops without branches, which the compiler turns into whatever vectors the
//! baseline of the architecture has. A point that has failed a test stays out for good, whether or not it would pass a
//! later one, so nothing needs to be proved about the radius. Operations on a vector: 3 multiplications, 5 additions, 1
//! comparison, 1 `and`, 1 more addition: 11 for 2 iterations in f64 on SSE2. No compaction: a group runs on until its last
//! point has escaped, which doubles the work on the picture of z*z + 0.65i.

use crate::{
    device::cpu::julia::{lane::Lane, staged::Tile},
    kernel::julia::Count,
};

/// Points of a group.
const GROUP: usize = 16;

/// Iterations between two looks at whether the group still has a point inside.
const STRIDE: u16 = 8;

/// Computes `tile` into `out`, whose rows lie `stride` counts apart.
pub(super) fn fill<T: Lane, C: Count>(tile: &Tile<'_, T>, out: &mut [C], stride: usize) {
    for (row, &y) in out.chunks_mut(stride).zip(tile.lines) {
        for (pixels, columns) in row[..tile.width].chunks_mut(GROUP).zip(tile.columns.chunks_exact(GROUP)) {
            let passed = group(columns, y, tile);
            for (pixel, passed) in pixels.iter_mut().zip(passed) {
                *pixel = C::from_u16(tile.constants.max_iter - passed);
            }
        }
    }
}

/// The number of tests that each point of a group passes before the first it fails.
fn group<T: Lane>(columns: &[T], line: T, tile: &Tile<'_, T>) -> [u16; GROUP] {
    let constants = &tile.constants;
    let (zero, one) = (T::round(0.0), T::round(1.0));
    let mut x: [T; GROUP] = columns.try_into().expect("columns are padded to whole groups");
    let mut y = [line; GROUP];
    let mut alive = [one; GROUP];
    let mut passed = [zero; GROUP];
    let mut left = constants.max_iter - 1;
    while left > 0 && alive != [zero; GROUP] {
        let steps = left.min(STRIDE);
        for _ in 0..steps {
            for i in 0..GROUP {
                let (a, b, xy) = (x[i] * x[i], y[i] * y[i], x[i] * y[i]);
                alive[i] = if a + b < constants.radius2 { alive[i] } else { zero };
                passed[i] += alive[i];
                y[i] = (xy + xy) + constants.c_im;
                x[i] = (a - b) + constants.c_re;
            }
        }
        left -= steps;
    }
    passed.map(to_u16)
}

/// A count of at most 65534, held exactly by either format.
#[expect(clippy::cast_possible_truncation, clippy::cast_sign_loss, reason = "a whole number of at most 65534")]
fn to_u16<T: Lane>(passed: T) -> u16 {
    let passed: f64 = passed.into();
    passed as u16
}
