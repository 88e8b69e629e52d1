//! The PNG container (ISO/IEC 15948) around bands that were compressed elsewhere.
//!
//! The palette has a fixed place and size near the start of the file, and is written last, when the image's minimum and
//! maximum are known.

use std::{
    io::{self, BufWriter, Seek, SeekFrom, Write},
    path::Path,
};

use serde::{Deserialize, Serialize};

use super::{
    color::Coloring,
    colormap::Colormap,
    encode::{self, EncodedBand},
    part_file::PartFile,
};
use crate::error::Error;

const SIGNATURE: [u8; 8] = *b"\x89PNG\r\n\x1a\n";
/// Length, type and checksum around a chunk's data.
const CHUNK_FRAME_BYTES: u64 = 12;
const IHDR_BYTES: u64 = 13;
/// Place of the palette chunk in the file.
const PALETTE_AT: u64 = 8 + IHDR_BYTES + CHUNK_FRAME_BYTES;
/// Deflate with a window of 32 KiB, fastest level (RFC 1950).
const ZLIB_HEADER: [u8; 2] = [0x78, 0x01];
/// An empty last block with fixed codes (RFC 1951).
const LAST_BLOCK: [u8; 2] = [0x03, 0x00];
/// Adler-32 of no bytes.
const ADLER32_OF_NOTHING: u32 = 1;

/// Bytes after the last band: the end of the pixels with their checksum, and the end of the file.
const TAIL_BYTES: u64 = 2 * CHUNK_FRAME_BYTES + 2 + 4;

/// Bytes that `rows` rows of `width` pixels, in `bands` bands, add to a file: no less than the first figure, and seldom more
/// than the second.
#[must_use]
pub fn rows_bytes(width: u32, rows: u32, bands: u32, coloring: Coloring) -> (u64, u64) {
    let raw_bytes = u64::from(rows) * (1 + u64::from(width) * coloring.bytes_per_px() as u64);
    let (least, usual) = encode::stream_bytes(u64::from(bands), raw_bytes);
    let frames = u64::from(bands) * CHUNK_FRAME_BYTES;
    (least + frames, usual + frames)
}

/// How far a file is.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct PngState {
    /// Bands written.
    bands: u64,
    /// Length of the file in bytes.
    bytes: u64,
    /// Adler-32 of what the bands decompress to.
    adler32: u32,
}

impl PngState {
    /// Length in bytes that the file has now.
    #[must_use]
    pub fn bytes(&self) -> u64 {
        self.bytes
    }

    /// Length in bytes that the file has when no more bands come.
    #[must_use]
    pub fn final_bytes(&self) -> u64 {
        self.bytes + TAIL_BYTES
    }
}

/// A PNG file being written, band by band from the top.
#[derive(Debug)]
pub struct PngFile {
    part: PartFile,
    coloring: Coloring,
    state: PngState,
}

impl PngFile {
    /// Creates the file and writes all that stands before the pixels.
    ///
    /// # Errors
    /// [`Error::Output`] where the file cannot be created or written.
    pub fn create(path: &Path, width: u32, height: u32, coloring: Coloring) -> Result<Self, Error> {
        const BITS_A_CHANNEL: u8 = 8;
        let color_type = match coloring {
            Coloring::Indexed(_) => 3,
            Coloring::Tinted(_) => 2,
        };
        let part = PartFile::create(path)?;
        let mut ihdr = Vec::new();
        ihdr.extend(width.to_be_bytes());
        ihdr.extend(height.to_be_bytes());
        ihdr.extend([BITS_A_CHANNEL, color_type, 0, 0, 0]);
        let mut head = Vec::from(SIGNATURE);
        write_chunk(&mut head, *b"IHDR", &[&ihdr]);
        if coloring.palette(1, 1, 1).is_some() {
            write_chunk(&mut head, *b"PLTE", &[[[0; 3]; 256].as_flattened()]);
        }
        write_chunk(&mut head, *b"IDAT", &[&ZLIB_HEADER]);
        part.file().write_all(&head).map_err(|source| part.failed(source))?;
        let state = PngState { bands: 0, bytes: head.len() as u64, adler32: ADLER32_OF_NOTHING };
        Ok(Self { part, coloring, state })
    }

    /// Opens the file that an earlier job left in `state`, and cuts off what it wrote later.
    ///
    /// # Errors
    /// [`Error::Output`] where the file is missing, shorter than `state` says, or cannot be written.
    pub fn resume(path: &Path, coloring: Coloring, state: PngState) -> Result<Self, Error> {
        let part = PartFile::reopen(path)?;
        let mut file = part.file();
        let cut = file.metadata().and_then(|metadata| {
            if metadata.len() < state.bytes {
                let (found, noted) = (metadata.len(), state.bytes);
                return Err(io::Error::other(format!("its .part has {found} bytes of the {noted} in the journal")));
            }
            file.set_len(state.bytes)?;
            file.seek(SeekFrom::End(0))
        });
        cut.map_err(|source| part.failed(source))?;
        Ok(Self { part, coloring, state })
    }

