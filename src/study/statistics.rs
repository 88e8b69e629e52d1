//! What many measurements of the same thing tell: a median with its spread, and whether two sets of them differ by more than noise. No
//! distribution of the measurements is assumed: times have long tails.
//!
//! Quartiles are those of NumPy's default: R. J. Hyndman, Y. Fan, "Sample quantiles in statistical packages", The American
//! Statistician 50 (1996), type 7. The interval of the median is that of its order statistics; the test, the shift and its interval are
//! those of Mann, Whitney, Hodges and Lehmann: M. Hollander, D. A. Wolfe, E. Chicken, "Nonparametric Statistical Methods", 3rd ed.,
//! sections 3.6 and 4.1 to 4.3.

use serde::Serialize;

/// Intervals hold what they are of in at least so many of all cases, and a test is wrong in at most as many as are missing.
pub const CONFIDENCE: f64 = 0.95;
/// Both tails have as much of what is missing.
const TAIL: f64 = (1.0 - CONFIDENCE) / 2.0;
/// The normal distribution's quantile for [`TAIL`].
const Z: f64 = 1.959_963_984_540_054;
/// Up to so many measurements the distributions are counted out; above, they are normal for all purposes.
const MOST_EXACT: usize = 50;

/// Measurements of one thing in short.
#[derive(Clone, Debug, PartialEq, Serialize)]
pub struct Summary {
    /// How many there are.
    pub n: usize,
    /// The smallest.
    pub min: f64,
    /// A quarter is below.
    pub q1: f64,
    /// Half is below.
    pub median: f64,
    /// Three quarters are below.
    pub q3: f64,
    /// The largest.
    pub max: f64,
    /// Between which the median of all that could be measured is, with [`CONFIDENCE`]; none of fewer than 6 measurements.
    pub interval: Option<(f64, f64)>,
}

impl Summary {
    /// Of these; `None` of none.
    #[must_use]
    pub fn of(values: &[f64]) -> Option<Self> {
        let sorted = sorted(values);
        let n = sorted.len();
        let interval = rank_of_median(n).map(|rank| (sorted[rank - 1], sorted[n - rank]));
        Some(Self {
            n,
            min: *sorted.first()?,
            q1: quantile(&sorted, 0.25),
            median: quantile(&sorted, 0.5),
            q3: quantile(&sorted, 0.75),
            max: *sorted.last()?,
            interval,
        })
    }

    /// The interval of the median, or where there are too few for one all that was measured.
    #[must_use]
    pub fn ends(&self) -> (f64, f64) {
        self.interval.unwrap_or((self.min, self.max))
    }
}

fn sorted(values: &[f64]) -> Vec<f64> {
    let mut sorted = values.to_vec();
    sorted.sort_by(f64::total_cmp);
    sorted
}

#[expect(clippy::cast_precision_loss, reason = "numbers of measurements are small")]
fn as_f64(number: usize) -> f64 {
    number as f64
}

#[expect(clippy::cast_possible_truncation, clippy::cast_sign_loss, reason = "a rank among them is meant")]
fn floor(number: f64) -> usize {
    number.max(0.0) as usize
}

/// Linear between the two that are nearest.
fn quantile(sorted: &[f64], part: f64) -> f64 {
    let at = as_f64(sorted.len() - 1) * part;
    let below = floor(at);
    let above = (below + 1).min(sorted.len() - 1);
    sorted[below] + (sorted[above] - sorted[below]) * (at - as_f64(below))
}

/// The rank, from 1 on, of the measurement from below and from above between which the median is.
fn rank_of_median(n: usize) -> Option<usize> {
    let rank = if n <= MOST_EXACT {
        let mut ways = 1.0;
        let ways: Vec<f64> = (0..=n)
            .map(|k| {
                let these = ways;
                ways *= as_f64(n - k) / as_f64(k + 1);
                these
            })
            .collect();
        tail_rank(&ways)
    } else {
        floor(as_f64(n) / 2.0 - Z * libm::sqrt(as_f64(n)) / 2.0)
    };
    (rank > 0).then_some(rank)
}

/// How many of the first outcomes, given by the number of ways to them, together are within a tail.
fn tail_rank(ways: &[f64]) -> usize {
    let all: f64 = ways.iter().sum();
    let mut sum = 0.0;
    let within = ways.iter().take_while(|ways| {
        sum += *ways;
        sum <= TAIL * all
    });
    within.count()
}

/// Two sets of measurements beside each other.
#[derive(Clone, Debug, PartialEq, Serialize)]
pub struct Comparison {
    /// The factor from the first to the second: the median of all quotients of one of each (Hodges and Lehmann, on logarithms).
    pub ratio: f64,
    /// Between which the factor is, with [`CONFIDENCE`]; none where there are too few measurements.
    pub interval: Option<(f64, f64)>,
    /// How probable quotients as far from 1 are where nothing differs: two-sided test of Mann and Whitney.
    pub p: f64,
    /// What follows.
    pub verdict: Verdict,
}

