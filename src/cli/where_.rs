//! Options of `hybrid where`: the form of what is told of each rank's place.

use std::{ffi::OsString, path::PathBuf};

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
    /// Seconds after which the program is looked at, once it is under load.
    #[arg(long, value_name = "SECONDS", default_value_t = 10, requires = "program", value_parser = clap::value_parser!(u16).range(1..))]
    pub after: u16,
    /// A program to start as `hybrid run` does, and to look at while it runs: where its threads and its GPU's files really are.
    /// Behind `--`.
    #[arg(last = true, value_name = "PROGRAM")]
    pub program: Vec<OsString>,
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
