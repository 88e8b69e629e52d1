//! Threads and memory that a limit does not let a rank have.

use std::fs;

use crate::support::{HYBRID, Job, failing_threads};

fn limited(ranks: usize, threads: u32, words: &str) -> crate::support::Finished {
    let folder = tempfile::tempdir().unwrap();
    let job = Job::mpiexec(folder.path(), ranks, words);
    job.env("LD_PRELOAD", failing_threads()).env("HYBRID_TEST_THREADS", &threads.to_string()).run()
}

#[test]
fn a_rank_goes_on_with_the_threads_that_start() {
    let julia = "julia --size 640x480 --device cpu --threads 6 --timings json";
    for (started, used) in [(1, 1), (2, 1), (4, 3)] {
        let report = limited(2, started, julia).succeeded().json();
        assert_eq!(report["ranks"][1]["threads"], used, "{started}: {report:#}");
        let notes = report["notes"].to_string();
        assert!(notes.contains(&format!("rank 1 computed with {used} of 6 threads")), "{started}: {notes}");
        assert!(notes.contains("ulimit -u"), "{notes}");
    }
    let pi = "pi --darts 100000000 --device cpu --threads 6 --timings json";
    for (started, used) in [(0, 1), (3, 3)] {
        let report = limited(2, started, pi).succeeded().json();
        assert_eq!(report["ranks"][0]["threads"], used, "{started}: {report:#}");
        assert_eq!(report["hits"], Job::alone(std::env::temp_dir().as_path(), pi).run().succeeded().json()["hits"]);
    }
    let gpu = "julia --size 640x480 --device gpu --software-gpu --ranks-per-gpu 2 --threads 6 --timings none";
    limited(2, 1, gpu).succeeded();
}

#[test]
fn a_rank_that_cannot_compute_at_all_says_so_once_for_the_job() {
    let job = limited(3, 0, "julia --size 640x480 --device cpu");
    assert_eq!((job.code, job.error_lines().len()), (Some(1), 1), "{job:#?}");
    assert!(job.stderr.contains("thread") && job.stderr.contains("ulimit -u"), "{job:#?}");
    assert!(!job.stderr.contains("bug") && !job.stderr.contains("panicked"), "{job:#?}");
}

#[test]
fn a_limit_on_the_address_space_is_named_before_it_is_met() {
    let folder = tempfile::tempdir().unwrap();
    let program = ["sh", "-c", "ulimit -v 600000; exec \"$0\" \"$@\"", HYBRID];
    let words = "julia --size 4000x3000 --device cpu --threads 64";
    let job = Job::launched(folder.path(), &["-n", "2"], &program, words).run();
    assert_eq!((job.code, job.error_lines().len()), (Some(1), 1), "{job:#?}");
    assert!(job.stderr.contains("address space") && job.stderr.contains("ulimit -v"), "{job:#?}");
    assert_eq!(fs::read_dir(folder.path()).unwrap().count(), 0);
}
