//! The Julia set of z*z + c: a pixel is where its orbit starts.

use super::{
    Precision,
    escape::{EscapeTime, Plane, square_plus},
    number::{Addend, Number, Point},
    picture::Picture,
};

/// The Julia set of z*z + c.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Julia {
    /// The constant c: real part, imaginary part.
    pub c: (f64, f64),
}

/// c of the tile around a fixed point.
const C: (f64, f64) = (-0.8, 0.156);
/// (1 + sqrt(1 - 4 c)) / 2, where z*z + c = z and the derivative 2 z has modulus 3.06.
const FIXED_POINT: (f64, f64) = (1.527_503_118_643_534_6, -0.075_912_178_352_287_86);

impl EscapeTime for Julia {
    const NAME: &'static str = "julia";
    const PLANE: Plane = Plane::Orbits;
    const WGSL: &'static str = include_str!("../../shaders/julia.wgsl");
    const PICTURE: Picture<Self> = Picture {
        width: 640,
        height: 480,
        x: (-2.0, 2.0),
        y: (-1.5, 1.5),
        radius: 3.0,
        max_iter: 255,
        kernel: Self { c: (0.0, 0.65) },
    };

    fn fixed(&self) -> Point<f64> {
        Point { x: self.c.0, y: self.c.1 }
    }

    #[inline(always)]
    fn next<N: Number, A: Addend<N>>(z: Point<N>, squares: Point<N>, c: Point<A, N>) -> Point<N> {
        square_plus(z, squares, c)
    }

    fn parameters(&self) -> Vec<(&'static str, Vec<f64>)> {
        vec![("c", vec![self.c.0, self.c.1])]
    }

    fn rounding_tile(precision: Precision) -> Picture<Self> {
        Picture { kernel: Self { c: C }, ..Self::PICTURE }.rounding_tile(FIXED_POINT, precision)
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::kernel::escape::{Constants, count};

    fn count_of(picture: &Picture<Julia>, x: f64, y: f64) -> u16 {
        count::<Julia, f64>(x, y, &Constants::of(picture, picture.kernel.fixed()))
    }

    #[test]
    fn a_point_outside_the_radius_keeps_the_starting_count() {
        let tutorial = Julia::PICTURE;
        for x in [3.0, f64::NAN, f64::INFINITY] {
            assert_eq!(count_of(&tutorial, x, 0.0), 255);
        }
    }

    #[test]
    fn a_point_that_never_escapes_ends_at_one() {
        let still = Picture { kernel: Julia { c: (0.0, 0.0) }, ..Julia::PICTURE };
        assert_eq!(count_of(&still, 0.0, 0.0), 1);
    }

    #[test]
    fn a_limit_of_one_leaves_no_iteration() {
        assert_eq!(count_of(&Picture { max_iter: 1, ..Julia::PICTURE }, 0.0, 0.0), 1);
    }
}
