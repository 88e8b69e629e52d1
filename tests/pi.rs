//! `hybrid pi`: the same hits for any ranks and devices, across kills and resumes, and hits that follow the binomial law.

#![allow(clippy::unwrap_used, reason = "a test fails where it cannot go on")]

mod support;

use std::{fs, path::Path};

use hybrid::inside::{
    device::{
        Device,
        cpu::{CpuDevice, isa::Isa},
    },
    kernel::{
        counting::CountingKernel,
        pi::{self, Pi},
    },
};
use serde_json::Value;
use support::{Job, signal, wait_for_end_of, wait_until};

/// Options of the jobs that must agree: CPU ranks, software-GPU ranks, and both.
const MIXES: [&str; 3] = ["--device cpu", "--device gpu --software-gpu --ranks-per-gpu 7", "--software-gpu"];

fn run(folder: &Path, ranks: usize, words: &str) -> Value {
    Job::mpiexec(folder, ranks, &format!("pi --timings json {words}")).run().succeeded().json()
}

/// Threads and instruction sets do not matter, so the definition's hits of many darts can be had soon.
fn hits(seed: u64, darts: u64) -> u64 {
    CpuDevice::new("CPU", Isa::available()[0], 2, None).count(&CountingKernel::Pi(Pi { seed }), 0..darts).unwrap()
}

#[test]
fn hits_are_the_same_for_any_ranks_and_devices() {
    let folder = tempfile::tempdir().unwrap();
    // A software GPU throws some ten million darts a second.
    let (darts, seed) = (3_000_001, 7);
    let expected = pi::hits(seed, 0..darts);
    for ranks in [1, 2, 3, 4, 7] {
        for mix in MIXES {
            let report = run(folder.path(), ranks, &format!("--darts {darts} --seed {seed} {mix}"));
            assert_eq!(report["hits"], expected, "{ranks} ranks {mix}: {report:#}");
            let sum = |field: &str| -> u64 {
                report["ranks"].as_array().unwrap().iter().map(|rank| rank[field].as_u64().unwrap()).sum()
            };
            assert_eq!((sum("darts"), sum("hits")), (darts, expected), "{ranks} ranks {mix}");
        }
    }
}

#[test]
fn a_hundred_million_darts_of_seed_7_hit_as_often_as_ever() {
    let folder = tempfile::tempdir().unwrap();
    for (ranks, mix) in [(1, MIXES[0]), (4, MIXES[0]), (2, MIXES[2])] {
        let report = run(folder.path(), ranks, &format!("--darts 1e8 --seed 7 {mix}"));
        assert_eq!(report["hits"], 78_535_974, "{ranks} ranks {mix}");
        assert_eq!(report["darts"], 100_000_000);
        assert!((report["std_error"].as_f64().unwrap() - 1.642e-4).abs() < 1e-6);
    }
}

#[test]
fn a_killed_run_goes_on_and_ends_with_the_hits_of_a_whole_one() {
    let folder = tempfile::tempdir().unwrap();
    let state = folder.path().join("state.json");
    // By the slowest kernel, or else a fast machine is done before it is killed.
    let (darts, seed) = (2_000_000_000_u64, 7);
    let words = format!("pi --darts {darts} --seed {seed} --resume state.json --timings json --device cpu --threads 1");
    let slowly = |ranks: usize| Job::mpiexec(folder.path(), ranks, &words).env("HYBRID_SIMD", "scalar");
    let mut killed = 0;
    let mut done = 0;
    // Other numbers of ranks each time; two kills that surely come while there is work left.
    for ranks in [2, 1] {
        let job = slowly(ranks).start();
        let before = done;
        let progress = || fs::read_to_string(&state).ok().and_then(|text| serde_json::from_str::<Value>(&text).ok());
        let darts = || progress().map_or(before, |state| state["darts"].as_u64().unwrap());
        wait_until("more darts", || darts() != before);
        // The ranks are found as children of the launcher, so before that is gone.
        let ranks = support::ranks_of(job.pid());
        job.kill_group();
        ranks.iter().for_each(|rank| signal("KILL", &rank.to_string()));
        killed += usize::from(job.finish().code != Some(0));
        wait_for_end_of(&ranks);
        done = progress().unwrap()["darts"].as_u64().unwrap();
    }
    assert_eq!(killed, 2, "the runs were to be killed in the middle");
    let report = slowly(3).run().succeeded().json();
    assert!(report["resumed_darts"].as_u64().unwrap() >= done);
    assert_eq!(report["hits"], hits(seed, darts));
}

