//! What is to be thrown: runs of darts laid end to end, so that ranks can share all of them like one long run.

use std::ops::Range;

/// Darts that belong together and have an estimate of their own.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Run {
    /// Number of its first dart in the generator's sequence.
    pub first: u64,
    /// How many.
    pub darts: u64,
}

/// Runs laid end to end.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Throws {
    runs: Vec<Run>,
    /// Where each run ends on the line that they form.
    ends: Vec<u64>,
}

impl Throws {
    /// `runs` in this order; together they have at most 2^64 - 1 darts.
    #[must_use]
    pub fn new(runs: Vec<Run>) -> Self {
        let ends = runs
            .iter()
            .scan(0_u64, |end, run| {
                *end = end.checked_add(run.darts).expect("the caller keeps the total within 64 bits");
                Some(*end)
            })
            .collect();
        Self { runs, ends }
    }

    /// One run of `darts` from the first dart on.
    #[must_use]
    pub fn one(darts: u64) -> Self {
        Self::new(vec![Run { first: 0, darts }])
    }

    /// The runs.
    #[must_use]
    pub fn runs(&self) -> &[Run] {
        &self.runs
    }

    /// Darts of all runs together.
    #[must_use]
    pub fn darts(&self) -> u64 {
        self.ends.last().copied().unwrap_or(0)
    }

    /// What lies in a `stretch` of the line: for each run it touches, its index and the numbers of its darts.
    pub fn parts(&self, stretch: Range<u64>) -> impl Iterator<Item = (usize, Range<u64>)> + '_ {
        let first = self.ends.partition_point(|end| *end <= stretch.start);
        (first..self.runs.len()).map_while(move |index| {
            let (run, end) = (&self.runs[index], self.ends[index]);
            let start = end - run.darts;
            let part = stretch.start.max(start)..stretch.end.min(end);
            (part.start < part.end).then(|| (index, run.first + (part.start - start)..run.first + (part.end - start)))
        })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn three_runs() -> Throws {
        Throws::new([(100, 4), (200, 1), (300, 5)].map(|(first, darts)| Run { first, darts }).to_vec())
    }

    #[test]
    fn a_stretch_of_the_line_has_the_darts_of_every_run_it_touches() {
        let throws = three_runs();
        let parts = |stretch| throws.parts(stretch).collect::<Vec<_>>();
        assert_eq!(throws.darts(), 10);
        assert_eq!(parts(0..10), [(0, 100..104), (1, 200..201), (2, 300..305)]);
        assert_eq!(parts(3..6), [(0, 103..104), (1, 200..201), (2, 300..301)]);
        assert_eq!(parts(4..5), [(1, 200..201)]);
        assert_eq!(parts(5..5), []);
    }

    #[test]
    fn any_cut_gives_every_dart_once() {
        let throws = three_runs();
        for cut in 0..=10 {
            let darts = |stretch: Range<u64>| throws.parts(stretch).flat_map(|(_, darts)| darts).collect::<Vec<_>>();
            assert_eq!([darts(0..cut), darts(cut..10)].concat(), darts(0..10), "cut at {cut}");
        }
    }
}
