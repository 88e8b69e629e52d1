//! Options of `hybrid where`: the form of what is told of each rank's place.

use std::path::PathBuf;

use clap::{Args, ValueEnum};

use super::device::DeviceArgs;

/// Options of `hybrid where`.
#[derive(Clone, Debug, PartialEq, Args)]
pub struct WhereArgs {
    /// Form of the report.
    #[arg(long, value_enum, default_value_t = Format::Table)]
    pub format: Format,
    /// Exit with 3 where a finding is a warning.
    #[arg(long)]
    pub strict: bool,
    /// Also draw each node in the terminal, with its ranks on their cores and GPUs.
    #[arg(long)]
    pub draw: bool,
    /// Also draw the nodes into a file.
    #[arg(short, long, value_name = "FILE.svg")]
    pub output: Option<PathBuf>,
    /// Options on where to compute: what is shown is the place of a job with the same options.
    #[command(flatten)]
    pub device: DeviceArgs,
}

/// Forms of what `hybrid where` prints.
#[derive(Clone, Copy, Debug, PartialEq, Eq, ValueEnum)]
pub enum Format {
    /// Tables to read.
    Table,
    /// One JSON object.
    Json,
    /// One YAML document.
    Yaml,
}
