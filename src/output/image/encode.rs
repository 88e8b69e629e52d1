//! A band of counts as a piece of a PNG's compressed stream, made by whoever computed the band.
//!
//! Each band is filtered and deflated by itself and ends on a byte boundary, so the streams of all bands, in order, are
//! one stream: rank 0 only joins them, and the bytes do not depend on who made which.

use ndarray::ArrayView2;

use super::color::PixelBytes;
use crate::kernel::{
    band::Band,
    count::{Count, Counts, sum},
};

/// PNG's filter type for "difference from the pixel to the left".
const SUB: u8 = 1;
/// PNG's filter type for "difference from the pixel above".
const UP: u8 = 2;

/// What follows the type bits of an empty stored block (RFC 1951, 3.2.4), which leads to the next byte boundary.
const BAND_END: [u8; 4] = [0, 0, 0xff, 0xff];

/// What rank 0 needs to know of a band beside its bytes.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct BandFacts {
    /// Number of the band.
    pub index: u64,
    /// Smallest count.
    pub min: u64,
    /// Largest count.
    pub max: u64,
    /// Sum of all counts.
    pub sum: u64,
    /// Bytes before compression, filter types included.
    pub raw_bytes: u64,
    /// Adler-32 checksum of the bytes before compression.
    pub adler32: u64,
    /// Bytes after compression.
    pub stream_bytes: u64,
    /// Bytes of the counts themselves, where they are wanted.
    pub counts_bytes: u64,
}

impl BandFacts {
    /// Bytes of their form on the way to rank 0: a 64-bit number each, the lowest byte first, whatever the machine.
    const BYTES: usize = Self::NUMBERS * size_of::<u64>();
    const NUMBERS: usize = 8;

    fn to_bytes(self) -> [u8; Self::BYTES] {
        let Self { index, min, max, sum, raw_bytes, adler32, stream_bytes, counts_bytes } = self;
        let numbers = [index, min, max, sum, raw_bytes, adler32, stream_bytes, counts_bytes];
        let mut bytes = [0; Self::BYTES];
        for (to, number) in bytes.as_chunks_mut().0.iter_mut().zip(numbers) {
            *to = number.to_le_bytes();
        }
        bytes
    }

    fn of_bytes(bytes: &[u8; Self::BYTES]) -> Self {
        let mut numbers = [0; Self::NUMBERS];
        for (number, from) in numbers.iter_mut().zip(bytes.as_chunks().0) {
            *number = u64::from_le_bytes(*from);
        }
        let [index, min, max, sum, raw_bytes, adler32, stream_bytes, counts_bytes] = numbers;
        Self { index, min, max, sum, raw_bytes, adler32, stream_bytes, counts_bytes }
    }
}

/// A band ready for the file.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct EncodedBand {
    /// What is known of it.
    pub facts: BandFacts,
    /// Deflate blocks that end on a byte boundary; not the last of a stream.
    pub stream: Vec<u8>,
    /// The counts, row by row, the lower byte first; empty where they are not wanted.
    pub counts: Vec<u8>,
}

/// Bytes that `raw_bytes` in `bands` bands are compressed to: no less than the first figure, and seldom more than the second.
///
/// The fixed code of `fdeflate` spends at least 10 bits on 258 bytes, the longest match, and 51 bytes on telling the code.
/// Pictures take up to a quarter of their bytes, found over Julia sets from dust to filled in (0.01 to 0.22); noise takes up
/// to 12 bits a byte.
#[must_use]
pub fn stream_bytes(bands: u64, raw_bytes: u64) -> (u64, u64) {
    const CODE_BYTES: u64 = 51;
    const BITS_A_MATCH: u64 = 10;
    const BYTES_A_MATCH: u64 = 258;
    const USUAL_PART: u64 = 4;
    let around = bands * (CODE_BYTES + BAND_END.len() as u64);
    let min = raw_bytes / (8 * BYTES_A_MATCH) * BITS_A_MATCH;
    (around + min, around + raw_bytes / USUAL_PART)
}

impl EncodedBand {
    /// Filters and compresses `counts`, and keeps them where `keep_counts` says so.
    #[must_use]
    pub fn new(band: &Band, counts: Counts<'_>, pixels: &PixelBytes, keep_counts: bool) -> Self {
        match counts {
            Counts::U8(counts) => encode(band, &counts, pixels, keep_counts),
            Counts::U16(counts) => encode(band, &counts, pixels, keep_counts),
        }
    }

    /// Bytes that the band takes in memory and on its way.
    #[must_use]
    pub fn kept_bytes(&self) -> u64 {
        self.facts.stream_bytes + self.facts.counts_bytes
    }

    /// Appends the band to a message.
    pub fn write_to(&self, message: &mut Vec<u8>) {
        message.extend_from_slice(&self.facts.to_bytes());
        message.extend_from_slice(&self.stream);
        message.extend_from_slice(&self.counts);
    }

