//! A rank that fails: the job ends soon, with a cause, and the old file is whole.

#![allow(clippy::unwrap_used, reason = "a test fails where it cannot go on")]

mod support;

use std::{
    fs,
    path::Path,
    thread,
    time::{Duration, Instant},
};

use support::{Finished, Job, Running, endless, ranks_of, signal, wait_for_end_of, wait_until};

/// Some seconds of work for a core, in many pieces.
const LONG: &str = concat!("julia --size 3000x2000 --max-iter 8000 --device cpu ", endless!());

#[test]
fn a_panic_on_one_rank_ends_the_job_with_one_line() {
    let folder = tempfile::tempdir().unwrap();
    fs::write(folder.path().join("julia.png"), "old").unwrap();
    for rank in ["0", "2"] {
        // That it ends at all is in the time limit of every job.
        let job = Job::mpiexec(folder.path(), 3, "julia --size 64x48").env("HYBRID_TEST_PANIC_RANK", rank).run();
        assert_ne!(job.code, Some(0), "{job:#?}");
        assert_eq!(job.error_lines().len(), 1, "{job:#?}");
        assert!(job.stderr.contains(&format!("error: rank {rank} on ")), "{job:#?}");
        assert_eq!(fs::read(folder.path().join("julia.png")).unwrap(), b"old");
    }
}

#[test]
fn a_rank_killed_in_the_middle_ends_the_job_and_leaves_the_old_file() {
    for victim in [0, 2] {
        let folder = tempfile::tempdir().unwrap();
        fs::write(folder.path().join("julia.png"), "old").unwrap();
        // Minutes of work: every pixel takes every iteration.
        let words = concat!("julia --size 20000x20000 --max-iter 65535 --device cpu ", endless!());
        let job = Job::mpiexec(folder.path(), 3, words).start();
        let ranks = ranks(&job, 3);
        wait_until("the picture", || folder.path().join("julia.png.part").exists());
        thread::sleep(Duration::from_millis(500));
        let killed = Instant::now();
        signal("KILL", &ranks[victim].to_string());
        job.finish().was_killed();
        assert!(killed.elapsed() < Duration::from_secs(10), "{:?}", killed.elapsed());
        assert_eq!(fs::read(folder.path().join("julia.png")).unwrap(), b"old");
    }
}

fn ranks(job: &Running, number: usize) -> Vec<u32> {
    wait_until("the ranks", || ranks_of(job.pid()).len() == number);
    ranks_of(job.pid())
}

fn one_rank_alone(words: &str) -> Vec<u8> {
    let folder = tempfile::tempdir().unwrap();
    Job::mpiexec(folder.path(), 1, words).run().succeeded();
    fs::read(folder.path().join("julia.png")).unwrap()
}

fn files_in(folder: &Path) -> Vec<String> {
    let mut names: Vec<_> =
        fs::read_dir(folder).unwrap().map(|entry| entry.unwrap().file_name().into_string().unwrap()).collect();
    names.sort();
    names
}

/// Kills at times and of ranks that differ from run to run of this loop, each followed by a resumption with another number
/// of ranks; the picture must come out as if nothing had happened.
#[test]
fn a_job_killed_again_and_again_ends_with_the_same_bytes() {
    let expected = one_rank_alone(LONG);
    let folder = tempfile::tempdir().unwrap();
    let journal = folder.path().join("julia.png.journal");
    let mut random = 12_345_u32;
    let mut kills = 0;
    let last: Finished = loop {
        random = random.wrapping_mul(1_664_525).wrapping_add(1_013_904_223);
        let size = 1 + (random >> 16) as usize % 4;
        let job = Job::mpiexec(folder.path(), size, &format!("{LONG} --resume")).start();
        if kills == 6 {
            break job.finish();
        }
        // One kill before the first entry in the journal, the others some time after it has moved on.
        let before = fs::read(&journal).ok();
        let ranks = ranks(&job, size);
        if kills > 0 {
            wait_until("the journal", || fs::read(&journal).ok() != before || ranks_of(job.pid()).is_empty());
        }
        thread::sleep(Duration::from_millis(u64::from(random >> 24)));
        signal("KILL", &ranks[(random >> 8) as usize % size].to_string());
        let killed = Instant::now();
        let job = job.finish();
        assert!(killed.elapsed() < Duration::from_secs(10), "{:?}", killed.elapsed());
        wait_for_end_of(&ranks);
        if job.code == Some(0) && folder.path().join("julia.png").exists() {
            break job;
        }
        kills += 1;
    };
    assert_eq!(last.code, Some(0), "{last:#?}");
    assert!(kills >= 2, "too few kills came in time");
    assert!(fs::read(folder.path().join("julia.png")).unwrap() == expected, "after {kills} kills");
    assert_eq!(files_in(folder.path()), ["julia.png"]);
}