/// What a comparison comes to.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize)]
#[serde(rename_all = "snake_case")]
pub enum Verdict {
    /// The second takes less, by more than noise.
    Less,
    /// The second takes more, by more than noise.
    More,
    /// No difference that could not be noise.
    NotShown,
    /// Too few measurements for any difference to be shown: at least 4 of each.
    TooFew,
}

impl Comparison {
    /// Of positive numbers; `None` where one of them is none, or a set is empty.
    #[must_use]
    pub fn of(first: &[f64], second: &[f64]) -> Option<Self> {
        let is_positive = |value: &f64| *value > 0.0;
        if first.is_empty() || second.is_empty() || !first.iter().chain(second).all(is_positive) {
            return None;
        }
        let quotients: Vec<f64> = second.iter().flat_map(|b| first.iter().map(move |a| b / a)).collect();
        let quotients = sorted(&quotients);
        let middle = quotients.len() / 2;
        // The median of logarithms, of which the exponential is wanted.
        let ratio = if quotients.len().is_multiple_of(2) {
            libm::sqrt(quotients[middle - 1] * quotients[middle])
        } else {
            quotients[middle]
        };
        let rank = rank_of_shift(first.len(), second.len());
        let interval = (rank > 0).then(|| (quotients[rank - 1], quotients[quotients.len() - rank]));
        let p = mann_whitney(first, second);
        let verdict = match interval {
            None => Verdict::TooFew,
            Some((low, _)) if p < 1.0 - CONFIDENCE && low > 1.0 => Verdict::More,
            Some((_, high)) if p < 1.0 - CONFIDENCE && high < 1.0 => Verdict::Less,
            Some(_) => Verdict::NotShown,
        };
        Some(Self { ratio, interval, p, verdict })
    }
}

/// The number of ways in which so many of one set are below so many of the other, by the number of pairs: coefficients of Gauss's
/// binomial.
fn ways_of_pairs(n: usize, m: usize) -> Vec<f64> {
    let mut ways = vec![0.0; n * m + 1];
    ways[0] = 1.0;
    for i in 1..=n {
        for pairs in (m + i..=n * m).rev() {
            ways[pairs] -= ways[pairs - m - i];
        }
        for pairs in i..=n * m {
            ways[pairs] += ways[pairs - i];
        }
    }
    ways
}

/// The rank, from 1 on, of the quotient from below and from above between which the factor is; 0 for none.
fn rank_of_shift(n: usize, m: usize) -> usize {
    if n <= MOST_EXACT && m <= MOST_EXACT {
        return tail_rank(&ways_of_pairs(n, m));
    }
    let pairs = as_f64(n) * as_f64(m);
    floor(pairs / 2.0 - Z * libm::sqrt(pairs * as_f64(n + m + 1) / 12.0))
}

