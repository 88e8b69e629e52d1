//! Files in places that others share: names that clash, what others have planted, what is no file, and two jobs at once. Nobody's
//! file is harmed, and every failure names its own cause.

#![allow(clippy::unwrap_used, reason = "a test fails where it cannot go on")]

mod support;

use std::{
    fs,
    os::unix::fs::{FileTypeExt, MetadataExt, PermissionsExt, symlink},
    path::Path,
    process::Command,
};

use support::{Finished, HYBRID, Job, endless, failing_files, topology, wait_until};

/// A picture of several bands in no time.
const SMALL: &str = "julia --size 160x120 --device cpu -q";
/// And one that a slow file system makes last for some seconds.
const SLOW: &str = "julia --size 640x480 --device cpu -q";
const EOPNOTSUPP: i32 = 95;
const ENOLCK: i32 = 37;

fn alone(folder: &Path, words: &str) -> Finished {
    Job::alone(folder, words).run()
}

fn assert_refused(job: &Finished, code: i32, expected: &[&str]) {
    assert_eq!((job.code, job.error_lines().len()), (Some(code), 1), "{job:#?}");
    expected.iter().for_each(|text| assert!(job.stderr.contains(text), "`{text}` in {job:#?}"));
}

fn files_in(folder: &Path) -> Vec<String> {
    let mut names: Vec<_> =
        fs::read_dir(folder).unwrap().map(|entry| entry.unwrap().file_name().into_string().unwrap()).collect();
    names.sort();
    names
}

/// Leaves an unfinished job, ended by a time limit while a slow file system takes a write.
fn leave(folder: &Path, words: &str) {
    let job = Job::alone(folder, &format!("{words} --time-limit 1"))
        .env("LD_PRELOAD", failing_files())
        .env("HYBRID_TEST_SLOW_WRITES", "400")
        .run();
    assert_eq!(job.code, Some(4), "{job:#?}");
}

#[test]
fn a_job_goes_on_with_its_own_files_and_no_others() {
    let folder = tempfile::tempdir().unwrap();
    let words = |picture: &str, counts: &str| format!("{SLOW} -o {picture} --counts {counts}");
    // The picture's name is what the slow file system knows.
    leave(folder.path(), &words("julia.png", "counts.npy"));
    let other = "julia --size 640x480 --c=-0.8,0.156 --device cpu -q -o other.png";
    let refused = alone(folder.path(), &format!("{other} --counts counts.npy --resume"));
    // Nothing holds the counts now; the other job may begin anew, and the first is not fooled by what it leaves.
    refused.succeeded();
    let refused = alone(folder.path(), &format!("{} --resume", words("julia.png", "counts.npy")));
    assert_refused(&refused, 1, &["julia.png.journal", "counts.npy.part, of which it tells, is missing"]);

    let folder = tempfile::tempdir().unwrap();
    leave(folder.path(), &words("julia.png", "counts.npy"));
    let refused = alone(folder.path(), &format!("{} --resume", words("julia.png", "others.npy")));
    assert_refused(
        &refused,
        1,
        &["julia.png.journal", "other files, picture julia.png and counts counts.npy, and not"],
    );
    let refused = alone(folder.path(), &format!("{SLOW} --resume"));
    assert_refused(&refused, 1, &["another picture"]);
    alone(folder.path(), &format!("{} --resume", words("./julia.png", "./counts.npy"))).succeeded();
}

#[test]
fn two_jobs_with_one_counts_file_end_in_the_right_counts() {
    let folder = tempfile::tempdir().unwrap();
    alone(folder.path(), &format!("{SLOW} --counts right.npy -o right.png")).succeeded();
    let right = fs::read(folder.path().join("right.npy")).unwrap();
    leave(folder.path(), &format!("{SLOW} --counts counts.npy"));
    let own = fs::read(folder.path().join("counts.npy.part")).unwrap();
    fs::create_dir(folder.path().join("b")).unwrap();
    leave(&folder.path().join("b"), "julia --size 640x480 --c=-0.8,0.156 --device cpu -q --counts ../counts.npy");
    assert_ne!(fs::read(folder.path().join("counts.npy.part")).unwrap(), own, "the second has taken it");
    let resumed = alone(folder.path(), "julia --size 640x480 --device cpu --counts counts.npy --resume").succeeded();
    assert!(resumed.stderr.contains("warning: what is left of julia.png and counts.npy is damaged"), "{resumed:#?}");
    assert!(fs::read(folder.path().join("counts.npy")).unwrap() == right);
}

