//! `hybrid sweep`: makes the runs of a grid, one after the other, and keeps each as soon as it is measured. One process, without MPI:
//! the jobs that it starts are others'.

mod file;
mod guard;
mod measured;
mod output;
mod plan;
mod results;

use std::time::Instant;

use self::{measured::Measured, plan::Plan, results::ResultsFile};
use super::print;
use crate::{
    cli::SweepArgs,
    error::Error,
    launcher::{Launch, shell_command},
    output::report::progress::Progress,
    streams,
    study::{Run, Status},
    visible::{shown, visible},
    words::counted,
    workload::stop::Stop,
};

/// Runs that failed are told one by one as long as there are few.
const MOST_TOLD: usize = 3;

/// Makes the runs that are missing in the file.
pub(super) fn run(args: &SweepArgs, allows_mixed_builds: bool) -> Result<(), Error> {
    if let Some((launcher, ranks)) = Launch::of_environment().company() {
        return Err(Error::Usage(format!(
            "hybrid sweep starts the jobs itself, and {launcher} has started {ranks} processes of it: start it once, without a launcher"
        )));
    }
    let plan = Plan::of(args)?;
    let runs = plan.grid.runs(plan.spec.seed);
    if args.dry_run {
        return print(&runs.iter().map(|run| shell_command(&plan.argv(run)) + "\n").collect::<String>());
    }
    plan.check_programs()?;
    let stop = Stop::watch(Instant::now(), None, false)?;
    stop.work_begins();
    let mut file = ResultsFile::open(&plan.output, &plan.spec, allows_mixed_builds)?;
    let pending: Vec<&Run> = runs.iter().filter(|run| file.lacks(&run.key(), args.again)).collect();
    let progress = Progress::new(true, args.progress, args.quiet, "the runs", pending.len() as u64);
    let measured = measure(&plan, &mut file, &pending, &stop, &progress);
    progress.finish();
    measured?;
    let failed = file.count(Status::Failed) + file.count(Status::Timeout);
    if !args.quiet {
        print(&format!(
            "{} in {}: {} ok, {} failed, {} over time; {} measured now\n",
            counted(runs.len(), "run"),
            shown(&plan.output),
            file.count(Status::Ok),
            file.count(Status::Failed),
            file.count(Status::Timeout),
            pending.len()
        ))?;
    }
    if failed > 0 {
        return Err(Error::RunsFailed { failed, all: runs.len(), path: plan.output });
    }
    Ok(())
}

/// Measures these runs and keeps each.
fn measure(
    plan: &Plan,
    file: &mut ResultsFile,
    pending: &[&Run],
    stop: &Stop,
    progress: &Progress,
) -> Result<(), Error> {
    let mut warm = vec![plan.spec.warm_up == 0; plan.grid.combinations()];
    let mut told = 0;
    for (done, run) in (0..).zip(pending) {
        progress.reach(done);
        let warm_up = if warm[run.combination] { 0 } else { plan.spec.warm_up };
        for counts in (0..warm_up).map(|_| false).chain([true]) {
            let Some(measured) = Measured::run(plan, run, &file.lock, stop)? else {
                let by = stop.reason().map_or("a signal", |reason| reason.name());
                return Err(Error::SweepStopped { by, done: file.done(), all: plan.runs() });
            };
            if counts {
                let record = measured.record(plan, run);
                if let Some(reason) = &record.reason {
                    told += 1;
                    if told <= MOST_TOLD {
                        streams::tell(&format!("warning: {}: {}", visible(&record.key), visible(reason)));
                    }
                }
                file.append(record)?;
            }
        }
        warm[run.combination] = true;
    }
    Ok(())
}