#[test]
fn a_job_told_to_stop_keeps_what_is_done_and_says_how_to_go_on() {
    let expected = one_rank_alone(LONG);
    for stop in ["SIGTERM", "--time-limit 1"] {
        let folder = tempfile::tempdir().unwrap();
        let by_signal = stop == "SIGTERM";
        let words = if by_signal { LONG.to_owned() } else { format!("{LONG} {stop}") };
        let job = Job::mpiexec(folder.path(), 2, &words).start();
        let ranks = ranks(&job, 2);
        wait_until("work", || folder.path().join("julia.png.part").exists());
        if by_signal {
            thread::sleep(Duration::from_millis(200));
            ranks.iter().for_each(|rank| signal("TERM", &rank.to_string()));
        }
        let job = job.finish();
        assert_eq!((job.code, job.error_lines().len()), (Some(4), 1), "{stop}: {job:#?}");
        assert!(job.stderr.contains("--resume"), "{stop}: {job:#?}");

        let refused = Job::mpiexec(folder.path(), 1, LONG).run();
        assert_eq!(refused.code, Some(1), "{stop}: {refused:#?}");
        assert!(refused.stderr.contains("unfinished job"), "{stop}: {refused:#?}");
        let other = Job::mpiexec(folder.path(), 1, "julia --scale 1 --resume").run();
        assert!(other.stderr.contains("another picture"), "{stop}: {other:#?}");

        let report =
            Job::mpiexec(folder.path(), 3, &format!("{LONG} --resume --timings json")).run().succeeded().json();
        assert!(report["resumed_bands"].as_u64().unwrap() > 0, "{stop}: {report:#}");
        assert!(fs::read(folder.path().join("julia.png")).unwrap() == expected, "{stop}");
    }
}

#[test]
fn counts_are_resumed_too() {
    let words = format!("{LONG} --counts counts.npy");
    let words = words.as_str();
    let folder = tempfile::tempdir().unwrap();
    Job::mpiexec(folder.path(), 2, words).run().succeeded();
    let expected = fs::read(folder.path().join("counts.npy")).unwrap();
    fs::remove_file(folder.path().join("counts.npy")).unwrap();
    let job = Job::mpiexec(folder.path(), 2, words).start();
    wait_until("the journal", || folder.path().join("julia.png.journal").exists());
    let ranks = ranks_of(job.pid());
    job.kill_group();
    ranks.iter().for_each(|rank| signal("KILL", &rank.to_string()));
    job.finish();
    wait_until("the ranks to be gone", || ranks.iter().all(|rank| !Path::new(&format!("/proc/{rank}")).exists()));
    Job::mpiexec(folder.path(), 1, &format!("{words} --resume")).run().succeeded();
    assert!(fs::read(folder.path().join("counts.npy")).unwrap() == expected);
}

#[test]
fn work_of_a_gpu_that_is_lost_is_redone_on_the_cores() {
    let expected = one_rank_alone("julia --size 640x480");
    for rank in ["0", "1"] {
        let folder = tempfile::tempdir().unwrap();
        let words = "julia --size 640x480 --timings json --device gpu --software-gpu --ranks-per-gpu 2";
        let job = Job::mpiexec(folder.path(), 2, words).env("HYBRID_TEST_LOST_RANK", rank).run().succeeded();
        let notes = job.json()["notes"].to_string();
        assert!(notes.contains(&format!("rank {rank} lost its GPU")), "{notes}");
        assert!(fs::read(folder.path().join("julia.png")).unwrap() == expected, "rank {rank}");
    }
}

#[test]
fn verification_finds_a_device_that_is_wrong() {
    let folder = tempfile::tempdir().unwrap();
    Job::mpiexec(folder.path(), 2, "julia --verify --precision f32").run().succeeded();
    for rank in ["0", "1"] {
        let job = Job::mpiexec(folder.path(), 2, "julia --verify").env("HYBRID_TEST_WRONG_RANK", rank).run();
        assert_eq!((job.code, job.error_lines().len()), (Some(1), 1), "{job:#?}");
        assert!(job.stderr.contains(&format!("rank {rank} computed")), "{job:#?}");
    }
}

#[test]
fn a_slow_rank_gets_less_to_do() {
    let folder = tempfile::tempdir().unwrap();
    let words = "julia --size 6000x4500 --device cpu --timings json";
    let report = Job::mpiexec(folder.path(), 2, words).env("HYBRID_TEST_SLOW_RANK", "1").run().succeeded().json();
    let pixels = |rank: usize| report["ranks"][rank]["pixels"].as_u64().unwrap();
    assert!(pixels(0) > 3 * pixels(1), "{report:#}");
}

#[test]
fn a_stopped_rank_costs_what_it_held() {
    let expected = one_rank_alone(LONG);
    let folder = tempfile::tempdir().unwrap();
    let job = Job::mpiexec(folder.path(), 3, LONG).start();
    let victim = ranks(&job, 3)[2].to_string();
    wait_until("work", || folder.path().join("julia.png.part").exists());
    signal("STOP", &victim);
    thread::sleep(Duration::from_secs(3));
    signal("CONT", &victim);
    job.finish().succeeded();
    assert!(fs::read(folder.path().join("julia.png")).unwrap() == expected);
}
