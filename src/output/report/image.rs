//! The report of a command that computed a picture.

use std::{collections::BTreeMap, fmt::Write};

use serde::{Deserialize, Serialize};

use super::{Head, RankPlace};
use crate::{
    kernel::Precision,
    output::report::table::{billions_a_second, millions, percent, seconds, thousands},
    visible::visible,
};

/// What one rank tells rank 0 when the run is over. Times in seconds.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct RankReport {
    /// Where it ran.
    #[serde(flatten)]
    pub place: RankPlace,
    /// Pixels it computed.
    pub pixels: u64,
    /// Iterations it computed.
    pub iterations: u64,
    /// Filtering and compressing its bands.
    pub encode_s: f64,
    /// In which a GPU computed, on its own and what that took on its way to the host included; none of a CPU.
    pub busy_s: Option<f64>,
}

/// The report of a run. Times in seconds.
#[derive(Clone, Debug, PartialEq, Serialize)]
pub struct Report {
    /// The subcommand and what it ran with.
    #[serde(flatten)]
    pub head: Head,
    /// Pixels in a row.
    pub width: u32,
    /// Rows.
    pub height: u32,
    /// The kernel's own parameters, by their names.
    #[serde(flatten)]
    pub parameters: BTreeMap<&'static str, Vec<f64>>,
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
    /// Bands, from the top, that earlier jobs had done.
    pub resumed_bands: u32,
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

impl Report {
    /// One JSON object on one line.
    #[must_use]
    pub fn json(&self) -> String {
        super::json(self)
    }

    /// A header line and a line for each rank.
    #[must_use]
    pub fn csv(&self) -> String {
        let mut csv = format!("{},encode_s,pixels,iterations,busy_s\n", RankPlace::CSV_HEADER);
        for RankReport { place, encode_s, pixels, iterations, busy_s } in &self.ranks {
            let busy_s = busy_s.map(|busy_s| format!("{busy_s:.6}")).unwrap_or_default();
            writeln!(csv, "{},{encode_s:.6},{pixels},{iterations},{busy_s}", place.csv())
                .expect("a String takes any text");
        }
        csv
    }

    /// Where each rank ran, what it did, and how long each phase took.
    #[must_use]
    pub fn table(&self) -> String {
        let ranks = self.ranks.len();
        let places = super::places(
            &self.ranks,
            |rank| &rank.place,
            &["Mpixel", "Miter", "share"],
            |rank| vec![millions(rank.pixels), millions(rank.iterations), percent(rank.iterations, self.iterations)],
        );
        // A GPU computes while its rank's cores encode: which of them is full shows what would make it faster.
        let has_gpu = self.ranks.iter().any(|rank| rank.busy_s.is_some());
        let columns = ["encode s", "Giter/s", "GPU busy s"];
        let phases = super::phases(
            &self.ranks,
            |rank| &rank.place,
            if has_gpu { &columns } else { &columns[..2] },
            |rank| {
                let busy = rank.busy_s.map_or_else(|| "-".to_owned(), seconds);
                let rate = billions_a_second(rank.iterations, rank.place.compute_s);
                [seconds(rank.encode_s), rate].into_iter().chain(has_gpu.then_some(busy)).collect()
            },
        );
        let files = match &self.counts {
            Some(counts) => format!("{} and {}", visible(&self.output), visible(counts)),
            None => visible(&self.output).into_owned(),
        };
        format!(
            "{} {} x {} px, {}, {} iterations, {ranks} rank{}\n\n{places}\n\n{phases}\n{}\
             total {} s: gather {} s, write {} s; {files} written\n",
            self.head.command,
            self.width,
            self.height,
            self.precision,
            thousands(self.iterations),
            if ranks == 1 { "" } else { "s" },
            super::notes(&self.notes),
            seconds(self.total_s),
            seconds(self.gather_s),
            seconds(self.write_s),
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
        let rank = |place: RankPlace| {
            let busy_s = (place.device == Kind::Gpu).then_some(0.375);
            RankReport { place, pixels: 1000, iterations: 12_345, encode_s: 0.001, busy_s }
        };
        Report {
            head: example_head("julia"),
            width: 40,
            height: 50,
            parameters: BTreeMap::from([("c", vec![0.0, 0.65])]),
            view: [-2.0, 2.0, -1.5, 1.5],
            radius: 3.0,
            max_iter: 255,
            precision: Precision::F64,
            iterations: 24_690,
            min: 1,
            max: 255,
            band_rows: 1,
            resumed_bands: 0,
            output: "julia.png".to_owned(),
            counts: None,
            total_s: 1.0,
            gather_s: 0.01,
            encode_s: 0.001,
            write_s: 0.002,
            notes: vec!["a note".to_owned()],
            ranks: vec![
                rank(example_place(0, Kind::Gpu, "NVIDIA H100, 80 GB", Some("0000:65:00.0"))),
                rank(example_place(1, Kind::Cpu, "Cortex-A72 (neon)", None)),
            ],
        }
    }

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
        for field in [
            "rank",
            "host",
            "cpuset",
            "threads",
            "device",
            "adapter",
            "pixels",
            "iterations",
            "compute_s",
            "wait_s",
            "device_s",
        ] {
            assert!(!json["ranks"][1][field].is_null(), "{field}");
        }
        assert_eq!(json["ranks"][0]["pci_bus_id"], "0000:65:00.0");
        assert!(json["ranks"][1]["pci_bus_id"].is_null());
        assert_eq!((&json["ranks"][1]["device"], &json["precision"]), (&"cpu".into(), &"f64".into()));
    }

    #[test]
    fn csv_quotes_commas() {
        let csv = example().csv();
        assert!(csv.contains("\n0,pi4,\"0-3,8\",5,gpu,\"NVIDIA H100, 80 GB\",0000:65:00.0,0.250000"), "{csv}");
        assert_eq!(csv.lines().count(), 3);
    }

    #[test]
    fn how_long_a_gpu_was_busy_is_told_where_there_is_one() {
        let mut report = example();
        let text = report.table();
        assert!(text.contains("GPU busy s") && text.contains("0.375"), "{text}");
        assert!(report.csv().lines().nth(1).is_some_and(|line| line.ends_with(",0.375000")), "{}", report.csv());
        report.ranks.remove(0);
        assert!(!report.table().contains("busy"), "{}", report.table());
        assert!(report.csv().lines().nth(1).is_some_and(|line| line.ends_with("12345,")), "{}", report.csv());
    }

    #[test]
    fn every_rank_and_note_is_in_the_table() {
        let text = example().table();
        for expected in ["0000:65:00.0", "Cortex-A72 (neon)", "0-3,8", "50 %", "note: a note", "julia.png written"] {
            assert!(text.contains(expected), "{expected} in\n{text}");
        }
    }
}