#[test]
fn a_run_to_an_error_ends_with_the_same_darts_on_any_ranks() {
    let folder = tempfile::tempdir().unwrap();
    let one = run(folder.path(), 1, "--until 2e-5 --device cpu");
    assert!(one["std_error"].as_f64().unwrap() < 2e-5);
    let three = run(folder.path(), 3, "--until 2e-5 --resume state.json");
    assert_eq!((&one["darts"], &one["hits"]), (&three["darts"], &three["hits"]));
    let finished = run(folder.path(), 2, "--until 2e-5 --resume state.json");
    assert_eq!(
        (&finished["hits"], &finished["resumed_darts"]),
        (&one["hits"], &one["darts"]),
        "nothing is left to be thrown"
    );
}

#[test]
fn the_study_is_the_same_on_any_ranks_and_lies_on_the_slope() {
    let folder = tempfile::tempdir().unwrap();
    let words = "--study --powers 5..10 --csv -o plots";
    let expected = run(folder.path(), 1, words);
    for ranks in [3, 4] {
        assert_eq!(run(folder.path(), ranks, words)["rows"], expected["rows"], "{ranks} ranks");
    }
    for row in expected["rows"].as_array().unwrap() {
        assert_eq!(row["runs"], 64);
        let ratio = row["std_dev"].as_f64().unwrap() / row["expected_std_dev"].as_f64().unwrap();
        // The standard deviation of 64 values is itself known to 9 %.
        assert!((0.7..1.3).contains(&ratio), "{row}");
    }
    for name in ["plots_pi_vs_log2_N", "plots_log2_std_vs_log2_N"] {
        assert!(fs::read_to_string(folder.path().join(format!("{name}.svg"))).unwrap().contains("</svg>"));
        assert_eq!(image::open(folder.path().join(format!("{name}.png"))).unwrap().width(), 1000);
    }
    let csv = fs::read_to_string(folder.path().join("plots.csv")).unwrap();
    assert_eq!(csv.lines().count(), 7, "{csv}");
}

/// Chi-square of hits against the binomial law must lie within its limits for 99.9 % (two-sided), here by the normal
/// approximation of the chi-square with `n` degrees of freedom (Wilson and Hilferty 1931).
fn assert_chi_square(deviations: &[f64], what: &str) {
    let n = deviations.len() as f64;
    let chi_square: f64 = deviations.iter().map(|deviation| deviation * deviation).sum();
    let z = ((chi_square / n).cbrt() - (1.0 - 2.0 / (9.0 * n))) / (2.0 / (9.0 * n)).sqrt();
    assert!(z.abs() < 3.29, "{what}: chi-square {chi_square} with {n} degrees of freedom is {z} sigma away");
}

fn deviations(darts: u64, ranges: impl Iterator<Item = (u64, u64)>) -> Vec<f64> {
    let mut device = CpuDevice::new("CPU", Isa::available()[0], 1, None);
    let p = std::f64::consts::FRAC_PI_4;
    let n = darts as f64;
    ranges
        .map(|(seed, first)| {
            let hits = device.count(&CountingKernel::Pi(Pi { seed }), first..first + darts).unwrap();
            (hits as f64 - n * p) / (n * p * (1.0 - p)).sqrt()
        })
        .collect()
}

