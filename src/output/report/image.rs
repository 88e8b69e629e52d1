//! The report of a command that computed a picture.

use std::collections::BTreeMap;

use serde::{Deserialize, Serialize};

use super::{
    Report, Share, Summary,
    rank::{phases, places, ranks_csv},
};
use crate::{
    kernel::Precision,
    output::report::table::{billions_a_second, millions, percent, seconds, thousands},
    visible::visible,
    words::counted,
};

/// A rank's share of an image. Times in seconds.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct ImageShare {
    /// Pixels it computed.
    pub pixels: u64,
    /// Iterations that its counts tell of.
    pub iterations: u64,
    /// Of these the iterations that it made: an orbit whose end is known is followed no further.
    pub computed: u64,
    /// Filtering and compressing its bands.
    pub encode_s: f64,
    /// In which a GPU computed, on its own and what that took on its way to the host included; none of a CPU.
    pub busy_s: Option<f64>,
}

/// The image of a run. Times in seconds.
#[derive(Clone, Debug, PartialEq, Serialize)]
pub struct ImageSummary {
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
    /// Iterations of the whole image, those of earlier jobs included.
    pub iterations: u64,
    /// Iterations that the ranks made.
    pub computed: u64,
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
}

impl Share for ImageShare {
    const CSV_HEADER: &[&str] = &["encode_s", "pixels", "iterations", "computed", "busy_s"];

    fn csv_cells(&self) -> Vec<String> {
        let seconds = |time_s: f64| format!("{time_s:.6}");
        let busy_s = self.busy_s.map(seconds).unwrap_or_default();
        vec![
            seconds(self.encode_s),
            self.pixels.to_string(),
            self.iterations.to_string(),
            self.computed.to_string(),
            busy_s,
        ]
    }

    fn timers(&self) -> Vec<(&'static str, f64)> {
        vec![("encode", self.encode_s), ("gpu busy", self.busy_s.unwrap_or_default())]
    }
}

impl Summary for ImageSummary {
    type Share = ImageShare;

    fn timers(&self) -> Vec<(&'static str, f64)> {
        vec![("gather", self.gather_s), ("write", self.write_s), ("total", self.total_s)]
    }

    /// A line for each rank.
    fn csv(report: &Report<Self>) -> String {
        ranks_csv(&report.ranks)
    }

    /// Where each rank ran, what it did, and how long each phase took.
    fn table(report: &Report<Self>) -> String {
        let Report { head, summary, ranks, .. } = report;
        let places = places(ranks, &["Mpixel", "Miter", "share"], |rank| {
            let ImageShare { pixels, iterations, .. } = rank.share;
            vec![millions(pixels), millions(iterations), percent(iterations, summary.iterations)]
        });
        // A GPU computes while its rank's cores encode: which of them is full shows what would make it faster.
        let has_gpu = ranks.iter().any(|rank| rank.share.busy_s.is_some());
        let columns = ["encode s", "Giter/s", "GPU busy s"];
        let phases = phases(ranks, if has_gpu { &columns } else { &columns[..2] }, |rank| {
            let busy = rank.share.busy_s.map_or_else(|| "-".to_owned(), seconds);
            let rate = billions_a_second(rank.share.computed, rank.run.compute_s);
            [seconds(rank.share.encode_s), rate].into_iter().chain(has_gpu.then_some(busy)).collect()
        });
        let files = match &summary.counts {
            Some(counts) => format!("{} and {}", visible(&summary.output), visible(counts)),
            None => visible(&summary.output).into_owned(),
        };
        format!(
            "{} {} x {} px, {}, {} iterations, {} computed, {}\n\n{places}\n\n{phases}\n{}\
             total {} s: gather {} s, write {} s; {files} written\n",
            head.command,
            summary.width,
            summary.height,
            summary.precision,
            thousands(summary.iterations),
            thousands(summary.computed),
            counted(ranks.len(), "rank"),
            report.notes_in_lines(),
            seconds(summary.total_s),
            seconds(summary.gather_s),
            seconds(summary.write_s),
        )
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::{
        device::Kind,
        output::report::{RankReport, RankRun, example_head, example_run},
    };

    fn example() -> Report<ImageSummary> {
        let rank = |run: RankRun| {
            let busy_s = (run.device == Kind::Gpu).then_some(0.375);
            RankReport {
                run,
                share: ImageShare { pixels: 1000, iterations: 12_345, computed: 12_345, encode_s: 0.001, busy_s },
            }
        };
        let summary = ImageSummary {
            width: 40,
            height: 50,
            parameters: BTreeMap::from([("c", vec![0.0, 0.65])]),
            view: [-2.0, 2.0, -1.5, 1.5],
            radius: 3.0,
            max_iter: 255,
            precision: Precision::F64,
            iterations: 24_690,
            computed: 24_690,
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
        };
        Report {
            head: example_head("julia"),
            summary,
            notes: vec!["a note".to_owned()],
            ranks: vec![
                rank(example_run(0, Kind::Gpu, "NVIDIA H100, 80 GB", Some("0000:65:00.0"))),
                rank(example_run(1, Kind::Cpu, "Cortex-A72 (neon)", None)),
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
            "architecture",
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
