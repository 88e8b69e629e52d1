//! One job of ranks of two architectures: this machine's hosts and hosts of arm64, which qemu emulates, in the cluster of
//! `tests/cluster/run`. The bytes are those of one rank of this machine.
//!
//! `.ci/long arm64` makes the arm64 system, builds for it, and runs these tests, with the system's folder in `HYBRID_TEST_ARM64`.

#![allow(clippy::unwrap_used, reason = "a test fails where it cannot go on")]

mod support;

use std::{env, fs, path::Path, process::Command};

use serde_json::Value;
use support::{Finished, HYBRID, Job, Launcher, launcher, not_run, runs_with, wait_until};

const CLUSTER: &str = concat!(env!("CARGO_MANIFEST_DIR"), "/tests/cluster/run");
/// The folder of the arm64 system.
const SYSTEM: &str = "HYBRID_TEST_ARM64";
/// A folder of programs for arm64 whose kernel was changed.
const EDITED: &str = "HYBRID_TEST_ARM64_EDITED";

/// Hosts of ranks 0, 1, ...: two to four ranks, either architecture first. The GPU, a software one, is on node1 alone.
const LAYOUTS: [&[&str]; 4] =
    [&["pi1", "node1"], &["node1", "pi1"], &["pi1", "node1", "pi2"], &["node1", "pi1", "node2", "pi2"]];
const SCHEDULES: [&str; 2] = ["--schedule dynamic", "--schedule static"];

/// The arm64 system, or else it is said that the test is not run.
fn system() -> Option<String> {
    if !runs_with(&[Launcher::OpenMpi4]) {
        return None;
    }
    let found = env::var(SYSTEM).ok();
    if found.is_none() {
        not_run("needs an arm64 system: .ci/long arm64");
    }
    found
}

/// `hybrid words`, a rank on each of `hosts`, each with both first cores.
fn job(system: &str, folder: &Path, hosts: &[&str], words: &str) -> Job {
    let mut command = Command::new(CLUSTER);
    let lines: Vec<String> =
        hosts.iter().enumerate().map(|(rank, host)| format!("rank {rank}={host} slot=0-1\n")).collect();
    fs::write(folder.join("rankfile"), lines.concat()).unwrap();
    command.env("HYBRID_CLUSTER_ARM64", system).arg(&launcher()[0]);
    command.args(["-n", &hosts.len().to_string(), "-rf", "rankfile"]);
    command.arg(HYBRID).args(words.split_whitespace());
    Job::of(command, folder)
}

/// The files of a job, and its report.
fn made(folder: &Path, finished: &Finished) -> (Vec<Vec<u8>>, Value) {
    let files = ["julia.png", "counts.npy"].map(|name| fs::read(folder.join(name)).unwrap_or_default());
    (files.to_vec(), finished.json())
}

/// What one rank of this machine makes, on its cores.
fn alone(words: &str) -> (Vec<Vec<u8>>, Value) {
    let folder = tempfile::tempdir().unwrap();
    let finished = Job::alone(folder.path(), &format!("{words} --device cpu")).run().succeeded();
    made(folder.path(), &finished)
}

/// A rank's host, architecture and device, as the report has them.
fn assert_who(report: &Value, hosts: &[&str]) {
    for (rank, host) in report["ranks"].as_array().unwrap().iter().zip(hosts) {
        let architecture = if host.starts_with("pi") { "aarch64" } else { env::consts::ARCH };
        let device = if *host == "node1" { "gpu" } else { "cpu" };
        assert_eq!(
            (&rank["host"], &rank["architecture"], &rank["device"]),
            (&(*host).into(), &architecture.into(), &device.into()),
            "{report:#}"
        );
        let adapter = rank["adapter"].as_str().unwrap();
        assert!(!host.starts_with("pi") || adapter.contains("(neon)"), "{report:#}");
    }
}

const IMAGES: [&str; 6] = [
    "julia --scale 3 --precision f64",
    "julia --precision f32 --max-iter 1000",
    "julia --c -0.8,0.156 --max-iter 600 --color-scale log --color cubehelix",
    "julia --max-iter 600 --color-scale linear --color grey",
    "mandelbrot --precision f64 --max-iter 500",
    "mandelbrot --precision f32 --color cubehelix",
];

#[test]
#[ignore = "needs an arm64 system: .ci/long arm64"]
fn pictures_and_counts_are_those_of_one_rank_of_this_machine() {
    let Some(system) = system() else { return };
    for words in IMAGES {
        let words = format!("{words} --counts counts.npy --timings json -o julia.png");
        let (expected, _) = alone(&words);
        for hosts in LAYOUTS {
            for schedule in SCHEDULES {
                let folder = tempfile::tempdir().unwrap();
                let words = format!("{words} --software-gpu {schedule}");
                let finished = job(&system, folder.path(), hosts, &words).run().succeeded();
                let (files, report) = made(folder.path(), &finished);
                assert!(files == expected, "{hosts:?} {words}: {finished:#?}");
                assert_who(&report, hosts);
                let worked = |rank: &Value| rank["pixels"].as_u64().unwrap() > 0;
                let is_shared = report["ranks"].as_array().unwrap().iter().all(worked);
                assert!(is_shared || schedule != "--schedule static", "{report:#}");
            }
        }
    }
}

