//! `hybrid where -- PROGRAM`: the program in its place, and after a while under load where its threads and its GPU's files really are,
//! as the kernel tells.

use std::{
    collections::{BTreeMap, BTreeSet},
    fs, io,
    os::unix::process::ExitStatusExt,
    path::Path,
    process::Child,
    sync::{
        Arc,
        atomic::{AtomicBool, Ordering},
    },
    thread,
    time::{Duration, Instant},
};

use rustix::process::{Pid, Signal, kill_process};
use serde::{Deserialize, Serialize};

use super::{Failed, Placed, Wanted, meet, place};
use crate::{
    cli::{DeviceArgs, Format, WhereArgs},
    commands::{
        processes::{entries, family},
        site::software,
    },
    error::Error,
    launcher::Launch,
    output::file::process,
    placement::{Device, RankFacts},
    streams,
    topology::{self, CpuSet, PciBusId},
    words::counted,
};

/// How long the processes of a node are waited for, to be placed and to tell what they have seen.
const PATIENCE: Duration = Duration::from_secs(60);

/// Between two looks at whether the program still runs.
const PAUSE: Duration = Duration::from_millis(20);

/// What was seen of a rank's program.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
struct Seen {
    /// Threads of all its processes.
    threads: usize,
    /// PUs on which any of them may run.
    may_run: CpuSet,
    /// Threads that were running, by the PU.
    running: BTreeMap<usize, usize>,
    /// GPUs whose files are open.
    gpus: BTreeSet<PciBusId>,
    /// Whether it had ended before anybody looked.
    has_ended: bool,
}

/// Starts the program of this process in its place, looks at it, tells with the others of the node what was seen, and ends as it does.
/// With `--strict` the code is 3 where anything was found.
pub(crate) fn look_at(args: &WhereArgs, launch: &Launch, own: Option<&'static str>) -> Result<u8, Failed> {
    let alone = |error| Failed { error, speaks: true };
    if args.draw || args.output.is_some() || args.format != Format::Table {
        let reason =
            "--format, --draw and -o are for places alone: what is seen of a program is told in lines on stderr"
                .to_owned();
        return Err(Failed { error: Error::Usage(reason), speaks: launch.speaks() });
    }
    let DeviceArgs { place: place_args, software_gpu, .. } = &args.device;
    let wanted =
        Wanted { place: place_args, software: software(*software_gpu), patience: PATIENCE, program: &args.program };
    let placed = place(&wanted, launch)?;
    let signals = Signals::watch().map_err(alone)?;
    let failed = |cause: io::Error| placed.not_started(&args.program, &cause);
    let mut program = Program(placed.command(&args.program, own)?.spawn().map_err(failed)?);
    let until = Instant::now() + Duration::from_secs(args.after.into());
    let mut ended = None;
    while ended.is_none() && Instant::now() < until {
        thread::sleep(PAUSE);
        signals.pass_on(&program);
        ended = program.0.try_wait().map_err(failed)?;
    }
    let seen = if ended.is_some() { Seen { has_ended: true, ..Seen::default() } } else { Seen::of(program.0.id()) };
    let limit = Duration::from_secs(args.after.into()) + PATIENCE;
    let all = meet(limit, launch, "seen", &seen)?.unwrap_or_else(|| vec![seen]);
    let findings: Vec<String> =
        placed.ranks.iter().zip(&all).flat_map(|(rank, seen)| findings(&placed, rank, seen)).collect();
    if placed.number == 0 {
        streams::tell(&report(&placed, &all, &findings));
    }
    let status = loop {
        if let Some(status) = program.0.try_wait().map_err(failed)? {
            break status;
        }
        signals.pass_on(&program);
        thread::sleep(PAUSE);
    };
    if args.strict && !findings.is_empty() {
        let warnings = vec![counted(findings.len(), "finding")];
        return Err(Failed { error: Error::Strict { warnings }, speaks: placed.number == 0 });
    }
    // As shells have it.
    let code = status.code().or_else(|| Some(128 + status.signal()?));
    Ok(code.and_then(|code| u8::try_from(code).ok()).unwrap_or(u8::MAX))
}

/// The program that is looked at, which does not outlive who looks.
struct Program(Child);

impl Drop for Program {
    fn drop(&mut self) {
        if matches!(self.0.try_wait(), Ok(None)) {
            let _ = self.0.kill();
            let _ = self.0.wait();
        }
    }
}

/// Signals that end a job, or tell it something: they are meant for the program.
struct Signals(Vec<(Signal, Arc<AtomicBool>)>);

impl Signals {
    fn watch() -> Result<Self, Error> {
        let all = [Signal::TERM, Signal::INT, Signal::HUP, Signal::QUIT, Signal::USR1, Signal::USR2];
        let watched = all.into_iter().map(|signal| {
            let flag = Arc::new(AtomicBool::new(false));
            signal_hook::flag::register(signal.as_raw(), Arc::clone(&flag))?;
            Ok((signal, flag))
        });
        let watched: io::Result<Vec<_>> = watched.collect();
        watched.map(Self).map_err(|cause| Error::Module(format!("signals cannot be heard: {cause}").into()))
    }

    fn pass_on(&self, program: &Program) {
        let pid = i32::try_from(program.0.id()).ok().and_then(Pid::from_raw);
        for (signal, _) in self.0.iter().filter(|(_, flag)| flag.swap(false, Ordering::Relaxed)) {
            // It may just have ended.
            let _ = pid.map(|pid| kill_process(pid, *signal));
        }
    }
}

