//! Coordinates of neighbours taken together: a middle, and how far from it they are at most. Knows no kernel.

use super::lane::{BLOCK, Lane};

/// Columns of a span. With fewer, more of them are alike, and there are more to look at.
pub(super) const COLUMNS: usize = 16;

/// Spans, each part a list of its own: of a `Vec` or of a slice.
#[derive(Clone, Copy, Debug)]
pub(super) struct Spans<V> {
    /// Their middles.
    pub(super) middles: V,
    /// How far from its middle the coordinates of each are, at most; any distance where one is not finite.
    pub(super) reaches: V,
}

impl<T: Lane> Spans<Vec<T>> {
    /// Of an image's columns, [`COLUMNS`] each. Past them, to whole blocks, are spans that reach everywhere.
    pub(super) fn of(columns: &[T]) -> Self {
        let (mut middles, mut reaches): (Vec<T>, Vec<T>) = columns.chunks(COLUMNS).map(span).unzip();
        let padded = middles.len().next_multiple_of(BLOCK);
        middles.resize(padded, T::round(0.0));
        reaches.resize(padded, T::round(f64::INFINITY));
        Self { middles, reaches }
    }

    /// Those from the column `start` on, which begins one.
    pub(super) fn starting_at(&self, start: usize) -> Spans<&[T]> {
        let first = start / COLUMNS;
        Spans { middles: &self.middles[first..], reaches: &self.reaches[first..] }
    }
}

/// The middle of some coordinates, and how far from it they are, at most, to a rounding.
pub(super) fn span<T: Lane>(coordinates: &[T]) -> (T, T) {
    let (mut low, mut high) = (f64::INFINITY, f64::NEG_INFINITY);
    for &coordinate in coordinates {
        let coordinate: f64 = coordinate.into();
        if !coordinate.is_finite() {
            return (T::round(0.0), T::round(f64::INFINITY));
        }
        (low, high) = (low.min(coordinate), high.max(coordinate));
    }
    let middle = T::round(low / 2.0 + high / 2.0);
    let at: f64 = middle.into();
    (middle, T::round((high - at).max(at - low)))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_span_reaches_its_farthest_coordinate_in_any_order() {
        assert_eq!(span(&[1.0, 4.0, 2.0]), (2.5, 1.5));
        assert_eq!(span(&[-1.0_f32]), (-1.0, 0.0));
        assert_eq!(span(&[1e308, -1e308]), (0.0, 1e308));
        for no_number in [f64::NAN, f64::INFINITY, f64::NEG_INFINITY] {
            assert_eq!(span(&[1.0, no_number, 2.0]).1, f64::INFINITY, "{no_number}");
        }
        // A middle that is rounded is as far from either end as it is.
        let (low, high) = (1.0_f32, 1.0_f32 + f32::EPSILON);
        let (middle, reach) = span(&[low, high]);
        assert!(middle - reach <= low && middle + reach >= high);
    }

    #[test]
    fn what_is_past_the_columns_reaches_everywhere() {
        let spans = Spans::of(&(0..40).map(f64::from).collect::<Vec<_>>());
        assert_eq!(spans.middles[..3], [7.5, 23.5, 35.5]);
        assert_eq!(spans.reaches[..4], [7.5, 7.5, 3.5, f64::INFINITY]);
        assert_eq!((spans.middles.len(), spans.reaches.len()), (BLOCK, BLOCK));
        assert_eq!(spans.starting_at(16).middles[..2], [23.5, 35.5]);
    }
}