    /// Makes the bands written so far safe, for a later job to continue from the state returned.
    ///
    /// # Errors
    /// [`Error::Output`] where the operating system cannot store them.
    pub fn sync(&self) -> Result<PngState, Error> {
        self.part.sync()?;
        Ok(self.state)
    }

    /// Leaves the unfinished file for a later job if this one fails.
    pub fn keep(&mut self) {
        self.part.keep();
    }

    /// Appends the bands that follow the last one.
    ///
    /// # Errors
    /// [`Error::Output`] where they cannot be written.
    ///
    /// # Panics
    /// Where a band is out of order.
    pub fn append(&mut self, bands: &[EncodedBand]) -> Result<(), Error> {
        let mut file = BufWriter::with_capacity(1 << 20, self.part.file());
        let mut chunk = Vec::new();
        for band in bands {
            assert_eq!(band.facts.index, self.state.bands, "bands are appended from the top");
            self.state.bands += 1;
            let adler32 = u32::try_from(band.facts.adler32).expect("a checksum of 32 bits");
            self.state.adler32 = combine_adler32(self.state.adler32, adler32, band.facts.raw_bytes);
            chunk.clear();
            write_chunk(&mut chunk, *b"IDAT", &[&band.stream]);
            self.state.bytes += chunk.len() as u64;
            file.write_all(&chunk).map_err(|source| self.part.failed(source))?;
        }
        file.flush().map_err(|source| self.part.failed(source))
    }

    /// Ends the pixels and writes the palette of an image with counts in `min..=max`. [`Self::resume`] undoes it.
    ///
    /// # Errors
    /// [`Error::Output`] where the file cannot be written.
    pub fn end(&self, max_iter: u16, min: u16, max: u16) -> Result<(), Error> {
        let mut tail = Vec::new();
        write_chunk(&mut tail, *b"IDAT", &[&LAST_BLOCK, &self.state.adler32.to_be_bytes()]);
        write_chunk(&mut tail, *b"IEND", &[]);
        assert_eq!(tail.len() as u64, TAIL_BYTES, "what the state counts with");
        let mut file = self.part.file();
        let mut written = file.write_all(&tail);
        if let Some(palette) = self.coloring.palette(max_iter, min, max) {
            written = written.and_then(|()| file.seek(SeekFrom::Start(PALETTE_AT))).and_then(|_| {
                let palette: &Colormap = &palette;
                let mut chunk = Vec::new();
                write_chunk(&mut chunk, *b"PLTE", &[palette.as_flattened()]);
                file.write_all(&chunk)
            });
        }
        written.map_err(|source| self.part.failed(source))
    }

    /// Gives the file, which [`Self::end`] has ended, its name.
    ///
    /// # Errors
    /// [`Error::Output`] where the last bytes cannot be stored or the name cannot be given.
    pub fn complete(self) -> Result<(), Error> {
        self.part.complete()
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
        cli::Color,
        device::Kind,
        kernel::{band::Band, julia::Counts},
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
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("a.png");
        let coloring = Coloring::of(color);
        let counts = Array2::from_shape_fn((5, 7), |(row, column)| u8::try_from(11 + row * 7 + column).unwrap());
        let mut png = PngFile::create(&path, 7, 5, coloring).unwrap();
        for (index, rows) in [(0, 0..2), (1, 2..4), (2, 4..5)] {
            let view = counts.slice(ndarray::s![rows.start as usize..rows.end as usize, ..]);
            let pixels = coloring.pixel_bytes(255, 0, Kind::Cpu);
            png.append(&[EncodedBand::new(&Band { index, rows }, Counts::U8(view), &pixels, false)]).unwrap();
        }
        png.end(255, 11, 45).unwrap();
        png.complete().unwrap();
        image::open(&path).unwrap().to_rgb8()
    }

    #[test]
    fn another_decoder_reads_the_file() {
        let picture = decode(Color::Grey);
        assert_eq!(picture.dimensions(), (7, 5));
        assert_eq!((picture.get_pixel(0, 0).0, picture.get_pixel(6, 4).0), ([0; 3], [255; 3]));
        let tinted = decode(Color::Rank);
        assert_ne!(tinted.get_pixel(0, 0), tinted.get_pixel(6, 4));
    }

    #[test]
    #[should_panic(expected = "from the top")]
    fn a_band_out_of_order_is_refused() {
        let folder = tempfile::tempdir().unwrap();
        let mut png = PngFile::create(&folder.path().join("a.png"), 1, 2, Coloring::of(Color::Grey)).unwrap();
        let counts = Array2::from_elem((1, 1), 1_u8);
        let pixels = Coloring::of(Color::Grey).pixel_bytes(255, 0, Kind::Cpu);
        let band = Band { index: 1, rows: 1..2 };
        let _ = png.append(&[EncodedBand::new(&band, Counts::U8(counts.view()), &pixels, false)]);
    }
}
