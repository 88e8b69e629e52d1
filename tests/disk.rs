//! Disks that are full, too small or broken: said before the work where that can be known, and else one line for the whole
//! job, after which the same command with `--resume` ends in the same bytes.
//!
//! Small file systems are mounted in namespaces, which want root or user namespaces: where they are not permitted these tests
//! fail with the reason; `HYBRID_TEST_NO_CLUSTER=1` turns those tests off, and they say so. Other failures are made by
//! `tests/support/failing_files.c`.

#![allow(clippy::unwrap_used, reason = "a test fails where it cannot go on")]

mod support;

use std::{
    fs,
    io::{Write, stderr},
    path::Path,
    process::Command,
};

use support::{Finished, HYBRID, Job, endless, failing_files};

/// A picture of several bands with its counts.
const SMALL: &str = "julia --size 640x480 --counts counts.npy --device cpu -q";
const ENOSPC: i32 = 28;
const EIO: i32 = 5;
const EROFS: i32 = 30;
const ESTALE: i32 = 116;
const EDQUOT: i32 = 122;
/// Instead of an error number: the process is killed in the middle of the call.
const KILLED: i32 = 0;

fn failing(job: Job, call: &str, end: &str, number: i32) -> Job {
    job.env("LD_PRELOAD", failing_files()).env("HYBRID_TEST_FAIL", &format!("{call}:{end}:{number}"))
}

/// One line for the whole job, with the exit code of a failure.
fn assert_ended(job: &Finished, expected: &[&str]) {
    assert_eq!((job.code, job.error_lines().len()), (Some(1), 1), "{job:#?}");
    for text in expected {
        assert!(job.error_lines()[0].contains(text), "`{text}` in {job:#?}");
    }
    assert!(!job.stderr.contains("panicked"), "{job:#?}");
}

fn files_in(folder: &Path) -> Vec<String> {
    let mut names: Vec<_> =
        fs::read_dir(folder).unwrap().map(|entry| entry.unwrap().file_name().into_string().unwrap()).collect();
    names.sort();
    names
}

fn picture_and_counts(folder: &Path) -> (Vec<u8>, Vec<u8>) {
    let read = |name: &str| fs::read(folder.join(name)).unwrap();
    (read("julia.png"), read("counts.npy"))
}

/// What [`SMALL`] ends in when nothing happens.
fn undisturbed() -> (Vec<u8>, Vec<u8>) {
    let folder = tempfile::tempdir().unwrap();
    Job::mpiexec(folder.path(), 1, SMALL).run().succeeded();
    picture_and_counts(folder.path())
}

#[test]
fn a_write_that_fails_in_mid_job_is_one_line_and_resumes_to_the_same_bytes() {
    let expected = undisturbed();
    for (index, (call, end, number, said)) in [
        ("pwrite64", "/julia.png.part", ENOSPC, "julia.png: No space left on device (os error 28): make room on"),
        ("pwrite64", "/julia.png.part", ESTALE, "mounted anew"),
        ("pwrite64", "/counts.npy.part", EDQUOT, "counts.npy: Disk quota exceeded (os error 122): make room within"),
        // Found out late: when what was written in the background is to be safe.
        ("fdatasync", "/julia.png.part", EDQUOT, "julia.png: Disk quota exceeded"),
        ("fdatasync", "/counts.npy.part", EIO, "counts.npy: Input/output error (os error 5): see to that and start"),
        // The journal's own.
        ("write", "/julia.png.journal.part", ENOSPC, "julia.png.journal: No space left"),
        ("fdatasync", "/julia.png.journal.part", EIO, "julia.png.journal: Input/output error"),
        ("rename", "julia.png.journal.part", ENOSPC, "julia.png.journal: No space left"),
        // Giving the names.
        ("rename", "counts.npy.part", EIO, "counts.npy: Input/output error"),
        ("rename", "julia.png.part", EROFS, "julia.png: Read-only file system"),
        ("unlink", "julia.png.journal", EIO, "julia.png.journal: Input/output error"),
    ]
    .into_iter()
    .enumerate()
    {
        let folder = tempfile::tempdir().unwrap();
        let ended = failing(Job::mpiexec(folder.path(), 3, SMALL), call, end, number).run();
        assert_ended(&ended, &[said, "start the same command with --resume: ", " bands are safe"]);
        assert!(!ended.stderr.contains(": 0 of"), "there was a journal: {ended:#?}");
        let files = files_in(folder.path());
        assert!(files.contains(&"julia.png.journal".to_owned()), "{call} {end}: {files:?}");
        assert!(!files.contains(&"julia.png.journal.part".to_owned()), "{call} {end}: {files:?}");

        let words = format!("{SMALL} --resume");
        Job::mpiexec(folder.path(), 1 + index % 4, &words).run().succeeded();
        assert!(picture_and_counts(folder.path()) == expected, "{call} {end} {number}");
        assert_eq!(files_in(folder.path()), ["counts.npy", "julia.png"], "{call} {end} {number}");
    }
}

