//! The subcommands: each joins the parts it needs and holds no algorithm. The only module that prints.

mod julia;
mod pi;
mod place;
mod rankfile;
mod site;
mod where_;

use std::{
    io::{self, Write},
    time::Instant,
};

pub use place::gpu_of_rank;

use crate::{
    cli::{Cli, Command, Timings},
    comm::{Failure, World},
    error::{self, Error},
    output::report::Head,
};

/// Goes on with the options where every rank was given the same and they make sense. Collective.
///
/// # Errors
/// [`Error::Usage`] of the first rank whose options are wrong or differ from rank 0's.
pub fn agree_on_options(world: &World, parsed: Result<Cli, Error>) -> Result<Cli, Failure> {
    let cli = world.agree(parsed)?;
    let mine = command_line();
    let of_rank_0 = world.all.broadcast(0, mine.clone().into_bytes());
    let same = if of_rank_0 == mine.as_bytes() {
        Ok(cli)
    } else {
        Err(Error::Usage(format!(
            "this rank was started as `{mine}`, rank 0 as `{}`: give every rank the same options",
            String::from_utf8_lossy(&of_rank_0)
        )))
    };
    world.agree(same)
}

/// Runs a command on all ranks. Collective. `started` is when this process began.
///
/// # Errors
/// Whatever ends the job, the same on every rank.
pub fn run(world: &World, cli: &Cli, started: Instant) -> Result<(), Failure> {
    match &cli.command {
        Command::Julia(args) => julia::run(world, args, started),
        Command::Pi(args) => pi::run(world, args, started),
        Command::Where(args) => where_::run(world, args),
        Command::Rankfile { command } => rankfile::run(world, command),
    }
}

/// Runs a command that one process does without MPI; `None` for any other. Under a launcher the process that `speaks` runs
/// it for all.
///
/// # Errors
/// Whatever ends it.
#[must_use]
pub fn run_alone(cli: &Cli, speaks: bool) -> Option<Result<(), Error>> {
    match &cli.command {
        Command::Rankfile { command } if rankfile::is_for_one_process(command) => {
            Some(if speaks { rankfile::run_alone(command) } else { Ok(()) })
        }
        Command::Julia(_) | Command::Pi(_) | Command::Where(_) | Command::Rankfile { .. } => None,
    }
}

/// This process's words but for the program's own path, which may differ between nodes.
fn command_line() -> String {
    let words = std::env::args_os().skip(1).map(|word| word.to_string_lossy().into_owned());
    std::iter::once("hybrid".to_owned()).chain(words).collect::<Vec<_>>().join(" ")
}

/// What the report of `command` begins with.
fn head(world: &World, command: &'static str) -> Head {
    Head {
        command,
        version: env!("CARGO_PKG_VERSION"),
        mpi: world.library().to_owned(),
        mpi_settings: world.settings().to_vec(),
    }
}

/// Prints what a job that goes on wants known now, and not only with its report.
fn warn(warning: &str) {
    error::print_line(&format!("warning: {warning}"));
}

/// Prints a report in the form that was asked for. Rank 0 alone does, and no other rank need know where it fails.
fn print_report(
    form: Timings,
    table: impl Fn() -> String,
    json: impl Fn() -> String,
    csv: impl Fn() -> String,
) -> Result<(), Failure> {
    let text = match form {
        Timings::Table => table(),
        Timings::Json => json() + "\n",
        Timings::Csv => csv(),
        Timings::None => String::new(),
    };
    print(&text).map_err(|error| Failure::alone(&error))
}

/// Prints to stdout. Who has read enough, as `head` has, is not told more.
fn print(text: &str) -> Result<(), Error> {
    match io::stdout().lock().write_all(text.as_bytes()).and_then(|()| io::stdout().flush()) {
        Err(source) if source.kind() != io::ErrorKind::BrokenPipe => {
            Err(Error::Output { path: "standard output".into(), source })
        }
        _ => Ok(()),
    }
}
