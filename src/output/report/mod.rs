//! Reports of runs: what each rank did, where, and how long each phase took; as JSON, as CSV and as tables to read.

pub mod explanation;
pub mod image;
pub mod pi;
pub mod places;
pub mod progress;
pub mod study;
pub mod table;

use serde::{Deserialize, Serialize};

use self::table::{seconds, table};
use crate::{
    device::Kind,
    visible::{csv_field, visible, visible_json},
};

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

/// Where a rank ran and how long the phases took that every workload has. Times in seconds.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct RankPlace {
    /// Rank in the job.
    pub rank: usize,
    /// Node it ran on.
    pub host: String,
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

impl RankPlace {
    const CSV_HEADER: &str = "rank,host,cpuset,threads,device,adapter,pci_bus_id,start_s,device_s,compute_s,wait_s";

    /// The fields of [`Self::CSV_HEADER`]. Names are quoted where they need to be (RFC 4180).
    fn csv(&self) -> String {
        format!(
            "{},{},{},{},{},{},{},{:.6},{:.6},{:.6},{:.6}",
            self.rank,
            csv_field(&self.host),
            csv_field(&self.cpuset),
            self.threads,
            self.device,
            csv_field(&self.adapter),
            csv_field(self.pci_bus_id.as_deref().unwrap_or_default()),
            self.start_s,
            self.device_s,
            self.compute_s,
            self.wait_s
        )
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

/// A table of where each rank ran and what it did: `columns` names what `cells` adds for each rank.
fn places<R>(
    ranks: &[R],
    place: impl Fn(&R) -> &RankPlace,
    columns: &[&str],
    cells: impl Fn(&R) -> Vec<String>,
) -> String {
    let header: Vec<&str> = RankPlace::TABLE_HEADER.into_iter().chain(columns.iter().copied()).collect();
    let right: Vec<usize> = std::iter::once(0).chain(RankPlace::TABLE_HEADER.len()..header.len()).collect();
    table(&header, &right, ranks.iter().map(|rank| [place(rank).cells(), cells(rank)].concat()))
}

/// A table of seconds: the phases of every workload, then what `columns` and `cells` add.
fn phases<R>(
    ranks: &[R],
    place: impl Fn(&R) -> &RankPlace,
    columns: &[&str],
    cells: impl Fn(&R) -> Vec<String>,
) -> String {
    let header: Vec<&str> =
        ["rank", "start s", "device s", "compute s", "wait s"].into_iter().chain(columns.iter().copied()).collect();
    let right: Vec<usize> = (0..header.len()).collect();
    let rows = ranks.iter().map(|rank| {
        let place_of = place(rank);
        let times = [place_of.start_s, place_of.device_s, place_of.compute_s, place_of.wait_s].map(seconds);
        let first = std::iter::once(place_of.rank.to_string()).chain(times).collect();
        [first, cells(rank)].concat()
    });
    table(&header, &right, rows)
}

/// The notes, a line each.
fn notes(notes: &[String]) -> String {
    notes.iter().map(|note| format!("note: {}\n", visible(note))).collect()
}

/// One JSON object on one line.
fn json(report: &impl Serialize) -> String {
    let json = serde_json::to_string(report).expect("numbers, strings and lists always have a JSON form");
    visible_json(&json).into_owned()
}

#[cfg(test)]
fn example_head(command: &'static str) -> Head {
    let mpi_settings = vec!["OMPI_MCA_pml=ob1".to_owned()];
    Head { command, version: "0.1.0", mpi: "Open MPI v4.1.4".to_owned(), mpi_settings }
}

#[cfg(test)]
fn example_place(rank: usize, device: Kind, adapter: &str, pci_bus_id: Option<&str>) -> RankPlace {
    RankPlace {
        rank,
        host: "pi4".to_owned(),
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