    /// Reads all bands of a message.
    pub fn read_all(mut message: &[u8]) -> impl Iterator<Item = Self> + '_ {
        std::iter::from_fn(move || {
            let (facts, rest) = message.split_first_chunk()?;
            let facts = BandFacts::of_bytes(facts);
            let length = |bytes| usize::try_from(bytes).expect("the message is in memory");
            let (stream, rest) = rest.split_at(length(facts.stream_bytes));
            let (counts, rest) = rest.split_at(length(facts.counts_bytes));
            message = rest;
            Some(Self { facts, stream: stream.to_vec(), counts: counts.to_vec() })
        })
    }
}

fn encode<C: Count>(band: &Band, counts: &ArrayView2<'_, C>, pixels: &PixelBytes, keep_counts: bool) -> EncodedBand {
    let filtered = match pixels {
        PixelBytes::CountLess1 => {
            #[expect(clippy::cast_possible_truncation, reason = "up to 256 iterations, counts less 1 fit in a byte")]
            let index = |count: usize| [count.wrapping_sub(1) as u8];
            filter::<C, 1>(counts, index)
        }
        PixelBytes::One(bytes) => filter::<C, 1>(counts, |count| [bytes[count]]),
        PixelBytes::Three(bytes) => filter::<C, 3>(counts, |count| bytes[count]),
    };
    let (stream, adler32) = deflate(&filtered);
    let counts = counts.as_slice().expect("a device delivers rows without gaps");
    let kept = if keep_counts { C::le_bytes(counts) } else { Vec::new() };
    let facts = BandFacts {
        index: u64::from(band.index),
        min: counts.iter().copied().min().map_or(0, Into::into),
        max: counts.iter().copied().max().map_or(0, Into::into),
        sum: sum(counts),
        raw_bytes: filtered.len() as u64,
        adler32: u64::from(adler32),
        stream_bytes: stream.len() as u64,
        counts_bytes: kept.len() as u64,
    };
    EncodedBand { facts, stream, counts: kept }
}

/// PNG's filtered rows: Up, which costs least and compresses best here; Sub in the first row, since the row above it
/// belongs to another band.
fn filter<C: Count, const B: usize>(counts: &ArrayView2<'_, C>, pixel: impl Fn(usize) -> [u8; B]) -> Vec<u8> {
    let (rows, width) = counts.dim();
    let mut filtered = Vec::with_capacity(rows * (1 + width * B));
    let mut above: Vec<[u8; B]> = Vec::new();
    let mut current: Vec<[u8; B]> = Vec::with_capacity(width);
    for row in counts.outer_iter() {
        let row = row.to_slice().expect("a device delivers rows without gaps");
        current.clear();
        current.extend(row.iter().map(|count| {
            let count: u32 = (*count).into();
            pixel(count as usize)
        }));
        let bytes = current.as_flattened();
        if above.is_empty() {
            filtered.push(SUB);
            filtered.extend_from_slice(&bytes[..B]);
            filtered.extend(bytes[B..].iter().zip(bytes).map(|(byte, left)| byte.wrapping_sub(*left)));
        } else {
            filtered.push(UP);
            filtered.extend(bytes.iter().zip(above.as_flattened()).map(|(byte, up)| byte.wrapping_sub(*up)));
        }
        std::mem::swap(&mut above, &mut current);
    }
    filtered
}

/// Deflate blocks of `raw`, not the last of a stream and ending on a byte boundary, with the Adler-32 of `raw`.
///
/// `fdeflate` makes a whole zlib stream of one block. Its end-of-block code ends in a 1 bit, so the zeros above the
/// highest 1 bit of the last byte are padding. The header and the checksum are cut off, the block is marked as not the
/// last, and an empty stored block (RFC 1951, 3.2.4) leads to the next byte boundary.
fn deflate(raw: &[u8]) -> (Vec<u8>, u32) {
    const ZLIB_HEADER_BYTES: usize = 2;
    const ZLIB_CHECKSUM_BYTES: usize = 4;
    const BLOCK_HEADER_BITS: u32 = 3;
    let mut stream = fdeflate::compress_to_vec(raw);
    let checksum = stream.split_off(stream.len() - ZLIB_CHECKSUM_BYTES);
    stream.drain(..ZLIB_HEADER_BYTES);
    stream[0] &= !1;
    if stream.last().is_some_and(|byte| byte.leading_zeros() < BLOCK_HEADER_BITS) {
        stream.push(0);
    }
    stream.extend_from_slice(&BAND_END);
    let checksum = checksum.try_into().expect("four bytes were split off");
    (stream, u32::from_be_bytes(checksum))
}

#[cfg(test)]
mod tests {
    use ndarray::Array2;

    use super::*;
    use crate::{
        cli::{Color, ColorScale},
        device::Kind,
        output::image::color::Coloring,
    };

