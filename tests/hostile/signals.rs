//! Signals to any rank: the job ends in an orderly way, says so in one line, and can be resumed.

use std::{fs, thread, time::Duration};

use crate::support::{Finished, Job, Running, early_signal, endless, ranks_of, signal, wait_until};

/// Minutes of work in many pieces.
const LONG: &str = concat!("julia --size 20000x20000 --max-iter 8000 --device cpu ", endless!());

fn ranks(job: &Running, number: usize) -> Vec<u32> {
    wait_until("the ranks", || ranks_of(job.pid()).len() == number);
    ranks_of(job.pid())
}

/// The first number after `word` in the job's one line.
fn number_after(job: &Finished, word: &str) -> u64 {
    let line = job.error_lines()[0];
    let rest = line.split_once(word).unwrap_or_else(|| panic!("`{word}` in {job:#?}")).1.trim_start();
    rest.split(' ').next().unwrap().parse().unwrap()
}

#[test]
fn a_signal_to_any_rank_stops_a_picture_that_goes_on_from_what_the_line_says() {
    for (name, number, victim) in [("SIGTERM", 3, 2), ("SIGINT", 2, 1), ("SIGUSR1", 3, 1), ("SIGINT", 2, 0)] {
        let folder = tempfile::tempdir().unwrap();
        let job = Job::mpiexec(folder.path(), number, LONG).start();
        let ranks = ranks(&job, number);
        wait_until("the journal", || folder.path().join("julia.png.journal").exists());
        signal(name.trim_start_matches("SIG"), &ranks[victim].to_string());
        let job = job.finish();
        assert_eq!((job.code, job.error_lines().len()), (Some(4), 1), "{name} to {victim}: {job:#?}");
        assert!(job.stderr.contains(&format!("stopped by {name} ")), "{name} to {victim}: {job:#?}");
        assert!(job.stderr.contains("start it again with --resume"), "{name} to {victim}: {job:#?}");
        let said = number_after(&job, " with ");
        // The same picture with fewer iterations would be another one; a time limit ends the long one as soon as it has begun.
        let resumed = Job::mpiexec(folder.path(), 1, &format!("{LONG} --resume --time-limit 1")).run();
        assert_eq!(resumed.code, Some(4), "{resumed:#?}");
        assert!(said > 0 && number_after(&resumed, " with ") >= said, "{said} in {resumed:#?}");
    }
}

#[test]
fn a_signal_before_there_is_any_work_is_heard_too() {
    let folder = tempfile::tempdir().unwrap();
    let job = Job::mpiexec(folder.path(), 3, LONG).start();
    let ranks = ranks(&job, 3);
    // As soon as the program has its own handlers, which it shows in its status.
    wait_until("handlers", || catches_usr1(ranks[1]));
    signal("USR1", &ranks[1].to_string());
    let job = job.finish();
    assert_eq!((job.code, job.error_lines().len()), (Some(4), 1), "{job:#?}");
    assert!(job.stderr.contains("stopped by SIGUSR1 "), "{job:#?}");
}

#[test]
fn a_signal_between_the_handler_and_what_it_is_to_do_is_not_lost() {
    let folder = tempfile::tempdir().unwrap();
    let job = Job::alone(folder.path(), LONG).env("LD_PRELOAD", early_signal()).run();
    assert_eq!((job.code, job.error_lines().len()), (Some(4), 1), "{job:#?}");
    assert!(job.stderr.contains("stopped by SIGUSR1 "), "{job:#?}");
}

/// Whether a process has a handler for SIGUSR1 (10).
fn catches_usr1(process: u32) -> bool {
    let status = fs::read_to_string(format!("/proc/{process}/status")).unwrap_or_default();
    let caught = status.lines().find_map(|line| line.strip_prefix("SigCgt:")).unwrap_or_default();
    u64::from_str_radix(caught.trim(), 16).is_ok_and(|caught| caught & (1 << 9) != 0)
}

#[test]
fn the_signal_of_another_that_comes_again_does_not_harm() {
    let folder = tempfile::tempdir().unwrap();
    let job = Job::mpiexec(folder.path(), 2, LONG).start();
    let ranks = ranks(&job, 2);
    wait_until("the journal", || folder.path().join("julia.png.journal").exists());
    // Batch systems tell ranks and launcher alike, and the launcher tells the ranks again.
    for _ in 0..3 {
        ranks.iter().for_each(|rank| signal("TERM", &rank.to_string()));
        thread::sleep(Duration::from_millis(20));
    }
    let job = job.finish();
    assert_eq!((job.code, job.error_lines().len()), (Some(4), 1), "{job:#?}");
}

#[test]
fn a_signal_to_any_rank_keeps_the_darts_that_the_line_says() {
    for (name, victim) in [("SIGTERM", 1), ("SIGINT", 0)] {
        let folder = tempfile::tempdir().unwrap();
        let state = folder.path().join("pi.json");
        let words = "pi --darts 1000000000000000 --device cpu --resume pi.json";
        let job = Job::mpiexec(folder.path(), 2, words).start();
        let ranks = ranks(&job, 2);
        wait_until("the state", || fs::metadata(&state).is_ok_and(|state| state.len() > 0));
        signal(name.trim_start_matches("SIG"), &ranks[victim].to_string());
        let job = job.finish();
        assert_eq!((job.code, job.error_lines().len()), (Some(4), 1), "{name}: {job:#?}");
        assert!(job.stderr.contains(&format!("stopped by {name} ")), "{name}: {job:#?}");
        let state: serde_json::Value = serde_json::from_slice(&fs::read(&state).unwrap()).unwrap();
        assert_eq!(state["darts"].as_u64(), Some(number_after(&job, " with ")), "{name}: {state} {job:#?}");
    }
}

#[test]
fn darts_that_nobody_keeps_are_a_failure_with_the_way_out() {
    let folder = tempfile::tempdir().unwrap();
    let job = Job::mpiexec(folder.path(), 2, "pi --darts 1000000000000000 --device cpu --progress always").start();
    let ranks = ranks(&job, 2);
    wait_until("work", || job.stderr().contains("darts"));
    signal("USR1", &ranks[1].to_string());
    let job = job.finish();
    assert_eq!((job.code, job.error_lines().len()), (Some(1), 1), "{job:#?}");
    assert!(job.stderr.contains("stopped by SIGUSR1 ") && job.stderr.contains("--resume FILE"), "{job:#?}");
}