#[test]
fn names_that_clash_are_refused_before_any_work() {
    let folder = tempfile::tempdir().unwrap();
    fs::create_dir(folder.path().join("sub")).unwrap();
    symlink("p.png", folder.path().join("link.png")).unwrap();
    symlink("sub", folder.path().join("same")).unwrap();
    // At this size the work would outlast the test's time limit.
    let long = concat!("julia --size 60000x60000 --max-iter 65535 ", endless!());
    for (words, code, expected) in [
        ("-o a.png --counts a.png.part", 2, "names that end in .part"),
        ("-o a.png --counts a.png.journal", 2, "names that end in .journal"),
        ("-o a.png.lock", 2, "names that end in .lock"),
        ("-o ./p.png --counts p.png", 2, "same file"),
        ("-o link.png --counts p.png", 2, "same file"),
        ("-o sub/p.png --counts same/../sub/p.png", 2, "same file"),
        ("-o same/p.png --counts sub/p.png", 2, "same file"),
        ("-o results/", 1, "names a folder"),
        ("-o sub/", 1, "names a folder"),
        ("-o sub/..", 1, "names no file"),
        ("--counts sub/.", 1, "names a folder"),
    ] {
        assert_refused(&alone(folder.path(), &format!("{long} {words}")), code, &[expected]);
        assert_eq!(files_in(folder.path()), ["link.png", "same", "sub"], "{words}");
    }
}

#[test]
fn a_link_leads_to_its_target_and_stays_a_link() {
    let folder = tempfile::tempdir().unwrap();
    let at = |name: &str| folder.path().join(name);
    fs::create_dir(at("disk")).unwrap();
    fs::write(at("disk/old.png"), "old").unwrap();
    symlink("disk/old.png", at("julia.png")).unwrap();
    symlink("disk/new.npy", at("counts.npy")).unwrap();
    alone(folder.path(), &format!("{SMALL} --counts counts.npy")).succeeded();
    assert_eq!(image::open(at("disk/old.png")).unwrap().width(), 160);
    assert!(fs::read(at("disk/new.npy")).unwrap().starts_with(b"\x93NUMPY"));
    assert_eq!(files_in(&at("disk")), ["new.npy", "old.png"]);
    for name in ["julia.png", "counts.npy"] {
        assert!(fs::symlink_metadata(at(name)).unwrap().is_symlink(), "{name}");
    }
}

/// Device files of the test's own: none of the system's is ever named here. Where nodes cannot be made, by users other than
/// root, links to the system's must do.
fn null_in(folder: &Path) -> bool {
    let node = folder.join("null");
    let made = Command::new("mknod").args(["-m", "666"]).arg(&node).args(["c", "1", "3"]).output().unwrap();
    if !made.status.success() {
        symlink("/dev/null", node).unwrap();
    }
    made.status.success()
}

#[test]
fn what_goes_to_the_null_device_is_gone_and_the_device_stays() {
    let folder = tempfile::tempdir().unwrap();
    let is_node = null_in(folder.path());
    let topology = topology("laptop.xml");
    for words in [
        format!("{SMALL} -o null"),
        format!("{SMALL} -o null --counts null"),
        format!("{SMALL} -o null --counts counts.npy"),
        format!("{SMALL} --counts null"),
        "where -o null".to_owned(),
        format!("rankfile write --topology n={topology} -o null"),
    ] {
        Job::mpiexec(folder.path(), 2, &words).run().succeeded();
        assert_eq!(fs::symlink_metadata(folder.path().join("null")).unwrap().file_type().is_char_device(), is_node);
    }
    assert_eq!(files_in(folder.path()), ["counts.npy", "julia.png", "null"]);
}

