//! What `hybrid rankfile write` makes of each stored topology, `check` finds nothing wrong with and `explain` tells in words
//! that mean something.

use std::{
    fs,
    path::Path,
    process::{Command, Output},
};

use super::topologies;

fn hybrid(arguments: &[&str]) -> Output {
    Command::new(env!("CARGO_BIN_EXE_hybrid")).arg("rankfile").args(arguments).output().unwrap()
}

fn text(bytes: &[u8]) -> String {
    String::from_utf8(bytes.to_vec()).unwrap()
}

/// Told of a rank that has a node for itself.
const WHOLE_NODE: &str = "RF085";

#[test]
fn a_written_rankfile_is_clean_and_explained_whatever_the_node() {
    let folder = tempfile::tempdir().unwrap();
    for (file, node) in topologies() {
        let topology = format!("n={}", file.display());
        let cores = node.allowed_cores().count().to_string();
        for ranks in ["1", "2", "3", "4", cores.as_str(), "the most that leave nothing idle"] {
            let mut write = vec!["write", "--topology", topology.as_str(), "--launcher", "openmpi4"];
            if ranks.parse::<u32>().is_ok() {
                write.extend(["--ranks-per-node", ranks]);
            }
            let written = hybrid(&write);
            assert!(written.status.success(), "{topology} {ranks}: {written:?}");
            let path = folder.path().join("n.rankfile");
            fs::write(&path, &written.stdout).unwrap();
            let rankfile = path.to_str().unwrap();
            let fits = ranks.parse::<usize>().map_or(true, |ranks| ranks <= node.allowed_cores().count());
            let checked = hybrid(&["check", rankfile, "--topology", &topology]);
            let findings = text(&checked.stdout);
            let is_clean = findings.lines().filter(|line| line.contains("[RF")).all(|line| line.contains(WHOLE_NODE));
            assert!(!fits || (checked.status.success() && is_clean), "{topology} {ranks}: {checked:?}");
            let explained = hybrid(&["explain", rankfile, "--topology", &topology]);
            let words = text(&explained.stdout);
            assert!(explained.status.success(), "{topology} {ranks}: {explained:?}");
            for nonsense in ["nodes ,", "node ,", "PUs )", "would stop", "not known here"] {
                assert!(!words.contains(nonsense), "{topology} {ranks}: `{nonsense}` in\n{words}");
            }
        }
    }
}

/// What `explain` says of `rankfile` on a stored topology.
fn explained(rankfile: &str, name: &str) -> String {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("n.rankfile");
    fs::write(&path, rankfile).unwrap();
    let stored = Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/topologies").join(name).with_extension("xml");
    let output = hybrid(&["explain", path.to_str().unwrap(), "--topology", &format!("n={}", stored.display())]);
    assert!(output.status.success(), "{output:?}");
    text(&output.stdout)
}

#[test]
fn cores_without_memory_are_said_to_have_no_numa_node() {
    let words = explained("rank 0=n slot=0-2\nrank 1=n slot=3-5\n", "package-without-memory");
    assert!(words.contains("rank 0: cores 0-2 (PUs 0-2), NUMA node 0, computes"), "{words}");
    assert!(words.contains("rank 1: cores 3-5 (PUs 3-5), no NUMA node of its own, computes"), "{words}");
    assert!(words.contains("┌ no NUMA node of its own "), "{words}");
}

#[test]
fn where_there_are_no_cores_slots_are_pus() {
    let words = explained("rank 0=n slot=1\nrank 1=n slot=1:1\n", "pus-alone");
    assert!(words.contains("2 packages, 8 cores"), "{words}");
    assert!(words.contains("rank 0: core 1 (PUs 1), NUMA node 0"), "{words}");
    assert!(words.contains("(PUs 5), NUMA node 1"), "{words}");
}

#[test]
fn hardware_threads_that_are_forbidden_are_not_told_as_the_ranks() {
    let words = explained("rank 0=n slot=1-2\n", "forbidden-threads");
    assert!(words.contains("rank 0: cores 1-2 (PUs 1-2), NUMA node 0"), "{words}");
}

#[test]
fn a_gpu_beside_forbidden_cores_has_one_story() {
    let words = explained("rank 0=n slot=2 # gpu\n", "gpu-beside-forbidden-cores");
    let story = "the job may use no core next to it";
    assert!(words.contains(&format!("GPU 0000:88:00.0: {story}\n")), "{words}");
    // Once more in the drawing, in the GPU's box, below its rank.
    let drawn = words.split_once("┌ GPU 0000:88:00.0 ").map_or("", |(_, drawn)| drawn);
    let (rank, told) = (drawn.find("│ r0 "), drawn.find(&format!("│ {story} │")));
    assert!(rank.is_some() && rank < told && words.matches(story).count() == 2, "{words}");
    assert!(!words.contains("far from") && !words.contains("not known"), "{words}");
}

#[test]
fn partitions_of_a_gpu_are_named_and_an_fpga_is_none() {
    let words = explained("rank 0=n slot=4 # gpu=0000:85:00.0\n", "class-12");
    assert!(
        words.contains("2 GPUs") && words.contains("GPU 0000:85:00.0 in 4 partitions next to its cores"),
        "{words}"
    );
}

#[test]
fn only_launchers_that_read_the_rankfile_limit_its_lines() {
    let stored = Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/topologies/crossed-numbering.xml");
    // One CPU rank beside eight GPU ranks has its cores in four pieces; the name takes the rest of the room.
    let host = "a-host-with-a-name-of-fifty-characters-0123456789";
    let write = |more: &[&str]| {
        let topology = format!("{host}={}", stored.display());
        hybrid(&[&["write", "--topology", &topology, "--ranks-per-node", "9"], more].concat())
    };
    let refused = write(&["--launcher", "openmpi4"]);
    assert!(!refused.status.success());
    let message = text(&refused.stderr);
    assert!(message.contains("room for 63") && message.contains("mpich and slurm have no such limit"), "{message}");
    for launcher in ["slurm", "mpich", "openmpi5"] {
        let written = write(&["--launcher", launcher]);
        assert!(written.status.success(), "{launcher}: {written:?}");
        let file = text(&written.stdout);
        assert!(file.contains("slot=2-3,6-7,10-11,14-15") && !file.contains("Open MPI 4.1:"), "{launcher}: {file}");
    }
}
