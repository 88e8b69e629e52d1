//! The PNG container (ISO/IEC 15948) around bands that were compressed elsewhere.
//!
//! The palette has a fixed place and size near the start of the file, and is written last, when the image's minimum and
//! maximum are known.

use super::{
    color::{Coloring, Form},
    colormap::Colormap,
    encode::{self, EncodedBand},
    sink::layout::{Counted, Layout},
};

const SIGNATURE: [u8; 8] = *b"\x89PNG\r\n\x1a\n";
/// Length, type and checksum around a chunk's data.
const CHUNK_FRAME_BYTES: u64 = 12;
/// Deflate with a window of 32 KiB, fastest level (RFC 1950).
const ZLIB_HEADER: [u8; 2] = [0x78, 0x01];
/// An empty last block with fixed codes (RFC 1951).
const LAST_BLOCK: [u8; 2] = [0x03, 0x00];
/// Adler-32 of no bytes.
const ADLER32_OF_NOTHING: u32 = 1;

/// The bytes of a PNG file, band by band from the top.
#[derive(Debug)]
pub struct Png {
    width: u32,
    height: u32,
    coloring: Coloring,
    max_iter: u16,
    /// Adler-32 of what the bands decompress to.
    adler32: u32,
}

impl Png {
    /// A picture of `width` x `height` pixels that stand for counts up to `max_iter`.
    #[must_use]
    pub fn new(width: u32, height: u32, coloring: Coloring, max_iter: u16) -> Self {
        Self { width, height, coloring, max_iter, adler32: ADLER32_OF_NOTHING }
    }

    /// The palette of an image with counts in `counted`, of zeros before that is known; `None` where there is none.
    fn palette(&self, counted: Option<Counted>) -> Option<Colormap> {
        let Counted { min, max } = counted.unwrap_or(Counted { min: 1, max: 1 });
        let palette = self.coloring.palette(self.max_iter, min, max)?;
        Some(if counted.is_some() { palette } else { [[0; 3]; 256] })
    }
}

impl Layout for Png {
    fn role(&self) -> &'static str {
        "picture"
    }

    fn takes_counts(&self) -> bool {
        false
    }

    fn rows_bytes(&self, rows: u32, bands: u32) -> (u64, u64) {
        let raw_bytes = u64::from(rows) * (1 + u64::from(self.width) * self.coloring.bytes_per_px() as u64);
        let (min, usual) = encode::stream_bytes(u64::from(bands), raw_bytes);
        let frames = u64::from(bands) * CHUNK_FRAME_BYTES;
        (min + frames, usual + frames)
    }

    fn reserved_bytes(&self) -> u64 {
        0
    }

    fn head(&self, counted: Option<Counted>) -> Vec<u8> {
        const BITS_A_CHANNEL: u8 = 8;
        let color_type = match self.coloring.form() {
            Form::Indexed => 3,
            Form::Tinted => 2,
        };
        let mut ihdr = Vec::new();
        ihdr.extend(self.width.to_be_bytes());
        ihdr.extend(self.height.to_be_bytes());
        ihdr.extend([BITS_A_CHANNEL, color_type, 0, 0, 0]);
        let mut head = Vec::from(SIGNATURE);
        write_chunk(&mut head, *b"IHDR", &[&ihdr]);
        if let Some(palette) = self.palette(counted) {
            write_chunk(&mut head, *b"PLTE", &[palette.as_flattened()]);
        }
        write_chunk(&mut head, *b"IDAT", &[&ZLIB_HEADER]);
        head
    }

    fn append<'a>(&mut self, band: &'a EncodedBand, own: &'a mut Vec<u8>) -> &'a [u8] {
        let adler32 = u32::try_from(band.facts.adler32).expect("a checksum of 32 bits");
        self.adler32 = combine_adler32(self.adler32, adler32, band.facts.raw_bytes);
        write_chunk(own, *b"IDAT", &[&band.stream]);
        own
    }

    fn carry(&self) -> u32 {
        self.adler32
    }

    fn resume(&mut self, carry: u32) {
        self.adler32 = carry;
    }

    fn tail(&self, carry: u32) -> Vec<u8> {
        let mut tail = Vec::new();
        write_chunk(&mut tail, *b"IDAT", &[&LAST_BLOCK, &carry.to_be_bytes()]);
        write_chunk(&mut tail, *b"IEND", &[]);
        tail
    }
}

