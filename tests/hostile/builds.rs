//! Ranks of different builds, as one host with an installation from before makes them: one line, and an end before anything is
//! computed.

use crate::support::{Finished, Job};

const WORDS: &str = "julia --size 40x30";

/// Each rank of jobs of two and three as the odd one, called by `variable`.
fn with_an_odd_rank(variable: &str, words: &str, check: impl Fn(&str, Finished)) {
    for (ranks, odd) in [(2, 0), (2, 1), (3, 0), (3, 1), (3, 2)] {
        let folder = tempfile::tempdir().unwrap();
        let job = Job::mpiexec(folder.path(), ranks, words).env("HYBRID_TEST_BUILD_LIMIT", "2");
        let job = job.env(variable, &odd.to_string()).run();
        let case = format!("{variable}={odd} of {ranks}: {job:#?}");
        assert_eq!(job.code == Some(0), folder.path().join("julia.png").exists(), "{case}");
        check(&case, job);
    }
}

fn assert_one_line(case: &str, job: &Finished, expected: &[&str]) {
    assert_eq!((job.code, job.error_lines().len(), job.stdout.as_str()), (Some(2), 1, ""), "{case}");
    let line = job.error_lines()[0];
    assert!(expected.iter().all(|text| line.contains(text)), "{expected:?} in {case}");
    assert!(line.contains("install the same build on every host") && line.contains("hybrid --version"), "{case}");
}

#[test]
fn ranks_of_another_version_wire_format_or_sources_end_the_job_with_one_line() {
    for variable in ["HYBRID_TEST_OTHER_VERSION", "HYBRID_TEST_OTHER_WIRE", "HYBRID_TEST_OTHER_SOURCES"] {
        with_an_odd_rank(variable, WORDS, |case, job| {
            assert_one_line(case, &job, &["ranks of different builds are in one job: rank", " on ", "(sources "]);
            assert_eq!(job.stderr.contains("--allow-mixed-builds"), variable.ends_with("SOURCES"), "{case}");
        });
    }
}

#[test]
fn a_rank_that_does_not_tell_its_build_ends_the_job_with_one_line() {
    with_an_odd_rank("HYBRID_TEST_UNTOLD_BUILD", WORDS, |case, job| {
        assert_one_line(case, &job, &["did not tell its build within 2 s", "is hybrid "]);
    });
}

#[test]
fn what_one_process_could_answer_is_no_answer_of_different_builds() {
    with_an_odd_rank("HYBRID_TEST_OTHER_SOURCES", "--version", |case, job| assert_one_line(case, &job, &[]));
}

#[test]
fn other_sources_may_be_allowed_and_are_told() {
    let folder = tempfile::tempdir().unwrap();
    Job::alone(folder.path(), WORDS).run().succeeded();
    let expected = std::fs::read(folder.path().join("julia.png")).unwrap();
    for odd in ["0", "2"] {
        let folder = tempfile::tempdir().unwrap();
        let words = format!("{WORDS} --allow-mixed-builds");
        let job = Job::mpiexec(folder.path(), 3, &words).env("HYBRID_TEST_OTHER_SOURCES", odd).run().succeeded();
        let warnings: Vec<&str> = job.stderr.lines().filter(|line| line.starts_with("warning: ")).collect();
        assert_eq!(warnings.len(), 1, "{job:#?}");
        assert!(warnings[0].starts_with("warning: ranks of different builds are in one job: "), "{job:#?}");
        assert!(std::fs::read(folder.path().join("julia.png")).unwrap() == expected);
    }
}

#[test]
fn other_versions_and_wire_formats_are_never_allowed() {
    for variable in ["HYBRID_TEST_OTHER_VERSION", "HYBRID_TEST_OTHER_WIRE"] {
        with_an_odd_rank(variable, &format!("{WORDS} --allow-mixed-builds"), |case, job| {
            assert_one_line(case, &job, &["lets only builds of one version and wire format work together"]);
        });
    }
}
