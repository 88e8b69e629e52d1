//! The command line: every flag, its default, its range and its help. With the files below it the only
//! place that names `clap`.
//!
//! Parsing is pure, so every rank can do it before MPI starts. Checks that need more than one flag, or the machine, are
//! made where the flag is used.

pub mod rankfile;

use std::{ffi::OsString, ops::RangeInclusive, path::PathBuf, str::FromStr};

use clap::{Args, Parser, Subcommand, ValueEnum, error::ErrorKind};

use crate::{error::Error, kernel::Precision, wish::DeviceWish};

/// PNG stores width and height in 31 bits.
const MAX_SIDE_PX: u32 = i32::MAX.unsigned_abs();
/// Largest power of 4 that a run of the study may have darts: 4^20 is 1.1e12.
const MAX_POWER: u32 = 20;

/// Whether the user wants MPI to start as it would without this program's settings.
#[must_use]
pub fn wants_mpi_defaults(parsed: &Parsed) -> bool {
    matches!(parsed, Parsed::Run(cli) if cli.mpi_defaults)
}

/// MPI jobs on mixed clusters: each rank on its own GPU or CPU cores, one answer from all of them.
#[derive(Clone, Debug, PartialEq, Parser)]
#[command(version, max_term_width = 100, arg_required_else_help = true)]
pub struct Cli {
    /// Leave all of MPI's settings as they are; without it, a job without a fast network starts in half the time.
    #[arg(long, global = true, help_heading = "MPI")]
    pub mpi_defaults: bool,
    /// What to do.
    #[command(subcommand)]
    pub command: Command,
}

/// The subcommands.
#[derive(Clone, Debug, PartialEq, Subcommand)]
pub enum Command {
    /// Compute a picture of a Julia set on all ranks and write it as one PNG.
    Julia(JuliaArgs),
    /// Estimate pi by throwing darts on all ranks; the same seed gives the same hits on any ranks and devices.
    Pi(PiArgs),
    /// Show where each rank runs, what was asked for, and what is wrong with it.
    Where(WhereArgs),
    /// Check, explain and write rankfiles: which rank runs on which cores of which host.
    Rankfile {
        /// What to do.
        #[command(subcommand)]
        command: rankfile::RankfileCommand,
    },
}

/// Options of `hybrid julia`.
#[derive(Clone, Debug, PartialEq, Args)]
pub struct JuliaArgs {
    /// Size as a multiple of 640 x 480 pixels.
    #[arg(long, value_name = "N", allow_negative_numbers = true, default_value_t = 1, value_parser = clap::value_parser!(u32).range(1..=i64::from(MAX_SIDE_PX / 640)), conflicts_with = "size")]
    pub scale: u32,
    /// Size in pixels instead of --scale.
    #[arg(long, value_name = "WxH")]
    pub size: Option<Size>,
    /// The constant c of z*z + c.
    #[arg(long, value_name = "RE,IM", default_value = "0,0.65", allow_hyphen_values = true)]
    pub c: Reals<2>,
    /// The part of the plane shown: left, right, bottom, top.
    #[arg(long, value_name = "X0,X1,Y0,Y1", default_value = "-2,2,-1.5,1.5", allow_hyphen_values = true)]
    pub view: Reals<4>,
    /// The count that a pixel starts from and that goes down by one an iteration to 1: at most N-1 iterations.
    #[arg(long, value_name = "N", allow_negative_numbers = true, default_value_t = 255, value_parser = clap::value_parser!(u16).range(1..))]
    pub max_iter: u16,
    /// A point has escaped once |z| reaches this.
    #[arg(long, value_name = "R", default_value = "3", allow_hyphen_values = true)]
    pub radius: Reals<1>,
    /// Colors; rank and device tint each band by who computed it.
    #[arg(long, value_enum, default_value_t = Color::Viridis)]
    pub color: Color,
    /// The picture.
    #[arg(short, long, value_name = "FILE", default_value = "julia.png")]
    pub output: PathBuf,
    /// Also write the counts as a NumPy array (uint8 up to 255 iterations, uint16 above).
    #[arg(long, value_name = "FILE.npy")]
    pub counts: Option<PathBuf>,
    /// Continue what a killed or stopped job of the same picture left, with any ranks and devices.
    #[arg(long)]
    pub resume: bool,
    /// How work is dealt: to whoever is free, by speed, or to every rank the same.
    #[arg(long, value_enum, default_value_t = Schedule::Dynamic)]
    pub schedule: Schedule,
    /// Stop in an orderly way after this many seconds; --resume then continues.
    #[arg(long, value_name = "S", allow_negative_numbers = true, value_parser = clap::value_parser!(u32).range(1..))]
    pub time_limit: Option<u32>,
    /// Compare a row of every piece of work with the definition, and fail where a device is wrong.
    #[arg(long)]
    pub verify: bool,
    /// Floating-point format of the whole run; auto takes f64 where every device of the run has it.
    #[arg(long, value_enum, default_value_t = PrecisionWish::Auto)]
    pub precision: PrecisionWish,
    /// Options on where to compute.
    #[command(flatten)]
    pub device: DeviceArgs,
    /// Options on what to print.
    #[command(flatten)]
    pub report: ReportArgs,
}

