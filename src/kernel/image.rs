//! The list of image kernels, and pictures by any of them. Knows nothing of bands, colors or devices.

use std::ops::Range;

use ndarray::Array2;

use super::{
    Precision,
    escape::{Constants, EscapeTime, fill},
    julia::Julia,
    listed::listed,
    mandelbrot::Mandelbrot,
    number::{Point, Real},
    picture::Picture,
};

/// A picture by any of the kernels.
pub type Image = Picture<ImageKernel>;

listed! {
    /// The image kernels. Whatever has to be done for each of them goes through [`Self::visit`].
    #[derive(Clone, Copy, Debug, PartialEq)]
    pub enum ImageKernel {
        /// See [`Julia`].
        Julia = Julia::PICTURE.kernel,
        /// See [`Mandelbrot`].
        Mandelbrot = Mandelbrot::PICTURE.kernel,
    }
}

/// Something that is done with a kernel, whichever it is: compiled for each.
pub trait Visitor {
    /// What it comes to.
    type Output;

    /// Does it with `kernel`.
    fn visit<K: EscapeTime>(self, kernel: &K) -> Self::Output;
}

impl ImageKernel {
    /// The Julia set of z*z + c.
    #[must_use]
    pub const fn julia(c: (f64, f64)) -> Self {
        Self::Julia(Julia { c })
    }

    /// Has `visitor` do what it does with this kernel.
    pub fn visit<V: Visitor>(&self, visitor: V) -> V::Output {
        match self {
            Self::Julia(kernel) => visitor.visit(kernel),
            Self::Mandelbrot(kernel) => visitor.visit(kernel),
        }
    }

    /// The picture that is drawn where nothing but a kernel of this kind is asked for.
    #[must_use]
    pub fn picture(&self) -> Image {
        match self {
            Self::Julia(_) => Julia::PICTURE.map(Self::Julia),
            Self::Mandelbrot(_) => Mandelbrot::PICTURE.map(Self::Mandelbrot),
        }
    }

    /// See [`EscapeTime::rounding_tile`].
    #[must_use]
    pub fn rounding_tile(&self, precision: Precision) -> Image {
        match self {
            Self::Julia(_) => Julia::rounding_tile(precision).map(Self::Julia),
            Self::Mandelbrot(_) => Mandelbrot::rounding_tile(precision).map(Self::Mandelbrot),
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
    /// The picture of the tutorial that this program grew from: the Julia set of z*z + 0.65i.
    #[must_use]
    pub const fn tutorial() -> Self {
        let Picture { width, height, x, y, radius, max_iter, kernel } = Julia::PICTURE;
        Picture { width, height, x, y, radius, max_iter, kernel: ImageKernel::Julia(kernel) }
    }

    /// The constants of the iteration in the format `T`.
    #[must_use]
    pub fn constants<T: Real>(&self) -> Constants<T> {
        Constants::of(self, self.kernel.fixed())
    }

    /// The counts of `rows`, rows x columns, by the definition, in `precision`.
    #[must_use]
    pub fn definition(&self, precision: Precision, rows: Range<u32>) -> Array2<u16> {
        self.kernel.visit(Definition { image: self, precision, rows })
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
    fn the_list_has_each_kernel_once() {
        let mut names = ImageKernel::ALL.map(|kernel| kernel.name());
        names.sort_unstable();
        assert!(names.windows(2).all(|pair| pair[0] != pair[1]), "{names:?}");
    }
}
