//! A real cluster of three hosts, one of them with a GPU, in network namespaces of this machine: `tests/cluster/run`.
//!
//! Where namespaces are not permitted these tests fail with the reason; `HYBRID_TEST_NO_CLUSTER=1` turns them off, and they
//! say so.

#![allow(clippy::unwrap_used, reason = "a test fails where it cannot go on")]

mod support;

use std::{
    fs,
    io::{Write, stderr},
    path::Path,
    process::Command,
    thread,
    time::{Duration, Instant},
};

use support::{HYBRID, Job, Launcher, kind, launcher, not_run, runs_with, topology};

const RUN: &str = concat!(env!("CARGO_MANIFEST_DIR"), "/tests/cluster/run");
const RANKFILE: &str = concat!(env!("CARGO_MANIFEST_DIR"), "/tests/cluster/mixed.rankfile");
const OFF: &str = "HYBRID_TEST_NO_CLUSTER";

/// Whether the tests of this file are turned off; says so where they are, past what the test harness captures.
fn is_turned_off() -> bool {
    let off = std::env::var(OFF).is_ok_and(|value| value == "1");
    if off {
        stderr().write_all(format!("cluster: turned off by {OFF}=1\n").as_bytes()).unwrap();
    }
    off
}

/// A command on the first host of the cluster.
fn on_cluster(folder: &Path, words: &[&str]) -> Job {
    let mut command = Command::new(RUN);
    command.args(words);
    Job::of(command, folder)
}

/// Whether a test of jobs on the three hosts is not run.
fn has_no_cluster() -> bool {
    is_turned_off() || !runs_with(&[Launcher::OpenMpi4, Launcher::OpenMpi5, Launcher::OpenMpi6, Launcher::Mpich])
}

/// Whether a description of another machine tells MPICH the hardware threads of the first cores here.
fn is_described_by_another() -> bool {
    let is_single = hybrid::inside::topology::Node::of_this_machine(Path::new("/"))
        .unwrap()
        .cores
        .iter()
        .all(|core| core.pus.len() == 1);
    if !is_single && kind() == Some(Launcher::Mpich) {
        not_run("needs cores of one hardware thread each");
    }
    is_single || kind() != Some(Launcher::Mpich)
}

/// `hybrid` with four ranks on the three hosts, started as `hybrid rankfile command` says.
fn four_ranks(folder: &Path, words: &str) -> Job {
    let name = match kind() {
        Some(Launcher::OpenMpi4) => "openmpi4".to_owned(),
        Some(Launcher::Mpich) => {
            let of = |host: &str| format!(" --topology {host}={}", topology("raspberry-pi.xml"));
            format!("mpich{}", ["node1", "node2", "node3"].map(of).concat())
        }
        _ => "openmpi5".to_owned(),
    };
    let told = format!("rankfile command {RANKFILE} --launcher {name} -- {HYBRID} {words}");
    let command = Job::alone(folder, &told).run().succeeded().stdout;
    let options = command.strip_prefix("mpiexec ").unwrap().split_whitespace();
    let mpiexec = &launcher()[0];
    let words: Vec<&str> = [mpiexec.as_str()].into_iter().chain(options).collect();
    on_cluster(folder, &words)
}

#[test]
fn where_shows_what_was_asked_for_and_what_is_on_three_hosts() {
    if has_no_cluster() || !is_described_by_another() {
        return;
    }
    let folder = tempfile::tempdir().unwrap();
    let report = four_ranks(folder.path(), "where --format json --software-gpu").run().succeeded().json();
    let expected = [("node1", "0", "gpu"), ("node1", "1", "cpu"), ("node2", "1", "cpu"), ("node3", "0-1", "cpu")];
    for (rank, (host, cores, device)) in report["ranks"].as_array().unwrap().iter().zip(expected) {
        assert_eq!((&rank["host"], &rank["cores"], &rank["device"]), (&host.into(), &cores.into(), &device.into()));
        let asked = &rank["asked"];
        assert_eq!((&asked["slots"], &asked["pus"], &asked["fulfilled"]), (&cores.into(), &rank["pus"], &true.into()));
    }
    assert_eq!((report["ranks"].as_array().unwrap().len(), report["nodes"].as_array().unwrap().len()), (4, 3));
    assert!(report["ranks"][0]["gpu"]["driver"].is_string(), "{report:#}");
    let adapters = |node: usize| report["nodes"][node]["vulkan"]["adapters"].as_array().unwrap().len();
    assert!(adapters(0) > 0 && adapters(1) == 0 && adapters(2) == 0, "{report:#}");
}