impl JuliaArgs {
    /// Width and height of the image in pixels.
    #[must_use]
    pub fn size_px(&self) -> (u32, u32) {
        self.size.map_or((640 * self.scale, 480 * self.scale), |size| (size.width, size.height))
    }
}

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
    #[arg(long, value_name = "N", allow_negative_numbers = true, default_value_t = 64, requires = "study", value_parser = clap::value_parser!(u32).range(2..))]
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

/// Where each rank computes; the same for every workload.
#[derive(Clone, Debug, PartialEq, Args)]
#[command(next_help_heading = "Devices")]
pub struct DeviceArgs {
    /// auto: what the comment on the rank's line of the rankfile says, else a GPU for each rank that one is left for and
    /// CPU cores for the others; or, for all ranks, cpu, gpu, or a GPU's PCI bus id such as 0000:65:00.0.
    /// Anything but auto comes before the rankfile.
    #[arg(long, value_name = "auto|cpu|gpu|PCI bus id", default_value = "auto")]
    pub device: DeviceWish,
    /// Let a software adapter (lavapipe) count as one GPU a node.
    #[arg(long)]
    pub software_gpu: bool,
    /// Ranks that may share one GPU.
    #[arg(long, value_name = "N", allow_negative_numbers = true, default_value_t = 1, value_parser = clap::value_parser!(u16).range(1..))]
    pub share_gpus: u16,
    /// Worker threads of each CPU rank [default: one for each core of its binding].
    #[arg(long, value_name = "N", allow_negative_numbers = true, value_parser = clap::value_parser!(u16).range(1..))]
    pub threads: Option<u16>,
    /// The rankfile, where the launcher does not tell of it (Open MPI 4.1 does), instead of HYBRID_RANKFILE. Rank 0 alone
    /// reads it.
    #[arg(long, value_name = "FILE")]
    pub rankfile: Option<PathBuf>,
    /// Refuse a GPU whose results may differ from the definition's in the last bit.
    #[arg(long)]
    pub exact: bool,
}

/// What is printed; the same for every workload.
#[derive(Clone, Debug, PartialEq, Args)]
#[command(next_help_heading = "Report")]
pub struct ReportArgs {
    /// Where each rank ran and how long each phase took [default: table, none with --quiet].
    #[arg(long, value_enum)]
    pub timings: Option<Timings>,
    /// Progress of long runs, on stderr; auto shows it where stderr is a terminal.
    #[arg(long, value_enum, default_value_t = Progress::Auto)]
    pub progress: Progress,
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
    /// No report.
    None,
}

/// When progress is shown.
#[derive(Clone, Copy, Debug, PartialEq, Eq, ValueEnum)]
pub enum Progress {
    /// Where stderr is a terminal.
    Auto,
    /// Always, as lines that come ever more rarely.
    Always,
    /// Never.
    Never,
}

/// What `--schedule` chooses from.
#[derive(Clone, Copy, Debug, PartialEq, Eq, ValueEnum)]
pub enum Schedule {
    /// Pieces for whoever asks, sized by the speed it has shown.
    Dynamic,
    /// Every rank the same number of bands, in turn.
    Static,
}

/// What `--color` chooses from.
#[derive(Clone, Copy, Debug, PartialEq, Eq, ValueEnum)]
pub enum Color {
    /// matplotlib's viridis.
    Viridis,
    /// matplotlib's cubehelix.
    Cubehelix,
    /// Black to white.
    Grey,
    /// Each band in the hue of the rank that computed it.
    Rank,
    /// Each band in the hue of the kind of device that computed it.
    Device,
}

/// What `--precision` chooses from.
#[derive(Clone, Copy, Debug, PartialEq, Eq, ValueEnum)]
pub enum PrecisionWish {
    /// f64 where every device has it, else f32.
    Auto,
    /// IEEE 754 binary32.
    F32,
    /// IEEE 754 binary64.
    F64,
}

impl PrecisionWish {
    /// The precision that was pinned, if one was.
    #[must_use]
    pub fn pinned(self) -> Option<Precision> {
        match self {
            Self::Auto => None,
            Self::F32 => Some(Precision::F32),
            Self::F64 => Some(Precision::F64),
        }
    }
}