/// Appends one chunk whose data is `pieces` joined.
fn write_chunk(out: &mut Vec<u8>, kind: [u8; 4], pieces: &[&[u8]]) {
    let length: usize = pieces.iter().map(|piece| piece.len()).sum();
    out.extend(u32::try_from(length).expect("a band is far below PNG's limit of 2 GiB a chunk").to_be_bytes());
    let checked_from = out.len();
    out.extend(kind);
    pieces.iter().for_each(|piece| out.extend_from_slice(piece));
    let checksum = crc32fast::hash(&out[checked_from..]);
    out.extend(checksum.to_be_bytes());
}

/// Adler-32 of two texts joined, from that of each and the length of the second (the algebra is zlib's: both sums are
/// linear in the bytes, modulo the largest prime below 2^16).
fn combine_adler32(first: u32, second: u32, second_bytes: u64) -> u32 {
    const BASE: u64 = 65_521;
    let halves = |sums: u32| (u64::from(sums & 0xffff), u64::from(sums >> 16));
    let (low, high) = halves(first);
    let (second_low, second_high) = halves(second);
    let length = second_bytes % BASE;
    let sum = (low + second_low + BASE - 1) % BASE;
    let weighted = (high + second_high + length * (low + BASE - 1)) % BASE;
    u32::try_from(weighted << 16 | sum).expect("two sums below 2^16")
}

#[cfg(test)]
mod tests {
    use ndarray::Array2;

    use super::*;
    use crate::{
        cli::{Color, ColorScale},
        device::Kind,
        kernel::{band::Band, count::Counts},
    };

    fn adler32(bytes: &[u8]) -> u32 {
        let zlib = fdeflate::compress_to_vec(bytes);
        u32::from_be_bytes(zlib[zlib.len() - 4..].try_into().unwrap())
    }

    #[test]
    fn checksums_combine() {
        let bytes: Vec<u8> = (0..200_000_u32).map(|i| (i.wrapping_mul(i) >> 3).to_le_bytes()[0]).collect();
        for cut in [0, 1, 65_520, 65_521, 65_522, 131_043, bytes.len()] {
            let (first, second) = bytes.split_at(cut);
            let combined = combine_adler32(adler32(first), adler32(second), second.len() as u64);
            assert_eq!(combined, adler32(&bytes), "cut at {cut}");
        }
    }

    fn decode(color: Color) -> image::RgbImage {
        let coloring = Coloring::new(color, ColorScale::Linear);
        let counts = Array2::from_shape_fn((5, 7), |(row, column)| u8::try_from(11 + row * 7 + column).unwrap());
        let mut png = Png::new(7, 5, coloring, 255);
        let mut body = Vec::new();
        for (index, rows) in [(0, 0..2), (1, 2..4), (2, 4..5)] {
            let view = counts.slice(ndarray::s![rows.start as usize..rows.end as usize, ..]);
            let pixels = coloring.pixel_bytes(255, 0, Kind::Cpu);
            let band = EncodedBand::new(&Band { index, rows }, Counts::U8(view), &pixels, false);
            body.extend_from_slice(png.append(&band, &mut Vec::new()));
        }
        let head = png.head(Some(Counted { min: 11, max: 45 }));
        assert_eq!(head.len(), png.head(None).len());
        let file = [head, body, png.tail(png.carry())].concat();
        image::load_from_memory(&file).unwrap().to_rgb8()
    }

    #[test]
    fn another_decoder_reads_the_file() {
        let picture = decode(Color::Grey);
        assert_eq!(picture.dimensions(), (7, 5));
        assert_eq!((picture.get_pixel(0, 0).0, picture.get_pixel(6, 4).0), ([0; 3], [255; 3]));
        let tinted = decode(Color::Rank);
        assert_ne!(tinted.get_pixel(0, 0), tinted.get_pixel(6, 4));
    }
}
