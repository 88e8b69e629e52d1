//! Options on what a job prints beside its result, which every workload has.

use std::path::PathBuf;

use clap::{Args, ValueEnum};

/// What is printed; the same for every workload.
#[derive(Clone, Debug, PartialEq, Args)]
#[command(next_help_heading = "Report")]
pub struct ReportArgs {
    /// Where each rank ran and how long each phase took [default: table, none with --quiet].
    #[arg(long, value_enum)]
    pub timings: Option<Timings>,
    /// Also write a trace of what each rank did when, which Perfetto (ui.perfetto.dev) shows.
    #[arg(long, value_name = "FILE.json")]
    pub trace: Option<PathBuf>,
    /// Progress of long runs, on stderr; auto shows it where stderr is a terminal.
    #[arg(long, value_enum, default_value_t = ProgressRequest::Auto)]
    pub progress: ProgressRequest,
    /// Print nothing but errors, and what --timings asks for.
    #[arg(short, long)]
    pub quiet: bool,
}

impl ReportArgs {
    /// The form of the report that follows from `--timings` and `--quiet`.
    #[must_use]
    pub fn form(&self) -> Timings {
        self.timings.unwrap_or(if self.quiet { Timings::None } else { Timings::Table })
    }
}

/// Forms of the report.
#[derive(Clone, Copy, Debug, PartialEq, Eq, ValueEnum)]
pub enum Timings {
    /// Tables to read.
    Table,
    /// One JSON object on stdout and nothing else there.
    Json,
    /// One line a rank, with a header line.
    Csv,
    /// Lines of cloudmesh's StopWatch, for scripts that find them with fgrep "# csv".
    Stopwatch,
    /// No report.
    None,
}

/// When progress is shown.
#[derive(Clone, Copy, Debug, PartialEq, Eq, ValueEnum)]
pub enum ProgressRequest {
    /// Where stderr is a terminal.
    Auto,
    /// Always, as lines that come ever more rarely.
    Always,
    /// Never.
    Never,
}