impl Seen {
    /// What the kernel tells of a process and of those that it has started.
    fn of(pid: u32) -> Self {
        let mut seen = Self::default();
        for pid in family(pid) {
            for thread in entries(&format!("/proc/{pid}/task")) {
                let folder = format!("/proc/{pid}/task/{thread}");
                let status = fs::read_to_string(format!("{folder}/status")).unwrap_or_default();
                let allowed = status.lines().find_map(|line| line.strip_prefix("Cpus_allowed_list:"));
                let Some(allowed) = allowed.and_then(|list| list.trim().parse::<CpuSet>().ok()) else { continue };
                seen.threads += 1;
                seen.may_run = &seen.may_run | &allowed;
                let stat = fs::read_to_string(format!("{folder}/stat")).unwrap_or_default();
                if let Some(pu) = running_on(&stat) {
                    *seen.running.entry(pu).or_default() += 1;
                }
            }
            for descriptor in entries(&format!("/proc/{pid}/fd")) {
                let file = fs::read_link(format!("/proc/{pid}/fd/{descriptor}")).unwrap_or_default();
                seen.gpus.extend(topology::gpu_of_file(Path::new("/"), &file));
            }
        }
        seen
    }
}

/// The PU of a thread that runs (proc(5), fields 3 and 39 of /proc/PID/stat).
fn running_on(stat: &str) -> Option<usize> {
    let fields = process::fields(stat)?;
    fields.first().filter(|state| **state == "R")?;
    fields.get(36)?.parse().ok()
}

/// What of a rank's program is not where its place is.
fn findings(placed: &Placed, rank: &RankFacts, seen: &Seen) -> Vec<String> {
    let place = &rank.place;
    let number = place.rank;
    if seen.has_ended {
        return vec![format!("rank {number} had ended before it was looked at: look earlier with --after")];
    }
    let mut found = Vec::new();
    let beyond = &seen.may_run - &place.cores;
    if !beyond.is_empty() {
        found.push(format!(
            "rank {number} has threads that may run on PUs {beyond}, beyond its place on {}",
            place.cores
        ));
    }
    let crowded = seen.running.values().max().copied().unwrap_or(0);
    let used = seen.running.keys().filter(|pu| place.cores.contains(**pu)).count();
    if crowded > 1 && used < place.cores.len() {
        found.push(format!(
            "rank {number} has {crowded} running threads on one PU while {} of its place are idle: let its threads spread over {}",
            place.cores.len() - used,
            place.cores
        ));
    }
    let own = match place.device {
        Device::Gpu(id) => Some(id),
        Device::Cpu | Device::SoftwareGpu => None,
    };
    for gpu in seen.gpus.iter().filter(|gpu| own != Some(**gpu)) {
        let of = placed.ranks.iter().find(|other| other.place.device == Device::Gpu(*gpu));
        let of = of.map_or_else(String::new, |other| format!(", which is that of rank {}", other.place.rank));
        found.push(format!("rank {number} uses GPU {gpu}{of}"));
    }
    if let Some(own) = own.filter(|own| !seen.gpus.contains(own)) {
        found.push(format!("rank {number} does not use its GPU {own}"));
    }
    found
}

/// What was seen on a node, a line a rank, and what is wrong.
fn report(placed: &Placed, all: &[Seen], findings: &[String]) -> String {
    let host = placed.node.host.as_deref().unwrap_or("this host");
    let line = |(rank, seen): (&RankFacts, &Seen)| {
        let running: Vec<String> = seen.running.iter().map(|(pu, threads)| format!("{pu} ({threads})")).collect();
        let gpus: Vec<String> = seen.gpus.iter().map(PciBusId::to_string).collect();
        let or_none = |words: Vec<String>| if words.is_empty() { "none".to_owned() } else { words.join(", ") };
        format!(
            "{host}: rank {}: place {} {}; {} that may run on {}; running on PUs {}; GPUs open: {}",
            rank.place.rank,
            rank.place.cores,
            rank.place.device,
            counted(seen.threads, "thread"),
            seen.may_run,
            or_none(running),
            or_none(gpus)
        )
    };
    let lines = placed.ranks.iter().zip(all).filter(|(_, seen)| !seen.has_ended).map(line);
    let warnings = findings.iter().map(|finding| format!("warning: {host}: {finding}"));
    lines.chain(warnings).collect::<Vec<_>>().join("\n")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn only_a_thread_that_runs_is_on_a_pu() {
        let stat = |state: &str| {
            format!("7 (a) b) {state} {} 3 9 9", (4..39).map(|field| field.to_string()).collect::<Vec<_>>().join(" "))
        };
        assert_eq!((running_on(&stat("R")), running_on(&stat("S")), running_on("")), (Some(3), None, None));
    }

    #[test]
    fn this_process_and_its_children_are_seen() {
        let mut child = std::process::Command::new("sleep").arg("100").spawn().unwrap();
        let seen = Seen::of(std::process::id());
        assert!(family(std::process::id()).contains(&child.id()), "{}", child.id());
        assert!(seen.threads >= 2 && !seen.may_run.is_empty(), "{seen:?}");
        child.kill().unwrap();
        child.wait().unwrap();
    }
}
