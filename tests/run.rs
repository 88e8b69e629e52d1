//! `hybrid run`: behind any launcher each process takes cores, threads and a GPU of its own and becomes the program, or nothing
//! of the node is started and one line says why.

#![allow(clippy::unwrap_used, reason = "a test fails where it cannot go on")]

mod support;

use std::{
    collections::BTreeMap,
    fs,
    path::{Path, PathBuf},
};

use support::{
    Finished, HYBRID, Job, Launcher,
    made_up::{job, kernel},
    mpiexec_of,
};

/// A program that says where it is and what it was told.
const WHERE_AM_I: &str = r#"echo rank ${OMPI_COMM_WORLD_RANK:-${PMI_RANK:-0}} $(grep Cpus_allowed_list /proc/self/status | cut -f2) threads $OMP_NUM_THREADS places $OMP_PLACES $OMP_PROC_BIND words "$@""#;

fn folder() -> tempfile::TempDir {
    let folder = tempfile::tempdir().unwrap();
    fs::write(folder.path().join("app"), format!("#!/bin/sh\n{WHERE_AM_I}\n")).unwrap();
    std::process::Command::new("chmod").arg("+x").arg(folder.path().join("app")).status().unwrap();
    folder
}

/// What each rank said behind its number.
fn said(job: &Finished) -> BTreeMap<u32, Vec<String>> {
    let lines = job.stdout.lines().filter_map(|line| line.strip_prefix("rank "));
    lines
        .map(|line| {
            let (rank, rest) = line.split_once(' ').unwrap();
            (rank.parse().unwrap(), rest.split(' ').map(str::to_owned).collect())
        })
        .collect()
}

/// Launchers that are here, each with the options that make it bind nothing.
fn launchers() -> Vec<(Launcher, PathBuf, &'static [&'static str])> {
    let kinds: [(Launcher, &[&str]); 5] = [
        (Launcher::OpenMpi4, &["--bind-to", "none", "--oversubscribe"]),
        (Launcher::OpenMpi5, &["--bind-to", "none", "--map-by", ":oversubscribe"]),
        (Launcher::OpenMpi6, &["--bind-to", "none", "--map-by", ":oversubscribe"]),
        (Launcher::Mpich, &["-bind-to", "none"]),
        (Launcher::IntelMpi, &["-genv", "I_MPI_PIN", "off"]),
    ];
    kinds.into_iter().filter_map(|(kind, options)| Some((kind, mpiexec_of(kind)?, options))).collect()
}

/// `ranks` processes of `hybrid run words`, bound by nobody.
fn run(folder: &Path, ranks: usize, words: &str) -> Job {
    let unbound: &[&str] = match support::kind() {
        Some(Launcher::Mpich) => &["-bind-to", "none"],
        Some(Launcher::IntelMpi) => &["-genv", "I_MPI_PIN", "off"],
        _ => &["--bind-to", "none"],
    };
    let ranks = ranks.to_string();
    Job::launched(folder, &[unbound, &["-n", &ranks]].concat(), &[HYBRID, "run"], words)
}

fn cores() -> usize {
    hybrid::inside::topology::Node::of_this_machine(Path::new("/")).unwrap().allowed_cores().count()
}

#[test]
fn each_rank_has_cores_of_its_own_behind_every_launcher() {
    let folder = folder();
    assert!(cores() >= 2, "this test needs two cores");
    for (kind, launcher, unbound) in launchers() {
        let words = [unbound, &["-n", "2", HYBRID, "run", "--", "./app", "two words", "--threads"]].concat();
        let job = Job::launcher(folder.path(), &launcher, &words).run().succeeded();
        let said = said(&job);
        assert_eq!(said.len(), 2, "{kind:?} {job:#?}");
        assert_ne!(said[&0][0], said[&1][0], "{kind:?}: {job:#?}");
        for words in said.values() {
            let cores = words[0].parse::<hybrid::inside::topology::CpuSet>().unwrap().len();
            assert_eq!(
                (words[1].as_str(), words[2].parse::<usize>().unwrap()),
                ("threads", cores),
                "{kind:?}: {job:#?}"
            );
            assert_eq!((words[4].matches('{').count(), words[5].as_str()), (cores, "close"), "{kind:?}: {job:#?}");
            assert_eq!(words[6..], ["words", "two", "words", "--threads"], "{kind:?}: {job:#?}");
        }
    }
}

