//! One run: started, timed, ended where its time is over, and told as a record.

use std::{
    env, io,
    os::unix::process::ExitStatusExt,
    process::{Child, Command, ExitStatus, Stdio},
    sync::mpsc::{self, RecvTimeoutError},
    thread,
    time::{Duration, Instant, SystemTime},
};

use rustix::process::{Pid, Signal, kill_process};

use super::{
    guard::Guard,
    output::{Reading, Wanted},
    plan::{self, Plan},
};
use crate::{
    build_id::BuildId,
    commands::{
        processes::{Process, family},
        system,
    },
    error::Error,
    output::file::lock::Lock,
    study::{Record, Run, SCHEMA, Status, record::as_json},
    workload::stop::Stop,
};

/// Between two looks at whether the sweep is to stop. The end of a run is waited for without looking.
const PAUSE: Duration = Duration::from_millis(20);
/// A run that is to end has this long to do so in an orderly way.
const GRACE: Duration = Duration::from_secs(5);

/// A run that was made.
pub(super) struct Measured {
    argv: Vec<String>,
    started: SystemTime,
    wall: Duration,
    end: End,
    found: Option<String>,
    stderr: String,
}

/// How a run ended.
enum End {
    Exited(ExitStatus),
    TimedOut,
    NotStarted(io::Error),
}

impl Measured {
    /// Makes a run; `None` where the sweep is to stop, and the run was ended for that.
    pub(super) fn run(plan: &Plan, run: &Run, lock: &Lock, stop: &Stop) -> Result<Option<Self>, Error> {
        let argv = plan.argv(run);
        let nothing_to_start = |source: io::Error| Error::Module(format!("a run cannot be watched: {source}").into());
        let (stderr, into_stderr) = io::pipe().map_err(nothing_to_start)?;
        let guard = stderr.try_clone().and_then(|pipe| Guard::start(lock, pipe)).map_err(nothing_to_start)?;
        let mut command = Command::new(&argv[0]);
        command.args(&argv[1..]).stdin(Stdio::null()).stdout(Stdio::piped()).stderr(into_stderr);
        guard.takes(&mut command);
        let (started, clock) = (SystemTime::now(), Instant::now());
        let spawned = command.spawn();
        // What this process has of the pipe: the run alone is to write into it.
        drop(command);
        let mut child = match spawned {
            Ok(child) => child,
            Err(error) => {
                let end = End::NotStarted(error);
                return Ok(Some(Self {
                    argv,
                    started,
                    wall: clock.elapsed(),
                    end,
                    found: None,
                    stderr: String::new(),
                }));
            }
        };
        let wanted = match &plan.pattern {
            Some(pattern) => Wanted::Pattern(pattern.clone()),
            None if plan.spec.is_hybrid => Wanted::Report,
            None => Wanted::Nothing,
        };
        let stdout = Reading::start(child.stdout.take().expect("it was asked for"), wanted.clone());
        let stderr = Reading::start(stderr, wanted);
        let pid = child.id();
        let ended = when_ended(child, clock);
        let limit = plan.spec.timeout_s.map(Duration::from_secs);
        let (end, wall) = loop {
            match ended.recv_timeout(PAUSE) {
                Ok((status, wall)) => break (End::Exited(status.map_err(nothing_to_start)?), wall),
                Err(RecvTimeoutError::Disconnected) => unreachable!("it tells before it ends"),
                Err(RecvTimeoutError::Timeout) => {}
            }
            let is_late = limit.is_some_and(|limit| clock.elapsed() >= limit);
            if is_late || stop.reason().is_some() {
                end_all(&guard, pid, &ended);
                if !is_late {
                    return Ok(None);
                }
                break (End::TimedOut, clock.elapsed());
            }
        };
        if stop.reason().is_some() && !matches!(&end, End::Exited(status) if status.success()) {
            // It was told to stop as well, as by a batch system.
            return Ok(None);
        }
        let (out, err) = (stdout.finish(), stderr.finish());
        let text = |bytes: Vec<u8>| String::from_utf8_lossy(&bytes).into_owned();
        let found = out.0.or(err.0).map(text);
        Ok(Some(Self { argv, started, wall, end, found, stderr: text(err.1) }))
    }

