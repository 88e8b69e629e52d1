//! Wrong input: one clear line for the whole job, the right exit code, and no file touched.

#![allow(clippy::unwrap_used, reason = "a test fails where it cannot go on")]

mod support;

use std::{fs, path::Path, process::Command};

use support::{Finished, HYBRID, Job, endless};

fn assert_refused(job: &Finished, code: i32, expected: &[&str]) {
    assert_eq!(job.code, Some(code), "{job:#?}");
    assert_eq!(job.error_lines().len(), 1, "{job:#?}");
    for text in expected {
        assert!(job.stderr.contains(text), "`{text}` in {job:#?}");
    }
    assert!(!job.stderr.contains("panicked"), "{job:#?}");
}

fn assert_no_litter(folder: &Path, allowed: &[&str]) {
    for entry in fs::read_dir(folder).unwrap() {
        let name = entry.unwrap().file_name().into_string().unwrap();
        assert!(allowed.contains(&name.as_str()), "{name} was left behind");
    }
}

#[test]
fn words_that_make_no_command_are_a_usage_error_printed_once() {
    let folder = tempfile::tempdir().unwrap();
    for (words, expected) in [
        ("julia --scale 0", "--scale"),
        ("julia --scale 4000000", "3355443"),
        ("julia --size 3000000000x1", "2147483647"),
        ("julia --view NaN,1,0,1", "NaN"),
        ("julia --view 1,-1,0,1", "X0 is not below X1"),
        ("julia --c 1", "--c"),
        ("julia --size 9x3", "4 ranks for 3 rows"),
        ("julia --device teapot", "teapot"),
        ("julia --device 0000:65:00", "0000:65:00"),
        ("jullia", "jullia"),
        ("julia --max-iter 70000", "65535"),
        ("julia --radius 0", "--radius 0"),
    ] {
        assert_refused(&Job::mpiexec(folder.path(), 4, words).run(), 2, &[expected]);
        assert_no_litter(folder.path(), &[]);
    }
}

#[test]
fn usage_errors_need_no_launcher_and_no_mpi() {
    let folder = tempfile::tempdir().unwrap();
    assert_refused(&Job::alone(folder.path(), "julia --scale 0").run(), 2, &["--scale"]);
    assert_refused(&Job::alone(folder.path(), "").run(), 2, &["no command given", "Usage"]);
    let help = Job::mpiexec(folder.path(), 3, "julia --help").run().succeeded();
    assert_eq!(help.stdout.matches("--max-iter").count(), 1, "{}", help.stdout);
}

#[test]
fn completions_and_pages_of_the_manual_need_no_launcher_and_no_mpi() {
    let folder = tempfile::tempdir().unwrap();
    let completions = Job::alone(folder.path(), "completions bash").run().succeeded().stdout;
    assert!(completions.contains("_hybrid()") && completions.contains("--max-iter"), "{completions}");
    let page = Job::alone(folder.path(), "man rankfile check").run().succeeded().stdout;
    assert!(page.contains(".TH hybrid-rankfile-check 1"), "{page}");
    assert_refused(&Job::alone(folder.path(), "man rankfile chek").run(), 2, &["chek", "check, explain"]);
    assert_refused(&Job::alone(folder.path(), "completions tcsh").run(), 2, &["tcsh", "bash"]);
    let once = Job::mpiexec(folder.path(), 3, "man julia").run().succeeded().stdout;
    assert_eq!(once.matches(".TH hybrid-julia 1").count(), 1, "{once}");
}

#[test]
fn files_that_cannot_be_written_are_found_before_any_work() {
    let folder = tempfile::tempdir().unwrap();
    fs::create_dir(folder.path().join("a_folder")).unwrap();
    for (words, expected) in [
        ("-o missing/julia.png", "mkdir -p missing"),
        ("-o a_folder", "is a directory"),
        ("--counts missing/counts.npy", "missing/counts.npy"),
        ("-o /proc/julia.png", "/proc/julia.png"),
        ("--counts same.png -o same.png", "same file"),
    ] {
        // At this size the work would outlast the test's time limit.
        let words = format!("julia --size 60000x60000 --max-iter 65535 {} {words}", endless!());
        let job = Job::mpiexec(folder.path(), 2, &words).run();
        let code = if words.contains("same") { 2 } else { 1 };
        assert_refused(&job, code, &[expected]);
        assert_no_litter(folder.path(), &["a_folder"]);
    }
}

