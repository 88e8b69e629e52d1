//! A rank that fails: the job ends soon, with a cause, and the old file is whole.

#![allow(clippy::unwrap_used, reason = "a test fails where it cannot go on")]

mod support;

use std::{fs, thread, time::Duration};

use support::{Job, ranks_of, signal};

#[test]
fn a_panic_on_one_rank_ends_the_job_with_one_line() {
    let folder = tempfile::tempdir().unwrap();
    fs::write(folder.path().join("julia.png"), "old").unwrap();
    for rank in ["0", "2"] {
        let job = Job::mpiexec(folder.path(), 3, "julia --size 64x48").env("HYBRID_TEST_PANIC_RANK", rank).run();
        assert_ne!(job.code, Some(0), "{job:#?}");
        assert!(job.elapsed < Duration::from_secs(2), "{:?}", job.elapsed);
        assert_eq!(job.error_lines().len(), 1, "{job:#?}");
        assert!(job.stderr.contains(&format!("error: rank {rank} on ")), "{job:#?}");
        assert_eq!(fs::read(folder.path().join("julia.png")).unwrap(), b"old");
    }
}

#[test]
fn a_rank_killed_in_the_middle_ends_the_job_and_leaves_the_old_file() {
    let folder = tempfile::tempdir().unwrap();
    fs::write(folder.path().join("julia.png"), "old").unwrap();
    for victim in [0, 2] {
        // Minutes of work: every pixel takes every iteration.
        let words =
            "julia --size 20000x20000 --max-iter 65535 --c 0,0 --radius 2 --view -0.5,0.5,-0.5,0.5 --device cpu";
        let job = Job::mpiexec(folder.path(), 3, words).start();
        let ranks = loop {
            let ranks = ranks_of(job.pid());
            if ranks.len() == 3 && folder.path().join("julia.png.part").exists() {
                break ranks;
            }
            thread::sleep(Duration::from_millis(20));
        };
        thread::sleep(Duration::from_millis(500));
        let killed = std::time::Instant::now();
        signal("KILL", &ranks[victim].to_string());
        let job = job.finish();
        assert!(killed.elapsed() < Duration::from_secs(10), "{:?}", killed.elapsed());
        assert_ne!(job.code, Some(0), "{job:#?}");
        assert_eq!(fs::read(folder.path().join("julia.png")).unwrap(), b"old");
    }
}
