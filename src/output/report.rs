//! The report of a run: what each rank did, where, and how long each phase took. Data and its JSON and CSV forms; the
//! form to read is in [`super::table`].

use std::fmt::Write;

use serde::{Deserialize, Serialize};

use crate::{device::Kind, kernel::Precision};

/// What one rank tells rank 0 when the run is over. Times in seconds.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct RankReport {
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
    /// Pixels it computed.
    pub pixels: u64,
    /// Iterations it computed.
    pub iterations: u64,
    /// From the start of the process until MPI was up.
    pub start_s: f64,
    /// Finding its place and opening its device.
    pub device_s: f64,
    /// Computing counts.
    pub compute_s: f64,
    /// Filtering and compressing its bands.
    pub encode_s: f64,
    /// Waiting for the other ranks.
    pub wait_s: f64,
}

/// The report of `hybrid julia`. Times in seconds.
#[derive(Clone, Debug, PartialEq, Serialize)]
pub struct JuliaReport {
    /// Always `julia`.
    pub command: &'static str,
    /// Version of this program.
    pub version: &'static str,
    /// The MPI library.
    pub mpi: String,
    /// Pixels in a row.
    pub width: u32,
    /// Rows.
    pub height: u32,
    /// The constant: real part, imaginary part.
    pub c: [f64; 2],
    /// Left, right, bottom, top.
    pub view: [f64; 4],
    /// Escape radius.
    pub radius: f64,
    /// The count a pixel starts from.
    pub max_iter: u16,
    /// Precision of the whole run.
    pub precision: Precision,
    /// Iterations of all ranks.
    pub iterations: u64,
    /// Smallest count.
    pub min: u64,
    /// Largest count.
    pub max: u64,
    /// Rows in each piece of work but the last.
    pub band_rows: u32,
    /// The picture.
    pub output: String,
    /// The file of counts, where one was asked for.
    pub counts: Option<String>,
    /// From the start of rank 0's process to the end of the last file.
    pub total_s: f64,
    /// Moving the ranks' bands to rank 0, as rank 0 saw it.
    pub gather_s: f64,
    /// Filtering and compressing, on the rank that took longest.
    pub encode_s: f64,
    /// Writing the files.
    pub write_s: f64,
    /// What the user should know of this run.
    pub notes: Vec<String>,
    /// Every rank's own report, by rank.
    pub ranks: Vec<RankReport>,
}

impl JuliaReport {
    /// One JSON object on one line.
    #[must_use]
    pub fn json(&self) -> String {
        serde_json::to_string(self).expect("numbers, strings and lists always have a JSON form")
    }

    /// A header line and a line for each rank. Names are quoted where they need to be (RFC 4180).
    #[must_use]
    pub fn csv(&self) -> String {
        let mut csv = String::from(
            "rank,host,cpuset,threads,device,adapter,pci_bus_id,pixels,iterations,\
             start_s,device_s,compute_s,encode_s,wait_s\n",
        );
        for rank in &self.ranks {
            writeln!(
                csv,
                "{},{},{},{},{},{},{},{},{},{:.6},{:.6},{:.6},{:.6},{:.6}",
                rank.rank,
                csv_field(&rank.host),
                csv_field(&rank.cpuset),
                rank.threads,
                rank.device,
                csv_field(&rank.adapter),
                rank.pci_bus_id.as_deref().unwrap_or_default(),
                rank.pixels,
                rank.iterations,
                rank.start_s,
                rank.device_s,
                rank.compute_s,
                rank.encode_s,
                rank.wait_s
            )
            .expect("a String takes any text");
        }
        csv
    }
}

fn csv_field(text: &str) -> String {
    if text.contains([',', '"', '\n']) { format!("\"{}\"", text.replace('"', "\"\"")) } else { text.to_owned() }
}

#[cfg(test)]
pub(super) fn example() -> JuliaReport {
    let rank = |rank, device, adapter: &str, pci_bus_id: Option<&str>| RankReport {
        rank,
        host: "pi4".to_owned(),
        cpuset: "0-3,8".to_owned(),
        threads: 5,
        device,
        adapter: adapter.to_owned(),
        pci_bus_id: pci_bus_id.map(str::to_owned),
        pixels: 1000,
        iterations: 12_345,
        start_s: 0.25,
        device_s: 0.05,
        compute_s: 0.5,
        encode_s: 0.001,
        wait_s: 0.01,
    };
    JuliaReport {
        command: "julia",
        version: "0.1.0",
        mpi: "Open MPI v4.1.4".to_owned(),
        width: 40,
        height: 50,
        c: [0.0, 0.65],
        view: [-2.0, 2.0, -1.5, 1.5],
        radius: 3.0,
        max_iter: 255,
        precision: Precision::F64,
        iterations: 24_690,
        min: 1,
        max: 255,
        band_rows: 1,
        output: "julia.png".to_owned(),
        counts: None,
        total_s: 1.0,
        gather_s: 0.01,
        encode_s: 0.001,
        write_s: 0.002,
        notes: vec!["a note".to_owned()],
        ranks: vec![
            rank(0, Kind::Gpu, "NVIDIA H100, 80 GB", Some("0000:65:00.0")),
            rank(1, Kind::Cpu, "Cortex-A72 (neon)", None),
        ],
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn json_has_the_documented_fields() {
        let json: serde_json::Value = serde_json::from_str(&example().json()).unwrap();
        for field in [
            "command",
            "width",
            "height",
            "precision",
            "iterations",
            "min",
            "max",
            "output",
            "total_s",
            "gather_s",
            "encode_s",
            "write_s",
        ] {
            assert!(!json[field].is_null(), "{field}");
        }
        assert_eq!(json["ranks"][0]["pci_bus_id"], "0000:65:00.0");
        assert!(json["ranks"][1]["pci_bus_id"].is_null());
        assert_eq!((&json["ranks"][1]["device"], &json["precision"]), (&"cpu".into(), &"f64".into()));
    }

    #[test]
    fn csv_quotes_commas() {
        let csv = example().csv();
        assert!(
            csv.contains("\n0,pi4,\"0-3,8\",5,gpu,\"NVIDIA H100, 80 GB\",0000:65:00.0,1000,12345,0.250000"),
            "{csv}"
        );
        assert_eq!(csv.lines().count(), 3);
    }
}
