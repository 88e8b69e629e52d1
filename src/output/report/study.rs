//! The report of `hybrid pi --study`.

use serde::Serialize;

pub use crate::output::drawing::plot::Row;

use super::{Report, Summary, cells::csv, pi::PiShare};
use crate::{
    output::report::table::{billions_a_second, seconds, table, thousands},
    visible::visible,
};

/// A study. Times in seconds.
#[derive(Clone, Debug, PartialEq, Serialize)]
pub struct StudySummary {
    /// Seed of the generator.
    pub seed: u64,
    /// A row for each length of run.
    pub rows: Vec<Row>,
    /// Darts of all runs.
    pub darts: u64,
    /// Hits among them.
    pub hits: u64,
    /// From the start of rank 0's process to the end of the last file.
    pub total_s: f64,
    /// Throwing.
    pub throw_s: f64,
    /// Darts a second while throwing.
    pub darts_per_s: f64,
    /// The files written.
    pub files: Vec<String>,
}

impl Summary for StudySummary {
    type Share = PiShare;

    fn timers(&self) -> Vec<(&'static str, f64)> {
        vec![("throw", self.throw_s), ("total", self.total_s)]
    }

    /// A line for each length of run.
    fn csv(report: &Report<Self>) -> String {
        let header = ["darts", "log2_darts", "runs", "mean", "std_dev", "expected_std_dev"];
        let cells = |row: &Row| {
            let Row { darts, runs, mean, std_dev, expected_std_dev } = row;
            let counts = [darts.to_string(), darts.ilog2().to_string(), runs.to_string()];
            counts.into_iter().chain([mean, std_dev, expected_std_dev].map(f64::to_string)).collect()
        };
        csv(&header, report.summary.rows.iter().map(cells))
    }

    /// A row for each length of run, and what it took.
    fn table(report: &Report<Self>) -> String {
        let summary = &report.summary;
        let rows = summary.rows.iter().map(|row| {
            vec![
                thousands(row.darts),
                format!("4^{}", row.darts.ilog2() / 2),
                row.runs.to_string(),
                format!("{:.9}", row.mean),
                format!("{:.3e}", row.std_dev),
                format!("{:.3e}", row.expected_std_dev),
                format!("{:.2}", row.std_dev / row.expected_std_dev),
            ]
        });
        let header = ["darts", "", "runs", "mean", "standard deviation", "expected", "ratio"];
        format!(
            "{}\n{}total {} s: throwing {} darts {} s, {} Gdarts/s; {} written\n",
            table(&header, &[0, 1, 2, 3, 4, 5, 6], rows),
            report.notes_in_lines(),
            seconds(summary.total_s),
            thousands(summary.darts),
            seconds(summary.throw_s),
            billions_a_second(summary.darts, summary.throw_s),
            visible(&summary.files.join(", ")),
        )
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::output::report::example_head;

    #[test]
    fn every_length_of_run_has_its_row() {
        let rows = [5, 6].map(|power| Row {
            darts: 4_u64.pow(power),
            runs: 64,
            mean: 3.25,
            std_dev: 0.05,
            expected_std_dev: 0.051,
        });
        let summary = StudySummary {
            seed: 1,
            rows: rows.to_vec(),
            darts: 327_680,
            hits: 257_000,
            total_s: 1.0,
            throw_s: 0.5,
            darts_per_s: 1e6,
            files: vec!["pi.svg".to_owned()],
        };
        let report = Report { head: example_head("pi"), summary, notes: Vec::new(), ranks: Vec::new() };
        assert_eq!(report.csv().lines().nth(1), Some("1024,10,64,3.25,0.05,0.051"));
        let table = report.table();
        assert!(table.contains("4^6") && table.contains("0.98") && table.contains("pi.svg written"), "{table}");
    }
}