/// Width and height of an image in pixels, written `WxH`.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Size {
    /// Pixels in a row.
    pub width: u32,
    /// Rows.
    pub height: u32,
}

impl FromStr for Size {
    type Err = String;

    fn from_str(text: &str) -> Result<Self, String> {
        let (width, height) = text.split_once(['x', 'X']).ok_or("expected WIDTHxHEIGHT, such as 1920x1440")?;
        let side = |name: &str, digits: &str| match digits.trim().parse::<u64>() {
            Ok(0) => Err(format!("{name} 0: an image has at least 1 pixel a side")),
            Ok(px) => u32::try_from(px)
                .ok()
                .filter(|px| *px <= MAX_SIDE_PX)
                .ok_or_else(|| format!("{name} {px}: PNG allows at most {MAX_SIDE_PX} pixels a side")),
            Err(_) => Err(format!("{name} {digits:?} is no whole number of pixels")),
        };
        Ok(Self { width: side("width", width)?, height: side("height", height)? })
    }
}

/// A number of darts: at least 1, in 64 bits.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Darts(pub u64);

impl FromStr for Darts {
    type Err = String;

    fn from_str(text: &str) -> Result<Self, String> {
        const FORMS: &str = "write it like 1e9, 4^14 or 10_000_000_000";
        let plain = text.replace('_', "");
        let whole = |digits: &str| -> Result<u128, String> {
            let all_digits = !digits.is_empty() && digits.bytes().all(|byte| byte.is_ascii_digit());
            if !all_digits {
                return Err(format!("{text:?} is no whole number of darts; {FORMS}"));
            }
            // A number that 128 bits do not hold is over the limit as well.
            Ok(digits.parse().unwrap_or(u128::MAX))
        };
        let power = |base: u128, exponent: u128| {
            u32::try_from(exponent).ok().and_then(|exponent| base.checked_pow(exponent)).unwrap_or(u128::MAX)
        };
        let darts = if let Some((base, exponent)) = plain.split_once('^') {
            power(whole(base)?, whole(exponent)?)
        } else if let Some((mantissa, exponent)) = plain.split_once(['e', 'E']) {
            let (units, fraction) = mantissa.split_once('.').unwrap_or((mantissa, ""));
            let digits = whole(&format!("{units}{fraction}"))?;
            let shift = whole(exponent.trim_start_matches('+'))?;
            let Some(zeros) = shift.checked_sub(fraction.len() as u128) else {
                return Err(format!("{text:?} is no whole number of darts; {FORMS}"));
            };
            digits.saturating_mul(power(10, zeros))
        } else {
            whole(&plain)?
        };
        match u64::try_from(darts) {
            Ok(0) => Err("0 darts estimate nothing: throw at least 1".to_owned()),
            Ok(darts) => Ok(Self(darts)),
            Err(_) => Err(format!("{text} darts are more than the generator's {} numbers of darts", u64::MAX)),
        }
    }
}

/// A range of powers, both ends included, written `FROM..TO`.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Powers(pub RangeInclusive<u32>);

impl FromStr for Powers {
    type Err = String;

    fn from_str(text: &str) -> Result<Self, String> {
        let ends =
            text.split_once("..").and_then(|(from, to)| Some((from.trim().parse().ok()?, to.trim().parse().ok()?)));
        match ends {
            Some((from, to)) if 1 <= from && from <= to && to <= MAX_POWER => Ok(Self(from..=to)),
            Some((from, to)) => Err(format!("{from}..{to}: powers ascend from at least 1 to at most {MAX_POWER}")),
            None => Err(format!("{text:?} is no range of powers; write it like 5..14")),
        }
    }
}

/// `N` finite numbers separated by commas.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Reals<const N: usize>(pub [f64; N]);

impl<const N: usize> FromStr for Reals<N> {
    type Err = String;

    fn from_str(text: &str) -> Result<Self, String> {
        let numbers = text
            .split(',')
            .map(|number| match number.trim().parse::<f64>() {
                Ok(value) if value.is_finite() => Ok(value),
                Ok(value) => Err(format!("{value} is not a finite number")),
                Err(_) => Err(format!("{number:?} is not a number")),
            })
            .collect::<Result<Vec<_>, _>>()?;
        let found = numbers.len();
        let array = numbers.try_into().map_err(|_| {
            format!("expected {N} number{} separated by commas, found {found}", if N == 1 { "" } else { "s" })
        })?;
        Ok(Self(array))
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
    Wrong(Error),
}

/// Parses the words of a command line, the program's name first. Reads nothing but its argument.
pub fn parse(words: impl IntoIterator<Item = OsString>) -> Parsed {
    match Cli::try_parse_from(words) {
        Ok(cli) => Parsed::Run(cli),
        Err(error) => match error.kind() {
            ErrorKind::DisplayHelp | ErrorKind::DisplayVersion => Parsed::Answer(error.to_string()),
            ErrorKind::DisplayHelpOnMissingArgumentOrSubcommand => {
                Parsed::Wrong(Error::Usage(format!("no command given\n\n{error}")))
            }
            _ => {
                let text = error.to_string();
                Parsed::Wrong(Error::Usage(text.trim_start_matches("error: ").trim_end().to_owned()))
            }
        },
    }
}

#[cfg(test)]
mod tests {
    use clap::CommandFactory;

