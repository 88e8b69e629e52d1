//! Escape counts of the Julia set of z*z + c: parameters, pixel grid and the scalar definition that every device must
//! reproduce bit for bit. Twins: `shaders/julia.wgsl` and `src/device/cpu/`.

use std::ops::Range;

use ndarray::{ArrayView2, ArrayViewMut2};

/// A picture of a Julia set: everything that decides its counts, save the [`Precision`](super::Precision).
#[derive(Clone, Debug, PartialEq)]
pub struct Julia {
    /// Pixels in a row, at least 1.
    pub width: u32,
    /// Rows, at least 1.
    pub height: u32,
    /// Real parts shown: left edge, right edge.
    pub x: (f64, f64),
    /// Imaginary parts shown: bottom edge, top edge. Row 0 is the top edge.
    pub y: (f64, f64),
    /// The constant c: real part, imaginary part.
    pub c: (f64, f64),
    /// A point has escaped once |z| is not below this radius.
    pub radius: f64,
    /// The count a point starts from; it goes down by one an iteration, at the lowest to 1. From 1 to 65535.
    pub max_iter: u16,
}

impl Julia {
    /// Real parts of the pixels of a row: x = x0 + j dx with dx = (x1 - x0) / width.
    #[must_use]
    pub fn columns(&self) -> Vec<f64> {
        let dx = (self.x.1 - self.x.0) / f64::from(self.width);
        (0..self.width).map(|j| self.x.0 + f64::from(j) * dx).collect()
    }

    /// Imaginary parts of `rows`: y = y1 - k dy with dy = (y1 - y0) / height.
    #[must_use]
    pub fn lines(&self, rows: Range<u32>) -> Vec<f64> {
        let dy = (self.y.1 - self.y.0) / f64::from(self.height);
        rows.map(|k| self.y.1 - f64::from(k) * dy).collect()
    }

    /// Whether counts fit in a byte; above, they are kept in 16 bits.
    #[must_use]
    pub fn counts_fit_u8(&self) -> bool {
        self.max_iter <= u16::from(u8::MAX)
    }

    /// The constants of the iteration in the format `T`.
    #[must_use]
    pub fn constants<T: Real>(&self) -> Constants<T> {
        Constants {
            c_re: T::round(self.c.0),
            c_im: T::round(self.c.1),
            radius2: T::round(self.radius * self.radius),
            max_iter: self.max_iter,
        }
    }
}

/// A floating-point format a kernel can compute in: f32 or f64.
pub trait Real:
    Copy
    + PartialOrd
    + Send
    + Sync
    + std::fmt::Debug
    + std::ops::Add<Output = Self>
    + std::ops::Sub<Output = Self>
    + std::ops::Mul<Output = Self>
    + 'static
{
    /// The nearest value of this format.
    fn round(value: f64) -> Self;
}

impl Real for f32 {
    #[expect(clippy::cast_possible_truncation, reason = "rounding to the nearest f32 is what is asked for")]
    fn round(value: f64) -> Self {
        value as Self
    }
}

impl Real for f64 {
    fn round(value: f64) -> Self {
        value
    }
}

/// What every pixel's iteration shares, in the format `T`.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Constants<T> {
    /// Real part of c.
    pub c_re: T,
    /// Imaginary part of c.
    pub c_im: T,
    /// Square of the escape radius.
    pub radius2: T,
    /// The count a point starts from.
    pub max_iter: u16,
}

