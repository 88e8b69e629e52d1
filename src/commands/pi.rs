//! `hybrid pi`: from the options to the estimate or the study, and the report.

use std::{path::PathBuf, time::Instant};

use super::{
    Began,
    place::{self, RankDevice},
    trace::Tracing,
};
use crate::{
    cli::PiArgs,
    comm::{Failure, World},
    device::Device,
    error::Error,
    kernel::{Kernel, counting::CountingKernel, pi::Pi},
    output::{
        drawing::plot::Plot,
        file::whole::WholeFile,
        report::{
            RankReport, Report,
            pi::{PiShare, PiSummary},
            progress::Progress,
            study::StudySummary,
        },
    },
    timeline::{self, Track, What},
    workload::{
        WorkloadError,
        pi::{
            Thrower,
            checkpoint::{Checkpoint, StateFile},
            estimate::{self, Estimate},
            study::Study,
            throws::Throws,
        },
        stop::Stop,
    },
};

/// When this process began, how long its first phases took, in seconds, and what tells when to stop.
struct Phases {
    started: Instant,
    stop: Stop,
    start_s: f64,
    device_s: f64,
    tracing: Option<Tracing>,
}

/// Runs the command on all ranks. Collective.
pub(super) fn run(world: &World, args: &PiArgs, Began { at: started, stop }: Began) -> Result<(), Failure> {
    let start_s = started.elapsed().as_secs_f64();
    world.agree(check(args))?;
    let stop = world.agree(stop)?;
    let tracing = Tracing::begin(world, &args.report, started, start_s)?;
    let placing = Instant::now();
    let place = place::take(world, &args.device, &Kernel::Counting(CountingKernel::Pi(Pi { seed: args.seed })))?;
    let took = placing.elapsed();
    timeline::note(Track::Main, What::Device, placing, took, 0);
    let phases = Phases { started, stop, start_s, device_s: took.as_secs_f64(), tracing };
    phases.stop.work_begins();
    if args.study { run_study(world, args, place, phases) } else { run_once(world, args, place, phases) }
}

/// The failure of a rank that has a reason to stop with `done` of `all` darts thrown.
fn stopped(stop: &Stop, done: u64, all: u64, is_kept: bool) -> Result<(), Error> {
    match stop.reason() {
        Some(reason) if done < all => Err(Error::Stopped { by: reason.name(), done, all, what: "darts", is_kept }),
        _ => Ok(()),
    }
}

/// What the options cannot say by themselves.
fn check(args: &PiArgs) -> Result<(), Error> {
    if let Some(error) = standard_error(args) {
        if error <= 0.0 {
            return Err(Error::Usage(format!("--until {error}: an error is above 0, such as 1e-5")));
        }
        let needed = estimate::needed_darts(error);
        if needed > 1.8e19 {
            return Err(Error::Usage(format!(
                "--until {error} takes about {needed:.1e} darts, more than the generator's 1.8e19 numbers of darts: take an error of at least 4e-10"
            )));
        }
    }
    let study = Study { powers: args.powers.0.clone(), runs: args.runs };
    if args.runs > study.max_runs() {
        return Err(Error::Usage(format!(
            "--runs {}: with these powers at most {} runs have darts of their own",
            args.runs,
            study.max_runs()
        )));
    }
    Ok(())
}

/// One estimate, of a number of darts or to a standard error.
fn run_once(world: &World, args: &PiArgs, mut place: RankDevice, mut phases: Phases) -> Result<(), Failure> {
    let (resumed, file) = resume(world, args, Checkpoint::start(args.seed, standard_error(args)))?;
    let mut thrower = Thrower::new(args.seed, world.size());
    let throwing = Instant::now();
    let state = throw(world, args, place.device.as_mut(), &mut thrower, &phases.stop, resumed.clone(), file.as_ref())?;
    let throw_s = throwing.elapsed().as_secs_f64();
    place.note_missing_threads(world);
    let tracing = phases.tracing.take();
    tracing.map_or(Ok(()), |tracing| tracing.end(world, "pi"))?;
    let mine = rank_report(world, &place, &thrower, &phases);
    let clocks = super::clocks(world, args.report.form(), phases.started);
    if let Some(ranks) = world.all.gather(&mine) {
        let estimate = Estimate::new(state.hits, state.darts);
        let summary = PiSummary {
            seed: args.seed,
            darts: state.darts,
            hits: state.hits,
            pi: estimate.pi,
            std_error: estimate.std_error,
            deviation: estimate.deviation(),
            resumed_darts: resumed.darts,
            total_s: phases.started.elapsed().as_secs_f64(),
            throw_s,
            darts_per_s: rate(state.darts - resumed.darts, throw_s),
        };
        let report = Report { head: super::head(world, "pi"), summary, notes: place.notes.clone(), ranks };
        let form = super::in_form(args.report.form(), &report, &clocks);
        super::print(&form).map_err(|error| Failure::alone(&error))?;
    }
    Ok(())
}

/// The standard error to throw down to, where one was asked for.
fn standard_error(args: &PiArgs) -> Option<f64> {
    args.until.map(|until| until.0[0])
}