    /// What is kept of it.
    pub(super) fn record(self, plan: &Plan, run: &Run) -> Record {
        let (mut status, mut reason) = self.outcome(plan);
        let (mut value, mut report) = (None, None);
        if status == Status::Ok && plan.pattern.is_some() {
            value = self.found.as_deref().and_then(number);
            if value.is_none() {
                status = Status::Failed;
                reason = Some(match &self.found {
                    None => "the pattern was not found in what it printed".to_owned(),
                    Some(text) => format!("the pattern found {text:?}, which is no number"),
                });
            }
        } else if status == Status::Ok && plan.spec.is_hybrid {
            report = self.found.as_deref().and_then(|text| serde_json::from_str(text).ok());
            if report.is_none() {
                status = Status::Failed;
                reason = Some("it printed no report".to_owned());
            }
        }
        let exit = match &self.end {
            End::Exited(status) => (status.code(), status.signal()),
            End::TimedOut | End::NotStarted(_) => (None, None),
        };
        let build = BuildId::of_this_program();
        let variables = env::vars_os().filter_map(|(name, value)| Some((name.into_string().ok()?, value)));
        let variables = variables.filter(|(name, _)| plan::matters(name));
        Record {
            hybrid_sweep: SCHEMA,
            key: run.key(),
            parameters: run.values.iter().map(|(name, value)| (name.clone(), as_json(value))).collect(),
            repeat: run.repeat,
            status,
            wall_ns: u64::try_from(self.wall.as_nanos()).unwrap_or(u64::MAX),
            value,
            exit_code: exit.0,
            signal: exit.1,
            reason,
            stderr: (status != Status::Ok && !self.stderr.trim().is_empty()).then_some(self.stderr),
            argv: self.argv,
            environment: variables.map(|(name, value)| (name, value.to_string_lossy().into_owned())).collect(),
            cwd: env::current_dir().map(|folder| folder.display().to_string()).unwrap_or_default(),
            host: system::uname().node,
            version: build.version,
            build: format!("{:016x}", build.sources),
            started: humantime::format_rfc3339_micros(self.started).to_string(),
            sweep: plan.spec.clone(),
            report,
        }
    }

    /// Whether it ended with success, and why not.
    fn outcome(&self, plan: &Plan) -> (Status, Option<String>) {
        let says_something = |line: &&str| line.chars().any(char::is_alphanumeric);
        let last = self.stderr.lines().map(str::trim).rfind(says_something);
        let said = last.map_or_else(String::new, |line| format!(": {line}"));
        match &self.end {
            End::Exited(status) if status.success() => (Status::Ok, None),
            End::Exited(status) => {
                let how = match (status.code(), status.signal()) {
                    (Some(code), _) => format!("it ended with code {code}"),
                    (None, Some(signal)) => format!("it was ended by signal {signal}"),
                    (None, None) => "it ended without success".to_owned(),
                };
                (Status::Failed, Some(how + &said))
            }
            End::TimedOut => {
                let limit = plan.spec.timeout_s.unwrap_or_default();
                (Status::Timeout, Some(format!("it took longer than {limit} s{said}")))
            }
            End::NotStarted(cause) => (Status::Failed, Some(format!("{} cannot be started: {cause}", self.argv[0]))),
        }
    }
}

/// A thread that waits for the end of a process, so that its time is known as soon as it has ended.
fn when_ended(mut child: Child, clock: Instant) -> mpsc::Receiver<(io::Result<ExitStatus>, Duration)> {
    let (sender, ended) = mpsc::channel();
    thread::spawn(move || {
        let status = child.wait();
        // Nobody asks any more where the sweep has stopped.
        let _ = sender.send((status, clock.elapsed()));
    });
    ended
}

/// Ends a run in an orderly way, and what is still there of it after a while at once, in whatever process group it is.
fn end_all<T>(guard: &Guard, pid: u32, ended: &mpsc::Receiver<T>) {
    let all: Vec<Process> = family(pid).into_iter().filter_map(Process::of).collect();
    guard.signal(Signal::TERM);
    let _ = ended.recv_timeout(GRACE);
    guard.signal(Signal::KILL);
    for process in all.into_iter().filter(Process::is_there) {
        if let Some(pid) = i32::try_from(process.pid).ok().and_then(Pid::from_raw) {
            let _ = kill_process(pid, Signal::KILL);
        }
    }
}

/// A number as programs print it.
fn number(text: &str) -> Option<f64> {
    text.trim().parse::<f64>().ok().filter(|number| number.is_finite())
}
