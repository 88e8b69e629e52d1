//! The counts as a NumPy array: rows x columns, uint8 or uint16.

use ndarray_npy::{
    WritableElement,
    npy::header::{Header, Layout as Order},
};

use super::{
    encode::EncodedBand,
    sink::layout::{Counted, Layout},
};

/// The bytes of a file of counts.
#[derive(Debug)]
pub struct Npy {
    width: u32,
    height: u32,
    fits_u8: bool,
    head: Vec<u8>,
}

impl Npy {
    /// An array of `height` x `width` counts in a byte each or in two.
    #[must_use]
    pub fn new(width: u32, height: u32, fits_u8: bool) -> Self {
        let head = if fits_u8 { head::<u8>(height, width) } else { head::<u16>(height, width) };
        Self { width, height, fits_u8, head }
    }

    fn counts_bytes(&self, rows: u32) -> u64 {
        let count_bytes = if self.fits_u8 { 1 } else { 2 };
        (u64::from(self.width) * u64::from(rows)).saturating_mul(count_bytes)
    }
}

/// What stands before the counts.
fn head<C: WritableElement>(height: u32, width: u32) -> Vec<u8> {
    let shape = vec![height as usize, width as usize];
    // `<`: the lower byte first, as bands have them, where the machine's own order were `>`.
    let descriptor = C::type_descriptor().to_string().replace('>', "<");
    let type_descriptor = descriptor.parse().expect("a type's description is read back");
    let header = Header { type_descriptor, layout: Order::Standard, shape };
    header.to_bytes().expect("two numbers make some 100 bytes")
}

impl Layout for Npy {
    fn role(&self) -> &'static str {
        "counts"
    }

    fn takes_counts(&self) -> bool {
        true
    }

    fn rows_bytes(&self, rows: u32, _bands: u32) -> (u64, u64) {
        (self.counts_bytes(rows), self.counts_bytes(rows))
    }

    fn reserved_bytes(&self) -> u64 {
        self.counts_bytes(self.height).saturating_add(self.head.len() as u64)
    }

    fn head(&self, _counted: Option<Counted>) -> Vec<u8> {
        self.head.clone()
    }

    fn append<'a>(&mut self, band: &'a EncodedBand, _own: &'a mut Vec<u8>) -> &'a [u8] {
        &band.counts
    }

    fn carry(&self) -> u32 {
        0
    }

    fn resume(&mut self, _carry: u32) {}

    fn tail(&self, _carry: u32) -> Vec<u8> {
        Vec::new()
    }
}

#[cfg(test)]
mod tests {
    use ndarray::Array2;
    use ndarray_npy::ReadNpyExt;

    use super::*;
    use crate::{
        cli::{Color, ColorScale},
        device::Kind,
        kernel::{band::Band, count::Counts},
        output::image::color::Coloring,
    };

    #[test]
    fn an_independent_reader_sees_the_counts() {
        let counts = Array2::from_shape_fn((3, 4), |(row, column)| u16::try_from(1000 * row + column).unwrap());
        let pixels = Coloring::new(Color::Grey, ColorScale::Linear).pixel_bytes(3000, 0, Kind::Cpu);
        let band = EncodedBand::new(&Band { index: 0, rows: 0..3 }, Counts::U16(counts.view()), &pixels, true);
        let mut npy = Npy::new(4, 3, false);
        let head = npy.head(None);
        let file = [&head, npy.append(&band, &mut Vec::new())].concat();
        assert_eq!(file.len() as u64, npy.reserved_bytes());
        assert_eq!(Array2::<u16>::read_npy(file.as_slice()).unwrap(), counts);
    }
}
