//! `hybrid where` under mpiexec: what was asked for against what is, in every form; and rankfiles, as every command reads them.

#![allow(clippy::unwrap_used, reason = "a test fails where it cannot go on")]

mod support;

use std::{
    fs,
    path::{Path, PathBuf},
    process::Command,
};

use serde_json::Value;
use support::{Finished, HYBRID, Job, Launcher, runs_with};
use tempfile::TempDir;

/// This machine's name, as rankfiles know it.
fn host() -> String {
    let name = Command::new("hostname").arg("-s").output().unwrap();
    String::from_utf8(name.stdout).unwrap().trim().to_owned()
}

/// A folder with a rankfile `ranks.rf`: a rank for each item, which is the text after `slot=`.
fn rankfile(slots: &[&str]) -> (TempDir, PathBuf) {
    let folder = tempfile::tempdir().unwrap();
    let lines = slots.iter().enumerate().map(|(rank, slot)| format!("rank {rank}={} slot={slot}\n", host()));
    let file = folder.path().join("ranks.rf");
    fs::write(&file, lines.collect::<String>()).unwrap();
    (folder, file)
}

/// `mpiexec -n 2 options program hybrid words`, with the rankfile that follows `-rf` among the options.
fn two_ranks(folder: &Path, options: &str, program: &str, words: &str) -> Finished {
    let options: Vec<&str> = ["-n", "2"].into_iter().chain(options.split_whitespace()).collect();
    let program: Vec<&str> = program.split_whitespace().chain([HYBRID]).collect();
    Job::launched(folder, &options, &program, words).run()
}

fn codes(report: &Value) -> Vec<String> {
    report["findings"].as_array().unwrap().iter().map(|finding| finding["code"].as_str().unwrap().to_owned()).collect()
}

fn devices(report: &Value) -> Vec<String> {
    report["ranks"].as_array().unwrap().iter().map(|rank| rank["device"].as_str().unwrap().to_owned()).collect()
}

fn assert_refused(job: &Finished, code: i32, expected: &[&str]) {
    assert_eq!((job.code, job.error_lines().len()), (Some(code), 1), "{job:#?}");
    assert!(expected.iter().all(|text| job.stderr.contains(text)), "{expected:?} in {job:#?}");
    assert!(!job.stderr.contains("panicked"), "{job:#?}");
}

#[test]
fn a_rank_that_is_not_where_the_rankfile_wants_it_is_named_and_a_strict_look_fails() {
    let (folder, _) = rankfile(&["0", "1"]);
    // The launcher follows the file, and what it starts undoes that: rank 1 is on core 0.
    let job = two_ranks(folder.path(), "-rf ranks.rf", "taskset -c 0", "where --strict --device cpu");
    assert_refused(&job, 3, &["asked-is-not-actual of rank 1;"]);
    assert!(job.stdout.contains("warning[asked-is-not-actual]"), "{job:#?}");
    assert!(job.stdout.contains("rank 1 was to have PUs 1 and has 0"), "{job:#?}");
    // The launcher was told otherwise, and the file is named beside it.
    let job = two_ranks(folder.path(), "--bind-to none", "", "where --strict --device cpu --rankfile ranks.rf");
    assert_refused(&job, 3, &["asked-is-not-actual of ranks 0-1"]);
    // Not a strict look: said, and no failure.
    let job = two_ranks(folder.path(), "-rf ranks.rf", "taskset -c 0", "where --device cpu").succeeded();
    assert!(job.stdout.contains("rank 1 was to have PUs 1 and has 0"), "{job:#?}");
}

#[test]
fn a_rankfile_that_was_followed_is_found_and_gives_no_finding() {
    let (folder, _) = rankfile(&["0", "1"]);
    let report = two_ranks(folder.path(), "-rf ranks.rf", "", "where --format json --device cpu").succeeded().json();
    assert_eq!(report["rankfile"], "ranks.rf");
    for (rank, core) in [(0, "0"), (1, "1")] {
        let rank = &report["ranks"][rank];
        assert_eq!((&rank["cores"], &rank["asked"]["slots"]), (&core.into(), &core.into()));
        assert_eq!((&rank["asked"]["fulfilled"], &rank["asked"]["pus"]), (&true.into(), &rank["pus"]));
        assert_eq!((&rank["host"], &rank["device"], &rank["threads"]), (&host().into(), &"cpu".into(), &1.into()));
    }
    let about_places = ["asked-is-not-actual", "ranks-share-cores", "rank-unbound", "rankfile-faulty"];
    assert!(codes(&report).iter().all(|code| !about_places.contains(&code.as_str())), "{report:#}");
}

