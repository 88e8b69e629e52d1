//! Parses the command line, starts MPI, runs the command, and turns a failure into one line for the whole job and an exit
//! code. Knows nothing of what the commands do.

use std::{env, process::ExitCode, time::Instant};

use hybrid::{
    cli::{self, Parsed},
    comm::{Failure, World, launcher::Launch},
    commands, environment,
    error::{self, Error},
    output::part_file,
};

fn main() -> ExitCode {
    let started = Instant::now();
    let launch = Launch::of_environment();
    let parsed = cli::parse(env::args_os());
    // Where no handler is taken, the signal ends the process, as it does without one.
    let _ = part_file::outlive_size_limit();
    let settings = environment::prepare(parsed.wants_mpi_defaults());
    // Without a launcher there is nobody to agree with, and MPI need not be started for a usage message;
    // nor is it for a command that one process does.
    match &parsed {
        Parsed::Answer(text) if !launch.is_present() => return answer(text),
        Parsed::Wrong(error) if !launch.is_present() => return fail(&Failure::alone(error), true),
        Parsed::Run(cli) => {
            if let Some(outcome) = commands::run_alone(cli, launch.speaks()) {
                return outcome.map_or_else(|error| fail(&Failure::alone(&error), true), |()| ExitCode::SUCCESS);
            }
        }
        _ => {}
    }
    let world = match World::start(settings) {
        Ok(world) => world,
        // Each process finds the same. One that failed before the speaker has spoken would have the launcher end the speaker.
        Err(_) if !launch.speaks() => return ExitCode::SUCCESS,
        Err(error) => return fail(&Failure::alone(&error), true),
    };
    let outcome = match parsed {
        Parsed::Answer(text) => {
            if world.is_root() {
                answer(&text);
            }
            return ExitCode::SUCCESS;
        }
        Parsed::Run(cli) => commands::agree_on_options(&world, Ok(cli)),
        Parsed::Wrong(error) => commands::agree_on_options(&world, Err::<_, Error>(error)),
    };
    match outcome.and_then(|cli| commands::run(&world, &cli, started)) {
        Ok(()) => ExitCode::SUCCESS,
        Err(failure) => fail(&failure, world.is_root()),
    }
}

/// Prints what was asked for.
fn answer(text: &str) -> ExitCode {
    print!("{text}");
    ExitCode::SUCCESS
}

/// Ends this rank with the failure's code; the rank that speaks prints it.
fn fail(failure: &Failure, speaks: bool) -> ExitCode {
    if speaks {
        error::print_line(&format!("error: {failure}"));
    }
    ExitCode::from(failure.exit_code())
}
