//! The convergence study: many independent runs of each of several lengths, and how their estimates spread. Pure.

use std::ops::RangeInclusive;

use super::{
    estimate::{Estimate, expected_std_error, mean_and_std_dev},
    throws::{Run, Throws},
};
use crate::output::report::study::Row;

/// Distance between the first darts of two runs: more than the 4^20 darts that a run may have.
const RUN_STRIDE: u64 = 1 << 46;

/// What is to be studied.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Study {
    /// A run has 4^power darts.
    pub powers: RangeInclusive<u32>,
    /// Independent runs of each length, at least 2.
    pub runs: u32,
}

impl Study {
    /// Most runs of each length, so that every run has darts of its own.
    #[must_use]
    pub fn max_runs(&self) -> u32 {
        let lengths = u64::from(self.powers.end() - self.powers.start() + 1);
        u32::try_from((u64::MAX / RUN_STRIDE) / lengths).unwrap_or(u32::MAX)
    }

    /// The runs of the study, shortest first. Run r of the l-th length throws the darts from (l runs + r) 2^46 on, so no two
    /// runs have a dart in common.
    #[must_use]
    pub fn throws(&self) -> Throws {
        let lengths = self.powers.clone().flat_map(|power| (0..self.runs).map(move |_| 4_u64.pow(power)));
        Throws::new((0..).zip(lengths).map(|(index, darts)| Run { first: index * RUN_STRIDE, darts }).collect())
    }

    /// The rows that follow from the hits of each run, in the order of [`Self::throws`].
    #[must_use]
    pub fn rows(&self, hits: &[u64]) -> Vec<Row> {
        self.powers
            .clone()
            .zip(hits.chunks(self.runs as usize))
            .map(|(power, hits)| {
                let darts = 4_u64.pow(power);
                let estimates: Vec<f64> = hits.iter().map(|hits| Estimate::new(*hits, darts).pi).collect();
                let (mean, std_dev) = mean_and_std_dev(&estimates);
                Row { darts, runs: self.runs, mean, std_dev, expected_std_dev: expected_std_error(darts) }
            })
            .collect()
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::kernel::pi;

    #[test]
    fn no_two_runs_share_a_dart() {
        let study = Study { powers: 5..=20, runs: 64 };
        assert!(study.runs <= study.max_runs());
        let throws = study.throws();
        assert_eq!(throws.runs().len(), 64 * 16);
        for pair in throws.runs().windows(2) {
            assert!(pair[0].first + pair[0].darts <= pair[1].first, "{pair:?}");
        }
    }

    #[test]
    fn the_spread_falls_with_the_root_of_the_number_of_darts() {
        let study = Study { powers: 3..=6, runs: 64 };
        let hits: Vec<u64> =
            study.throws().runs().iter().map(|run| pi::hits(5, run.first..run.first + run.darts)).collect();
        for row in study.rows(&hits) {
            let ratio = row.std_dev / row.expected_std_dev;
            // The standard deviation of 64 values is itself known to 9 %.
            assert!((0.65..1.35).contains(&ratio), "{row:?}");
            assert!((row.mean - std::f64::consts::PI).abs() < 4.0 * row.expected_std_dev / 8.0, "{row:?}");
        }
    }
}