#[test]
fn reports_tell_what_hosts_are_and_nothing_of_hosts_that_are_alike() {
    let folder = tempfile::tempdir().unwrap();
    let report = two_ranks(folder.path(), "", "", "where --format json --device cpu").succeeded().json();
    let hosts = report["hosts"].as_array().unwrap();
    assert_eq!((hosts.len(), &hosts[0]["host"]), (1, &host().into()));
    assert_eq!((&hosts[0]["architecture"], &hosts[0]["mpi"]), (&std::env::consts::ARCH.into(), &report["mpi"]));
    assert!(hosts[0]["hwloc"].as_str().is_some_and(|version| version.contains('.')), "{report}");
    assert!(!codes(&report).contains(&"hosts-differ".to_owned()), "{report}");
    let run = two_ranks(folder.path(), "", "", "julia --size 20x10 --timings json --device cpu").succeeded().json();
    assert_eq!(run["ranks"][1]["architecture"], std::env::consts::ARCH);
}

#[test]
fn what_the_launcher_misreads_is_named_although_it_did_as_it_read() {
    if !runs_with(&[Launcher::OpenMpi4]) {
        return;
    }
    // Open MPI 4.1 takes P0 for core 0, whatever package 0 has.
    let (folder, _) = rankfile(&["P0"]);
    let job = Job::launched(folder.path(), &["-n", "1", "-rf", "ranks.rf"], &[HYBRID], "where --format json").run();
    let report = job.succeeded().json();
    assert!(codes(&report).contains(&"rankfile-faulty".to_owned()), "{report:#}");
    assert!(codes(&report).contains(&"asked-is-not-actual".to_owned()), "{report:#}");
}

#[test]
fn a_relative_rankfile_is_found_from_where_the_launcher_was_started() {
    // It alone tells where the rankfile is.
    if !runs_with(&[Launcher::OpenMpi4]) {
        return;
    }
    let (folder, _) = rankfile(&["0", "1"]);
    fs::create_dir(folder.path().join("below")).unwrap();
    let options = ["-n", "2", "-rf", "ranks.rf", "-wdir", "below"];
    let job = Job::launched(folder.path(), &options, &[HYBRID], "where --format json");
    // As a shell would have it.
    let report = job.env("PWD", &folder.path().display().to_string()).run().succeeded().json();
    assert_eq!(report["ranks"][1]["asked"]["fulfilled"], true, "{report:#}");
}

#[test]
fn every_form_says_the_same() {
    let (folder, _) = rankfile(&["0", "1"]);
    let look = |words: &str| two_ranks(folder.path(), "-rf ranks.rf", "", &format!("where {words}")).succeeded().stdout;
    let json: Value = serde_json::from_str(&look("--format json")).unwrap();
    let yaml: Value = serde_saphyr::from_str(&look("--format yaml")).unwrap();
    assert_eq!(json, yaml);
    let table = look("--draw -o nodes.svg");
    for expected in
        ["2 ranks on 1 node", "rankfile ranks.rf", "asked for", "slot=1", "NUMA node", "r0", "r1", "nodes.svg"]
    {
        assert!(table.contains(expected), "{expected} in\n{table}");
    }
    let drawing = fs::read_to_string(folder.path().join("nodes.svg")).unwrap();
    assert!(drawing.starts_with("<svg") && drawing.contains(&format!("{}: ", host())), "{drawing}");
    assert_eq!(drawing.matches(">\nr1\n<").count() + drawing.matches(">r1<").count(), 1, "{drawing}");
}

#[test]
fn options_that_do_not_go_together_and_drawings_that_cannot_be_written_are_refused() {
    let folder = tempfile::tempdir().unwrap();
    let look = |words: &str| two_ranks(folder.path(), "", "", &format!("where {words}"));
    assert_refused(&look("--draw --format json"), 2, &["--draw", "--format table"]);
    assert_refused(&look("--format xml"), 2, &["xml", "yaml"]);
    assert_refused(&look("-o missing/a.svg"), 1, &["mkdir -p missing"]);
    assert_eq!(fs::read_dir(folder.path()).unwrap().count(), 0);
}

#[test]
fn places_follow_the_options_of_computing_commands() {
    let folder = tempfile::tempdir().unwrap();
    let look = |words: &str| {
        two_ranks(folder.path(), "--bind-to none", "", &format!("where --format json {words}")).succeeded().json()
    };
    assert_eq!(devices(&look("--device cpu")), ["cpu", "cpu"]);
    let shared = look("--device gpu --software-gpu --ranks-per-gpu 2 --threads 3");
    assert_eq!(devices(&shared), ["gpu", "gpu"]);
    assert_eq!((&shared["ranks"][1]["threads"], &shared["rankfile"]), (&3.into(), &Value::Null));
    assert!(codes(&shared).contains(&"more-threads-than-cores".to_owned()), "{shared:#}");
    assert!(shared["ranks"][0]["gpu"]["driver"].is_string(), "{shared:#}");
    let alone = Job::alone(folder.path(), "where").run().succeeded().stdout;
    assert!(alone.contains("1 rank on 1 node"), "{alone}");
}

