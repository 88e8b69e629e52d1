//! Plans as sites want them: cores kept for the system, one kind of cores, ranks within caches, hardware threads as slots, a rank for
//! each partition of a GPU.

#![allow(clippy::unwrap_used, reason = "a test fails where it cannot go on")]

mod support;

use std::{collections::BTreeSet, fs, path::Path};

use hybrid::inside::topology::{CpuSet, Node};
use support::{Finished, Job, topology};

fn rankfile(folder: &Path, words: &str) -> Finished {
    Job::alone(folder, &format!("rankfile {words}")).run()
}

/// `host=FILE` of a stored topology.
fn described(name: &str) -> String {
    format!("--topology a={}", topology(&format!("{name}.xml")))
}

/// The slots of each rank of a written rankfile.
fn slots(text: &str) -> Vec<&str> {
    let of_line = |line: &'_ str| -> Option<usize> { line.find("slot=") };
    let ranks = text.lines().filter(|line| line.starts_with("rank "));
    ranks.map(|line| line[of_line(line).unwrap() + 5..].split(' ').next().unwrap()).collect()
}

#[test]
fn slots_are_hardware_threads_where_the_launcher_counts_those() {
    let folder = tempfile::tempdir().unwrap();
    let laptop = described("laptop");
    let written = rankfile(
        folder.path(),
        &format!("write {laptop} --use-hwthread-cpus --ranks-per-node 8 --launcher openmpi4 -o plan"),
    );
    let written = written.succeeded();
    assert!(written.stdout.contains("mpiexec -n 8 --use-hwthread-cpus -rf plan"), "{written:#?}");
    let plan = fs::read_to_string(folder.path().join("plan")).unwrap();
    assert_eq!(slots(&plan), ["0", "1", "2", "3", "4", "5", "6", "7"]);
    assert!(plan.contains("hwtcpus") && plan.contains("hardware threads"), "{plan}");
    assert!(written.stderr.is_empty(), "nothing is shared: {}", written.stderr);

    let checked = rankfile(folder.path(), &format!("check plan {laptop} --use-hwthread-cpus"));
    assert_eq!((checked.code, checked.stdout.as_str()), (Some(0), ""), "{checked:#?}");
    let misread = rankfile(folder.path(), &format!("check plan {laptop}"));
    assert_eq!(misread.code, Some(1), "{misread:#?}");
    assert!(misread.stdout.contains("unless launcher and check have --use-hwthread-cpus"), "{misread:#?}");

    let explained = rankfile(folder.path(), &format!("explain plan {laptop} --use-hwthread-cpus")).succeeded();
    assert!(explained.stdout.contains("rank 3: hardware thread 3 (PUs 5)"), "{explained:#?}");

    let told = rankfile(folder.path(), &format!("convert plan {laptop} --use-hwthread-cpus --to mpich")).succeeded();
    assert!(told.stdout.contains("user:0,4,1,5,2,6,3,7"), "{told:#?}");
    fs::write(folder.path().join("command"), &told.stdout).unwrap();
    let back = format!("convert command --from mpich --to openmpi5 {laptop}");
    let refused = rankfile(folder.path(), &back);
    assert!(refused.code == Some(1) && refused.stderr.contains("--use-hwthread-cpus"), "{refused:#?}");
    let back = rankfile(folder.path(), &format!("{back} --use-hwthread-cpus")).succeeded();
    assert_eq!(slots(&back.stdout), slots(&plan), "{back:#?}");
}

#[test]
fn ranks_that_share_a_hardware_thread_are_told() {
    let folder = tempfile::tempdir().unwrap();
    fs::write(folder.path().join("plan"), "rank 0=a slot=0-1\nrank 1=a slot=1\nrank 2=a slot=8\n").unwrap();
    let found = rankfile(folder.path(), &format!("check plan {} --use-hwthread-cpus", described("laptop")));
    assert!(found.stdout.contains("hardware thread 1 of host 'a' belongs to rank 0 already"), "{found:#?}");
    assert!(found.stdout.contains("hardware thread 8 does not exist: the node has 8 hardware threads"), "{found:#?}");
}

