//! Pictures: a grid of pixels over a part of the plane, and what is iterated there. Knows no kernel.

use std::ops::Range;

use super::{Precision, number::Real};

/// Edge of a tile that shows how a device rounds, in pixels.
pub const TILE_PX: u32 = 64;

/// A picture by the kernel `K`: everything that decides its counts, save the [`Precision`].
#[derive(Clone, Debug, PartialEq)]
pub struct Picture<K> {
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
    pub kernel: K,
}

impl<K> Picture<K> {
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

    /// The same with another kernel, which `make` makes of this one.
    pub fn map<L>(self, make: impl FnOnce(K) -> L) -> Picture<L> {
        let Self { width, height, x, y, radius, max_iter, kernel } = self;
        Picture { width, height, x, y, radius, max_iter, kernel: make(kernel) }
    }

    /// The same but for its grid: a tile around `center`, some hundred units in the last place of `precision` wide.
    #[must_use]
    pub(super) fn rounding_tile(self, center: (f64, f64), precision: Precision) -> Self {
        let half = match precision {
            Precision::F32 => 2e-5,
            Precision::F64 => 5e-14,
        };
        let (x, y) = center;
        Self { width: TILE_PX, height: TILE_PX, x: (x - half, x + half), y: (y - half, y + half), ..self }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_grid_starts_in_the_upper_left_corner() {
        let (x, y) = ((-2.0, 2.0), (-1.5, 1.5));
        let picture = Picture { width: 640, height: 480, x, y, radius: 3.0, max_iter: 255, kernel: () };
        assert_eq!(picture.columns::<f64>()[..2], [-2.0, -2.0 + 4.0 / 640.0]);
        assert_eq!(picture.rows::<f64>(0..2), [1.5, 1.5 - 3.0 / 480.0]);
    }
}
