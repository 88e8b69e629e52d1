//! What can be said about a run of iterations before it runs: when a test may come late, and when it may be left out.
//!
//! The kernels test many points together, or once in some iterations, so they test some points later than the definition
//! does. That is the same only where a point that has left the circle of escape never comes back. Here is the proof, and the
//! conditions it needs. Knows nothing of vectors or shaders.

use crate::kernel::{
    escape::{Constants, EscapeTime, Plane},
    number::Real,
};

/// Room left for rounding, far above what a few operations in f32 lose (12 units of 2^-24).
pub(super) const MARGIN: f64 = 1.0 / 1024.0;

/// Largest square of the radius for which no product of a point inside the circle comes near overflow in f32, so that
/// `fma(xy, 2, c)` equals `(xy + xy) + c`: doubling has no rounding, and the one rounding left is that of the sum.
const LARGEST_RADIUS2: f64 = 1.267_650_600_228_229_4e30; // 2^100

/// Smallest radius for which what underflows is far below [`MARGIN`].
pub(super) const SMALLEST_RADIUS: f64 = 1.0 / 1024.0;

/// What is known of the orbits of some pixels before they are followed: sizes, and where they leave.
#[derive(Clone, Copy, Debug)]
pub(super) struct Orbits {
    /// |z| where they start, at most.
    start: f64,
    /// |c| at most.
    c: f64,
    /// Square of the escape radius.
    radius2: f64,
}

impl Orbits {
    /// Of the pixels whose coordinates are at most so large.
    pub(super) fn of<K: EscapeTime, T: Real + Into<f64>>(constants: &Constants<T>, reach: (f64, f64)) -> Self {
        let (pixel, fixed) = (reach.0.hypot(reach.1), constants.fixed.x.into().hypot(constants.fixed.y.into()));
        let (start, c) = match K::PLANE {
            Plane::Orbits => (pixel, fixed),
            Plane::Parameters => (fixed, pixel),
        };
        Self { start, c, radius2: constants.radius2.into() }
    }

    /// The escape radius.
    pub(super) fn radius(&self) -> f64 {
        self.radius2.sqrt()
    }

    /// The square of the escape radius, |c| and |z| where the orbits start, each at most, all together.
    pub(super) fn size(&self) -> f64 {
        self.radius2 + self.c + self.start
    }

    /// |f(z, c)| at most, for |z| of at most `bound`.
    fn next(&self, bound: f64) -> f64 {
        (bound * bound + self.c) * (1.0 + MARGIN)
    }

    /// Whether a point that fails the test fails every later one, in the arithmetic of the kernel, so that a test may come
    /// late.
    ///
    /// Let R be the square of the radius, r its root, u = 2^-24 the rounding unit (that of f64 is smaller), and let z be a
    /// computed point that fails: fl(fl(xx) + fl(yy)) is not below R.
    ///
    /// If the sum is not finite, then so is the next x, which is f's real part from squares that are not finite, or it is large
    /// and the next case holds; from a coordinate that is not finite none that is finite comes back, and no comparison with it is
    /// true.
    ///
    /// Else |z|^2 >= R (1 - 2u). At most five roundings lead to the next point, so it lies within 6u (|z|^2 + |c|) of f(z, c), and
    /// since |c| <= R its modulus is at least |z|^2 (1 - 12u) - |c|. That minus |z| grows with |z| beyond 1, and for the
    /// smallest |z| it is at least R (1 - 14u) - |c| - r. Where
    ///
    ///   |c| + r (1 + MARGIN) <= R (1 - MARGIN)
    ///
    /// it is at least r MARGIN. So the modulus grows by that much or more, the next point lies at r (1 + MARGIN / 2) or
    /// beyond, fails its test whatever its three roundings do, and is again a point as we started from. (The condition also
    /// implies r > 1.)
    pub(super) fn escape_is_final(&self) -> bool {
        let Self { c, radius2, .. } = *self;
        c + self.radius() * (1.0 + MARGIN) <= radius2 * (1.0 - MARGIN) && radius2 <= LARGEST_RADIUS2
    }

    /// Whether a point that has passed a test can be tested next after `steps` iterations, on a device that promises nothing of
    /// infinity and NaN: an escape is final, and neither the `steps` iterations nor the test after them leave the format, whose
    /// largest number is `max`.
    ///
    /// |z| <= B leads to |f(z, c)| <= B^2 + |c|, and the test of z needs a sum of squares that is at most B^2; a factor of 2 is
    /// far more than the roundings need.
    pub(super) fn tests_may_wait(&self, steps: u32, max: f64) -> bool {
        let mut bound = self.radius() * (1.0 + MARGIN);
        for _ in 0..steps {
            bound = self.next(bound);
        }
        self.escape_is_final() && 2.0 * bound * bound < max
    }

    /// How many of the first tests all points pass, counted up to `limit`: |z| <= B leads to |f(z, c)| <= B^2 + |c|.
    pub(super) fn tests_passed_by_all(&self, limit: usize) -> usize {
        let radius = self.radius();
        let mut bound = self.start * (1.0 + MARGIN);
        let mut passed = 0;
        while passed < limit && radius >= SMALLEST_RADIUS && bound * (1.0 + MARGIN) < radius {
            bound = self.next(bound);
            passed += 1;
        }
        passed
    }
}