#[test]
fn a_pipe_gets_the_bytes_of_a_stream_and_a_picture_is_refused() {
    let folder = tempfile::tempdir().unwrap();
    let at = |name: &str| folder.path().join(name);
    assert!(Command::new("mkfifo").arg(at("pipe")).status().unwrap().success());
    symlink("/proc/self/fd/1", at("out")).unwrap();
    for words in ["julia -o pipe", "julia --counts pipe", "julia -o out"] {
        let long = concat!("--size 60000x60000 --max-iter 65535 ", endless!());
        assert_refused(&alone(folder.path(), &format!("{words} {long}")), 1, &["pipe or a device", "name a file"]);
    }
    let write = format!("rankfile write --topology n={}", topology("laptop.xml"));
    alone(folder.path(), &format!("{write} -o plain")).succeeded();
    let plain = fs::read_to_string(at("plain")).unwrap();
    fs::remove_file(at("plain")).unwrap();
    let reader = || Command::new("cat").arg(at("pipe")).stdout(fs::File::create(at("read")).unwrap()).spawn().unwrap();
    let mut cat = reader();
    alone(folder.path(), &format!("{write} -o pipe")).succeeded();
    assert!(cat.wait().unwrap().success());
    // A launcher is told of a file: the pipe is gone by then.
    assert_eq!(fs::read_to_string(at("read")).unwrap().replace("my.rankfile", "plain"), plain);
    let mut cat = reader();
    alone(folder.path(), "where -o pipe").succeeded();
    assert!(cat.wait().unwrap().success());
    assert!(fs::read_to_string(at("read")).unwrap().contains("</svg>"));
    // Standard output: what else there is to say would be a part of the rankfile.
    let printed = alone(folder.path(), &format!("{write} -o out")).succeeded();
    assert_eq!(printed.stdout.replace("my.rankfile", "plain"), plain);
    assert!(printed.stderr.contains("start with:"), "{printed:#?}");
    assert!(fs::symlink_metadata(at("pipe")).unwrap().file_type().is_fifo());
    assert_eq!(files_in(folder.path()), ["out", "pipe", "read"]);
}

#[test]
fn what_is_in_the_way_of_a_jobs_own_files_is_named_and_stays() {
    for (end, resume) in [("part", ""), ("journal", "--resume"), ("lock", "")] {
        let folder = tempfile::tempdir().unwrap();
        let name = format!("julia.png.{end}");
        let at = folder.path().join(&name);
        assert!(Command::new("mkfifo").arg(&at).status().unwrap().success());
        let words = format!("{SMALL} {resume}");
        assert_refused(&alone(folder.path(), &words), 1, &[&name, "is a pipe, and no plain file"]);
        fs::remove_file(&at).unwrap();
        symlink("/dev/zero", &at).unwrap();
        assert_refused(&alone(folder.path(), &words), 1, &[&name, "is a symbolic link, and no plain file"]);
        assert_eq!(files_in(folder.path()), [name]);
    }
    let folder = tempfile::tempdir().unwrap();
    symlink("/dev/zero", folder.path().join("zero.json")).unwrap();
    assert_refused(&alone(folder.path(), "pi --darts 10 --resume zero.json"), 1, &["zero.json", "no file"]);
}

/// Runs a command as user `nobody`; `None` where this user may not, which is said.
fn as_nobody(folder: &Path, program: &str, words: &[&str]) -> Option<Finished> {
    if !is_root() {
        support::not_run("what other users do: needs root");
        return None;
    }
    let mut command = Command::new("setpriv");
    command.args(["--reuid=65534", "--regid=65534", "--clear-groups", program]).args(words);
    Some(Job::of(command, folder).env("HOME", "/nonexistent").run())
}

fn is_root() -> bool {
    String::from_utf8(Command::new("id").arg("-u").output().unwrap().stdout).unwrap().trim() == "0"
}

/// A copy of the program that every user can start.
fn program_for_all(folder: &Path) -> String {
    let program = folder.join("hybrid");
    fs::copy(HYBRID, &program).unwrap();
    fs::set_permissions(&program, fs::Permissions::from_mode(0o755)).unwrap();
    program.display().to_string()
}

/// A folder that everybody may write to, in one that everybody may enter.
fn shared() -> (tempfile::TempDir, std::path::PathBuf) {
    let folder = tempfile::tempdir().unwrap();
    let shared = folder.path().join("shared");
    fs::create_dir(&shared).unwrap();
    fs::set_permissions(folder.path(), fs::Permissions::from_mode(0o755)).unwrap();
    fs::set_permissions(&shared, fs::Permissions::from_mode(0o1777)).unwrap();
    (folder, shared)
}