#[test]
fn a_process_without_a_launcher_has_all_and_keeps_what_its_user_has_set() {
    let folder = folder();
    let job = Job::alone(folder.path(), "run -- ./app").env("OMP_NUM_THREADS", "7").run().succeeded();
    assert_eq!(said(&job)[&0][2], "7", "{job:#?}");
    let code = Job::alone(folder.path(), "run -- sh -c exit\\ 7").run();
    assert_eq!(code.code, Some(127), "the words are the program's, as they are: {code:#?}");
    fs::write(folder.path().join("seven"), "exit 7\n").unwrap();
    assert_eq!(Job::alone(folder.path(), "run -- sh seven").run().code, Some(7), "it has become the program");
}

#[test]
fn processes_that_come_twice_or_behind_a_shell_meet_again_and_leave_nothing() {
    let folder = folder();
    fs::write(folder.path().join("twice"), format!("{HYBRID} run -- ./app first\n{HYBRID} run -- ./app second\n"))
        .unwrap();
    let unbound = if support::kind() == Some(Launcher::Mpich) { "-bind-to" } else { "--bind-to" };
    let job = Job::launched(folder.path(), &[unbound, "none", "-n", "2"], &["sh", "twice"], "").run().succeeded();
    for word in ["first", "second"] {
        let lines: Vec<&str> = job.stdout.lines().filter(|line| line.ends_with(word)).collect();
        assert_eq!(lines.len(), 2, "{job:#?}");
        let pus = |line: &str| line.split(' ').nth(2).unwrap().to_owned();
        assert_ne!(pus(lines[0]), pus(lines[1]), "{job:#?}");
    }
}

#[test]
fn a_rankfile_that_is_named_binds_what_the_launcher_has_not_bound() {
    let folder = folder();
    fs::write(folder.path().join("rf"), "rank 0=localhost slot=1\nrank 1=localhost slot=0\n").unwrap();
    let job = run(folder.path(), 2, "--rankfile rf -- ./app").run().succeeded();
    let swapped = said(&job);
    let job = run(folder.path(), 2, "-- ./app").run().succeeded();
    let plain = said(&job);
    assert_eq!((&swapped[&0][0], &swapped[&1][0]), (&plain[&1][0], &plain[&0][0]), "{job:#?}");
    let by_variable = run(folder.path(), 2, "-- ./app").env("HYBRID_RANKFILE", "rf").run().succeeded();
    assert_eq!(said(&by_variable), swapped, "{by_variable:#?}");
}

#[test]
fn what_would_be_set_is_shown_and_nothing_is_started() {
    let folder = folder();
    let job = run(folder.path(), 2, "--dry-run --threads 3 -- ./app x").run().succeeded();
    let mut lines: Vec<&str> = job.stdout.lines().collect();
    lines.sort_unstable();
    assert_eq!(lines.len(), 2, "{job:#?}");
    for (rank, line) in lines.iter().enumerate() {
        assert!(line.starts_with(&format!("rank {rank} on ")) && line.ends_with(": ./app x"), "{line}");
        assert!(line.contains(" OMP_NUM_THREADS=3 OMP_PLACES={"), "{line}");
    }
}

