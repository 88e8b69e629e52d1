//! Options of `hybrid run`: the place of each process, and the program that takes it.

use std::ffi::OsString;

use clap::Args;

use super::PlaceArgs;

/// Options of `hybrid run`.
#[derive(Clone, Debug, PartialEq, Args)]
pub struct RunArgs {
    /// The place of each process.
    #[command(flatten)]
    pub place: PlaceArgs,
    /// Print the place of each rank and what would be set, and start nothing.
    #[arg(long)]
    pub dry_run: bool,
    /// Seconds in which all ranks of a node must have been started.
    #[arg(long, value_name = "SECONDS", default_value_t = 60, value_parser = clap::value_parser!(u16).range(1..))]
    pub patience: u16,
    /// The program with its words, behind `--`.
    #[arg(last = true, required = true, value_name = "PROGRAM")]
    pub program: Vec<OsString>,
}

#[cfg(test)]
mod tests {
    use crate::cli::{Command, tests::command};

    #[test]
    fn the_program_keeps_its_own_options() {
        let Ok(Command::Run(args)) = command("run --threads 2 -- app --threads 9 -- x") else { panic!("run") };
        assert_eq!((args.place.threads, args.program.len()), (Some(2), 5));
        for words in ["run", "run --", "run app"] {
            assert!(command(words).is_err(), "{words}");
        }
    }
}
