//! The report of `hybrid pi` for one number of darts.

use std::fmt::Write;

use serde::{Deserialize, Serialize};

use super::{Head, RankPlace};
use crate::output::report::table::{billions_a_second, percent, seconds, thousands};

/// What one rank tells rank 0 when the run is over.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct RankReport {
    /// Where it ran.
    #[serde(flatten)]
    pub place: RankPlace,
    /// Darts it threw.
    pub darts: u64,
    /// Hits among them.
    pub hits: u64,
}

/// The report of a run. Times in seconds.
#[derive(Clone, Debug, PartialEq, Serialize)]
pub struct Report {
    /// The subcommand and what it ran with.
    #[serde(flatten)]
    pub head: Head,
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
    /// What the user should know of this run.
    pub notes: Vec<String>,
    /// Every rank's own report, by rank.
    pub ranks: Vec<RankReport>,
}

impl Report {
    /// One JSON object on one line.
    #[must_use]
    pub fn json(&self) -> String {
        super::json(self)
    }

    /// A header line and a line for each rank.
    #[must_use]
    pub fn csv(&self) -> String {
        let mut csv = format!("{},darts,hits\n", RankPlace::CSV_HEADER);
        for rank in &self.ranks {
            writeln!(csv, "{},{},{}", rank.place.csv(), rank.darts, rank.hits).expect("a String takes any text");
        }
        csv
    }

    /// The estimate, where each rank ran, and how long each phase took.
    #[must_use]
    pub fn table(&self) -> String {
        let thrown: u64 = self.ranks.iter().map(|rank| rank.darts).sum();
        let places = super::places(
            &self.ranks,
            |rank| &rank.place,
            &["darts", "hits", "share"],
            |rank| vec![thousands(rank.darts), thousands(rank.hits), percent(rank.darts, thrown)],
        );
        let phases = super::phases(
            &self.ranks,
            |rank| &rank.place,
            &["Gdarts/s"],
            |rank| vec![billions_a_second(rank.darts, rank.place.compute_s)],
        );
        let resumed = match self.resumed_darts {
            0 => String::new(),
            darts => format!(", {} of them by earlier jobs", thousands(darts)),
        };
        format!(
            "pi = {:.12} +- {:.12}, {:+.2} standard errors from pi\n\
             {} hits among {} darts{resumed}, seed {}\n\n{places}\n\n{phases}\n{}\
             total {} s: throwing {} s, {} Gdarts/s\n",
            self.pi,
            self.std_error,
            self.deviation,
            thousands(self.hits),
            thousands(self.darts),
            self.seed,
            super::notes(&self.notes),
            seconds(self.total_s),
            seconds(self.throw_s),
            billions_a_second(thrown, self.throw_s),
        )
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::{
        device::Kind,
        output::report::{example_head, example_place},
    };

    fn example() -> Report {
        let place = example_place(0, Kind::Gpu, "NVIDIA H100", Some("0000:65:00.0"));
        Report {
            head: example_head("pi"),
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
            notes: Vec::new(),
            ranks: vec![RankReport { place, darts: 2_000_000, hits: 1_570_000 }],
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