#[test]
fn what_another_user_has_planted_is_neither_followed_nor_taken_over() {
    let (folder, shared) = shared();
    let precious = folder.path().join("precious");
    for end in [".part", ".journal", ".journal.part", ".lock", ""] {
        for plant in ["ln -s ../precious", "echo planted >", "mkfifo", "ln -s /dev/zero"] {
            fs::write(&precious, "precious").unwrap();
            let name = format!("julia.png{end}");
            if as_nobody(&shared, "sh", &["-c", &format!("{plant} {name}")]).is_none() {
                return;
            }
            let job = alone(&shared, &format!("{SMALL} --resume"));
            let case = format!("{plant} {name}: {job:#?}");
            assert_eq!(fs::read(&precious).unwrap(), b"precious", "{case}");
            if job.code == Some(0) {
                // A plain file gives way to the result.
                let result = fs::symlink_metadata(shared.join("julia.png")).unwrap();
                assert!(result.is_file() && result.uid() == 0 && result.nlink() == 1, "{case}");
                assert!(end.is_empty() && plant.starts_with("echo"), "{case}");
            } else {
                assert_refused(&job, 1, &[&name]);
                assert!(fs::symlink_metadata(shared.join(&name)).is_ok(), "{case}");
            }
            fs::read_dir(&shared).unwrap().for_each(|entry| fs::remove_file(entry.unwrap().path()).unwrap());
        }
    }
}

#[test]
fn the_null_device_takes_what_another_user_gives_it_and_his_own_files_do_too() {
    let (folder, shared) = shared();
    null_in(folder.path());
    let program = program_for_all(folder.path());
    for words in ["-o ../null", "-o ../null --counts own.npy", "-o own.png"] {
        let words: Vec<_> = SMALL.split(' ').chain(words.split(' ')).collect();
        let Some(job) = as_nobody(&shared, &program, &words) else { return };
        job.succeeded();
    }
    assert_eq!(files_in(&shared), ["own.npy", "own.png"]);
    // A folder that he may not write to, and one that he may not even enter.
    let closed = folder.path().join("closed");
    fs::create_dir(&closed).unwrap();
    for (mode, expected) in [(0o755, "closed/a.png"), (0o700, "its folder ../closed: ")] {
        fs::set_permissions(&closed, fs::Permissions::from_mode(mode)).unwrap();
        let words: Vec<_> = SMALL.split(' ').chain(["-o", "../closed/a.png"]).collect();
        let job = as_nobody(&shared, &program, &words).unwrap();
        assert_refused(&job, 1, &[expected, "Permission denied"]);
        assert!(!job.stderr.contains("unfinished job"), "{job:#?}");
    }
}

#[test]
fn every_failure_names_its_own_cause() {
    let folder = tempfile::tempdir().unwrap();
    symlink("round", folder.path().join("round")).unwrap();
    fs::write(folder.path().join("file"), "").unwrap();
    let long = "x".repeat(250);
    for (name, expected) in [
        (long.as_str(), "a name of 250 bytes leaves no room"),
        ("round", "round in a circle"),
        ("round/a.png", "symbolic links"),
        ("file/a.png", "its folder file: Not a directory"),
    ] {
        for resume in ["", "--resume"] {
            let job = alone(folder.path(), &format!("{SMALL} -o {name} {resume}"));
            assert_refused(&job, 1, &[expected]);
            assert!(!job.stderr.contains("unfinished"), "{job:#?}");
        }
    }
}

fn locked(job: Job, no_locks: Option<i32>) -> Job {
    match no_locks {
        Some(number) => job.env("LD_PRELOAD", failing_files()).env("HYBRID_TEST_NO_LOCKS", &number.to_string()),
        None => job,
    }
}

