//! A sample of counts from every chunk, to be compared with the definition on rank 0.

use serde::{Deserialize, Serialize};

use super::Job;
use crate::{
    kernel::{band::Band, count::Counts},
    workload::WorkloadError,
};

/// One row of counts, as the device delivered it.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
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

    /// Compares with the definition.
    pub(super) fn check(&self, job: &Job, rank: usize) -> Result<(), WorkloadError> {
        let row = self.row;
        let definition = job.image.definition(job.precision, row..row + 1);
        let mut pixels = definition.into_iter().zip(&self.counts).enumerate();
        match pixels.find(|(_, (expected, found))| expected != *found) {
            None => Ok(()),
            Some((column, (expected, found))) => {
                Err(WorkloadError::Wrong { rank, row, column, found: *found, expected })
            }
        }
    }
}
