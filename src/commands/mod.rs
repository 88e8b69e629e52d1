//! The subcommands: each joins the parts it needs and holds no algorithm. The only module that prints.

mod bounded;
mod found;
mod image;
mod info;
mod pi;
mod place;
mod processes;
mod rankfile;
mod report;
mod run;
mod site;
mod sweep;
mod system;
mod this_node;
mod trace;
mod where_;

use std::time::{Duration, Instant, SystemTime};

pub(crate) use place::gpu_of_rank;
pub(crate) use run::{look_at, run as become_program};
pub(crate) use site::Site;

use crate::{
    cli::{Cli, Command, Parsed, Timings},
    comm::{Beginning, Failure, World},
    error::Error,
    launcher::Launch,
    output::report::{Head, Report, Summary, stopwatch::RankClock, system::Uname},
    streams,
    visible::visible,
    workload::stop::Stop,
};

/// When this process began, and what tells a command that it is to stop.
#[derive(Debug)]
pub struct Began {
    at: Instant,
    stop: Result<Stop, Error>,
}

impl Began {
    /// From now on, signals are heard for a command that ends in an orderly way on them; for others they are what they are.
    #[must_use]
    pub fn now(parsed: &Parsed, launch: &Launch) -> Self {
        let at = Instant::now();
        let limit = match parsed {
            Parsed::Run(Cli { command, .. }) => match command {
                Command::Julia(_) | Command::Mandelbrot(_) => {
                    command.picture().map(|picture| picture.shared().time_limit)
                }
                Command::Pi(_) => Some(None),
                Command::Where(_)
                | Command::Info(_)
                | Command::Run(_)
                | Command::Sweep(_)
                | Command::Report(_)
                | Command::Rankfile { .. }
                | Command::Completions(_)
                | Command::Man(_) => None,
            },
            Parsed::Answer(_) | Parsed::Wrong(_) => None,
        };
        let stop = limit.map_or_else(
            || Ok(Stop::never()),
            |limit| {
                let limit = limit.map(|seconds| Duration::from_secs(seconds.into()));
                Stop::watch(at, limit, launch.is_launched())
            },
        );
        Self { at, stop: stop.map_err(Error::from) }
    }
}

/// Does on all ranks what was asked for, where every rank was given the same words and they make sense. Collective.
///
/// # Errors
/// Whatever ends the job, the same on every rank; [`Error::Usage`] of the first rank whose words are wrong or differ from rank
/// 0's.
pub fn run(world: &World, parsed: Parsed, began: Began) -> Result<(), Failure> {
    let wanted = match parsed {
        Parsed::Wrong(message) => Err(Error::Usage(message)),
        wanted => Ok(wanted),
    };
    let wanted = world.agree(wanted)?;
    world.agree(has_same_words(world))?;
    if let Some(builds) = world.mixed_builds() {
        warn(&format!("{builds}: what they compute may differ"));
    }
    let Parsed::Run(cli) = &wanted else { return answer(world, &wanted) };
    match &cli.command {
        Command::Julia(args) => image::run(world, &**args, began),
        Command::Mandelbrot(args) => image::run(world, &**args, began),
        Command::Pi(args) => pi::run(world, args, began),
        Command::Where(args) => where_::run(world, args),
        Command::Info(args) => info::run(world, args),
        Command::Run(_) => unreachable!("it starts no MPI"),
        Command::Rankfile { command } => rankfile::run(world, command),
        Command::Sweep(_) | Command::Report(_) | Command::Completions(_) | Command::Man(_) => answer(world, &wanted),
    }
}

/// Has rank 0 print what takes no other rank. Collective.
fn answer(world: &World, wanted: &Parsed) -> Result<(), Failure> {
    world.agree(if world.is_root() { run_alone(wanted).unwrap_or(Ok(())) } else { Ok(()) })
}

/// Whether this rank was given the same words as rank 0. Collective.
fn has_same_words(world: &World) -> Result<(), Error> {
    let mine = command_line();
    let of_rank_0 = world.all.broadcast(0, &mine);
    if of_rank_0 == mine {
        return Ok(());
    }
    Err(Error::Usage(format!(
        "this rank was started as `{}`, rank 0 as `{}`: give every rank the same options",
        visible(&mine),
        visible(&of_rank_0)
    )))
}

/// Does what one process does without MPI: answers, refuses wrong words, runs a command that needs no other rank; `None` for
/// anything else. Under a launcher one process does it for all.
///
/// # Errors
/// Whatever ends it.
#[must_use]
pub fn run_alone(parsed: &Parsed) -> Option<Result<(), Error>> {
    match parsed {
        Parsed::Answer(text) => Some(print(text)),
        Parsed::Wrong(message) => Some(Err(Error::Usage(message.clone()))),
        Parsed::Run(Cli { command: Command::Rankfile { command }, .. }) if rankfile::is_for_one_process(command) => {
            Some(rankfile::run_alone(command))
        }
        Parsed::Run(Cli { command: Command::Sweep(args), allow_mixed_builds, .. }) => {
            Some(sweep::run(args, *allow_mixed_builds))
        }
        Parsed::Run(Cli { command: Command::Report(args), .. }) => Some(report::run(args)),
        Parsed::Run(Cli { command: Command::Completions(args), .. }) => Some(print(&args.text())),
        Parsed::Run(Cli { command: Command::Man(args), .. }) => {
            Some(args.text().map_err(Error::Usage).and_then(|page| print(&page)))
        }
        Parsed::Run(_) => None,
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
    streams::tell(&format!("warning: {warning}"));
}

/// Nanoseconds since 1970, by this node's clock.
fn unix_ns() -> i64 {
    let since = SystemTime::now().duration_since(SystemTime::UNIX_EPOCH).unwrap_or_default();
    i64::try_from(since.as_nanos()).unwrap_or(i64::MAX)
}

/// When something began that began then. Collective.
fn beginning(world: &World, at: Instant) -> Beginning {
    let clock = world.all.clock_offset(unix_ns);
    let ago_ns = i64::try_from(at.elapsed().as_nanos()).unwrap_or(i64::MAX);
    Beginning { own_ns: unix_ns().saturating_sub(ago_ns), clock }
}

/// When the ranks began by one clock, where `form` tells it. Collective.
fn clocks(world: &World, form: Timings, began: Instant) -> Vec<RankClock> {
    if form != Timings::Stopwatch {
        return Vec::new();
    }
    let Uname { system, release, .. } = system::uname();
    let user = system::user();
    let mine = RankClock { began: beginning(world, began), user, system, release };
    world.all.gather(&mine).unwrap_or_default()
}

/// A report in the form that was asked for.
fn in_form(form: Timings, report: &Report<impl Summary>, clocks: &[RankClock]) -> String {
    match form {
        Timings::Stopwatch => report.stopwatch(clocks),
        Timings::Table => report.table(),
        Timings::Json => report.json() + "\n",
        Timings::Csv => report.csv(),
        Timings::None => String::new(),
    }
}

/// Prints the report of a job whose files are complete: where that fails, the job has not failed.
fn print_beside_files(report: &str) {
    if let Err(error) = print(report) {
        warn(&format!("{error}; the files are complete"));
    }
}

/// Prints what was asked for to stdout.
fn print(text: &str) -> Result<(), Error> {
    streams::print(text).map_err(|source| Error::Output { path: "standard output".into(), source })
}
