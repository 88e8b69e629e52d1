//! Parses the command line, starts MPI, runs the command, and turns a failure into one line for the whole job and an exit
//! code. Knows nothing of what the commands do.

use std::{env, process::ExitCode};

use crate::{
    cli::{self, Command, Parsed},
    comm::{Admission, BUILD_LIMIT, Failure, NoWorld, Refused, World},
    commands::{self, Began},
    environment,
    error::Error,
    fault,
    launcher::Launch,
    output::file::part_file,
    streams, topology,
};

/// The program `hybrid`, from the words of its command line to its exit code.
///
/// It starts MPI and may change the environment: call it first and once, in a program that does nothing else.
#[must_use]
pub fn run() -> ExitCode {
    if let Some(code) = topology::serve_foreign_xml(env::args_os()) {
        return code;
    }
    let launch = Launch::of_environment();
    let parsed = cli::parse(env::args_os());
    // Where no handler is taken, the signal ends the process, as it does without one.
    let _ = part_file::outlive_size_limit();
    if let Some(code) = start_program(&parsed, &launch) {
        return code;
    }
    let (outcome, job) = obey(parsed, &launch);
    end(outcome, job.speaks(), &launch)
}

/// Starts another program in this one's place, where that is asked for: MPI is that program's then. The code is the program's own.
fn start_program(parsed: &Parsed, launch: &Launch) -> Option<ExitCode> {
    let Parsed::Run(cli) = parsed else { return None };
    let outcome = match &cli.command {
        Command::Run(args) => commands::become_program(args, launch, environment::quiet_vulkan()).map(|()| 0),
        Command::Where(args) if !args.program.is_empty() => {
            commands::look_at(args, launch, environment::quiet_vulkan())
        }
        _ => return None,
    };
    Some(match outcome {
        Ok(code) => ExitCode::from(code),
        Err(failed) => end(Err(Failure::alone(&failed.error)), failed.speaks, launch),
    })
}

/// The job that MPI was started for, which ends when this is dropped: when the outcome has been told.
enum Job {
    /// MPI was not started, or is not to be had.
    None,
    /// It ran.
    Run(Box<World>),
    /// Its ranks are of different builds.
    Refused(Refused),
}

impl Job {
    /// Whether this rank is the one that prints a failure.
    fn speaks(&self) -> bool {
        match self {
            Self::None => true,
            Self::Run(world) => world.is_root(),
            Self::Refused(refused) => refused.is_root(),
        }
    }
}

/// Does what was asked for; with the job, where MPI was started for it.
fn obey(parsed: Parsed, launch: &Launch) -> (Result<(), Failure>, Job) {
    let alone = |outcome: Result<(), Error>| (outcome.map_err(|error| Failure::alone(&error)), Job::None);
    let began = Began::now(&parsed, launch);
    // MPI need not be started for what one process does, unless there are others who may have been told something else:
    // they would wait for this one.
    if !launch.has_company()
        && let Some(outcome) = commands::run_alone(&parsed)
    {
        return alone(outcome);
    }
    // Not before: what one process starts, as a sweep does, is to find the user's own settings.
    let settings = environment::prepare(parsed.wants_mpi_defaults());
    let admission = Admission {
        build: fault::build,
        allows_mixed: parsed.allows_mixed_builds(),
        limit: fault::build_limit().unwrap_or(BUILD_LIMIT),
    };
    match World::start(settings, admission) {
        Ok(world) => (commands::run(&world, parsed, began), Job::Run(Box::new(world))),
        // What one process could answer, it does not: others were asked as well, and may have more to do.
        Err(NoWorld::Refused(refused)) => (Err(Failure::alone(&refused.error())), Job::Refused(refused)),
        // Each process finds the same: the others are not to be had, and the one with rank 0 speaks. One that failed before the
        // speaker has spoken would have the launcher end the speaker.
        Err(NoWorld::Mpi(_)) if !launch.speaks() => alone(Ok(())),
        Err(NoWorld::Mpi(error)) => alone(commands::run_alone(&parsed).unwrap_or(Err(error.into()))),
    }
}

/// Ends this rank with the outcome's code; the rank that speaks prints a failure. The others wait for it before MPI ends, and with
/// it a launcher hears of the failure: Open MPI 5 then lost what was printed before.
fn end(outcome: Result<(), Failure>, speaks: bool, launch: &Launch) -> ExitCode {
    let Err(failure) = outcome else { return ExitCode::SUCCESS };
    let line = format!("error: {failure}");
    match speaks {
        true if launch.is_launched() => streams::tell_at_last(&line),
        true => streams::tell(&line),
        false => {}
    }
    ExitCode::from(failure.exit_code())
}
