//! A sample of counts from every piece, to be compared with the definition on rank 0.

use super::Job;
use crate::{
    error::Error,
    kernel::{
        Precision,
        band::Band,
        julia::{Counts, Real, count},
    },
};

/// One row of counts, as the device delivered it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct Sample {
    row: u32,
    counts: Vec<u16>,
}

impl Sample {
    /// A row of `band`, another one in each band.
    pub(super) fn of(band: &Band, counts: Counts<'_>) -> Self {
        // A prime, so that neighboring bands do not give their rows of the same height.
        let offset = band.index.wrapping_mul(7919) % band.height();
        let counts = match counts {
            Counts::U8(counts) => counts.row(offset as usize).iter().map(|count| u16::from(*count)).collect(),
            Counts::U16(counts) => counts.row(offset as usize).to_vec(),
        };
        Self { row: band.rows.start + offset, counts }
    }

    pub(super) fn to_bytes(&self) -> Vec<u8> {
        [bytemuck::bytes_of(&self.row), bytemuck::cast_slice(&self.counts)].concat()
    }

    pub(super) fn of_bytes(bytes: &[u8]) -> Self {
        let (row, counts) = bytes.split_at(size_of::<u32>());
        Self { row: bytemuck::pod_read_unaligned(row), counts: bytemuck::pod_collect_to_vec(counts) }
    }

    /// Compares with the definition.
    pub(super) fn check(&self, job: &Job, rank: usize) -> Result<(), Error> {
        match job.precision {
            Precision::F32 => self.check_as::<f32>(job, rank),
            Precision::F64 => self.check_as::<f64>(job, rank),
        }
    }

    fn check_as<T: Real>(&self, job: &Job, rank: usize) -> Result<(), Error> {
        let constants = job.julia.constants::<T>();
        let y = T::round(job.julia.lines(self.row..self.row + 1)[0]);
        for (column, (x, found)) in job.julia.columns().into_iter().zip(&self.counts).enumerate() {
            let expected = count(T::round(x), y, &constants);
            if expected != *found {
                return Err(Error::Wrong { rank, row: self.row, column, found: *found, expected });
            }
        }
        Ok(())
    }
}
