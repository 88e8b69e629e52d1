//! One iteration of z*z + c on a group of vectors.
//!
//! Operations on a vector: xx, yy, xy, xx - yy, `fma(xy, 2, Im c)`, and + Re c: six. A test adds two, xx + yy and the
//! comparison. The fused operation stands for the definition's `(xy + xy) + Im c` and has the same result, see
//! [`fused_is_exact`](crate::device::proof::fused_is_exact).

use std::marker::PhantomData;

use fearless_simd::{Simd, SimdBase, SimdFloat};

use crate::{device::cpu::julia::lane::Lane, kernel::julia::Constants};

/// What is known of an image before it is computed, so that the kernel is compiled without what it does not need.
pub(super) trait Rules {
    /// Re c is zero, and adding it is left out: xx - yy is never -0, so the sum is the same number.
    const C_IS_IMAGINARY: bool;
    /// A point that has failed a test may pass a later one, so every test must be looked at.
    const REVOCABLE: bool;
}

/// Escape is final and Re c is zero.
pub(super) struct Imaginary;
impl Rules for Imaginary {
    const C_IS_IMAGINARY: bool = true;
    const REVOCABLE: bool = false;
}

/// Escape is final.
pub(super) struct General;
impl Rules for General {
    const C_IS_IMAGINARY: bool = false;
    const REVOCABLE: bool = false;
}

/// Nothing is known.
pub(super) struct Revocable;
impl Rules for Revocable {
    const C_IS_IMAGINARY: bool = false;
    const REVOCABLE: bool = true;
}

/// The points of `U` vectors, interleaved so that one's latency hides behind the others' work.
#[derive(Clone, Copy)]
pub(super) struct Points<S: Simd, T: Lane, const U: usize> {
    pub(super) x: [T::Vector<S>; U],
    pub(super) y: [T::Vector<S>; U],
}

impl<S: Simd, T: Lane, const U: usize> Points<S, T, U> {
    /// All at (value, value).
    #[inline(always)]
    pub(super) fn splat(simd: S, value: T) -> Self {
        let value = T::Vector::<S>::splat(simd, value);
        Self { x: [value; U], y: [value; U] }
    }

    /// Consecutive points of the row `y`.
    #[inline(always)]
    pub(super) fn row(simd: S, columns: &[T], y: T) -> Self {
        let len = T::Vector::<S>::LEN;
        let mut points = Self::splat(simd, y);
        for u in 0..U {
            points.x[u] = T::Vector::<S>::from_slice(simd, &columns[u * len..(u + 1) * len]);
        }
        points
    }
}

/// The constants of the iteration, one to a register.
pub(super) struct Map<S: Simd, T: Lane, R: Rules> {
    c_re: T::Vector<S>,
    c_im: T::Vector<S>,
    two: T::Vector<S>,
    radius2: T::Vector<S>,
    rules: PhantomData<R>,
}

impl<S: Simd, T: Lane, R: Rules> Map<S, T, R> {
    #[inline(always)]
    pub(super) fn new(simd: S, constants: &Constants<T>) -> Self {
        let splat = |value| T::Vector::<S>::splat(simd, value);
        Self {
            c_re: splat(constants.c_re),
            c_im: splat(constants.c_im),
            two: splat(T::round(2.0)),
            radius2: splat(constants.radius2),
            rules: PhantomData,
        }
    }

    /// Moves vector `u` one iteration on; returns which of its points had passed the test before.
    #[inline(always)]
    pub(super) fn advance<const U: usize>(
        &self,
        points: &mut Points<S, T, U>,
        u: usize,
    ) -> <T::Vector<S> as SimdBase<S>>::Mask {
        let (x, y) = (points.x[u], points.y[u]);
        let (a, b, xy) = (x * x, y * y, x * y);
        points.x[u] = if R::C_IS_IMAGINARY { a - b } else { (a - b) + self.c_re };
        points.y[u] = xy.mul_add(self.two, self.c_im);
        (a + b).simd_lt(self.radius2)
    }

    /// Which points of vector `u` pass the test.
    #[inline(always)]
    pub(super) fn inside<const U: usize>(
        &self,
        points: &Points<S, T, U>,
        u: usize,
    ) -> <T::Vector<S> as SimdBase<S>>::Mask {
        let (x, y) = (points.x[u], points.y[u]);
        (x * x + y * y).simd_lt(self.radius2)
    }
}