/// Correlation of each value with the next must be that of independent ones: normal with variance 1/n.
fn assert_no_correlation(deviations: &[f64], what: &str) {
    let pairs = deviations.len() - 1;
    let sum: f64 = deviations.windows(2).map(|pair| pair[0] * pair[1]).sum();
    let z = sum / (pairs as f64).sqrt();
    assert!(z.abs() < 3.29, "{what}: neighbors are correlated, {z} sigma");
}

#[test]
fn hits_follow_the_binomial_law_over_seeds_and_over_parts_of_a_run() {
    let darts = 1 << 20;
    let over_seeds = deviations(darts, (0..1000).map(|seed| (seed, 0)));
    assert_chi_square(&over_seeds, "1000 seeds");
    assert_no_correlation(&over_seeds, "1000 seeds");
    let over_parts = deviations(darts, (0..1000).map(|part| (7, part * darts)));
    assert_chi_square(&over_parts, "1000 parts of a run");
    assert_no_correlation(&over_parts, "1000 parts of a run");
}

#[test]
#[should_panic(expected = "chi-square")]
fn hits_that_vary_too_much_are_caught() {
    let wide: Vec<f64> = deviations(1 << 12, (0..1000).map(|seed| (seed, 0))).iter().map(|z| z * 1.1).collect();
    assert_chi_square(&wide, "sabotaged");
}

#[test]
#[should_panic(expected = "neighbors are correlated")]
fn seeds_that_share_darts_are_caught() {
    let shared = deviations(1 << 12, (0..1000).map(|part| (7, part << 11)));
    assert_no_correlation(&shared, "sabotaged");
}

#[test]
fn bad_input_is_refused_and_an_old_state_is_kept() {
    let folder = tempfile::tempdir().unwrap();
    fs::write(folder.path().join("old.json"), "{\"kind\":\"hybrid").unwrap();
    for (words, code, expected) in [
        ("--darts 0", 2, "at least 1"),
        ("--darts -5", 2, "no whole number"),
        ("--darts 1e20", 2, "more than the generator's"),
        ("--darts many", 2, "no whole number"),
        ("--seed -1", 2, "--seed"),
        ("--seed 18446744073709551616", 2, "--seed"),
        ("--until 0", 2, "above 0"),
        ("--until 1e-12", 2, "darts"),
        ("--study --runs 1", 2, "--runs"),
        ("--study --powers 5..40", 2, "at most 20"),
        ("--study --resume s.json", 2, "cannot be used"),
        ("--resume old.json", 1, "cut short"),
        ("--resume missing/state.json", 1, "mkdir -p missing"),
        ("--study -o missing/plot", 1, "mkdir -p missing"),
    ] {
        let job = Job::mpiexec(folder.path(), 2, &format!("pi {words}")).run();
        assert_eq!((job.code, job.error_lines().len()), (Some(code), 1), "{words}: {job:#?}");
        assert!(job.stderr.contains(expected), "{words}: {job:#?}");
    }
    run(folder.path(), 1, "--darts 1e6 --seed 3 --resume state.json");
    let state = fs::read_to_string(folder.path().join("state.json")).unwrap();
    for (words, expected) in [("--darts 1e6 --seed 4", "seed 3"), ("--darts 1e5 --seed 3", "thrown already")] {
        let job = Job::mpiexec(folder.path(), 2, &format!("pi {words} --resume state.json")).run();
        assert_eq!(job.code, Some(1), "{words}: {job:#?}");
        assert!(job.stderr.contains(expected), "{words}: {job:#?}");
    }
    assert_eq!(fs::read_to_string(folder.path().join("state.json")).unwrap(), state);
    let mut names: Vec<_> =
        fs::read_dir(folder.path()).unwrap().map(|entry| entry.unwrap().file_name().into_string().unwrap()).collect();
    names.sort();
    assert_eq!(names, ["old.json", "state.json"]);
}
