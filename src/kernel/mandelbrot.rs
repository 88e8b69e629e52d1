//! The Mandelbrot set: a pixel is the c of z*z + c, whose orbit starts at 0.

use super::{
    Precision,
    escape::{EscapeTime, Plane, square_plus},
    number::{Addend, Number, Point},
    picture::Picture,
};

/// The Mandelbrot set: those c of which the orbit of 0 stays.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Mandelbrot;

/// A Misiurewicz point: the orbit of 0 comes to a repelling fixed point of z*z + c after four iterations, (c^2 + c)^2 + c being
/// minus that fixed point.
const MISIUREWICZ: (f64, f64) = (-0.101_096_363_845_622_16, 0.956_286_510_809_141_5);

impl EscapeTime for Mandelbrot {
    const NAME: &'static str = "mandelbrot";
    const PLANE: Plane = Plane::Parameters;
    const WGSL: &'static str = include_str!("../../shaders/mandelbrot.wgsl");
    const PICTURE: Picture<Self> =
        Picture { width: 640, height: 480, x: (-2.5, 1.5), y: (-1.5, 1.5), radius: 3.0, max_iter: 255, kernel: Self };

    fn fixed(&self) -> Point<f64> {
        Point { x: 0.0, y: 0.0 }
    }

    #[inline(always)]
    fn next<N: Number, A: Addend<N>>(z: Point<N>, squares: Point<N>, c: Point<A, N>) -> Point<N> {
        square_plus(z, squares, c)
    }

    fn parameters(&self) -> Vec<(&'static str, Vec<f64>)> {
        Vec::new()
    }

    fn rounding_tile(precision: Precision) -> Picture<Self> {
        Self::PICTURE.rounding_tile(MISIUREWICZ, precision)
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::kernel::escape::{Constants, count};

    #[test]
    fn points_of_which_the_orbit_is_known() {
        let constants = Constants::<f64>::of(&Mandelbrot::PICTURE, Mandelbrot.fixed());
        let count = |x, y| count::<Mandelbrot, f64>(x, y, &constants);
        // 0, -1, 0, ...; 0, -2, 2, 2, ...; 0, i, -1 + i, -i, -1 + i, ...
        assert_eq!([count(0.0, 0.0), count(-1.0, 0.0), count(-2.0, 0.0), count(0.0, 1.0)], [1; 4]);
        // 0, 1, 2, 5: four tests, of which the last fails.
        assert_eq!(count(1.0, 0.0), 255 - 3);
        // 0, 3.
        assert_eq!(count(3.0, 0.0), 255 - 1);
    }

    #[test]
    fn the_set_is_its_own_mirror_image() {
        let constants = Constants::<f32>::of(&Mandelbrot::PICTURE, Mandelbrot.fixed());
        for k in 0..200_u8 {
            let (x, y) = (f32::from(k) * 0.01 - 1.7, f32::from(k).mul_add(0.003, 0.2));
            let count = |y| count::<Mandelbrot, f32>(x, y, &constants);
            assert_eq!(count(y), count(-y), "{x} {y}");
        }
    }
}
