//! A rank in a report: where it ran, how long it took, and its share of the work, as lines of tables and of CSV.

use std::iter::once;

use serde::{Deserialize, Serialize};

use super::{
    cells::{csv, text_cell},
    table::{seconds, table},
};
use crate::device::Kind;

/// Where a rank ran and how long the phases took that every workload has. Times in seconds.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct RankRun {
    /// Rank in the job.
    pub rank: usize,
    /// Node it ran on.
    pub host: String,
    /// The architecture that its program was built for, such as `x86_64` or `aarch64`.
    pub architecture: String,
    /// Processing units it computed on, as a Linux list such as `0-3,8`.
    pub cpuset: String,
    /// Worker threads.
    pub threads: usize,
    /// Kind of device.
    pub device: Kind,
    /// Name of the processor or the GPU.
    pub adapter: String,
    /// PCI bus id of the GPU, where it has one.
    pub pci_bus_id: Option<String>,
    /// From the start of the process until MPI was up.
    pub start_s: f64,
    /// Finding its place and opening its device.
    pub device_s: f64,
    /// Computing.
    pub compute_s: f64,
    /// Waiting for the other ranks.
    pub wait_s: f64,
}

/// What one rank tells rank 0 when the run is over.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct RankReport<S> {
    /// Where it ran.
    #[serde(flatten)]
    pub run: RankRun,
    /// What it did.
    #[serde(flatten)]
    pub share: S,
}

/// What a rank did for a command.
pub trait Share: Serialize {
    /// Names of [`Self::csv_cells`].
    const CSV_HEADER: &[&str];

    /// What a line of CSV has of it.
    fn csv_cells(&self) -> Vec<String>;

    /// Phases beside those of every workload, in seconds; the same on every rank.
    fn timers(&self) -> Vec<(&'static str, f64)>;
}

impl RankRun {
    const CSV_HEADER: [&str; 11] = [
        "rank",
        "host",
        "cpuset",
        "threads",
        "device",
        "adapter",
        "pci_bus_id",
        "start_s",
        "device_s",
        "compute_s",
        "wait_s",
    ];

    /// The cells of [`Self::CSV_HEADER`].
    fn csv_cells(&self) -> Vec<String> {
        let times = [self.start_s, self.device_s, self.compute_s, self.wait_s];
        [
            self.rank.to_string(),
            text_cell(&self.host),
            text_cell(&self.cpuset),
            self.threads.to_string(),
            self.device.to_string(),
            text_cell(&self.adapter),
            text_cell(self.pci_bus_id.as_deref().unwrap_or_default()),
        ]
        .into_iter()
        .chain(times.map(|time_s| format!("{time_s:.6}")))
        .collect()
    }

    const TABLE_HEADER: [&str; 6] = ["rank", "host", "cores", "device", "adapter", "PCI bus id"];

    /// The cells of [`Self::TABLE_HEADER`].
    fn cells(&self) -> Vec<String> {
        vec![
            self.rank.to_string(),
            self.host.clone(),
            self.cpuset.clone(),
            self.device.to_string(),
            self.adapter.clone(),
            self.pci_bus_id.clone().unwrap_or_else(|| "-".to_owned()),
        ]
    }
}

/// A line of CSV for each rank, below a header.
pub(super) fn ranks_csv<S: Share>(ranks: &[RankReport<S>]) -> String {
    let header = [&RankRun::CSV_HEADER, S::CSV_HEADER].concat();
    csv(&header, ranks.iter().map(|rank| [rank.run.csv_cells(), rank.share.csv_cells()].concat()))
}

/// A table of where each rank ran and what it did: `columns` names what `cells` adds for each rank.
pub(super) fn places<S>(
    ranks: &[RankReport<S>],
    columns: &[&str],
    cells: impl Fn(&RankReport<S>) -> Vec<String>,
) -> String {
    let header = [&RankRun::TABLE_HEADER, columns].concat();
    let right: Vec<usize> = once(0).chain(RankRun::TABLE_HEADER.len()..header.len()).collect();
    table(&header, &right, ranks.iter().map(|rank| [rank.run.cells(), cells(rank)].concat()))
}

/// A table of seconds: the phases of every workload, then what `columns` and `cells` add.
pub(super) fn phases<S>(
    ranks: &[RankReport<S>],
    columns: &[&str],
    cells: impl Fn(&RankReport<S>) -> Vec<String>,
) -> String {
    let header = [&["rank", "start s", "device s", "compute s", "wait s"], columns].concat();
    let right: Vec<usize> = (0..header.len()).collect();
    let rows = ranks.iter().map(|rank| {
        let run = &rank.run;
        let times = [run.start_s, run.device_s, run.compute_s, run.wait_s].map(seconds);
        once(run.rank.to_string()).chain(times).chain(cells(rank)).collect()
    });
    table(&header, &right, rows)
}
