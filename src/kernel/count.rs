//! Counts of an image: the integer types that they are kept in. Knows nothing of how they are computed.

use std::fmt::Debug;

use ndarray::ArrayView2;

/// The integer type counts are kept in: `u8` up to 255 iterations, `u16` above.
pub trait Count: bytemuck::Pod + Ord + Into<u32> + Into<u64> + Send + Sync + Debug {
    /// A count that is known to fit.
    fn from_u16(count: u16) -> Self;

    /// The counts of a band, as they are delivered.
    fn counts(view: ArrayView2<'_, Self>) -> Counts<'_>;

    /// Counts as bytes, the lowest first, whatever the machine.
    fn le_bytes(counts: &[Self]) -> Vec<u8>;
}

impl Count for u8 {
    fn from_u16(count: u16) -> Self {
        Self::try_from(count).expect("counts are kept in bytes only where max_iter fits in a byte")
    }

    fn counts(view: ArrayView2<'_, Self>) -> Counts<'_> {
        Counts::U8(view)
    }

    fn le_bytes(counts: &[Self]) -> Vec<u8> {
        counts.to_vec()
    }
}

impl Count for u16 {
    fn from_u16(count: u16) -> Self {
        count
    }

    fn counts(view: ArrayView2<'_, Self>) -> Counts<'_> {
        Counts::U16(view)
    }

    fn le_bytes(counts: &[Self]) -> Vec<u8> {
        let mut bytes = vec![0; size_of_val(counts)];
        for (to, count) in bytes.as_chunks_mut().0.iter_mut().zip(counts) {
            *to = count.to_le_bytes();
        }
        bytes
    }
}

/// The sum of `counts`. Sums in 32 bits vectorize better, over runs too short to overflow them.
pub fn sum<C: Count>(counts: &[C]) -> u64 {
    const RUN: usize = 1 << 12;
    let run = |counts: &[C]| counts.iter().map(|count| -> u32 { (*count).into() }).sum::<u32>();
    counts.chunks(RUN).map(|counts| u64::from(run(counts))).sum()
}

/// The counts of a band, rows x columns, contiguous.
#[derive(Clone, Copy, Debug)]
pub enum Counts<'a> {
    /// Of an image whose counts fit in a byte.
    U8(ArrayView2<'a, u8>),
    /// Of any other image.
    U16(ArrayView2<'a, u16>),
}
