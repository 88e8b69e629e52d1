//! Options of `hybrid sweep`: which runs to make, and how. What the words behind a command of this program mean, `swept` says.

use std::path::PathBuf;

use clap::{Args, Subcommand};

use super::ProgressRequest;
use crate::study::Values;

const USAGE: &str = "hybrid sweep [OPTIONS] -o FILE.jsonl julia|mandelbrot|pi [--OPTION VALUES]...
       hybrid sweep [OPTIONS] -o FILE.jsonl -- PROGRAM [WORD|{NAME}]...
       hybrid sweep [OPTIONS] --from FILE.toml";

const EXAMPLES: &str = "Examples:
  hybrid sweep -o laptop.jsonl --np 1,2,4 --repeat 5 julia --scale 1..4 --device cpu,gpu
  hybrid sweep -o app.jsonl --np 1..16..x2 -p size=100,200 -- ./app --size {size}
  hybrid sweep -o app.jsonl --np 1,2,4 --launcher 'srun -n {np}' --pattern 'time: ([0-9.]+)' -- ./app
Values are a list such as 1,2,4, a range such as 1..4, 0..100..25 or 1..16..x2 with both its ends, or both: 1,2,4..6.
Started again with the same words, a sweep goes on where it stopped.";

/// Options of `hybrid sweep`.
#[derive(Clone, Debug, PartialEq, Args)]
#[command(override_usage = USAGE, after_help = EXAMPLES, disable_help_subcommand = true)]
pub struct SweepArgs {
    /// The file that gets a line of JSON for each run, as soon as it is measured. What stands in it is not measured again.
    #[arg(short, long, value_name = "FILE.jsonl", required_unless_present_any = ["from", "dry_run"])]
    pub output: Option<PathBuf>,
    /// Numbers of ranks, for the launcher.
    #[arg(long, value_name = "VALUES", allow_hyphen_values = true)]
    pub np: Option<Values>,
    /// A parameter and its values; {NAME} stands for them in the words of the program and of --launcher.
    #[arg(short, long, value_name = "NAME=VALUES")]
    pub param: Vec<NamedValues>,
    /// Runs of each combination of values [default: 1].
    #[arg(long, value_name = "N", allow_negative_numbers = true, value_parser = clap::value_parser!(u32).range(1..))]
    pub repeat: Option<u32>,
    /// Runs of each combination before its first that counts, which are not kept; again whenever the sweep is started [default: 0].
    #[arg(long, value_name = "N", allow_negative_numbers = true)]
    pub warm_up: Option<u32>,
    /// Decides the order of the runs [default: 1].
    #[arg(long, value_name = "S", allow_negative_numbers = true)]
    pub seed: Option<u64>,
    /// A run that takes longer is ended and counts as failed.
    #[arg(long, value_name = "SECONDS", allow_negative_numbers = true, value_parser = clap::value_parser!(u64).range(1..))]
    pub timeout: Option<u64>,
    /// The launcher with its options, {np} for the number of ranks; none starts the program as it is [default: with --np the launcher
    /// that is found here].
    #[arg(long, value_name = "WORDS")]
    pub launcher: Option<String>,
    /// What finds the figure in the program's output, a regular expression with one group; the last line that matches counts. Without it
    /// the figure is the wall time.
    #[arg(long, value_name = "REGEX")]
    pub pattern: Option<String>,
    /// A TOML file that says the same; what stands on the command line as well counts.
    #[arg(long, value_name = "FILE.toml")]
    pub from: Option<PathBuf>,
    /// Of the runs that are in the file, make these again.
    #[arg(long, value_enum)]
    pub again: Option<Again>,
    /// Print the command of each run in its order, and start nothing.
    #[arg(long)]
    pub dry_run: bool,
    /// Progress with the time that is left, on stderr; auto shows it where stderr is a terminal.
    #[arg(long, value_enum, default_value_t = ProgressRequest::Auto)]
    pub progress: ProgressRequest,
    /// Print nothing but errors.
    #[arg(short, long)]
    pub quiet: bool,
    /// A command of this program whose options have one or several values.
    #[command(subcommand)]
    pub own: Option<Own>,
    /// The program with its words, behind `--`.
    #[arg(last = true, value_name = "PROGRAM")]
    pub program: Vec<String>,
}