#[test]
fn a_job_killed_while_it_names_its_files_is_resumed() {
    let expected = undisturbed();
    for (call, end, left) in [
        ("rename", "counts.npy.part", ["counts.npy.part", "julia.png.journal", "julia.png.part"]),
        ("rename", "julia.png.part", ["counts.npy", "julia.png.journal", "julia.png.part"]),
        ("unlink", "julia.png.journal", ["counts.npy", "julia.png", "julia.png.journal"]),
    ] {
        let folder = tempfile::tempdir().unwrap();
        failing(Job::mpiexec(folder.path(), 2, SMALL), call, end, KILLED).run().was_killed();
        let mut files = files_in(folder.path());
        files.retain(|name| !name.ends_with(".lock"));
        assert_eq!(files, left);
        Job::mpiexec(folder.path(), 3, &format!("{SMALL} --resume")).run().succeeded();
        assert!(picture_and_counts(folder.path()) == expected, "{call} {end}");
        assert_eq!(files_in(folder.path()), ["counts.npy", "julia.png"], "{call} {end}");
    }
}

/// Large files are what people remove to make room, and results are what they put in their place.
#[test]
fn a_part_that_was_removed_is_named_and_nothing_else_is_taken_for_it() {
    let folder = tempfile::tempdir().unwrap();
    failing(Job::mpiexec(folder.path(), 2, SMALL), "unlink", "julia.png.journal", EIO).run();
    fs::write(folder.path().join("julia.png"), "another").unwrap();
    let refused = Job::mpiexec(folder.path(), 2, &format!("{SMALL} --resume")).run();
    assert_ended(&refused, &["julia.png.journal: ", "julia.png.part, of which it tells, is missing", "start anew"]);
    assert_eq!(fs::read(folder.path().join("julia.png")).unwrap(), b"another");

    fs::remove_file(folder.path().join("julia.png.journal")).unwrap();
    Job::mpiexec(folder.path(), 2, &format!("{SMALL} --resume")).run().succeeded();
    assert!(picture_and_counts(folder.path()) == undisturbed());
}

#[test]
fn the_limit_on_a_files_size_is_an_error_and_not_a_signal() {
    // The picture is some 20 MB, the limit 12 MB: MPI's own files must pass.
    let words = "--scale 30 --device cpu -q";
    let expected = {
        let folder = tempfile::tempdir().unwrap();
        Job::mpiexec(folder.path(), 2, &format!("julia {words}")).run().succeeded();
        fs::read(folder.path().join("julia.png")).unwrap()
    };
    let folder = tempfile::tempdir().unwrap();
    let limited = ["sh", "-c", "ulimit -f 24000 && exec \"$0\" \"$@\"", HYBRID, "julia"];
    let ended = Job::launched(folder.path(), &["-n", "2"], &limited, words).run();
    assert_ended(&ended, &["julia.png: File too large (os error 27)", "ulimit -f", "--resume"]);
    Job::mpiexec(folder.path(), 3, &format!("julia {words} --resume")).run().succeeded();
    assert!(fs::read(folder.path().join("julia.png")).unwrap() == expected);
    assert_eq!(files_in(folder.path()), ["julia.png"]);

    // The counts have their full length from the start: known at once, and nothing is left behind.
    let words = "--scale 30 --counts counts.npy --device cpu -q";
    fs::remove_file(folder.path().join("julia.png")).unwrap();
    let refused = Job::launched(folder.path(), &["-n", "2"], &limited, words).run();
    assert_ended(&refused, &["counts.npy: File too large", "ulimit -f"]);
    assert!(files_in(folder.path()).is_empty(), "{:?}", files_in(folder.path()));
}