    fn band_of(counts: &Array2<u8>, pixels: &PixelBytes) -> EncodedBand {
        let rows = u32::try_from(counts.nrows()).unwrap();
        EncodedBand::new(&Band { index: 7, rows: 0..rows }, Counts::U8(counts.view()), pixels, true)
    }

    fn indexed() -> PixelBytes {
        Coloring::new(Color::Viridis, ColorScale::Linear).pixel_bytes(255, 0, Kind::Cpu)
    }

    #[test]
    fn a_band_is_filtered_up_but_for_its_first_row() {
        let counts = Array2::from_shape_vec((2, 3), vec![5, 7, 7, 6, 7, 1]).unwrap();
        let filtered = filter::<u8, 1>(&counts.view(), |count| [u8::try_from(count).unwrap()]);
        assert_eq!(filtered, [1, 5, 2, 0, 2, 1, 0, 250]);
    }

    #[test]
    fn a_band_tells_its_range_and_its_sum() {
        let counts = Array2::from_shape_vec((2, 3), vec![5, 7, 7, 6, 7, 1]).unwrap();
        let facts = band_of(&counts, &indexed()).facts;
        assert_eq!((facts.index, facts.min, facts.max, facts.sum), (7, 1, 7, 33));
        assert_eq!(facts.raw_bytes, 8);
    }

    #[test]
    fn streams_of_bands_joined_are_one_stream() {
        let mut random = 1_u32;
        let mut joined = vec![0x78, 0x01];
        let mut raw = Vec::new();
        for rows in [1_usize, 3, 17] {
            let counts = Array2::from_shape_simple_fn((rows, 61), || {
                random = random.wrapping_mul(1_664_525).wrapping_add(1_013_904_223);
                if random >> 30 == 0 { 9_u8 } else { (random >> 24) as u8 | 1 }
            });
            raw.extend(filter::<u8, 1>(&counts.view(), |count| [u8::try_from(count - 1).unwrap()]));
            joined.extend(band_of(&counts, &indexed()).stream);
        }
        joined.extend([3, 0]);
        joined.extend(fdeflate::compress_to_vec(&raw).split_off(fdeflate::compress_to_vec(&raw).len() - 4));
        assert_eq!(fdeflate::decompress_to_vec(&joined).unwrap(), raw);
    }

    /// A picture of one color is the least; what the estimate adds to it is the filter types and the first pixel.
    #[test]
    fn no_band_is_smaller_than_the_least_and_the_least_is_not_far_below() {
        for (rows, width) in [(1, 1), (4, 100), (4, 102_400), (64, 2048)] {
            let band = band_of(&Array2::from_elem((rows, width), 1), &indexed());
            let (min, usual) = stream_bytes(1, band.facts.raw_bytes);
            let found = band.stream.len() as u64;
            assert!(min <= found && found <= min + min / 2 && min <= usual, "{rows}x{width}: {min} {found}");
        }
    }

    #[test]
    fn a_band_has_the_same_bytes_on_its_way_from_any_machine() {
        let facts = BandFacts {
            index: 0x0102_0304_0506_0708,
            min: 1,
            max: 0x1234,
            sum: 3,
            raw_bytes: 4,
            adler32: 0xa1b2_c3d4,
            stream_bytes: 2,
            counts_bytes: 0,
        };
        let mut message = Vec::new();
        EncodedBand { facts, stream: vec![0xaa, 0xbb], counts: Vec::new() }.write_to(&mut message);
        let zeros = |bytes: &[u8]| [bytes, &[0; 8][bytes.len()..]].concat();
        let numbers: [&[u8]; 8] =
            [&[8, 7, 6, 5, 4, 3, 2, 1], &[1], &[0x34, 0x12], &[3], &[4], &[0xd4, 0xc3, 0xb2, 0xa1], &[2], &[]];
        assert_eq!(message, [numbers.map(zeros).concat(), vec![0xaa, 0xbb]].concat());
        let counts = Array2::from_shape_vec((1, 2), vec![0x0102_u16, 0xa0b0]).unwrap();
        let pixels = Coloring::new(Color::Viridis, ColorScale::Linear).pixel_bytes(u16::MAX, 0, Kind::Cpu);
        let band = EncodedBand::new(&Band { index: 0, rows: 0..1 }, Counts::U16(counts.view()), &pixels, true);
        assert_eq!(band.counts, [2, 1, 0xb0, 0xa0]);
    }

    #[test]
    fn a_message_holds_every_band() {
        let counts = Array2::from_elem((4, 5), 9_u8);
        let bands = [band_of(&counts, &indexed()), band_of(&counts.mapv(|n| n + 1), &indexed())];
        let mut message = Vec::new();
        bands.iter().for_each(|band| band.write_to(&mut message));
        assert_eq!(EncodedBand::read_all(&message).collect::<Vec<_>>(), bands);
        assert_eq!(bands[1].counts, [10; 20]);
    }
}