#[test]
fn a_gpu_is_told_by_its_name_and_hidden_from_ranks_of_cores() {
    let ids = ["0000:65:00.0", "0000:66:00.0"];
    let root = kernel(&[(ids[0], "0x030200", "0x10de"), (ids[1], "0x030200", "0x10de")]);
    let told = |uuids: [Option<&str>; 2], words: &str| {
        for (id, uuid) in ids.iter().zip(uuids) {
            let folder = root.path().join("proc/driver/nvidia/gpus").join(id);
            fs::create_dir_all(&folder).unwrap();
            let uuid = uuid.map(|uuid| format!("GPU UUID: {uuid}\n")).unwrap_or_default();
            fs::write(folder.join("information"), format!("Model: NVIDIA H200\n{uuid}")).unwrap();
        }
        let work = folder();
        job(work.path(), root.path(), &ids.join(","), &format!("run --dry-run {words} -- ./app")).run()
    };
    let named = [Some("GPU-aa"), Some("GPU-bb")];
    let first = told(named, "").succeeded();
    assert!(first.stdout.contains("0000:65:00.0: CUDA_VISIBLE_DEVICES=GPU-aa OMP_NUM_THREADS="), "{first:#?}");
    let second = told(named, "--device 0000:66:00.0").succeeded();
    assert!(second.stdout.contains("CUDA_VISIBLE_DEVICES=GPU-bb "), "{second:#?}");
    let none = told(named, "--device cpu").succeeded();
    assert!(none.stdout.contains("cpu: CUDA_VISIBLE_DEVICES= OMP_NUM_THREADS="), "{none:#?}");
    for uuids in [[None, Some("GPU-bb")], [Some("GPU-aa"); 2]] {
        let twins = told(uuids, "");
        assert_eq!((twins.code, twins.error_lines().len(), twins.stdout.as_str()), (Some(1), 1, ""), "{twins:#?}");
        assert!(
            twins.stderr.contains("GPU 0000:65:00.0 has no name of its own that CUDA_VISIBLE_DEVICES"),
            "{twins:#?}"
        );
    }
}

#[test]
fn what_is_wrong_is_one_line_and_nothing_of_the_node_is_started() {
    let folder = folder();
    fs::write(folder.path().join("plain"), "no program\n").unwrap();
    fs::write(folder.path().join("one.rf"), "rank 0=localhost slot=0\n").unwrap();
    fs::write(folder.path().join("far.rf"), "rank 0=elsewhere slot=0\nrank 1=elsewhere slot=1\n").unwrap();
    for (words, code, expected) in [
        ("-- ./missing", 1, "./missing cannot be started: No such file"),
        ("-- nowhere-on-the-path", 1, "no program nowhere-on-the-path on the PATH"),
        ("-- ./plain", 1, "chmod +x"),
        ("-- .", 1, "no program"),
        ("--rankfile missing.rf -- ./app", 1, "missing.rf"),
        ("--rankfile one.rf -- ./app", 1, "rank 1 of 2 has no line in the rankfile"),
        ("--rankfile far.rf -- ./app", 1, "was to be on elsewhere"),
        ("--device 0000:77:00.0 -- ./app", 2, "0000:77:00.0"),
        ("--threads 0 -- ./app", 2, "0 is not in 1.."),
        ("", 2, "<PROGRAM>"),
    ] {
        let job = run(folder.path(), 2, words).run();
        assert_eq!((job.code, job.error_lines().len()), (Some(code), 1), "{words}: {job:#?}");
        assert!(job.stderr.contains(expected) && said(&job).is_empty(), "{words}: {job:#?}");
    }
}

#[test]
fn who_waits_for_a_process_that_is_not_started_says_so() {
    let folder = folder();
    // One of two is another program.
    let script = format!(
        "if [ \"${{OMPI_COMM_WORLD_RANK:-$PMI_RANK}}\" = 0 ]; then sleep 3; else exec {HYBRID} run --patience 1 -- ./app; fi"
    );
    fs::write(folder.path().join("script"), script).unwrap();
    let job = Job::launched(folder.path(), &["-n", "2"], &["sh", "script"], "").run();
    assert!(job.code != Some(0) && said(&job).is_empty(), "{job:#?}");
    assert!(job.stderr.contains("number 0 has not come within 1 second"), "{job:#?}");
    let again = run(folder.path(), 2, "-- ./app").run().succeeded();
    assert_eq!(said(&again).len(), 2, "{again:#?}");
}