#[test]
fn the_picture_is_that_of_one_rank_alone() {
    if has_no_cluster() || !is_described_by_another() {
        return;
    }
    let folder = tempfile::tempdir().unwrap();
    Job::alone(folder.path(), "julia --precision f64 --device cpu -q -o alone.png").run().succeeded();
    let words = "julia --precision f64 --software-gpu --timings json -o cluster.png";
    let report = four_ranks(folder.path(), words).run().succeeded().json();
    let ranks: Vec<_> =
        report["ranks"].as_array().unwrap().iter().map(|rank| (&rank["host"], &rank["device"])).collect();
    assert_eq!(ranks[0], (&"node1".into(), &"gpu".into()));
    assert_eq!(ranks[3], (&"node3".into(), &"cpu".into()));
    let read = |name: &str| fs::read(folder.path().join(name)).unwrap();
    assert!(read("cluster.png") == read("alone.png"), "{report:#}");
}

#[test]
fn a_rank_on_another_host_than_asked_for_is_named() {
    if has_no_cluster() {
        return;
    }
    let folder = tempfile::tempdir().unwrap();
    fs::write(folder.path().join("crossed.rf"), "rank 0=node2 slot=0\nrank 1=node1 slot=0\n").unwrap();
    let options = match kind() {
        Some(Launcher::Mpich) => "-ppn 1 -bind-to core -n 2 -hosts node1,node2",
        _ => "--map-by node --bind-to core -n 2 -H node1,node2",
    };
    let by_node = format!("{} {options}", launcher()[0]);
    let words = "where --strict --rankfile crossed.rf";
    let command: Vec<&str> = by_node.split(' ').chain([HYBRID]).chain(words.split(' ')).collect();
    let job = on_cluster(folder.path(), &command).run();
    assert_eq!(job.code, Some(3), "{job:#?}");
    assert!(job.stdout.contains("rank 0 was to be on node2 and is on node1"), "{job:#?}");
    assert!(job.stderr.contains("asked-is-not-actual of rank 1"), "{job:#?}");
}

#[test]
fn nothing_is_left_of_a_cluster_that_failed_or_was_killed() {
    if is_turned_off() {
        return;
    }
    let folder = tempfile::tempdir().unwrap();
    assert_eq!(on_cluster(folder.path(), &["sh", "-c", "exit 7"]).run().code, Some(7));
    let seconds = format!("{}.25", 1000 + std::process::id());
    let sleepers = || {
        let found =
            Command::new("pgrep").args(["-f", "-x", &format!("sleep {seconds}")]).output().expect("pgrep, from procps");
        String::from_utf8(found.stdout).unwrap().lines().count()
    };
    let running = on_cluster(folder.path(), &["sleep", &seconds]).start();
    wait_until("the command runs", || sleepers() == 1);
    assert!(!Path::new("/run/netns/node1").exists(), "the cluster's hosts are nobody else's");
    support::signal("KILL", &running.pid().to_string());
    wait_until("the command is gone with its cluster", || sleepers() == 0);
}

#[test]
fn where_namespaces_are_not_permitted_the_reason_is_said() {
    if is_turned_off() {
        return;
    }
    let folder = tempfile::tempdir().unwrap();
    let forbidden = format!("echo 0 >/proc/sys/user/max_net_namespaces && exec {RUN} true");
    let mut command = Command::new("unshare");
    command.args(["--user", "--map-root-user", "sh", "-c", &forbidden]);
    let job = Job::of(command, folder.path()).run();
    assert_eq!(job.code, Some(1), "{job:#?}");
    assert!(job.stderr.contains("does not permit namespaces (unshare: "), "{job:#?}");
}

fn wait_until(what: &str, is_so: impl Fn() -> bool) {
    let start = Instant::now();
    while !is_so() {
        assert!(start.elapsed() < Duration::from_secs(20), "{what}: not after 20 s");
        thread::sleep(Duration::from_millis(20));
    }
}