    use super::*;

    fn julia(words: &str) -> Result<JuliaArgs, String> {
        let words = ["hybrid", "julia"].into_iter().chain(words.split_whitespace());
        match parse(words.map(OsString::from)) {
            Parsed::Run(Cli { command: Command::Julia(args), .. }) => Ok(args),
            Parsed::Run(other) => panic!("{other:?}"),
            Parsed::Answer(text) => Err(text),
            Parsed::Wrong(error) => Err(error.to_string()),
        }
    }

    #[test]
    fn the_definition_of_the_command_line_is_consistent() {
        Cli::command().debug_assert();
    }

    #[test]
    fn defaults_are_the_tutorials() {
        let args = julia("").unwrap();
        assert_eq!(args.size_px(), (640, 480));
        assert_eq!(args.c, Reals([0.0, 0.65]));
        assert_eq!(args.view, Reals([-2.0, 2.0, -1.5, 1.5]));
        assert_eq!((args.max_iter, args.radius), (255, Reals([3.0])));
    }

    fn darts(text: &str) -> Result<u64, String> {
        text.parse::<Darts>().map(|darts| darts.0)
    }

    #[test]
    fn numbers_of_darts_are_read_exactly() {
        for (text, expected) in [
            ("1", 1),
            ("1e9", 1_000_000_000),
            ("1.5E3", 1500),
            ("1e+15", 1_000_000_000_000_000),
            ("4^14", 268_435_456),
            ("10_000_000_000", 10_000_000_000),
            ("18446744073709551615", u64::MAX),
        ] {
            assert_eq!(darts(text), Ok(expected), "{text}");
        }
    }

    #[test]
    fn numbers_that_are_no_number_of_darts_are_refused() {
        for (text, expected) in [
            ("0", "at least 1"),
            ("0e5", "at least 1"),
            ("-5", "no whole number"),
            ("1.5", "no whole number"),
            ("1.23e1", "no whole number"),
            ("1e-3", "no whole number"),
            ("many", "no whole number"),
            ("", "no whole number"),
            ("^", "no whole number"),
            ("2^64", "more than"),
            ("1e20", "more than"),
            ("9^999999999999", "more than"),
            ("1e99999999999999999999999999999999999999999", "more than"),
        ] {
            let message = darts(text).unwrap_err();
            assert!(message.contains(expected), "{text}: {message}");
        }
    }

    #[test]
    fn powers_ascend_within_the_limit() {
        assert_eq!("5..14".parse(), Ok(Powers(5..=14)));
        for text in ["14..5", "0..3", "5..21", "5", "a..b", "5..=6"] {
            assert!(text.parse::<Powers>().is_err(), "{text}");
        }
    }

    #[test]
    fn negative_numbers_are_values_and_not_flags() {
        let args = julia("--c -0.8,0.156 --view -1.6,1.6,-1,1").unwrap();
        assert_eq!(args.c, Reals([-0.8, 0.156]));
        assert_eq!(args.view.0[0], -1.6);
    }

    #[test]
    fn wrong_values_are_named_with_their_limit() {
        for (words, expected) in [
            ("--scale 0", "0 is not in 1..="),
            ("--scale 99999999999", "is not in 1..="),
            ("--size 0x5", "at least 1 pixel"),
            ("--size 3000000000x5", "2147483647"),
            ("--size 12", "WIDTHxHEIGHT"),
            ("--c 1", "expected 2 numbers separated by commas, found 1"),
            ("--c NaN,0", "NaN is not a finite number"),
            ("--view 1,2,3", "expected 4 numbers"),
            ("--max-iter 0", "0 is not in 1..=65535"),
            ("--max-iter 65536", "1..=65535"),
            ("--radius inf", "inf is not a finite number"),
            ("--device teapot", "PCI bus id"),
            ("--share-gpus 0", "0 is not in 1.."),
            ("--scale 2 --size 10x10", "cannot be used with"),
            ("--colour grey", "--color"),
        ] {
            let message = julia(words).expect_err(words);
            assert!(message.contains(expected), "{words}: {message}");
        }
    }
}
