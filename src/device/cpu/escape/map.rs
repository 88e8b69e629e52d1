//! One iteration of a kernel on a group of vectors.
//!
//! Operations on a vector for z*z + c: xx, yy, xy, xx - yy, `fma(xy, 2, Im c)`, and + Re c: six. A test adds two, xx + yy and the
//! comparison. The fused operation stands for the definition's `(xy + xy) + Im c` and has the same result, see
//! [`fused_is_exact`](crate::device::proof::fused_is_exact).

use std::marker::PhantomData;

use fearless_simd::{Simd, SimdBase, SimdMask};

use super::lane::{Lane, Vector};
use crate::kernel::{
    escape::{Constants, EscapeTime, Plane},
    number::{Addend, Number, Point, Zero},
};

/// What is known of a tile before it is computed, so that the kernel is compiled without what it does not need.
pub(super) trait Rules {
    /// The real part of c.
    type Re<N: Number>: Addend<N>;
    /// A point that has failed a test may pass a later one, so every test must be looked at.
    const REVOCABLE: bool;

    /// The real part of c as it is added.
    fn re<N: Number>(re: N) -> Self::Re<N>;
}

/// Escape is final and Re c is zero.
pub(super) struct Imaginary;
impl Rules for Imaginary {
    type Re<N: Number> = Zero;
    const REVOCABLE: bool = false;

    #[inline(always)]
    fn re<N: Number>(_: N) -> Zero {
        Zero
    }
}

/// Escape is final.
pub(super) struct General;
impl Rules for General {
    type Re<N: Number> = N;
    const REVOCABLE: bool = false;

    #[inline(always)]
    fn re<N: Number>(re: N) -> N {
        re
    }
}

/// Nothing is known.
pub(super) struct Revocable;
impl Rules for Revocable {
    type Re<N: Number> = N;
    const REVOCABLE: bool = true;

    #[inline(always)]
    fn re<N: Number>(re: N) -> N {
        re
    }
}

/// The points of `U` vectors, interleaved so that one's latency hides behind the others' work. Which pixels they belong to is
/// of use to kernels of the plane of parameters alone; for others nothing comes of it.
#[derive(Clone, Copy)]
pub(super) struct Points<S: Simd, T: Lane, const U: usize> {
    /// Where the orbits are.
    pub(super) z: [Point<Vector<S, T>>; U],
    /// The pixels.
    pub(super) pixel: [Point<Vector<S, T>>; U],
}

impl<S: Simd, T: Lane, const U: usize> Points<S, T, U> {
    /// The group that begins at `start` of points that lie in these arrays.
    #[inline(always)]
    pub(super) fn load<K: EscapeTime>(simd: S, z: Point<&[T]>, pixel: Point<&[T]>, start: usize) -> Self {
        let len = T::Vector::<S>::LEN;
        let vector = |values: &[T], u: usize| {
            let at = start + u * len;
            Vector(T::Vector::<S>::from_slice(simd, &values[at..at + len]))
        };
        let point = |from: Point<&[T]>, u| Point { x: vector(from.x, u), y: vector(from.y, u) };
        let z = std::array::from_fn(|u| point(z, u));
        let pixel = if is_carried::<K>() { std::array::from_fn(|u| point(pixel, u)) } else { z };
        Self { z, pixel }
    }

    /// One bit a point, set where it is the point of `other`, bit for bit but for the signs of zeros.
    #[inline(always)]
    pub(super) fn equal(&self, other: &[Point<Vector<S, T>>; U]) -> u64 {
        let mut bits = 0;
        for u in 0..U {
            let (z, other) = (self.z[u], other[u]);
            let equal = z.x.0.simd_eq(other.x.0) & z.y.0.simd_eq(other.y.0);
            bits |= equal.to_bitmask() << (u * T::Vector::<S>::LEN);
        }
        bits
    }

    /// Whether a point may be that of `other`, by its real part alone: half the work, where hardly one is.
    #[inline(always)]
    pub(super) fn may_equal(&self, other: &[Point<Vector<S, T>>; U]) -> bool {
        let equal = |u: usize| self.z[u].x.0.simd_eq(other[u].x.0);
        (1..U).fold(equal(0), |any, u| any | equal(u)).any_true()
    }

    /// The beginning of the orbits of consecutive pixels of the row `y`.
    #[inline(always)]
    pub(super) fn row<K: EscapeTime>(simd: S, columns: &[T], y: T, fixed: Point<T>) -> Self {
        let len = T::Vector::<S>::LEN;
        let y = Vector::splat(simd, y);
        let pixel = std::array::from_fn(|u| {
            let x = T::Vector::<S>::from_slice(simd, &columns[u * len..(u + 1) * len]);
            Point { x: Vector(x), y }
        });
        let fixed = Point { x: Vector::splat(simd, fixed.x), y: Vector::splat(simd, fixed.y) };
        let z = match K::PLANE {
            Plane::Orbits => pixel,
            Plane::Parameters => [fixed; U],
        };
        Self { z, pixel }
    }
}

/// Whether a point's pixel has to be known as long as its orbit is followed.
pub(super) const fn is_carried<K: EscapeTime>() -> bool {
    matches!(K::PLANE, Plane::Parameters)
}

/// The constants of the iteration, one to a register.
pub(super) struct Map<K, S: Simd, T: Lane, R: Rules> {
    fixed: Point<Vector<S, T>>,
    radius2: T::Vector<S>,
    kind: PhantomData<(K, R)>,
}

impl<K: EscapeTime, S: Simd, T: Lane, R: Rules> Map<K, S, T, R> {
    #[inline(always)]
    pub(super) fn new(simd: S, constants: &Constants<T>) -> Self {
        let Point { x, y } = constants.fixed;
        Self {
            fixed: Point { x: Vector::splat(simd, x), y: Vector::splat(simd, y) },
            radius2: T::Vector::<S>::splat(simd, constants.radius2),
            kind: PhantomData,
        }
    }

    /// Moves vector `u` one iteration on; returns which of its points had passed the test before.
    #[inline(always)]
    pub(super) fn advance<const U: usize>(
        &self,
        points: &mut Points<S, T, U>,
        u: usize,
    ) -> <T::Vector<S> as SimdBase<S>>::Mask {
        let c = if is_carried::<K>() { points.pixel[u] } else { self.fixed };
        let squares = points.z[u].squares();
        points.z[u] = K::next(points.z[u], squares, Point { x: R::re(c.x), y: c.y });
        (squares.x + squares.y).0.simd_lt(self.radius2)
    }

    /// Which points of vector `u` pass the test.
    #[inline(always)]
    pub(super) fn inside<const U: usize>(
        &self,
        points: &Points<S, T, U>,
        u: usize,
    ) -> <T::Vector<S> as SimdBase<S>>::Mask {
        let squares = points.z[u].squares();
        (squares.x + squares.y).0.simd_lt(self.radius2)
    }

    /// Whether all lanes pass it, those of no point too: a third of the work, where hardly one fails.
    #[inline(always)]
    pub(super) fn all_inside<const U: usize>(&self, points: &Points<S, T, U>) -> bool {
        (1..U).fold(self.inside(points, 0), |all, u| all & self.inside(points, u)).all_true()
    }
}