/// Whether `fma(xy, 2, c)` is the definition's `(xy + xy) + c` for every point that has not escaped.
pub(super) fn fused_is_exact<T: Copy + Into<f64>>(constants: &Constants<T>) -> bool {
    constants.radius2.into() <= LARGEST_RADIUS2
}

/// The largest size of a coordinate, infinite where one is not finite.
pub(super) fn reach<T: Copy + Into<f64>>(coordinates: &[T]) -> f64 {
    let size = |&value: &T| Some(value.into().abs()).filter(|size| size.is_finite()).unwrap_or(f64::INFINITY);
    coordinates.iter().map(size).fold(0.0, f64::max)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::kernel::{julia::Julia, mandelbrot::Mandelbrot, number::Point};

    fn constants<T>(fixed: (T, T), radius2: T) -> Constants<T> {
        Constants { fixed: Point { x: fixed.0, y: fixed.1 }, radius2, max_iter: 255 }
    }

    fn julia(c: (f64, f64), radius: f64) -> Orbits {
        Orbits::of::<Julia, f64>(&constants(c, radius * radius), (2.0, 1.5))
    }

    #[test]
    fn escape_is_final_where_the_circle_is_wide_enough_for_c() {
        for (c, radius, is_final) in [
            ((0.0, 0.65), 3.0, true),
            ((-0.8, 0.156), 2.0, true),
            ((0.0, 5.9), 3.0, true),
            ((0.0, 6.0), 3.0, false),
            ((0.0, 0.0), 1.0, false),
            ((0.0, 0.65), 0.5, false),
            ((f64::NAN, 0.0), 3.0, false),
            ((f64::INFINITY, 0.0), 3.0, false),
            ((0.0, 0.65), f64::INFINITY, false),
            ((0.0, 0.65), f64::NAN, false),
        ] {
            assert_eq!(julia(c, radius).escape_is_final(), is_final, "c {c:?} radius {radius}");
        }
    }

    #[test]
    fn where_a_pixel_is_c_the_farthest_decides() {
        let mandelbrot =
            |radius: f64, x, y| Orbits::of::<Mandelbrot, f64>(&constants((0.0, 0.0), radius * radius), (x, y));
        for (radius, x, y, is_final) in [
            (3.0, 2.5, 1.5, true),
            (3.0, 5.9, 0.0, true),
            (3.0, 6.0, 0.0, false),
            (2.0, 1.9, 0.0, true),
            (2.0, 2.0, 0.0, false),
            (3.0, f64::INFINITY, 0.0, false),
        ] {
            assert_eq!(mandelbrot(radius, x, y).escape_is_final(), is_final, "{radius} {x} {y}");
        }
        // 0 passes, and so does c where it lies within the circle.
        assert_eq!(mandelbrot(3.0, 2.5, 1.5).tests_passed_by_all(3), 2);
        assert_eq!(mandelbrot(3.0, 3.5, 1.5).tests_passed_by_all(3), 1);
    }

    #[test]
    fn a_test_may_wait_while_squares_stay_within_the_format() {
        let orbits = |radius: f32| Orbits::of::<Julia, f32>(&constants((0.0, 0.65), radius * radius), (2.0, 1.5));
        // 3^(2^5) squared is 3^64 = 3e30, and 3^128 = 1e61.
        let max = f32::MAX.into();
        assert!(orbits(3.0).tests_may_wait(5, max) && !orbits(3.0).tests_may_wait(6, max));
        // 15^32 = 4e37, 17^32 = 2e39.
        assert!(orbits(15.0).tests_may_wait(4, max) && !orbits(17.0).tests_may_wait(4, max));
        // 3^512 = 2e244, and 3^1024 is beyond f64, in which the bound is computed.
        let f64 = julia((0.0, 0.65), 3.0);
        assert!(f64.tests_may_wait(8, f64::MAX) && !f64.tests_may_wait(9, f64::MAX));
        assert!(!julia((0.0, 0.65), 1.0).tests_may_wait(1, f64::MAX), "an escape is not final");
    }

    #[test]
    fn no_orbit_leaves_the_format_between_two_tests() {
        let constants = constants((0.0_f32, 0.65), 9.0);
        assert!(Orbits::of::<Julia, f32>(&constants, (3.0, 3.0)).tests_may_wait(4, f32::MAX.into()));
        for k in 0..1000_u16 {
            let (mut y, mut x) = (f32::from(k) * 0.01).sin_cos();
            (x, y) = (x * 2.999, y * 2.999);
            for _ in 0..4 {
                (x, y) = ((x * x - y * y) + constants.fixed.x, (x * y + x * y) + constants.fixed.y);
            }
            assert!((x * x + y * y).is_finite() && x * x + y * y > constants.radius2, "{k}: {x} {y}");
        }
    }

    #[test]
    fn the_tutorials_view_passes_its_first_test_and_a_wider_one_does_not() {
        let passed = |x, y| Orbits::of::<Julia, f64>(&constants((0.0, 0.65), 9.0), (x, y)).tests_passed_by_all(3);
        assert_eq!([passed(2.0, 1.5), passed(2.6, 1.5), passed(0.1, 0.1), passed(f64::INFINITY, 0.0)], [1, 0, 3, 0]);
    }

    #[test]
    fn one_coordinate_that_is_no_number_reaches_anywhere() {
        assert_eq!(reach(&[1.0, f64::NAN, -2.0]), f64::INFINITY);
        assert_eq!(reach(&[1.0, -2.0]), 2.0);
    }
}