#[test]
fn ranks_get_the_cores_of_one_kind() {
    let folder = tempfile::tempdir().unwrap();
    for (kind, expected) in [("performance", ["0-1", "2-3"]), ("efficiency", ["4-5", "6-7"])] {
        let words = format!("write {} --core-kind {kind} --ranks-per-node 2", described("kinds-of-cores"));
        let written = rankfile(folder.path(), &words).succeeded();
        assert_eq!(slots(&written.stdout), expected, "{written:#?}");
        // Cores of the other kind that serve no rank are wanted so.
        assert!(!written.stderr.contains("serve no rank"), "{written:#?}");
    }
    let alike = rankfile(folder.path(), &format!("write {} --core-kind efficiency", described("laptop"))).succeeded();
    assert_eq!(slots(&alike.stdout), ["0-3"]);
    assert!(alike.stderr.contains("note: a: its cores are of one kind"), "{alike:#?}");
}

/// The third-level caches of each rank.
fn caches(name: &str, text: &str) -> Vec<BTreeSet<Option<u32>>> {
    let node = Node::from_xml_file(Path::new(&topology(&format!("{name}.xml")))).unwrap();
    let of = |list: &str| {
        let slots: CpuSet = list.parse().unwrap();
        let slots: Vec<u32> = slots.iter().map(|slot| u32::try_from(slot).unwrap()).collect();
        node.cores_in(&node.pus_of_slots(&slots)).map(|core| core.l3).collect()
    };
    slots(text).into_iter().map(of).collect()
}

#[test]
fn ranks_stay_within_caches_where_that_is_wished() {
    let folder = tempfile::tempdir().unwrap();
    let name = "gpu-at-a-cache";
    let wish = |words: &str| rankfile(folder.path(), &format!("write {} {words}", described(name))).succeeded().stdout;
    let all = wish("--split l3");
    assert_eq!(slots(&all).len(), 6, "two GPUs and four caches: {all}");
    assert!(caches(name, &all).iter().all(|caches| caches.len() == 1), "{all}");
    // Two GPU ranks take a core each, and two others the rest: of whole caches with the wish, through one of them without.
    let (with, without) = (wish("--split l3 --ranks-per-node 3"), wish("--ranks-per-node 3"));
    assert_ne!(slots(&with), [""; 3]);
    assert_eq!(slots(&without).len(), 3);
    let laptop = rankfile(folder.path(), &format!("write {} --split l3", described("pus-alone"))).succeeded();
    assert!(laptop.stderr.contains("no third-level cache of all its cores is known"), "{laptop:#?}");
}

#[test]
fn each_partition_of_a_gpu_has_a_rank() {
    let folder = tempfile::tempdir().unwrap();
    let written = rankfile(folder.path(), &format!("write {}", described("class-12"))).succeeded();
    let on = |gpu: &str| written.stdout.matches(&format!("# gpu={gpu}")).count();
    assert_eq!((on("0000:05:00.0"), on("0000:85:00.0")), (1, 4), "{written:#?}");
    assert!(!written.stderr.contains("serves"), "a rank a partition is no sharing: {written:#?}");
    fs::write(folder.path().join("plan"), &written.stdout).unwrap();
    let checked = rankfile(folder.path(), &format!("check plan {}", described("class-12")));
    assert_eq!((checked.code, checked.stdout.as_str()), (Some(0), ""), "{checked:#?}");
}

#[test]
fn cores_are_kept_for_the_system_beside_all_other_wishes() {
    let folder = tempfile::tempdir().unwrap();
    let words = format!("write {} --reserve 1 --core-kind performance --ranks-per-node 1", described("kinds-of-cores"));
    let written = rankfile(folder.path(), &words).succeeded();
    assert_eq!(slots(&written.stdout), ["1-3"], "{written:#?}");
    assert!(written.stderr.contains("a: PUs 0 are kept for the system"), "{written:#?}");
    let refused =
        rankfile(folder.path(), &format!("write {} --reserve 4 --core-kind performance", described("kinds-of-cores")));
    assert!(refused.code == Some(1) && refused.stderr.contains("a has 4: keep fewer"), "{refused:#?}");
}