#[test]
fn a_report_that_cannot_be_printed_is_one_line_and_a_reader_that_left_none() {
    let folder = tempfile::tempdir().unwrap();
    for words in ["julia --size 64x48", "pi --darts 1000", "pi --study --powers 1..2 --runs 2", "where"] {
        let on_full_disk = ["-c", "exec \"$0\" \"$@\" >/dev/full", HYBRID];
        let mut command = Command::new("sh");
        command.args(on_full_disk).args(words.split(' '));
        let job = Job::of(command, folder.path()).run();
        if words.starts_with("julia") || words.contains("--study") {
            // The result is in files, and those are complete.
            assert_eq!((job.code, job.stderr.lines().count()), (Some(0), 1), "{job:#?}");
            assert!(job.stderr.starts_with("warning: cannot write standard output: No space left"), "{job:#?}");
        } else {
            assert_ended(&job, &["cannot write standard output: No space left on device"]);
        }
        assert!(!words.starts_with("julia") || folder.path().join("julia.png").exists(), "{job:#?}");

        let to_nobody = ["-c", "(\"$0\" \"$@\"; echo $? >code) | true; cat code", HYBRID];
        let mut command = Command::new("sh");
        command.args(to_nobody).args(words.split(' '));
        let job = Job::of(command, folder.path()).run();
        assert_eq!((job.stdout.as_str(), job.stderr.as_str()), ("0\n", ""), "{words}: {job:#?}");
    }
}

/// Whether tests that need namespaces are turned off; says so where they are, past what the test harness captures.
fn is_turned_off() -> bool {
    let off = std::env::var("HYBRID_TEST_NO_CLUSTER").is_ok_and(|value| value == "1");
    if off {
        stderr().write_all(b"small file systems: turned off by HYBRID_TEST_NO_CLUSTER=1\n").unwrap();
    }
    off
}

