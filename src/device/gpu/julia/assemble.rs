//! Puts bands together from pieces of any length, as the device returns them.
//!
//! A band that lies whole in a piece is delivered from there, without a copy, by one of some threads. Knows nothing of the
//! device.

use std::{
    sync::atomic::{AtomicBool, AtomicUsize, Ordering},
    thread::{self, Builder},
};

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

/// The bands of a call, delivered as their counts come in.
pub(super) struct Assembler<'a, C> {
    width: usize,
    /// Bands not yet delivered.
    bands: &'a [Band],
    deliver: Deliver<'a>,
    /// Threads that deliver: a GPU computes faster than one core compresses.
    threads: usize,
    /// Counts of the first of these bands that have come in.
    begun: Vec<C>,
    /// Whether no more bands are wanted.
    enough: AtomicBool,
}

impl<'a, C: Packed> Assembler<'a, C> {
    /// Of `bands` of an image with `width` columns, delivered by so many `threads`.
    pub(super) fn new(width: usize, bands: &'a [Band], threads: usize, deliver: Deliver<'a>) -> Self {
        Self { width, bands, deliver, threads, begun: Vec::new(), enough: AtomicBool::new(false) }
    }

    /// Whether no more bands are wanted; those that are under way are delivered all the same.
    pub(super) fn is_enough(&self) -> bool {
        self.enough.load(Ordering::Relaxed)
    }

    /// Takes the next counts, in the order of the bands' pixels.
    ///
    /// # Panics
    /// On more counts than the bands have pixels.
    pub(super) fn append(&mut self, mut counts: &[C]) {
        if !self.begun.is_empty() {
            let (taken, rest) = counts.split_at((self.pixels(0) - self.begun.len()).min(counts.len()));
            self.begun.extend_from_slice(taken);
            if self.begun.len() < self.pixels(0) {
                return;
            }
            self.deliver(&[self.view(0, &self.begun)]);
            self.begun.clear();
            self.bands = &self.bands[1..];
            counts = rest;
        }
        let mut whole = Vec::new();
        while whole.len() < self.bands.len() && self.pixels(whole.len()) <= counts.len() {
            let (taken, rest) = counts.split_at(self.pixels(whole.len()));
            whole.push(self.view(whole.len(), taken));
            counts = rest;
        }
        self.deliver(&whole);
        self.bands = &self.bands[whole.len()..];
        assert!(counts.is_empty() || !self.bands.is_empty(), "there are as many counts as pixels");
        self.begun.extend_from_slice(counts);
    }

    /// Pixels of the band with this place among those that are not delivered.
    fn pixels(&self, place: usize) -> usize {
        self.width * self.bands[place].height() as usize
    }

    fn view<'c>(&self, place: usize, counts: &'c [C]) -> ArrayView2<'c, C> {
        let shape = (self.bands[place].height() as usize, self.width);
        ArrayView2::from_shape(shape, counts).expect("a whole band has come in")
    }

    /// Delivers the first bands, of which `whole` has the counts.
    fn deliver(&self, whole: &[ArrayView2<'_, C>]) {
        let next = AtomicUsize::new(0);
        let work = || {
            while let Some((band, counts)) = {
                let place = next.fetch_add(1, Ordering::Relaxed);
                self.bands.get(place).zip(whole.get(place))
            } {
                if (self.deliver)(band, C::counts(*counts)).is_break() {
                    self.enough.store(true, Ordering::Relaxed);
                }
            }
        };
        thread::scope(|scope| {
            // A thread that does not start leaves its work to the others.
            (1..self.threads.min(whole.len())).for_each(|_| drop(Builder::new().spawn_scoped(scope, work)));
            work();
        });
    }
}

#[cfg(test)]
mod tests {
    use std::{collections::BTreeMap, ops::ControlFlow, sync::Mutex};

    use super::*;

    #[test]
    fn bands_are_the_same_for_pieces_of_any_length_and_any_number_of_threads() {
        let bands = [4..6, 0..1, 9..12].map(|rows| Band { index: rows.start, rows });
        let pixels: Vec<u16> = (0..5 * 6).collect();
        let expected = BTreeMap::from([(4, &pixels[..10]), (0, &pixels[10..15]), (9, &pixels[15..])]);
        for (length, threads) in (1..=pixels.len()).flat_map(|length| [(length, 1), (length, 3)]) {
            let delivered = Mutex::new(BTreeMap::new());
            let deliver = |band: &Band, counts: Counts<'_>| {
                let Counts::U16(counts) = counts else { panic!("bytes") };
                assert_eq!(counts.dim(), (band.height() as usize, 5));
                let counts = counts.iter().copied().collect::<Vec<u16>>();
                assert_eq!(delivered.lock().unwrap().insert(band.index, counts), None, "each band once");
                if band.index == 9 { ControlFlow::Break(()) } else { ControlFlow::Continue(()) }
            };
            let mut assembler = Assembler::<u16>::new(5, &bands, threads, &deliver);
            for piece in pixels.chunks(length) {
                assert!(!assembler.is_enough(), "the last band ends it");
                assembler.append(piece);
            }
            assert!(assembler.is_enough());
            let delivered = delivered.into_inner().unwrap();
            assert!(delivered.iter().map(|(band, counts)| (*band, &counts[..])).eq(expected.clone()), "{length}");
        }
    }
}