/// `hybrid where` in front of a program, in as many processes, bound by nobody.
fn look(folder: &Path, ranks: usize, words: &str) -> Job {
    let unbound = if support::kind() == Some(Launcher::Mpich) { "-bind-to" } else { "--bind-to" };
    Job::launched(folder, &[unbound, "none", "-n", &ranks.to_string()], &[HYBRID, "where"], words)
}

#[test]
fn a_program_is_looked_at_while_it_runs_and_its_code_is_kept() {
    let folder = folder();
    fs::write(folder.path().join("busy"), "i=0; while [ $i -lt 400000 ]; do i=$((i+1)); done; sleep 4; exit 5\n")
        .unwrap();
    let job = look(folder.path(), 2, "--after 1 -- sh busy").run();
    assert_ne!(job.code, Some(0), "{job:#?}");
    for rank in 0..2 {
        assert!(job.stderr.contains(&format!("rank {rank}: place ")), "{job:#?}");
    }
    assert!(job.stderr.contains(" that may run on 0; ") && !job.stderr.contains("warning:"), "{job:#?}");
    assert_eq!(Job::alone(folder.path(), "where --after 1 -- sh busy").run().code, Some(5));
}

#[test]
fn a_program_that_leaves_its_place_is_found_and_strict_says_so() {
    let folder = folder();
    assert!(cores() >= 2, "this test needs two cores");
    fs::write(folder.path().join("leaves"), "taskset -pc 0-1 $$ >/dev/null; sleep 4\n").unwrap();
    let job = look(folder.path(), 2, "--after 1 --strict -- sh leaves").run();
    assert_eq!(job.code, Some(3), "{job:#?}");
    assert!(job.stderr.contains("rank 0 has threads that may run on PUs 1, beyond its place on 0"), "{job:#?}");
    assert!(job.stderr.contains("rank 1 has threads that may run on PUs 0, beyond its place on 1"), "{job:#?}");
    let short = Job::alone(folder.path(), "where --strict -- true").run();
    assert_eq!(short.code, Some(3), "it had ended: {short:#?}");
    assert!(short.stderr.contains("had ended before it was looked at"), "{short:#?}");
    let wrong = Job::alone(folder.path(), "where --format json -- true").run();
    assert_eq!((wrong.code, wrong.error_lines().len()), (Some(2), 1), "{wrong:#?}");
}

#[test]
fn jobs_within_a_job_meet_their_own_alone() {
    let Some(launcher) = mpiexec_of(Launcher::Mpich) else { return };
    let folder = folder();
    let inner = format!("exec {} -n 2 -bind-to none {HYBRID} run --dry-run -- ./app", launcher.display());
    fs::write(folder.path().join("inner"), inner).unwrap();
    let job = Job::launcher(folder.path(), &launcher, &["-n", "2", "sh", "inner"]).run().succeeded();
    assert_eq!(job.stdout.lines().filter(|line| line.starts_with("rank ")).count(), 4, "{job:#?}");
}

#[test]
fn a_program_that_is_looked_at_ends_with_who_looks_and_a_signal_has_its_code() {
    let folder = folder();
    fs::write(folder.path().join("dies"), "kill -KILL $$\n").unwrap();
    assert_eq!(Job::alone(folder.path(), "where --after 1 -- sh dies").run().code, Some(137));
    fs::write(
        folder.path().join("waits"),
        "echo $$ >pid; trap 'echo heard >heard; exit 9' TERM; while :; do sleep 0.1; done\n",
    )
    .unwrap();
    let running = Job::alone(folder.path(), "where --after 600 -- sh waits").start();
    while !fs::read_to_string(folder.path().join("pid")).is_ok_and(|pid| pid.ends_with('\n')) {
        std::thread::sleep(std::time::Duration::from_millis(10));
    }
    support::signal("TERM", &running.pid().to_string());
    let ended = running.finish();
    assert_eq!(ended.code, Some(9), "{ended:#?}");
    assert!(folder.path().join("heard").exists());
}