/// A script in `folder` on a file system of its own that holds `mib` MiB, with `$hybrid RANKS WORDS...` as the job.
fn on_small_disk(folder: &Path, mib: u32, script: &str) -> Job {
    let (options, launcher) = (["--mount", "--user", "--map-root-user"], support::launcher().join(" "));
    let script = format!(
        "mount -t tmpfs -o size={mib}m small \"$PWD\" && cd \"$PWD\" || exit 99
         job() {{ ranks=$1; shift; {launcher} -n $ranks {HYBRID} julia --device cpu \"$@\"; }}
         {script}"
    );
    let mut command = Command::new("unshare");
    command.args(options).args(["sh", "-c", &script]);
    Job::of(command, folder)
}

#[test]
fn what_certainly_does_not_fit_is_refused_before_any_work() {
    if is_turned_off() {
        return;
    }
    let folder = tempfile::tempdir().unwrap();
    // 12 000 000 counts of a byte.
    let words = concat!("--size 4000x3000 ", endless!());
    let script = format!("echo old >julia.png; job 2 {words} --counts counts.npy; code=$?; ls; exit $code");
    let job = on_small_disk(folder.path(), 4, &script).run();
    assert_ended(&job, &["julia.png and counts.npy: at least 120", "bytes are free in .", "make room there"]);
    assert_eq!(job.stdout, "julia.png\n", "{job:#?}");

    // 4 G pixels of one color; hours of work.
    let words = concat!("--scale 120 --max-iter 65535 ", endless!());
    let job = on_small_disk(folder.path(), 16, &format!("job 3 {words}; code=$?; ls; exit $code")).run();
    assert_ended(&job, &["julia.png: at least 2", "bytes are free"]);
    assert_eq!(job.stdout, "", "{job:#?}");
}

#[test]
fn what_may_not_fit_is_one_warning() {
    if is_turned_off() {
        return;
    }
    let folder = tempfile::tempdir().unwrap();
    let job = on_small_disk(folder.path(), 16, "job 2 --scale 15").run().succeeded();
    let warnings: Vec<_> = job.stderr.lines().filter(|line| line.starts_with("warning:")).collect();
    assert_eq!(warnings.len(), 1, "{job:#?}");
    assert!(warnings[0].contains("julia.png: up to") && warnings[0].contains("--resume"), "{job:#?}");
    for quiet in ["job 2 --scale 15 -q", "job 2 --scale 3 -q"] {
        let job = on_small_disk(folder.path(), 16, quiet).run().succeeded();
        assert!(!job.stderr.contains("warning:"), "{job:#?}");
    }
}

#[test]
fn a_disk_that_fills_up_ends_the_job_and_more_room_lets_it_go_on() {
    if is_turned_off() {
        return;
    }
    let library = failing_files();
    let folder = tempfile::tempdir().unwrap();
    // Some 20 MB on 8 MiB; the library sees to it that there is a journal before the disk is full.
    let script = format!(
        "echo old >julia.png
         (LD_PRELOAD={library} job 2 --scale 30 -q); echo first $?; cat julia.png
         job 3 --scale 30 -q --resume; echo second $?; ls
         mount -o remount,size=64m small \"$PWD\" && job 1 --scale 30 -q --resume; echo third $?; ls
         job 2 --scale 30 -q -o anew.png; cmp julia.png anew.png && echo same"
    );
    let job = on_small_disk(folder.path(), 8, &script).run();
    let expected = "first 1\nold\nsecond 1\njulia.png\njulia.png.journal\njulia.png.part\nthird 0\njulia.png\nsame\n";
    assert_eq!(job.stdout, expected, "{job:#?}");
    let lines = job.error_lines();
    assert_eq!(lines.len(), 2, "{job:#?}");
    assert!(lines[0].contains("julia.png: No space left on device (os error 28): make room"), "{job:#?}");
    assert!(lines[0].contains("--resume: ") && !lines[0].contains(": 0 of"), "{job:#?}");
    // What is missing certainly takes more than there is, or that is found out: it depends on how much was noted.
    let second =
        ["julia.png: No space left on device (os error 28): make room", "bytes are free in .: make room there"];
    assert!(second.iter().any(|said| lines[1].contains(said)), "{job:#?}");
}

#[test]
fn room_that_an_unfinished_job_has_taken_already_is_not_asked_for_again() {
    if is_turned_off() {
        return;
    }
    let library = failing_files();
    let folder = tempfile::tempdir().unwrap();
    // 12 MB of counts on 16 MiB, ended when all of them are written.
    let words = "--size 4000x3000 --counts counts.npy -q";
    let script = format!(
        "(LD_PRELOAD={library} HYBRID_TEST_FAIL=rename:counts.npy.part:{EIO} job 2 {words}); echo first $?
         job 3 {words} --resume; echo second $?; ls"
    );
    let job = on_small_disk(folder.path(), 16, &script).run();
    assert_eq!(job.stdout, "first 1\nsecond 0\ncounts.npy\njulia.png\n", "{job:#?}");
}

#[test]
fn a_folder_that_cannot_be_written_is_found_before_any_work() {
    if is_turned_off() {
        return;
    }
    let folder = tempfile::tempdir().unwrap();
    let words = concat!("--scale 30 --max-iter 65535 ", endless!());
    let job = on_small_disk(folder.path(), 64, &format!("mount -o remount,ro small \"$PWD\"; job 3 {words}")).run();
    assert_ended(&job, &["julia.png: Read-only file system", "mounted for writing"]);
}