/// Throws from `state` on to the end that was asked for, and returns the state there. Collective.
fn throw(
    world: &World,
    args: &PiArgs,
    device: &mut dyn Device,
    thrower: &mut Thrower,
    stop: &Stop,
    mut state: Checkpoint,
    file: Option<&StateFile>,
) -> Result<Checkpoint, Failure> {
    loop {
        state.target = match standard_error(args) {
            None => args.darts.0,
            Some(_) if state.darts < state.target => state.target,
            Some(error) => estimate::next_batch(state.hits, state.darts, error).unwrap_or(state.darts),
        };
        if state.darts == state.target {
            break;
        }
        let progress =
            Progress::new(world.is_root(), args.report.progress, args.report.quiet, "the darts", state.target);
        let before = state.clone();
        let hits = thrower.throw(world, device, &Throws::one(state.target), before.darts, &mut |darts, hits| {
            progress.reach(darts);
            let mut now = before.clone();
            (now.darts, now.hits) = (darts, before.hits + hits[0]);
            file.map_or(Ok(()), |file| file.write(&now))?;
            stopped(stop, darts, state.target, args.resume.is_some())
        })?;
        progress.finish();
        state.hits += hits[0];
        state.darts = state.target;
    }
    Ok(state)
}

/// The state to start from, the same on every rank, and on rank 0 the file that keeps it, held until it is dropped. Collective.
fn resume(world: &World, args: &PiArgs, start: Checkpoint) -> Result<(Checkpoint, Option<StateFile>), Failure> {
    let Some(path) = args.resume.as_deref() else { return Ok((start, None)) };
    let read = || {
        let file = StateFile::hold(path)?;
        let state = file.read(start.clone())?;
        if args.until.is_none() && state.darts > args.darts.0 {
            let reason = format!("{} darts are thrown already, this run is of {}", state.darts, args.darts.0);
            return Err(WorkloadError::Resume { path: path.to_owned(), reason }.into());
        }
        Ok((state, Some(file)))
    };
    let (state, file) = world.agree(if world.is_root() { read() } else { Ok((start.clone(), None)) })?;
    Ok((world.all.broadcast(0, &state), file))
}

/// The convergence study.
fn run_study(world: &World, args: &PiArgs, mut place: RankDevice, mut phases: Phases) -> Result<(), Failure> {
    let study = Study { powers: args.powers.0.clone(), runs: args.runs };
    let files = world.agree(if world.is_root() { StudyFiles::create(args).map(Some) } else { Ok(None) })?;
    let throws = study.throws();
    let progress = Progress::new(world.is_root(), args.report.progress, args.report.quiet, "the darts", throws.darts());
    let mut thrower = Thrower::new(args.seed, world.size());
    let throwing = Instant::now();
    let hits = thrower.throw(world, place.device.as_mut(), &throws, 0, &mut |darts, _| {
        progress.reach(darts);
        stopped(&phases.stop, darts, throws.darts(), false)
    })?;
    let throw_s = throwing.elapsed().as_secs_f64();
    progress.finish();
    place.note_missing_threads(world);
    let tracing = phases.tracing.take();
    tracing.map_or(Ok(()), |tracing| tracing.end(world, "pi"))?;
    let mine = rank_report(world, &place, &thrower, &phases);
    let clocks = super::clocks(world, args.report.form(), phases.started);
    let ranks = world.all.gather(&mine);
    let summary = StudySummary {
        seed: args.seed,
        rows: study.rows(&hits),
        darts: throws.darts(),
        hits: hits.iter().sum(),
        total_s: 0.0,
        throw_s,
        darts_per_s: rate(throws.darts(), throw_s),
        files: Vec::new(),
    };
    let (notes, ranks) = (place.notes.clone(), ranks.unwrap_or_default());
    let mut report = Report { head: super::head(world, "pi"), summary, notes, ranks };
    let written = files.map_or(Ok(Vec::new()), |files| files.write(&report));
    report.summary.files = world.agree(written)?;
    report.summary.total_s = phases.started.elapsed().as_secs_f64();
    if world.is_root() {
        let form = super::in_form(args.report.form(), &report, &clocks);
        super::print_beside_files(&form);
    }
    Ok(())
}

/// The files of a study, created before it begins.
struct StudyFiles {
    plots: Vec<(Plot, WholeFile, WholeFile)>,
    csv: Option<WholeFile>,
    paths: Vec<PathBuf>,
}

impl StudyFiles {
    fn create(args: &PiArgs) -> Result<Self, Error> {
        let mut paths = Vec::new();
        let mut create = |end: String| -> Result<WholeFile, Error> {
            let mut path = args.output.clone().into_os_string();
            path.push(end);
            let path = PathBuf::from(path);
            let file = WholeFile::create(&path)?;
            paths.push(path);
            Ok(file)
        };
        let plots = Plot::ALL
            .into_iter()
            .map(|plot| Ok((plot, create(format!("_{}.svg", plot.name()))?, create(format!("_{}.png", plot.name()))?)))
            .collect::<Result<_, Error>>()?;
        let csv = args.csv.then(|| create(".csv".to_owned())).transpose()?;
        Ok(Self { plots, csv, paths })
    }

    /// Writes and completes them, and tells their names.
    fn write(self, report: &Report<StudySummary>) -> Result<Vec<String>, Error> {
        for (plot, svg, png) in self.plots {
            svg.complete(plot.svg(&report.summary.rows).as_bytes())?;
            png.complete(&plot.png(&report.summary.rows))?;
        }
        if let Some(csv) = self.csv {
            csv.complete(report.csv().as_bytes())?;
        }
        Ok(self.paths.iter().map(|path| path.display().to_string()).collect())
    }
}

fn rank_report(world: &World, place: &RankDevice, thrower: &Thrower, phases: &Phases) -> RankReport<PiShare> {
    RankReport {
        run: place.report(world, phases.start_s, phases.device_s, thrower.compute_s, thrower.wait_s),
        share: PiShare { darts: thrower.my_darts, hits: thrower.my_hits },
    }
}

#[expect(clippy::cast_precision_loss, reason = "a rate needs few digits")]
fn rate(number: u64, time_s: f64) -> f64 {
    if time_s > 0.0 { number as f64 / time_s } else { 0.0 }
}