#[test]
fn memory_is_named_before_it_is_taken() {
    let folder = tempfile::tempdir().unwrap();
    let job = Job::mpiexec(folder.path(), 2, "julia --size 2000000000x2000000000").run();
    assert_refused(&job, 2, &["2000000000 pixels in a row", "narrower"]);
    let words = "julia --size 70000000x100000000 --device cpu --threads 60000";
    let job = Job::mpiexec(folder.path(), 2, words).run();
    assert_refused(&job, 1, &["bytes of memory", "bytes are available", "smaller image"]);
    assert_no_litter(folder.path(), &[]);
}

#[test]
fn a_full_disk_leaves_the_old_file() {
    let folder = tempfile::tempdir().unwrap();
    // A file system of 64 KiB in a mount namespace of its own.
    let script = format!(
        "mount -t tmpfs -o size=64k none \"$PWD\" && cd \"$PWD\" && echo old > julia.png && \
         {HYBRID} julia --scale 2 -q; code=$?; cat julia.png; ls; exit $code"
    );
    let mut command = Command::new("unshare");
    command.args(["--mount", "--map-root-user", "--user", "sh", "-c", &script]);
    let job = Job::of(command, folder.path()).run();
    assert_refused(&job, 1, &["julia.png", "No space left"]);
    assert_eq!(job.stdout, "old\njulia.png\n", "{job:#?}");
}

#[test]
fn a_gpu_that_is_not_there_is_an_error_that_says_what_was_looked_for() {
    let folder = tempfile::tempdir().unwrap();
    let job = Job::mpiexec(folder.path(), 2, "julia --device gpu").run();
    assert_refused(&job, 1, &["GPU", "--software-gpu"]);
    let job = Job::mpiexec(folder.path(), 2, "julia --device 0000:65:00.0").run();
    assert_refused(&job, 2, &["0000:65:00.0", "has no GPU"]);
    // One software GPU, two ranks.
    let job = Job::mpiexec(folder.path(), 2, "julia --device gpu --software-gpu").run();
    assert_refused(&job, 1, &["rank 1", "--ranks-per-gpu 2"]);
}

#[test]
fn different_options_on_different_ranks_are_named() {
    let folder = tempfile::tempdir().unwrap();
    let program = ["sh", "-c", "exec \"$0\" julia --size $((10 + ${OMPI_COMM_WORLD_RANK:-$PMI_RANK}))x20", HYBRID];
    let job = Job::launched(folder.path(), &["-n", "2"], &program, "").run();
    assert_refused(&job, 2, &["rank 1", "--size 11x20", "--size 10x20", "same options"]);
    let program =
        ["sh", "-c", "exec \"$0\" julia $([ ${OMPI_COMM_WORLD_RANK:-$PMI_RANK} = 1 ] && echo --device gpu)", HYBRID];
    let job = Job::launched(folder.path(), &["-n", "2"], &program, "").run();
    assert_refused(&job, 2, &["rank 1", "--device gpu"]);
}

#[test]
fn the_launcher_of_another_mpi_is_named_once() {
    let folder = tempfile::tempdir().unwrap();
    // What MPICH's launcher tells its processes, each of which finds itself alone.
    for (rank, code, lines) in [("0", 1, 1), ("1", 0, 0)] {
        let job = Job::alone(folder.path(), "julia").env("PMI_RANK", rank).env("PMI_SIZE", "2").run();
        // A process that failed before rank 0 has said why would have the launcher end rank 0.
        assert_eq!((job.code, job.error_lines().len()), (Some(code), lines), "{job:#?}");
        assert!(lines == 0 || job.stderr.contains("started 2 processes"), "{job:#?}");
    }
    assert_no_litter(folder.path(), &[]);
}
