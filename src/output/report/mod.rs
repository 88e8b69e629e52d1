//! What is told of a run, of the places of its ranks and of a rankfile; and how far a run is.
//!
//! A report of a run is one shape for all commands: a head, what the command found out, notes, and a share of the work for
//! each rank; as JSON, as CSV and as tables to read. What differs is a [`Summary`].

mod cells;
pub mod explanation;
pub mod image;
pub mod pi;
pub mod places;
pub mod progress;
mod rank;
pub mod scaling;
pub mod stopwatch;
pub mod study;
pub mod system;
pub mod table;
pub mod trace;

use serde::Serialize;

pub use self::rank::{RankReport, RankRun, Share};
use crate::visible::{visible, visible_json};

/// What every report begins with.
#[derive(Clone, Debug, PartialEq, Serialize)]
pub struct Head {
    /// The subcommand.
    pub command: &'static str,
    /// Version of this program.
    pub version: &'static str,
    /// The MPI library.
    pub mpi: String,
    /// What was set in the environment before MPI was started, as `NAME=value`.
    pub mpi_settings: Vec<String>,
}

/// The report of a run.
#[derive(Clone, Debug, Serialize)]
pub struct Report<S: Summary> {
    /// The subcommand and what it ran with.
    #[serde(flatten)]
    pub head: Head,
    /// What the command was asked for, what came of it, and how long that took.
    #[serde(flatten)]
    pub summary: S,
    /// What the user should know of this run.
    pub notes: Vec<String>,
    /// Every rank's own report, by rank.
    pub ranks: Vec<RankReport<S::Share>>,
}

/// What a command has to tell of a run as a whole.
pub trait Summary: Serialize + Sized {
    /// What it has to tell of a rank.
    type Share: Share;

    /// A header line and the lines below it.
    fn csv(report: &Report<Self>) -> String;

    /// To be read by people. Ends with a newline.
    fn table(report: &Report<Self>) -> String;

    /// What the command measured as a whole, in seconds.
    fn timers(&self) -> Vec<(&'static str, f64)>;
}

impl<S: Summary> Report<S> {
    /// One JSON object on one line.
    #[must_use]
    pub fn json(&self) -> String {
        let json = serde_json::to_string(self).expect("numbers, strings and lists always have a JSON form");
        visible_json(&json).into_owned()
    }

    /// A header line and the lines below it.
    #[must_use]
    pub fn csv(&self) -> String {
        S::csv(self)
    }

    /// To be read by people. Ends with a newline.
    #[must_use]
    pub fn table(&self) -> String {
        S::table(self)
    }

    /// The notes, a line each.
    fn notes_in_lines(&self) -> String {
        self.notes.iter().map(|note| format!("note: {}\n", visible(note))).collect()
    }
}

#[cfg(test)]
fn example_head(command: &'static str) -> Head {
    let mpi_settings = vec!["OMPI_MCA_pml=ob1".to_owned()];
    Head { command, version: "0.1.0", mpi: "Open MPI v4.1.4".to_owned(), mpi_settings }
}

#[cfg(test)]
fn example_run(rank: usize, device: crate::device::Kind, adapter: &str, pci_bus_id: Option<&str>) -> RankRun {
    RankRun {
        rank,
        host: "pi4".to_owned(),
        architecture: "aarch64".to_owned(),
        cpuset: "0-3,8".to_owned(),
        threads: 5,
        device,
        adapter: adapter.to_owned(),
        pci_bus_id: pci_bus_id.map(str::to_owned),
        start_s: 0.25,
        device_s: 0.05,
        compute_s: 0.5,
        wait_s: 0.01,
    }
}