/// How probable it is that so many or so few of the second are below those of the first, where both are alike.
fn mann_whitney(first: &[f64], second: &[f64]) -> f64 {
    let (n, m) = (first.len(), second.len());
    let mut all: Vec<f64> = sorted(&[first, second].concat());
    let pairs = as_f64(n) * as_f64(m);
    let above: f64 = second
        .iter()
        .flat_map(|b| {
            first.iter().map(move |a| {
                if b > a {
                    1.0
                } else if b < a {
                    0.0
                } else {
                    0.5
                }
            })
        })
        .sum();
    let few = above.min(pairs - above);
    let count = all.len();
    let mut ties = 0.0;
    for group in all.chunk_by_mut(|a, b| a == b) {
        let t = as_f64(group.len());
        ties += t * t * t - t;
    }
    if ties == 0.0 && n <= MOST_EXACT && m <= MOST_EXACT {
        let ways = ways_of_pairs(n, m);
        let all: f64 = ways.iter().sum();
        let tail: f64 = ways.iter().take(floor(few) + 1).sum();
        return (2.0 * tail / all).min(1.0);
    }
    let count = as_f64(count);
    let variance = pairs / 12.0 * (count + 1.0 - ties / (count * (count - 1.0)));
    if variance <= 0.0 {
        return 1.0;
    }
    // With the correction for the steps of the number of pairs.
    let distance = (pairs / 2.0 - few - 0.5).max(0.0) / libm::sqrt(variance);
    libm::erfc(distance / std::f64::consts::SQRT_2).min(1.0)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn near(a: f64, b: f64) -> bool {
        (a - b).abs() <= 1e-9 * b.abs().max(1.0)
    }

    #[test]
    fn a_summary_is_that_of_numpy() {
        // numpy.percentile([3, 1, 4, 1, 5, 9, 2], [0, 25, 50, 75, 100])
        let summary = Summary::of(&[3.0, 1.0, 4.0, 1.0, 5.0, 9.0, 2.0]).unwrap();
        let Summary { n, min, q1, median, q3, max, .. } = summary;
        assert_eq!((n, min, q1, median, q3, max), (7, 1.0, 1.5, 3.0, 4.5, 9.0));
        let one = Summary::of(&[2.0]).unwrap();
        assert_eq!((one.q1, one.median, one.q3, one.interval, one.ends()), (2.0, 2.0, 2.0, None, (2.0, 2.0)));
        assert_eq!(Summary::of(&[]), None);
    }

    #[test]
    fn the_interval_of_the_median_has_the_ranks_of_the_tables() {
        // The sign test's, two-sided 95 %: D. B. Owen's and other tables.
        for (n, rank) in
            [(5, None), (6, Some(1)), (8, Some(1)), (9, Some(2)), (12, Some(3)), (20, Some(6)), (50, Some(18))]
        {
            assert_eq!(rank_of_median(n), rank, "{n}");
        }
        assert_eq!(rank_of_median(100), Some(40));
        let values: Vec<f64> = (1..=12).map(f64::from).collect();
        assert_eq!(Summary::of(&values).unwrap().interval, Some((3.0, 10.0)));
    }

    #[test]
    fn the_interval_holds_the_median_as_often_as_it_says() {
        let words = |counter: u32| crate::kernel::threefry::threefry4x32::<13>([counter, 0, 0, 0], [9, 0, 0, 0]);
        let mut held = 0;
        let tries = 2000;
        for sample in 0..tries {
            // Long tails: 1 / u has its median at 2.
            let values: Vec<f64> = (0..3)
                .flat_map(|part| words(sample * 3 + part))
                .map(|word| 4_294_967_296.0 / (f64::from(word) + 1.0))
                .collect();
            let (low, high) = Summary::of(&values).unwrap().interval.unwrap();
            held += u32::from(low <= 2.0 && 2.0 <= high);
        }
        // Twelve measurements: 96.1 %, with four standard deviations of this count.
        assert!((1922 - 35..=1922 + 35).contains(&held), "{held} of {tries}");
    }

    #[test]
    fn the_test_is_that_of_scipy() {
        let p = |first: &[f64], second: &[f64]| mann_whitney(first, second);
        // scipy.stats.mannwhitneyu(..., method="exact"), and the tables.
        assert!(near(p(&[1.0, 2.0, 3.0], &[4.0, 5.0, 6.0]), 0.1));
        assert!(near(p(&[1.0, 2.0, 3.0, 4.0], &[5.0, 6.0, 7.0, 8.0]), 2.0 / 70.0));
        assert!(near(p(&[19.0, 22.0, 16.0, 29.0, 24.0], &[20.0, 11.0, 17.0, 12.0]), 0.111_111_111_111_111));
        assert!(near(p(&[1.0, 3.0], &[2.0, 4.0]), 2.0 / 3.0));
        // scipy.stats.mannwhitneyu([1, 2, 2, 3, 5], [2, 4, 4, 6], method="asymptotic")
        assert!(
            (p(&[1.0, 2.0, 2.0, 3.0, 5.0], &[2.0, 4.0, 4.0, 6.0]) - 0.260_175).abs() < 1e-4,
            "{}",
            p(&[1.0, 2.0, 2.0, 3.0, 5.0], &[2.0, 4.0, 4.0, 6.0])
        );
        assert!(near(p(&[1.0; 5], &[1.0; 5]), 1.0));
    }

    #[test]
    fn ways_are_all_ways() {
        assert_eq!(ways_of_pairs(2, 2), [1.0, 1.0, 2.0, 1.0, 1.0]);
        assert_eq!(ways_of_pairs(5, 4).iter().sum::<f64>(), 126.0);
    }

    #[test]
    fn a_difference_is_told_from_noise() {
        let scaled = |factor: f64| [1.00, 1.01, 1.02, 0.99, 1.03, 0.98].map(|value| value * factor);
        let verdict = |second: &[f64]| Comparison::of(&scaled(1.0), second).unwrap();
        let slower = verdict(&scaled(1.2));
        assert_eq!(slower.verdict, Verdict::More);
        assert!((slower.ratio - 1.2).abs() < 0.01, "{slower:?}");
        let (low, high) = slower.interval.unwrap();
        assert!(low < 1.2 && 1.2 < high, "{slower:?}");
        assert_eq!(verdict(&scaled(0.8)).verdict, Verdict::Less);
        assert_eq!(verdict(&scaled(1.005)).verdict, Verdict::NotShown);
        assert_eq!(verdict(&scaled(1.0)).p, 1.0);
        let few = Comparison::of(&[1.0, 1.0, 1.0], &[9.0, 9.0, 9.0]).unwrap();
        assert_eq!((few.verdict, few.interval), (Verdict::TooFew, None));
        assert_eq!(Comparison::of(&[0.0], &[1.0]), None);
    }
}
