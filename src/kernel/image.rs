//! Images: the grid of pixels, what is counted for each of them, and the list of kernels that can do it. Knows nothing of bands,
//! colors or devices.

use std::ops::Range;

use ndarray::Array2;

use super::{
    Precision,
    escape::{Constants, EscapeTime, fill},
    julia::Julia,
    mandelbrot::Mandelbrot,
    number::{Point, Real},
};

/// A picture: everything that decides its counts, save the [`Precision`](super::Precision).
#[derive(Clone, Debug, PartialEq)]
pub struct Image {
    /// Pixels in a row, at least 1.
    pub width: u32,
    /// Rows, at least 1.
    pub height: u32,
    /// Real parts shown: left edge, right edge.
    pub x: (f64, f64),
    /// Imaginary parts shown: bottom edge, top edge. Row 0 is the top edge.
    pub y: (f64, f64),
    /// A point has escaped once |z| is not below this radius.
    pub radius: f64,
    /// The count a point starts from; it goes down by one an iteration, at the lowest to 1. From 1 to 65535.
    pub max_iter: u16,
    /// What is iterated.
    pub kernel: ImageKernel,
}

/// The image kernels. Whatever has to be done for each of them goes through [`Self::visit`].
#[derive(Clone, Copy, Debug, PartialEq)]
pub enum ImageKernel {
    /// See [`Julia`].
    Julia(Julia),
    /// See [`Mandelbrot`].
    Mandelbrot(Mandelbrot),
}

/// Something that is done with a kernel, whichever it is: compiled for each.
pub trait Visitor {
    /// What it comes to.
    type Output;

    /// Does it with `kernel`.
    fn visit<K: EscapeTime>(self, kernel: &K) -> Self::Output;
}

impl ImageKernel {
    /// One of each kind, with parameters of no importance.
    pub const ALL: [Self; 2] = [Self::Julia(Julia { c: (0.0, 0.65) }), Self::Mandelbrot(Mandelbrot)];

    /// Has `visitor` do what it does with this kernel.
    pub fn visit<V: Visitor>(&self, visitor: V) -> V::Output {
        match self {
            Self::Julia(kernel) => visitor.visit(kernel),
            Self::Mandelbrot(kernel) => visitor.visit(kernel),
        }
    }

    /// Its name, which is that of its subcommand.
    #[must_use]
    pub fn name(&self) -> &'static str {
        struct Name;
        impl Visitor for Name {
            type Output = &'static str;
            fn visit<K: EscapeTime>(self, _: &K) -> &'static str {
                K::NAME
            }
        }
        self.visit(Name)
    }

    /// Its parameters by their names.
    #[must_use]
    pub fn parameters(&self) -> Vec<(&'static str, Vec<f64>)> {
        struct Parameters;
        impl Visitor for Parameters {
            type Output = Vec<(&'static str, Vec<f64>)>;
            fn visit<K: EscapeTime>(self, kernel: &K) -> Self::Output {
                kernel.parameters()
            }
        }
        self.visit(Parameters)
    }

    fn fixed(&self) -> Point<f64> {
        struct Fixed;
        impl Visitor for Fixed {
            type Output = Point<f64>;
            fn visit<K: EscapeTime>(self, kernel: &K) -> Point<f64> {
                kernel.fixed()
            }
        }
        self.visit(Fixed)
    }
}

impl Image {
    /// Real parts of the pixels of a row, in the format `T`: x = x0 + j dx with dx = (x1 - x0) / width, rounded once.
    #[must_use]
    pub fn columns<T: Real>(&self) -> Vec<T> {
        let dx = (self.x.1 - self.x.0) / f64::from(self.width);
        (0..self.width).map(|j| T::round(self.x.0 + f64::from(j) * dx)).collect()
    }

    /// Imaginary parts of `rows`, in the format `T`: y = y1 - k dy with dy = (y1 - y0) / height, rounded once.
    #[must_use]
    pub fn rows<T: Real>(&self, rows: Range<u32>) -> Vec<T> {
        let dy = (self.y.1 - self.y.0) / f64::from(self.height);
        rows.map(|k| T::round(self.y.1 - f64::from(k) * dy)).collect()
    }

    /// Whether counts fit in a byte; above, they are kept in 16 bits.
    #[must_use]
    pub fn counts_fit_u8(&self) -> bool {
        self.max_iter <= u16::from(u8::MAX)
    }

    /// Pixels.
    #[must_use]
    pub fn pixels(&self) -> u64 {
        u64::from(self.width) * u64::from(self.height)
    }

    /// The constants of the iteration in the format `T`.
    #[must_use]
    pub fn constants<T: Real>(&self) -> Constants<T> {
        let fixed = self.kernel.fixed();
        Constants {
            fixed: Point { x: T::round(fixed.x), y: T::round(fixed.y) },
            radius2: T::round(self.radius * self.radius),
            max_iter: self.max_iter,
        }
    }

    /// The counts of `rows`, rows x columns, by the definition, in `precision`.
    #[must_use]
    pub fn definition(&self, precision: Precision, rows: Range<u32>) -> Array2<u16> {
        self.kernel.visit(Definition { image: self, precision, rows })
    }

    /// The same but for its grid: 64 x 64 pixels around `center`, which reaches `half` to each side.
    #[must_use]
    pub(super) fn tile(self, center: (f64, f64), half: f64) -> Self {
        let (x, y) = center;
        Self { width: 64, height: 64, x: (x - half, x + half), y: (y - half, y + half), ..self }
    }
}

struct Definition<'a> {
    image: &'a Image,
    precision: Precision,
    rows: Range<u32>,
}

impl Visitor for Definition<'_> {
    type Output = Array2<u16>;

    fn visit<K: EscapeTime>(self, _: &K) -> Array2<u16> {
        match self.precision {
            Precision::F32 => self.fill::<K, f32>(),
            Precision::F64 => self.fill::<K, f64>(),
        }
    }
}

impl Definition<'_> {
    fn fill<K: EscapeTime, T: Real>(&self) -> Array2<u16> {
        let Self { image, rows, .. } = self;
        let mut counts = Array2::zeros((rows.len(), image.width as usize));
        fill::<K, T, u16>(&image.columns(), &image.rows(rows.clone()), &image.constants(), counts.view_mut());
        counts
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_grid_starts_in_the_upper_left_corner() {
        let tutorial = Julia::picture();
        assert_eq!(tutorial.columns::<f64>()[..2], [-2.0, -2.0 + 4.0 / 640.0]);
        assert_eq!(tutorial.rows::<f64>(0..2), [1.5, 1.5 - 3.0 / 480.0]);
    }

    #[test]
    fn the_list_has_each_kernel_once() {
        let mut names = ImageKernel::ALL.map(|kernel| kernel.name());
        names.sort_unstable();
        assert!(names.windows(2).all(|pair| pair[0] != pair[1]), "{names:?}");
    }
}
