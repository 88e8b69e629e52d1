//! `--timings stopwatch`: lines that scripts made for cloudmesh's StopWatch find and cut. `--trace`: what each rank did when.

#![allow(clippy::unwrap_used, reason = "a test fails where it cannot go on")]

mod support;

use std::{fs, process::Command};

use serde_json::Value;
use support::Job;

const FIELDS: &str = "# csv,timer,status,time,sum,start,tag,msg,uname.node,user,uname.system,platform.version";

/// The lines that `fgrep "# csv"` finds, cut at commas.
fn lines(words: &str, ranks: usize) -> Vec<Vec<String>> {
    let folder = tempfile::tempdir().unwrap();
    let job = Job::mpiexec(folder.path(), ranks, words).run().succeeded();
    fs::write(folder.path().join("log"), &job.stdout).unwrap();
    let found = Command::new("grep").args(["-F", "# csv", "log"]).current_dir(folder.path()).output().unwrap();
    String::from_utf8(found.stdout).unwrap().lines().map(|line| line.split(',').map(str::to_owned).collect()).collect()
}

#[test]
fn every_workload_tells_its_phases_for_each_rank_and_over_all() {
    for (words, phases) in [
        ("julia --size 64x48 --timings stopwatch --quiet", &["compute", "wait", "encode", "device", "start"][..]),
        ("mandelbrot --size 64x48 --timings stopwatch", &["compute", "encode"]),
        ("pi --darts 1e5 --timings stopwatch", &["compute", "wait", "device", "start"]),
        ("pi --study --powers 3..4 --runs 4 --timings stopwatch", &["compute", "wait"]),
    ] {
        let lines = lines(words, 2);
        assert_eq!(lines[0].join(","), FIELDS, "{words}");
        assert!(lines.iter().all(|line| line.len() == FIELDS.split(',').count()), "{words}: {lines:#?}");
        let command = words.split(' ').next().unwrap();
        let timer = |name: String| {
            let found: Vec<&Vec<String>> = lines.iter().filter(|line| line[1] == name).collect();
            assert_eq!(found.len(), 1, "{words}: {name} in {lines:#?}");
            found[0][3].parse::<f64>().unwrap()
        };
        for phase in phases {
            let times = [0, 1].map(|rank| timer(format!("{command} {phase} rank {rank}")));
            let of = |what: &str| timer(format!("{command} {phase} {what}"));
            let mean = (times[0] + times[1]) / 2.0;
            assert!((of("mean") - mean).abs() < 2e-9 && of("min") <= of("max"), "{words}: {phase}");
            assert!((of("max") - times[0].max(times[1])).abs() < 1e-12, "{words}: {phase}");
        }
        assert!(timer(format!("{command} total")) > 0.0);
    }
}

#[test]
fn phases_of_all_ranks_lie_on_one_clock() {
    let lines = lines("pi --darts 1e5 --timings stopwatch", 3);
    let start = |rank: usize| {
        let name = format!("pi start rank {rank}");
        lines.iter().find(|line| line[1] == name).unwrap()[5].clone()
    };
    // Such as 2026-05-04 03:02:01.000000001.
    assert!((0..3).all(|rank| start(rank).len() == 29 && start(rank).starts_with("20")), "{lines:#?}");
    let nanoseconds = |line: &Vec<String>| line[3].split_once('.').is_some_and(|(_, digits)| digits.len() == 9);
    assert!(lines[1..].iter().all(nanoseconds), "{lines:#?}");
}

/// The report and the trace of a job.
fn traced(ranks: usize, words: &str) -> (Value, Value) {
    let folder = tempfile::tempdir().unwrap();
    let words = format!("{words} --timings json --trace trace.json");
    let job = Job::mpiexec(folder.path(), ranks, &words).run().succeeded();
    let trace = fs::read_to_string(folder.path().join("trace.json")).unwrap();
    (job.json(), serde_json::from_str(&trace).unwrap())
}

/// The complete events of a rank with this name.
fn events<'a>(trace: &'a Value, rank: usize, name: &str) -> Vec<&'a Value> {
    let all = trace["traceEvents"].as_array().unwrap().iter();
    all.filter(|event| event["ph"] == "X" && event["name"] == name && event["args"]["rank"] == rank).collect()
}

fn seconds(events: &[&Value]) -> f64 {
    events.iter().map(|event| event["dur"].as_f64().unwrap()).sum::<f64>() / 1e6
}

#[test]
fn a_trace_agrees_with_the_table_and_its_spans_do_not_overlap() {
    for (ranks, words) in [
        (4, "julia --size 640x480 --max-iter 200 --device auto --software-gpu"),
        (3, "julia --size 640x480 --schedule static"),
        (2, "mandelbrot --size 320x240 --device gpu --software-gpu --ranks-per-gpu 2"),
        (3, "pi --darts 1e7"),
    ] {
        let (report, trace) = traced(ranks, words);
        let mut dispatches = 0;
        for rank in 0..ranks {
            let of_table = report["ranks"][rank]["wait_s"].as_f64().unwrap();
            let of_trace = seconds(&events(&trace, rank, "wait"));
            assert!(
                (of_trace - of_table).abs() <= 0.01 * of_table + 1e-6,
                "{words}, rank {rank}: {of_trace} {of_table}"
            );
            assert!(!events(&trace, rank, "compute").is_empty() || words.contains("julia"), "{words}, rank {rank}");
            assert_eq!(events(&trace, rank, "start").len(), 1, "{words}, rank {rank}");
            dispatches += events(&trace, rank, "dispatch").len();
        }
        assert_eq!(dispatches > 0, words.contains("gpu"), "{words}");
        let all: Vec<&Value> =
            trace["traceEvents"].as_array().unwrap().iter().filter(|event| event["ph"] == "X").collect();
        let tracks: std::collections::BTreeSet<u64> = all.iter().map(|event| event["tid"].as_u64().unwrap()).collect();
        for track in tracks {
            let mut spans: Vec<(f64, f64)> = all
                .iter()
                .filter(|event| event["tid"] == track)
                .map(|event| (event["ts"].as_f64().unwrap(), event["dur"].as_f64().unwrap()))
                .collect();
            spans.sort_by(|a, b| a.0.total_cmp(&b.0));
            // To the last digit of a time.
            let overlap = spans.windows(2).find(|pair| pair[0].0 + pair[0].1 > pair[1].0 + 0.002);
            assert!(overlap.is_none(), "{words}, track {track}: {overlap:?}");
        }
    }
}

#[test]
fn a_trace_that_cannot_be_written_ends_the_job_before_it_computes() {
    let folder = tempfile::tempdir().unwrap();
    let job = Job::mpiexec(folder.path(), 2, "pi --darts 1e5 --trace missing/trace.json").run();
    assert_eq!((job.code, job.error_lines().len()), (Some(1), 1), "{job:#?}");
    assert!(job.stderr.contains("missing/trace.json") && job.stdout.is_empty(), "{job:#?}");
}
