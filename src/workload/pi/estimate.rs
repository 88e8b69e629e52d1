//! From hits to pi: the estimate, its error, and how many darts an error takes. Pure.
//!
//! The number of hits among n darts follows the binomial law with p = pi/4, so 4 hits/n estimates pi with a standard error
//! of 4 sqrt(p (1 - p) / n), about 1.64 / sqrt(n).

use std::f64::consts::{FRAC_PI_4, PI};

/// Darts from which on the error that the hits themselves show is trusted.
const FIRST_BATCH_DARTS: u64 = 1 << 16;

/// An estimate of pi.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Estimate {
    /// 4 hits / darts.
    pub pi: f64,
    /// Standard error of it, from the hits themselves.
    pub std_error: f64,
}

impl Estimate {
    /// From `hits` among `darts`, which are at least 1.
    #[must_use]
    pub fn new(hits: u64, darts: u64) -> Self {
        let p = as_f64(hits) / as_f64(darts);
        Self { pi: 4.0 * p, std_error: 4.0 * (p * (1.0 - p) / as_f64(darts)).sqrt() }
    }

    /// Distance from pi in standard errors; 0 where the error is 0, as for a single dart.
    #[must_use]
    pub fn deviation(&self) -> f64 {
        if self.std_error > 0.0 { (self.pi - PI) / self.std_error } else { 0.0 }
    }
}

/// Standard error to be expected of `darts` darts.
#[must_use]
pub fn expected_std_error(darts: u64) -> f64 {
    4.0 * (FRAC_PI_4 * (1.0 - FRAC_PI_4) / as_f64(darts)).sqrt()
}

/// Darts that a standard error of `std_error` takes, about; infinite where the error is 0.
#[must_use]
pub fn needed_darts(std_error: f64) -> f64 {
    16.0 * FRAC_PI_4 * (1.0 - FRAC_PI_4) / (std_error * std_error)
}

/// How many darts to have thrown next on the way to a standard error below `std_error`; `None` where it is reached.
///
/// Follows from the hits alone, so that every job goes through the same numbers of darts and ends with the same.
#[must_use]
pub fn next_batch(hits: u64, darts: u64, std_error: f64) -> Option<u64> {
    if darts < FIRST_BATCH_DARTS {
        return Some(FIRST_BATCH_DARTS);
    }
    let estimate = Estimate::new(hits, darts);
    if estimate.std_error < std_error {
        return None;
    }
    let ratio = estimate.std_error / std_error;
    #[expect(clippy::cast_possible_truncation, clippy::cast_sign_loss, reason = "positive, and saturates")]
    let needed = (as_f64(darts) * ratio * ratio) as u64;
    // A little more than needed, since the error is an estimate too, and at most four times as many as there are.
    let min = darts + darts / 1024 + 1;
    Some(needed.saturating_add(needed / 4096).clamp(min, darts.saturating_mul(4).max(min)))
}

/// Mean and sample standard deviation (n - 1) of `values`, of which there are at least two.
#[must_use]
pub fn mean_and_std_dev(values: &[f64]) -> (f64, f64) {
    let n = as_f64(values.len() as u64);
    let mean = values.iter().sum::<f64>() / n;
    let squares: f64 = values.iter().map(|value| (value - mean) * (value - mean)).sum();
    (mean, (squares / (n - 1.0)).sqrt())
}

#[expect(clippy::cast_precision_loss, reason = "an estimate has fewer digits than its hits")]
fn as_f64(number: u64) -> f64 {
    number as f64
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_error_of_a_million_darts_is_known() {
        let estimate = Estimate::new(785_398, 1_000_000);
        assert!((estimate.std_error - 0.001_642).abs() < 1e-6, "{estimate:?}");
        assert!((expected_std_error(1_000_000) - 0.001_642).abs() < 1e-6);
        assert!((needed_darts(0.001_642) / 1e6 - 1.0).abs() < 1e-3);
        assert!(estimate.deviation().abs() < 0.01, "{estimate:?}");
    }

    #[test]
    fn a_single_dart_has_no_deviation() {
        assert_eq!(Estimate::new(1, 1).deviation(), 0.0);
    }

    #[test]
    fn batches_grow_until_the_error_is_reached() {
        for std_error in [0.1, 1e-3, 3e-6] {
            let (mut darts, mut batches) = (0, 0);
            let hits = |darts: u64| darts / 1_000_000 * 785_398 + darts % 1_000_000 * 785_398 / 1_000_000;
            while let Some(next) = next_batch(hits(darts), darts, std_error) {
                assert!(next > darts);
                darts = next;
                batches += 1;
                assert!(batches < 40, "{std_error}: {darts} darts");
            }
            assert!(Estimate::new(hits(darts), darts).std_error < std_error);
            let excess = as_f64(darts) / needed_darts(std_error).max(as_f64(FIRST_BATCH_DARTS));
            assert!(excess < 1.01, "{std_error}: {excess} times the darts needed");
        }
    }

    #[test]
    fn the_spread_of_known_numbers() {
        assert_eq!(mean_and_std_dev(&[2.0, 4.0]), (3.0, std::f64::consts::SQRT_2));
    }
}
