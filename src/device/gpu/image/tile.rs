//! The pixels of a call, cut into rectangles whose coordinate tables fit in a buffer.
//!
//! A tile's pixels follow each other in the order in which they are delivered, so that what the dispatches of all tiles
//! return is one sequence. Only an image of many million columns has more than one tile a row. Pure arithmetic.

use std::ops::Range;

/// A rectangle of pixels.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct Tile {
    /// Columns of the image.
    pub(super) columns: Range<usize>,
    /// Rows, numbered through all bands of the call.
    pub(super) rows: Range<usize>,
}

impl Tile {
    /// Number of pixels.
    pub(super) fn pixels(&self) -> u64 {
        self.columns.len() as u64 * self.rows.len() as u64
    }

    /// Where bands of these `heights` end, in pixels of the tile, if its rows are as wide as the image: `width` pixels.
    pub(super) fn ends(&self, width: usize, heights: impl IntoIterator<Item = usize>) -> Vec<u64> {
        let ends = heights.into_iter().scan(0, |end, height| {
            *end += height;
            Some(*end)
        });
        let is_whole = self.columns.len() == width;
        ends.filter(|end| is_whole && *end > self.rows.start && *end <= self.rows.end)
            .map(|end| (end - self.rows.start) as u64 * width as u64)
            .collect()
    }
}

/// Cuts `rows` rows of `width` pixels into tiles of at most `max` columns and `max` rows, in the order of the pixels.
pub(super) fn tiles(width: usize, rows: usize, max: usize) -> impl Iterator<Item = Tile> {
    let tile_rows = if width <= max { max } else { 1 };
    parts(rows, tile_rows)
        .flat_map(move |rows| parts(width, max).map(move |columns| Tile { columns, rows: rows.clone() }))
}

fn parts(len: usize, max: usize) -> impl Iterator<Item = Range<usize>> {
    (0..len).step_by(max).map(move |start| start..(start + max).min(len))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn tiles_hold_every_pixel_once_in_order() {
        for (width, rows, max) in [(7, 5, 100), (7, 5, 7), (7, 5, 3), (1, 9, 2), (9, 1, 2), (3, 0, 2)] {
            let pixels: Vec<(usize, usize)> = tiles(width, rows, max)
                .inspect(|tile| assert!(tile.columns.len() <= max && tile.rows.len() <= max, "{tile:?}"))
                .flat_map(|tile| tile.rows.flat_map(move |row| tile.columns.clone().map(move |column| (row, column))))
                .collect();
            let expected: Vec<(usize, usize)> =
                (0..rows).flat_map(|row| (0..width).map(move |column| (row, column))).collect();
            assert_eq!(pixels, expected, "{width} x {rows}, at most {max}");
        }
    }

    #[test]
    fn bands_end_where_their_last_row_does() {
        let tile = |columns, rows| Tile { columns, rows };
        assert_eq!(tile(0..7, 0..9).ends(7, [4, 4, 1]), [28, 56, 63]);
        assert_eq!(tile(0..7, 3..8).ends(7, [4, 4, 1]), [7, 35]);
        assert_eq!(tile(0..6, 0..9).ends(7, [4, 4, 1]), [0_u64; 0]);
    }

    #[test]
    fn an_ordinary_image_is_one_tile() {
        assert_eq!(tiles(10_240, 7_680, 1 << 23).collect::<Vec<_>>(), [Tile { columns: 0..10_240, rows: 0..7_680 }]);
    }
}