#[test]
fn of_two_jobs_with_the_same_names_one_is_told_so_with_and_without_locks() {
    for no_locks in [None, Some(EOPNOTSUPP), Some(ENOLCK)] {
        let folder = tempfile::tempdir().unwrap();
        let words = format!("{SLOW} --counts counts.npy");
        let first = locked(Job::mpiexec(folder.path(), 2, &words), no_locks)
            .env("LD_PRELOAD", failing_files())
            .env("HYBRID_TEST_SLOW_WRITES", "400")
            .start();
        wait_until("the first job", || folder.path().join("julia.png.part").exists());
        for words in [format!("{words} --resume"), format!("{SMALL} -o b.png --counts ./counts.npy")] {
            let second = locked(Job::mpiexec(folder.path(), 1, &words), no_locks).run();
            assert_refused(&second, 1, &["another job (process ", "is writing "]);
        }
        first.finish().succeeded();
        assert_eq!(files_in(folder.path()), ["counts.npy", "julia.png"], "{no_locks:?}");
    }
}

#[test]
fn what_a_killed_job_left_is_taken_over_without_locks_too() {
    for no_locks in [EOPNOTSUPP, ENOLCK] {
        let folder = tempfile::tempdir().unwrap();
        let job = |words: &str| {
            locked(Job::alone(folder.path(), words), Some(no_locks)).env("HYBRID_TEST_SLOW_WRITES", "400")
        };
        let killed = job(SLOW).start();
        wait_until("the journal", || folder.path().join("julia.png.journal").exists());
        killed.kill_group();
        killed.finish();
        assert!(folder.path().join("julia.png.lock").exists());
        locked(Job::mpiexec(folder.path(), 2, &format!("{SLOW} --resume")), Some(no_locks)).run().succeeded();
        assert_eq!(files_in(folder.path()), ["julia.png"]);
        // Of another host nobody here can tell whether it still runs.
        let other =
            r#"{"host":"far","boot":"b","pid_namespace":"p","process":7,"began":"1","locked":false,"number":1}"#;
        fs::write(folder.path().join("julia.png.lock"), other).unwrap();
        assert_refused(&job(SLOW).run(), 1, &["process 7 on far", "if it is gone, remove julia.png.lock"]);
    }
}

#[test]
fn the_state_of_pi_is_held_as_long_as_the_run_lasts() {
    for no_locks in [None, Some(EOPNOTSUPP)] {
        let folder = tempfile::tempdir().unwrap();
        let words = "pi --darts 1e15 --device cpu -q --resume pi.json";
        let first = locked(Job::alone(folder.path(), words), no_locks).start();
        wait_until("the state", || folder.path().join("pi.json").exists());
        for _ in 0..5 {
            let second = locked(Job::alone(folder.path(), words), no_locks).run();
            assert_refused(&second, 1, &["another job (process ", "is writing pi.json"]);
        }
        first.kill_group();
        first.finish();
        // As many darts as are thrown at least, or the second run would not be allowed.
        let again = locked(Job::alone(folder.path(), "pi --darts 1e15 --seed 3 --resume pi.json -q"), no_locks).run();
        assert_refused(&again, 1, &["pi.json: it is of seed "]);
    }
}

#[test]
fn a_finished_picture_is_not_computed_again() {
    let folder = tempfile::tempdir().unwrap();
    let words = "julia --size 640x480 --device cpu --counts counts.npy --resume --timings json";
    let first = Job::mpiexec(folder.path(), 2, words).run().succeeded();
    assert_eq!(first.json()["resumed_bands"], 0);
    let read = || ["julia.png", "counts.npy"].map(|name| fs::read(folder.path().join(name)).unwrap());
    let inode = || fs::metadata(folder.path().join("julia.png")).unwrap().ino();
    let (files, before) = (read(), inode());
    let second = Job::mpiexec(folder.path(), 3, words).run().succeeded();
    assert!(
        second.stderr.contains("julia.png and counts.npy are complete already: nothing is computed"),
        "{second:#?}"
    );
    let (first, report) = (first.json(), second.json());
    for field in ["iterations", "min", "max"] {
        assert_eq!(report[field], first[field], "{field}");
    }
    assert!(report["resumed_bands"].as_u64().unwrap() > 0);
    assert!(read() == files && inode() == before);
    // Without --resume it is.
    Job::mpiexec(folder.path(), 1, "julia --size 640x480 --device cpu -q").run().succeeded();
    assert_ne!(inode(), before);
}