#[test]
#[ignore = "needs an arm64 system: .ci/long arm64"]
fn the_hits_are_those_of_one_rank_of_this_machine() {
    let Some(system) = system() else { return };
    for (darts, seed, known) in [("1e8", 7, Some(78_535_974)), ("3000001", 11, None)] {
        let words = format!("pi --darts {darts} --seed {seed} --timings json");
        let hits = alone(&words).1["hits"].as_u64().unwrap();
        assert!(known.is_none_or(|known| known == hits));
        for hosts in LAYOUTS {
            let folder = tempfile::tempdir().unwrap();
            let finished = job(&system, folder.path(), hosts, &format!("{words} --software-gpu")).run().succeeded();
            let report = finished.json();
            assert_eq!(report["hits"], hits, "{hosts:?} {words}: {report:#}");
            assert_who(&report, hosts);
        }
    }
}

/// Each job is killed when part of the picture is in its file, and the next goes on with others; the last one is of this machine alone.
#[test]
#[ignore = "needs an arm64 system: .ci/long arm64"]
fn what_one_architecture_left_the_other_goes_on_with() {
    const WORDS: &str = "julia --scale 12 --precision f64 --counts counts.npy --timings json -o julia.png";
    let Some(system) = system() else { return };
    let (expected, _) = alone(WORDS);
    for first in [["pi1", "node1", "pi2"], ["node1", "pi1", "pi2"]] {
        let folder = tempfile::tempdir().unwrap();
        let journal = folder.path().join("julia.png.journal");
        let noted = || fs::metadata(&journal).map_or(0, |file| file.len());
        for hosts in [&first[..], &["pi2"], &["node2", "pi1"]] {
            let before = noted();
            let words = format!("{WORDS} --resume --device cpu --schedule static");
            let running = job(&system, folder.path(), hosts, &words).start();
            wait_until("more in the journal", || noted() > before || !journal.exists() && before > 0);
            running.kill_group();
            let killed = running.finish();
            assert_ne!(killed.code, Some(0), "{hosts:?} came to its end before it was killed: {killed:#?}");
        }
        let words = format!("{WORDS} --resume --device cpu");
        let finished = Job::alone(folder.path(), &words).run().succeeded();
        assert!(made(folder.path(), &finished).0 == expected, "{first:?}: {finished:#?}");
    }
}

#[test]
#[ignore = "needs an arm64 system: .ci/long arm64"]
fn ranks_are_where_the_rankfile_puts_them_on_either_architecture() {
    let Some(system) = system() else { return };
    let folder = tempfile::tempdir().unwrap();
    let finished =
        job(&system, folder.path(), &["pi1", "node1", "pi2"], "where --strict --format json").run().succeeded();
    let report = finished.json();
    for (rank, host) in report["ranks"].as_array().unwrap().iter().zip(["pi1", "node1", "pi2"]) {
        assert_eq!((&rank["host"], &rank["cores"]), (&host.into(), &"0-1".into()), "{report:#}");
    }
    let findings = report["findings"].to_string();
    assert!(findings.contains("hosts differ in architecture: ") && findings.contains("aarch64"), "{report:#}");
}

/// The comparisons of this file can fail: a build for arm64 with another kernel is refused, and where it is allowed for having the same
/// wire format, its picture is another.
#[test]
#[ignore = "needs an arm64 system: .ci/long arm64"]
fn an_edited_kernel_of_one_architecture_is_caught() {
    const WORDS: &str = "julia --scale 3 --counts counts.npy --timings json -o julia.png --schedule static";
    let Some(system) = system() else { return };
    let Ok(edited) = env::var(EDITED) else { return not_run("needs a build of an edited kernel: .ci/long arm64") };
    let (expected, _) = alone(WORDS);
    let folder = tempfile::tempdir().unwrap();
    let edited = |words: &str| {
        job(&system, folder.path(), &["node1", "pi1"], &format!("{words} --device cpu"))
            .env("HYBRID_ARM64_PROGRAMS", &edited)
            .run()
    };
    let refused = edited(WORDS);
    assert_eq!(refused.code, Some(2), "{refused:#?}");
    let [line] = refused.error_lines()[..] else { panic!("{refused:#?}") };
    assert!(line.contains("ranks of different builds are in one job: rank 0 on node1 is"), "{line}");
    let finished = edited(&format!("{WORDS} --allow-mixed-builds")).succeeded();
    let (files, _) = made(folder.path(), &finished);
    assert!(files[0] != expected[0] && files[1] != expected[1], "{finished:#?}");
}