/// The definition: the count of the point (x, y).
///
/// One rounding an operation, in this order, nothing contracted. With `f64` the orbit is bit for bit that of
/// `while abs(z) < radius and n > 1: z = z**2 + c; n -= 1` in Python, and so is the count, unless a point of the orbit lies on the
/// circle to the last digits: Python compares the rounded root, this the rounded squares. With u = 2^-53, a + b is within 2u of
/// |z|^2 and the squared radius within u, so that they can only be in another order than |z| and the radius where those are within
/// 1.5 u of each other; `hypot` adds an error of 2u. So counts are equal where no `abs(z)` of the orbit is within four units in the
/// last place of the radius, for radii from 1e-150 to 1e150.
#[must_use]
pub fn count<T: Real>(mut x: T, mut y: T, constants: &Constants<T>) -> u16 {
    let mut n = constants.max_iter;
    while n > 1 {
        let a = x * x;
        let b = y * y;
        #[expect(clippy::neg_cmp_op_on_partial_ord, reason = "infinity and NaN count as escaped")]
        if !(a + b < constants.radius2) {
            break;
        }
        let xy = x * y;
        y = (xy + xy) + constants.c_im;
        x = (a - b) + constants.c_re;
        n -= 1;
    }
    n
}

/// The integer type counts are kept in: `u8` up to 255 iterations, `u16` above.
pub trait Count: bytemuck::Pod + Ord + Into<u32> + Into<u64> + Send + Sync + std::fmt::Debug {
    /// A count that is known to fit.
    fn from_u16(count: u16) -> Self;
}

impl Count for u8 {
    fn from_u16(count: u16) -> Self {
        Self::try_from(count).expect("counts are kept in bytes only where max_iter fits in a byte")
    }
}

impl Count for u16 {
    fn from_u16(count: u16) -> Self {
        count
    }
}

/// The sum of `counts`. Sums in 32 bits vectorize better, over runs too short to overflow them.
pub fn sum<C: Count>(counts: &[C]) -> u64 {
    const RUN: usize = 1 << 12;
    let run = |counts: &[C]| counts.iter().map(|count| -> u32 { (*count).into() }).sum::<u32>();
    counts.chunks(RUN).map(|counts| u64::from(run(counts))).sum()
}

/// The counts of a band, rows x columns, contiguous.
#[derive(Clone, Copy, Debug)]
pub enum Counts<'a> {
    /// Of an image whose counts fit in a byte.
    U8(ArrayView2<'a, u8>),
    /// Of any other image.
    U16(ArrayView2<'a, u16>),
}

/// Fills `out`, one row per element of `lines`, one column per element of `columns`, by the definition.
pub fn fill<T: Real, C: Count>(columns: &[T], lines: &[T], constants: &Constants<T>, mut out: ArrayViewMut2<'_, C>) {
    for (mut row, &y) in out.outer_iter_mut().zip(lines) {
        for (pixel, &x) in row.iter_mut().zip(columns) {
            *pixel = C::from_u16(count(x, y, constants));
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const TUTORIAL: Julia =
        Julia { width: 640, height: 480, x: (-2.0, 2.0), y: (-1.5, 1.5), c: (0.0, 0.65), radius: 3.0, max_iter: 255 };

    #[test]
    fn a_point_outside_the_radius_keeps_the_starting_count() {
        assert_eq!(count(3.0, 0.0, &TUTORIAL.constants::<f64>()), 255);
        assert_eq!(count(f64::NAN, 0.0, &TUTORIAL.constants()), 255);
        assert_eq!(count(f64::INFINITY, 0.0, &TUTORIAL.constants()), 255);
    }

    #[test]
    fn a_point_that_never_escapes_ends_at_one() {
        let still = Julia { c: (0.0, 0.0), ..TUTORIAL };
        assert_eq!(count(0.0, 0.0, &still.constants::<f64>()), 1);
    }

    #[test]
    fn a_limit_of_one_leaves_no_iteration() {
        let none = Julia { max_iter: 1, ..TUTORIAL };
        assert_eq!(count(0.0, 0.0, &none.constants::<f32>()), 1);
    }

    #[test]
    fn the_grid_starts_in_the_upper_left_corner() {
        assert_eq!(TUTORIAL.columns()[..2], [-2.0, -2.0 + 4.0 / 640.0]);
        assert_eq!(TUTORIAL.lines(0..2), [1.5, 1.5 - 3.0 / 480.0]);
    }
}
