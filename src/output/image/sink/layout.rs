//! What one format of file knows, and all that it has to know: which bytes stand where. It opens, writes and keeps nothing.

use std::fmt;

use crate::output::image::encode::EncodedBand;

/// The smallest and the largest count of an image.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Counted {
    /// The smallest.
    pub min: u16,
    /// The largest.
    pub max: u16,
}

/// The bytes of a file, band by band from the top. No method has a default: the compiler names what a new format lacks.
pub trait Layout: fmt::Debug + Send {
    /// What the file is in its job, in a word that no other file of the job has: a journal knows it by that.
    fn role(&self) -> &'static str;

    /// Whether it takes the counts of bands: they are kept, and travel, for a format that does.
    fn takes_counts(&self) -> bool;

    /// Bytes that the next `rows` rows, in `bands` bands, add to a file: no less than the first figure, and seldom more than
    /// the second.
    fn rows_bytes(&self, rows: u32, bands: u32) -> (u64, u64);

    /// Bytes that a file has from the beginning, though not all are written: 0 where it grows with its bands.
    fn reserved_bytes(&self) -> u64;

    /// What stands before the first band: while the image is not whole, and in a complete file. Of one length.
    fn head(&self, counted: Option<Counted>) -> Vec<u8>;

    /// The bytes of the band that follows the last one: those of the band itself, or what is made of them in `own`, which is
    /// empty.
    fn append<'a>(&mut self, band: &'a EncodedBand, own: &'a mut Vec<u8>) -> &'a [u8];

    /// What the tail depends on: it is carried from band to band, and noted for a later job.
    fn carry(&self) -> u32;

    /// Goes on from what an earlier job has noted as [`Self::carry`].
    fn resume(&mut self, carry: u32);

    /// What stands behind the last band where `carry` is carried so far.
    fn tail(&self, carry: u32) -> Vec<u8>;
}
