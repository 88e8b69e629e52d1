//! Puts bands together from pieces of any length, as the device returns them.
//!
//! A band that lies whole in a piece is delivered from there, without a copy. Knows nothing of the device.

use std::ops::ControlFlow;

use bytemuck::Pod;
use ndarray::ArrayView2;

use crate::{
    device::Deliver,
    kernel::{
        band::Band,
        julia::{Count, Counts},
    },
};

/// A type of counts that the kernel can pack.
pub(super) trait Packed: Count + Pod {
    /// The counts of a band, as they are delivered.
    fn counts(view: ArrayView2<'_, Self>) -> Counts<'_>;
}

impl Packed for u8 {
    fn counts(view: ArrayView2<'_, Self>) -> Counts<'_> {
        Counts::U8(view)
    }
}

impl Packed for u16 {
    fn counts(view: ArrayView2<'_, Self>) -> Counts<'_> {
        Counts::U16(view)
    }
}

/// The bands of a call, delivered one by one as their counts come in.
pub(super) struct Assembler<'a, C> {
    width: usize,
    /// Bands not yet delivered.
    bands: &'a [Band],
    deliver: Deliver<'a>,
    /// Counts of the first of these bands that have come in.
    begun: Vec<C>,
    /// Whether more bands are wanted.
    wanted: ControlFlow<()>,
}

impl<'a, C: Packed> Assembler<'a, C> {
    /// Of `bands` of an image with `width` columns.
    pub(super) fn new(width: usize, bands: &'a [Band], deliver: Deliver<'a>) -> Self {
        Self { width, bands, deliver, begun: Vec::new(), wanted: ControlFlow::Continue(()) }
    }

    /// Whether more bands are wanted; those that are under way are delivered all the same.
    pub(super) fn wanted(&self) -> ControlFlow<()> {
        self.wanted
    }

    /// Takes the next counts, in the order of the bands' pixels.
    ///
    /// # Panics
    /// On more counts than the bands have pixels.
    pub(super) fn append(&mut self, mut counts: &[C]) {
        while !counts.is_empty() {
            let (band, later) = self.bands.split_first().expect("there are as many counts as pixels");
            let height = band.height() as usize;
            let missing = self.width * height - self.begun.len();
            let (taken, rest) = counts.split_at(missing.min(counts.len()));
            let whole = if taken.len() == self.width * height {
                taken
            } else {
                self.begun.extend_from_slice(taken);
                &self.begun
            };
            if taken.len() == missing {
                let view = ArrayView2::from_shape((height, self.width), whole).expect("a whole band has come in");
                if (self.deliver)(band, C::counts(view)).is_break() {
                    self.wanted = ControlFlow::Break(());
                }
                self.begun.clear();
                self.bands = later;
            }
            counts = rest;
        }
    }
}

#[cfg(test)]
mod tests {
    use std::sync::Mutex;

    use super::*;

    #[test]
    fn bands_are_the_same_for_pieces_of_any_length() {
        let bands = [4..6, 0..1, 9..12].map(|rows| Band { index: rows.start, rows });
        let pixels: Vec<u16> = (0..5 * 6).collect();
        for length in 1..=pixels.len() {
            let delivered = Mutex::new(Vec::new());
            let deliver = |band: &Band, counts: Counts<'_>| {
                let Counts::U16(counts) = counts else { panic!("bytes") };
                assert_eq!(counts.dim(), (band.height() as usize, 5));
                delivered.lock().unwrap().push((band.index, counts.iter().copied().collect::<Vec<u16>>()));
                ControlFlow::Continue(())
            };
            let mut assembler = Assembler::<u16>::new(5, &bands, &deliver);
            for piece in pixels.chunks(length) {
                assembler.append(piece);
            }
            let expected =
                [(4, pixels[..10].to_vec()), (0, pixels[10..15].to_vec()), (9, pixels[15..].to_vec())].to_vec();
            assert_eq!(delivered.into_inner().unwrap(), expected, "pieces of {length}");
        }
    }
}
