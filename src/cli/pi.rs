//! Options of `hybrid pi`: one estimate of so many darts or of such an error, or the convergence study.

use std::path::PathBuf;

use clap::Args;

use super::{
    device::DeviceArgs,
    numbers::{Darts, Powers, Reals},
    report::ReportArgs,
};

/// Options of `hybrid pi`.
#[derive(Clone, Debug, PartialEq, Args)]
pub struct PiArgs {
    /// Darts to throw, such as 1e9, 4^14 or 10_000_000_000.
    #[arg(long, value_name = "N", default_value = "1e9", allow_hyphen_values = true, conflicts_with_all = ["until", "study"])]
    pub darts: Darts,
    /// Throw until the standard error of the estimate is below this.
    #[arg(long, value_name = "ERROR", allow_hyphen_values = true, conflicts_with = "study")]
    pub until: Option<Reals<1>>,
    /// The convergence study: many runs each of 4^5 to 4^14 darts, their spread as a table and as two plots.
    #[arg(long)]
    pub study: bool,
    /// Seed of the generator, from 0 to 18446744073709551615.
    #[arg(long, value_name = "S", allow_negative_numbers = true, default_value_t = 1)]
    pub seed: u64,
    /// Keep the state of the run in this file, and continue from it where it exists.
    #[arg(long, value_name = "FILE", conflicts_with = "study")]
    pub resume: Option<PathBuf>,
    /// Powers of 4 that are the lengths of the study's runs.
    #[arg(long, value_name = "FROM..TO", default_value = "5..14", requires = "study")]
    pub powers: Powers,
    /// Runs of each length of the study.
    #[arg(
        long, value_name = "N", allow_negative_numbers = true, default_value_t = 64, requires = "study",
        value_parser = clap::value_parser!(u32).range(2..)
    )]
    pub runs: u32,
    /// Stem of the study's plots: STEM_pi_vs_log2_N and STEM_log2_std_vs_log2_N, as .svg and .png.
    #[arg(short, long, value_name = "STEM", default_value = "study", requires = "study")]
    pub output: PathBuf,
    /// Also write the study's table as STEM.csv.
    #[arg(long, requires = "study")]
    pub csv: bool,
    /// Options on where to compute.
    #[command(flatten)]
    pub device: DeviceArgs,
    /// Options on what to print.
    #[command(flatten)]
    pub report: ReportArgs,
}
