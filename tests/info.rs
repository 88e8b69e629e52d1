//! `hybrid info`: the system as vectors, as a table and as JSON, alone and on several hosts.

#![allow(clippy::unwrap_used, reason = "a test fails where it cannot go on")]

mod support;

use std::{path::Path, process::Command};

use hybrid::inside::topology::Node;
use support::{HYBRID, Job};

fn info(words: &str) -> String {
    let folder = tempfile::tempdir().unwrap();
    Job::mpiexec(folder.path(), 2, &format!("info {words}")).run().succeeded().stdout
}

#[test]
fn vector_and_totals_are_those_of_this_node() {
    let node = Node::of_this_machine(Path::new("/")).unwrap();
    let (packages, cores) = (node.packages.len(), node.cores.len());
    let threads: usize = node.cores.iter().map(|core| core.pus.len()).sum();
    assert_eq!(info("-t"), format!("S^T(1,{packages},{cores},{threads})\n"));
    assert_eq!(info("-v"), format!("S(1,{packages},{},{})\n", cores / packages, threads / cores));
}

#[test]
fn the_table_has_the_rows_that_benchmarks_know() {
    let text = info("");
    for row in [
        "cpu ",
        "cpu_cores ",
        "cpu_count ",
        "cpu_threads ",
        "frequency.current",
        "mem.total",
        "mem.available",
        "mem.free",
        "mem.used",
        "mem.percent",
        "mem.active",
        "mem.inactive",
        "platform.version",
        "sys.platform",
        "uname.machine",
        "uname.node",
        "uname.processor",
        "uname.release",
        "uname.system",
        "uname.version",
        "user ",
        "simd ",
        "hwloc ",
    ] {
        assert!(text.contains(&format!("| {row}")), "no row {row} in\n{text}");
    }
    assert!(text.starts_with("hybrid ") && text.contains("2 ranks"), "{text}");
}

#[test]
fn json_has_every_node_and_can_be_read() {
    let json: serde_json::Value = serde_json::from_str(&info("--format json")).unwrap();
    let node = &json["nodes"][0];
    assert_eq!((json["ranks"].as_u64(), node["ranks"].as_u64()), (Some(2), Some(2)));
    assert!(node["memory"]["total"].as_u64() > Some(1 << 20), "{node}");
    let uname = Command::new("uname").arg("-r").output().unwrap();
    assert_eq!(node["uname"]["release"].as_str(), Some(String::from_utf8_lossy(&uname.stdout).trim()));
    assert_eq!(json["kinds"][0]["hosts"][0], node["host"]);
}

/// Three hosts that are alike, but for their names.
#[test]
fn hosts_that_are_alike_are_one_kind() {
    if std::env::var("HYBRID_TEST_NO_CLUSTER").is_ok_and(|value| value == "1") {
        return support::not_run("the hosts of tests/cluster/run are turned off by HYBRID_TEST_NO_CLUSTER=1");
    }
    let Some(mpiexec) = support::mpiexec_of(support::Launcher::OpenMpi4) else { return };
    let folder = tempfile::tempdir().unwrap();
    let mut cluster = Command::new(concat!(env!("CARGO_MANIFEST_DIR"), "/tests/cluster/run"));
    cluster.arg(mpiexec).args(["--map-by", "node", "-H", "node1,node2,node3", HYBRID, "info", "-v"]);
    let job = Job::of(cluster, folder.path()).run().succeeded();
    assert!(job.stdout.starts_with("S(3,"), "{job:#?}");
    assert_eq!(job.stdout.lines().count(), 1, "{job:#?}");
}

#[test]
fn forms_do_not_mix() {
    let folder = tempfile::tempdir().unwrap();
    let job = Job::alone(folder.path(), "info -v --format json").run();
    assert!(job.code == Some(2) && job.stderr.contains("--format"), "{job:#?}");
}
