//! The command line: every flag, its default, its range and its help, a file for each subcommand and for each group of
//! options that several of them have. The only place that names `clap`.
//!
//! Parsing is pure, so every rank can do it before MPI starts. Checks that need more than one flag, or the machine, are
//! made where the flag is used.

mod device;
mod help;
mod image;
pub mod info;
mod julia;
mod mandelbrot;
mod numbers;
mod pi;
pub mod rankfile;
mod report;
mod results;
mod run;
mod sweep;
pub mod swept;
mod where_;

use std::ffi::OsString;

use clap::{Parser, Subcommand, error::ErrorKind};

pub use self::{
    device::{DeviceArgs, PlaceArgs},
    help::{CompletionsArgs, ManArgs},
    image::{Color, ColorScale, Picture, PrecisionRequest, Schedule},
    info::InfoArgs,
    julia::JuliaArgs,
    mandelbrot::MandelbrotArgs,
    pi::PiArgs,
    report::{ProgressRequest, ReportArgs, Timings},
    results::{MetricChoice, ResultsArgs, StudyFormat},
    run::RunArgs,
    sweep::{Again, Own, SweepArgs},
    where_::{Format, WhereArgs},
};
use crate::build_id::LONG_VERSION;

/// MPI jobs on mixed clusters: each rank on its own GPU or CPU cores, one answer from all of them.
#[derive(Clone, Debug, PartialEq, Parser)]
#[command(version, long_version = LONG_VERSION, max_term_width = 100, arg_required_else_help = true)]
pub struct Cli {
    /// Leave all of MPI's settings as they are; without it, a job without a fast network starts in half the time.
    #[arg(long, global = true, help_heading = "MPI")]
    pub mpi_defaults: bool,
    /// Let ranks work together whose builds differ, where version and wire format are the same; `hybrid --version` shows them.
    #[arg(long, global = true, help_heading = "MPI")]
    pub allow_mixed_builds: bool,
    /// What to do.
    #[command(subcommand)]
    pub command: Command,
}

/// The subcommands.
#[derive(Clone, Debug, PartialEq, Subcommand)]
pub enum Command {
    /// Compute a picture of a Julia set on all ranks and write it as one PNG.
    Julia(Box<JuliaArgs>),
    /// Compute a picture of the Mandelbrot set on all ranks and write it as one PNG.
    Mandelbrot(Box<MandelbrotArgs>),
    /// Estimate pi by throwing darts on all ranks; the same seed gives the same hits on any ranks and devices.
    Pi(PiArgs),
    /// Show where each rank runs, what was asked for, and what is wrong with it.
    Where(WhereArgs),
    /// Tell what the nodes of the job are: the vector S(N,p,c,t), processors, caches, memory, GPUs, versions.
    Info(InfoArgs),
    /// Give any program its cores and its GPU: in front of it, behind any launcher.
    Run(RunArgs),
    /// Measure runs over a grid of parameters, of this program or of any other, and keep each as soon as it is measured.
    Sweep(Box<SweepArgs>),
    /// Tell what the results of sweeps say: scaling, where the time goes, and whether two of them differ.
    Report(ResultsArgs),
    /// Check, explain and write rankfiles: which rank runs on which cores of which host.
    Rankfile {
        /// What to do.
        #[command(subcommand)]
        command: rankfile::RankfileCommand,
    },
    /// Print a script that makes a shell complete this program's commands and flags.
    Completions(CompletionsArgs),
    /// Print a page of the manual.
    Man(ManArgs),
}

impl Command {
    /// The picture that is asked for, if it is one.
    #[must_use]
    pub fn picture(&self) -> Option<&dyn Picture> {
        match self {
            Self::Julia(args) => Some(&**args),
            Self::Mandelbrot(args) => Some(&**args),
            Self::Pi(_)
            | Self::Where(_)
            | Self::Info(_)
            | Self::Run(_)
            | Self::Sweep(_)
            | Self::Report(_)
            | Self::Rankfile { .. }
            | Self::Completions(_)
            | Self::Man(_) => None,
        }
    }
}

/// What parsing the command line came to.
#[derive(Debug)]
pub enum Parsed {
    /// A command to run.
    Run(Cli),
    /// A text that was asked for, such as help.
    Answer(String),
    /// Words that make no command.
    Wrong(String),
}

impl Parsed {
    /// Whether the user wants MPI to start as it would without this program's settings.
    #[must_use]
    pub fn wants_mpi_defaults(&self) -> bool {
        matches!(self, Self::Run(cli) if cli.mpi_defaults)
    }

    /// Whether the user lets ranks of different sources work together.
    #[must_use]
    pub fn allows_mixed_builds(&self) -> bool {
        matches!(self, Self::Run(cli) if cli.allow_mixed_builds)
    }
}

/// Parses the words of a command line, the program's name first. Reads nothing but its argument.
pub fn parse(words: impl IntoIterator<Item = OsString>) -> Parsed {
    match Cli::try_parse_from(words) {
        Ok(cli) => Parsed::Run(cli),
        Err(error) => match error.kind() {
            ErrorKind::DisplayHelp | ErrorKind::DisplayVersion => Parsed::Answer(error.to_string()),
            ErrorKind::DisplayHelpOnMissingArgumentOrSubcommand => {
                Parsed::Wrong(format!("no command given\n\n{error}"))
            }
            _ => {
                let text = error.to_string();
                Parsed::Wrong(text.trim_start_matches("error: ").trim_end().to_owned())
            }
        },
    }
}

#[cfg(test)]
mod tests {
    use clap::CommandFactory;

    use super::*;
    use crate::kernel::image::{Image, ImageKernel};

    /// The command that `words` after the program's name ask for, or what is printed instead of running one.
    pub(super) fn command(words: &str) -> Result<Command, String> {
        let words = ["hybrid"].into_iter().chain(words.split_whitespace());
        match parse(words.map(OsString::from)) {
            Parsed::Run(cli) => Ok(cli.command),
            Parsed::Answer(text) => Err(text),
            Parsed::Wrong(message) => Err(message),
        }
    }

    #[test]
    fn the_definition_of_the_command_line_is_consistent() {
        Cli::command().debug_assert();
    }

    #[test]
    fn every_picture_has_a_command_of_its_kernels_name_whose_defaults_draw_the_kernels_picture() {
        for kernel in ImageKernel::ALL {
            let command = command(kernel.name()).unwrap();
            let picture = command.picture().expect("a picture's command");
            let (args, [left, right, bottom, top], [radius]) =
                (picture.shared(), picture.view().0, picture.shared().radius.0);
            let (width, height) = args.size_px();
            let (x, y) = ((left, right), (bottom, top));
            let image = Image { width, height, x, y, radius, max_iter: args.max_iter, kernel: picture.kernel() };
            assert_eq!(image, kernel.picture());
            assert_eq!(picture.output().to_str(), Some(&*format!("{}.png", kernel.name())));
        }
    }
}
