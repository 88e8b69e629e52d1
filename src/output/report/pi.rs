//! The report of `hybrid pi` for one number of darts.

use serde::{Deserialize, Serialize};

use super::{
    Report, Share, Summary,
    rank::{phases, places, ranks_csv},
};
use crate::output::report::table::{billions_a_second, percent, seconds, thousands};

/// A rank's share of the darts.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct PiShare {
    /// Darts it threw.
    pub darts: u64,
    /// Hits among them.
    pub hits: u64,
}

/// The estimate of a run. Times in seconds.
#[derive(Clone, Debug, PartialEq, Serialize)]
pub struct PiSummary {
    /// Seed of the generator.
    pub seed: u64,
    /// Darts of the whole run, those of earlier jobs included.
    pub darts: u64,
    /// Hits among them.
    pub hits: u64,
    /// The estimate.
    pub pi: f64,
    /// Its standard error.
    pub std_error: f64,
    /// Its distance from pi in standard errors.
    pub deviation: f64,
    /// Darts that earlier jobs had thrown.
    pub resumed_darts: u64,
    /// From the start of rank 0's process to the last dart.
    pub total_s: f64,
    /// Throwing, from the first dart to the last.
    pub throw_s: f64,
    /// Darts a second while throwing.
    pub darts_per_s: f64,
}

impl Share for PiShare {
    const CSV_HEADER: &[&str] = &["darts", "hits"];

    fn csv_cells(&self) -> Vec<String> {
        vec![self.darts.to_string(), self.hits.to_string()]
    }

    fn timers(&self) -> Vec<(&'static str, f64)> {
        Vec::new()
    }
}

impl Summary for PiSummary {
    type Share = PiShare;

    fn timers(&self) -> Vec<(&'static str, f64)> {
        vec![("throw", self.throw_s), ("total", self.total_s)]
    }

    /// A line for each rank.
    fn csv(report: &Report<Self>) -> String {
        ranks_csv(&report.ranks)
    }

    /// The estimate, where each rank ran, and how long each phase took.
    fn table(report: &Report<Self>) -> String {
        let Report { summary, ranks, .. } = report;
        let thrown: u64 = ranks.iter().map(|rank| rank.share.darts).sum();
        let places = places(ranks, &["darts", "hits", "share"], |rank| {
            vec![thousands(rank.share.darts), thousands(rank.share.hits), percent(rank.share.darts, thrown)]
        });
        let phases = phases(ranks, &["Gdarts/s"], |rank| vec![billions_a_second(rank.share.darts, rank.run.compute_s)]);
        let resumed = match summary.resumed_darts {
            0 => String::new(),
            darts => format!(", {} of them by earlier jobs", thousands(darts)),
        };
        format!(
            "pi = {:.12} +- {:.12}, {:+.2} standard errors from pi\n\
             {} hits among {} darts{resumed}, seed {}\n\n{places}\n\n{phases}\n{}\
             total {} s: throwing {} s, {} Gdarts/s\n",
            summary.pi,
            summary.std_error,
            summary.deviation,
            thousands(summary.hits),
            thousands(summary.darts),
            summary.seed,
            report.notes_in_lines(),
            seconds(summary.total_s),
            seconds(summary.throw_s),
            billions_a_second(thrown, summary.throw_s),
        )
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::{
        device::Kind,
        output::report::{RankReport, example_head, example_run},
    };

    fn example() -> Report<PiSummary> {
        let run = example_run(0, Kind::Gpu, "NVIDIA H100", Some("0000:65:00.0"));
        let summary = PiSummary {
            seed: 7,
            darts: 3_000_000,
            hits: 2_356_000,
            pi: 3.141_333,
            std_error: 0.000_948,
            deviation: -0.27,
            resumed_darts: 1_000_000,
            total_s: 1.0,
            throw_s: 0.5,
            darts_per_s: 4e6,
        };
        Report {
            head: example_head("pi"),
            summary,
            notes: Vec::new(),
            ranks: vec![RankReport { run, share: PiShare { darts: 2_000_000, hits: 1_570_000 } }],
        }
    }

    #[test]
    fn json_has_the_documented_fields() {
        let json: serde_json::Value = serde_json::from_str(&example().json()).unwrap();
        for field in ["command", "darts", "hits", "pi", "std_error", "total_s", "darts_per_s", "seed"] {
            assert!(!json[field].is_null(), "{field}");
        }
        assert_eq!((&json["ranks"][0]["darts"], &json["ranks"][0]["hits"]), (&2_000_000.into(), &1_570_000.into()));
    }

    #[test]
    fn the_table_tells_the_estimate_and_what_was_resumed() {
        let table = example().table();
        for expected in ["pi = 3.141333", "-0.27 standard errors", "1 000 000 of them by earlier jobs", "100 %"] {
            assert!(table.contains(expected), "{expected} in\n{table}");
        }
        assert!(example().csv().ends_with(",2000000,1570000\n"));
    }
}
