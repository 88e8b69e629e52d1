//! The image kernels that there can be: orbits z -> f(z, c) that start somewhere and are followed until they leave a circle. What
//! one of them brings is [`EscapeTime`]; the definition that every device must reproduce bit for bit is [`count`]. Twin:
//! `shaders/escape.wgsl`.

use std::fmt::Debug;

use ndarray::ArrayViewMut2;

use super::{
    Precision,
    count::Count,
    number::{Addend, Number, Point, Real},
    picture::Picture,
};

/// What a pixel's coordinates are in its orbit.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum Plane {
    /// Where the orbit starts; all orbits have the same c.
    Orbits,
    /// c; all orbits start at the same point.
    Parameters,
}

/// An image kernel. None of its items has a default: the compiler names what a new kernel lacks.
///
/// What is known beforehand of orbits (when a test may wait or be left out, `device/proof.rs`) holds for maps f with
/// | |f(z, c)| - |z|^2 | <= |c|, computed in at most five roundings, such as z*z + c; what is known of those that stay or
/// leave together (`trap.rs` and `patch.rs` of `device/cpu/escape/`) also needs
/// |f(z, c) - f(w, b)| <= |z - w| (2 |w| + |z - w|) + |c - b|.
pub trait EscapeTime: Copy + Debug + PartialEq + Send + Sync + 'static {
    /// Its name: the subcommand's, and the stem of its files in `kernel/` and `shaders/`.
    const NAME: &'static str;
    /// What a pixel's coordinates are.
    const PLANE: Plane;
    /// The text in `shaders/`: its `advance` is [`Self::next`].
    const WGSL: &'static str;
    /// The picture that is drawn where nothing else is asked for.
    const PICTURE: Picture<Self>;

    /// What is fixed for all orbits of a picture: c in the plane of orbits, the starting point in that of parameters.
    fn fixed(&self) -> Point<f64>;

    /// f(z, c), where `squares` are the squares of z's parts, which the test needs too. Each operation rounds once, in the order in
    /// which it is written. The real part is never -0 before that of `c` is added, which lets [`Zero`](super::number::Zero) stand
    /// for it.
    fn next<N: Number, A: Addend<N>>(z: Point<N>, squares: Point<N>, c: Point<A, N>) -> Point<N>;

    /// The kernel's parameters by their names, as the report has them.
    fn parameters(&self) -> Vec<(&'static str, Vec<f64>)>;

    /// A picture of [`TILE_PX`](super::picture::TILE_PX) pixels a side, a few hundred units in the last place wide, in which an operation that is rounded otherwise
    /// changes many counts: its orbits stay near a repelling cycle until their rounding errors have grown to the size of the circle.
    fn rounding_tile(precision: Precision) -> Picture<Self>;
}

/// z*z + c.
#[inline(always)]
pub fn square_plus<N: Number, A: Addend<N>>(z: Point<N>, squares: Point<N>, c: Point<A, N>) -> Point<N> {
    Point { x: c.x.added_to(squares.x - squares.y), y: (z.x * z.y).doubled_plus(c.y) }
}

/// What every pixel's orbit shares, in the format `T`.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Constants<T> {
    /// See [`EscapeTime::fixed`].
    pub fixed: Point<T>,
    /// Square of the escape radius.
    pub radius2: T,
    /// The count a point starts from.
    pub max_iter: u16,
}

impl<T: Real> Constants<T> {
    /// Those of `picture`, of which `fixed` is what is fixed for all orbits.
    pub fn of<K>(picture: &Picture<K>, fixed: Point<f64>) -> Self {
        Self {
            fixed: Point { x: T::round(fixed.x), y: T::round(fixed.y) },
            radius2: T::round(picture.radius * picture.radius),
            max_iter: picture.max_iter,
        }
    }
}

/// The definition: the count of the pixel at (x, y).
///
/// One rounding an operation, nothing contracted. With `f64` and [`Julia`](super::julia::Julia) the orbit is bit for bit that of
/// `while abs(z) < radius and n > 1: z = z**2 + c; n -= 1` in Python, and so is the count, unless a point of the orbit lies on the
/// circle to the last digits: Python compares the rounded root, this the rounded squares. With u = 2^-53, a + b is within 2u of
/// |z|^2 and the squared radius within u, so that they can only be in another order than |z| and the radius where those are within
/// 1.5 u of each other; `hypot` adds an error of 2u. So counts are equal where no `abs(z)` of the orbit is within four units in the
/// last place of the radius, for radii from 1e-150 to 1e150.
#[must_use]
pub fn count<K: EscapeTime, T: Real>(x: T, y: T, constants: &Constants<T>) -> u16 {
    let (mut z, c) = orbit::<K, _>(Point { x, y }, constants.fixed);
    let mut n = constants.max_iter;
    while n > 1 {
        let squares = z.squares();
        #[expect(clippy::neg_cmp_op_on_partial_ord, reason = "infinity and NaN count as escaped")]
        if !(squares.x + squares.y < constants.radius2) {
            break;
        }
        z = K::next(z, squares, c);
        n -= 1;
    }
    n
}

/// Where the orbit of `pixel` starts, and its c.
#[inline(always)]
#[must_use]
pub fn orbit<K: EscapeTime, N: Copy>(pixel: Point<N>, fixed: Point<N>) -> (Point<N>, Point<N>) {
    match K::PLANE {
        Plane::Orbits => (pixel, fixed),
        Plane::Parameters => (fixed, pixel),
    }
}

/// Fills `out`, one row per element of `rows`, one column per element of `columns`, by the definition.
pub fn fill<K: EscapeTime, T: Real, C: Count>(
    columns: &[T],
    rows: &[T],
    constants: &Constants<T>,
    mut out: ArrayViewMut2<'_, C>,
) {
    for (mut row, &y) in out.outer_iter_mut().zip(rows) {
        for (pixel, &x) in row.iter_mut().zip(columns) {
            *pixel = C::from_u16(count::<K, T>(x, y, constants));
        }
    }
}