/// The commands of this program that can be measured.
#[derive(Clone, Debug, PartialEq, Eq, Subcommand)]
pub enum Own {
    /// Pictures of Julia sets.
    #[command(disable_help_flag = true)]
    Julia(Words),
    /// Pictures of the Mandelbrot set.
    #[command(disable_help_flag = true)]
    Mandelbrot(Words),
    /// Estimates of pi.
    #[command(disable_help_flag = true)]
    Pi(Words),
}

/// Options of a command, each with one value or several.
#[derive(Clone, Debug, PartialEq, Eq, Args)]
pub struct Words {
    /// As for the command itself, with a list or a range where several values are meant.
    #[arg(trailing_var_arg = true, allow_hyphen_values = true, value_name = "--OPTION VALUES")]
    words: Vec<String>,
}

impl Own {
    /// The command's name and what stands behind it.
    #[must_use]
    pub fn words(&self) -> Vec<String> {
        let (name, Words { words }) = match self {
            Self::Julia(words) => ("julia", words),
            Self::Mandelbrot(words) => ("mandelbrot", words),
            Self::Pi(words) => ("pi", words),
        };
        std::iter::once(name).chain(words.iter().map(String::as_str)).map(str::to_owned).collect()
    }
}

/// What `--again` chooses from.
#[derive(Clone, Copy, Debug, PartialEq, Eq, clap::ValueEnum)]
pub enum Again {
    /// Those that failed or took too long.
    Failed,
}

/// A parameter's name and its values.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct NamedValues {
    /// What it is called.
    pub name: String,
    /// Its values.
    pub values: Values,
}

impl std::str::FromStr for NamedValues {
    type Err = String;

    fn from_str(text: &str) -> Result<Self, String> {
        let (name, values) = text.split_once('=').ok_or("expected NAME=VALUES, such as size=1..4")?;
        if !crate::study::template::is_name(name) {
            return Err(format!("{name:?} is no name: it begins with a letter and has letters, digits, _ and - alone"));
        }
        Ok(Self { name: name.to_owned(), values: values.parse()? })
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::cli::{Command, tests::command};

    fn sweep(words: &str) -> Result<Box<SweepArgs>, String> {
        match command(&format!("sweep {words}"))? {
            Command::Sweep(args) => Ok(args),
            other => panic!("{other:?}"),
        }
    }

    #[test]
    fn what_stands_behind_a_command_or_behind_two_hyphens_is_its_own() {
        let args = sweep("-o r --np 1,2,4 --repeat 5 julia --scale 1..4 --repeat 9 -o x").unwrap();
        let words = ["julia", "--scale", "1..4", "--repeat", "9", "-o", "x"].map(str::to_owned).to_vec();
        assert_eq!((args.own.map(|own| own.words()), args.repeat), (Some(words), Some(5)));
        assert_eq!(args.np, Some(Values(["1", "2", "4"].map(str::to_owned).to_vec())));
        let args = sweep("-o r -p size=1..3 -- julia --repeat {size} -- x").unwrap();
        assert_eq!((args.own, args.program.join(" ").as_str()), (None, "julia --repeat {size} -- x"));
        assert_eq!(args.param[0].values.0.len(), 3);
    }

    #[test]
    fn every_command_that_computes_can_be_measured() {
        let sweep = SweepArgs::augment_args(clap::Command::new("sweep"));
        let mut named: Vec<&str> = sweep.get_subcommands().map(clap::Command::get_name).collect();
        named.sort_unstable();
        let hybrid = <crate::cli::Cli as clap::CommandFactory>::command();
        let computes = |name: &&str| command(name).is_ok_and(|command| command.computes());
        let mut all: Vec<&str> = hybrid.get_subcommands().map(clap::Command::get_name).filter(computes).collect();
        all.sort_unstable();
        assert_eq!(named, all);
    }

    #[test]
    fn wrong_options_are_named_with_their_limit() {
        for (words, expected) in [
            ("-o r --np 4..1 pi", "goes down"),
            ("-o r -p size -- a", "expected NAME=VALUES"),
            ("-o r -p 1=2 -- a", "is no name"),
            ("-o r --repeat 0 -- a", "0 is not in 1.."),
            ("-o r --timeout 0 -- a", "0 is not in 1.."),
            ("-- a", "--output <FILE.jsonl>"),
        ] {
            let message = sweep(words).expect_err(words);
            assert!(message.contains(expected), "{words}: {message}");
        }
    }
}