#[test]
fn comments_in_a_rankfile_choose_the_device_unless_the_command_line_does() {
    let (folder, _) = rankfile(&["0 # cpu", "1 # gpu"]);
    let look = |words: &str| {
        two_ranks(folder.path(), "-rf ranks.rf", "", &format!("{words} --software-gpu")).succeeded().json()
    };
    assert_eq!(devices(&look("where --format json")), ["cpu", "gpu"]);
    assert_eq!(devices(&look("julia --size 64x48 --timings json")), ["cpu", "gpu"]);
    let overruled = look("where --format json --device cpu");
    assert_eq!(devices(&overruled), ["cpu", "cpu"]);
    assert!(overruled["findings"][0]["message"].as_str().unwrap().contains("rank 1 was to compute on gpu"));
    // Without the file the ranks choose otherwise, so the comments did it.
    let free = two_ranks(folder.path(), "", "", "where --format json --software-gpu").succeeded().json();
    assert_eq!(devices(&free), ["gpu", "cpu"]);
}

#[test]
fn a_rankfile_can_be_named_by_a_variable_and_the_option_comes_first() {
    let (folder, file) = rankfile(&["0 # cpu", "1 # gpu"]);
    fs::write(folder.path().join("other.rf"), format!("rank 0={0} slot=0 # gpu\nrank 1={0} slot=1 # cpu\n", host()))
        .unwrap();
    let look = |words: &str| {
        Job::mpiexec(folder.path(), 2, &format!("where --format json --software-gpu {words}"))
            .env("HYBRID_RANKFILE", &file.display().to_string())
            .run()
            .succeeded()
            .json()
    };
    assert_eq!(devices(&look("")), ["cpu", "gpu"]);
    assert_eq!(devices(&look("--rankfile other.rf")), ["gpu", "cpu"]);
}

#[test]
fn a_device_that_cannot_be_had_is_named_with_the_line_that_asks_for_it() {
    for (comment, code, expected) in [
        ("# gpu=0000:fe:1f.7", 2, &["rank 1", "ranks.rf:2", "0000:fe:1f.7"][..]),
        ("# gpu=65", 1, &["ranks.rf:2", "`65`", "0000:65:00.0"]),
    ] {
        let (folder, _) = rankfile(&["0", &format!("1 {comment}")]);
        for command in ["where", "julia"] {
            assert_refused(&two_ranks(folder.path(), "-rf ranks.rf", "", command), code, expected);
        }
        assert!(!folder.path().join("julia.png").exists());
        // The command line comes first, so that the comment is not heard.
        two_ranks(folder.path(), "-rf ranks.rf", "", "where --device cpu").succeeded();
    }
    let (folder, _) = rankfile(&["0", "1 # gpu 1"]);
    let table = two_ranks(folder.path(), "-rf ranks.rf", "", "where").succeeded().stdout;
    assert!(table.contains("warning[rankfile-faulty]") && table.contains("ranks.rf:2"), "{table}");
    let notes = two_ranks(folder.path(), "-rf ranks.rf", "", "julia --size 64x48").succeeded().stdout;
    assert!(notes.contains("note: ranks.rf:2"), "{notes}");
}

#[test]
fn a_named_rankfile_that_cannot_be_used_is_an_error() {
    let folder = tempfile::tempdir().unwrap();
    let write = |name: &str, bytes: &[u8]| fs::write(folder.path().join(name), bytes).unwrap();
    write("binary.rf", b"\x7fELF\0\0");
    write("empty.rf", b"");
    fs::File::create(folder.path().join("huge.rf")).unwrap().set_len(1 << 30).unwrap();
    fs::create_dir(folder.path().join("folder.rf")).unwrap();
    for (name, reason) in [
        ("missing.rf", "No such file"),
        ("folder.rf", "directory"),
        ("binary.rf", "binary file"),
        ("empty.rf", "names no rank"),
        ("huge.rf", "16 MiB"),
        ("/dev/zero", "no regular file"),
    ] {
        let job = two_ranks(folder.path(), "", "", &format!("where --rankfile {name}"));
        assert_refused(&job, 1, &[name, reason]);
    }
}

#[test]
fn a_rankfile_that_only_the_launcher_could_read_stops_nothing() {
    let folder = tempfile::tempdir().unwrap();
    let program = "env OMPI_MCA_orte_rankfile=gone.rf";
    let report = two_ranks(folder.path(), "", program, "where --format json").succeeded().json();
    assert!(codes(&report).contains(&"rankfile-unread".to_owned()), "{report:#}");
    assert!(report["ranks"][0]["asked"].is_null());
    let notes = two_ranks(folder.path(), "", program, "julia --size 64x48").succeeded().stdout;
    assert!(notes.contains("gone.rf cannot be read") && notes.contains("--rankfile"), "{notes}");
}
