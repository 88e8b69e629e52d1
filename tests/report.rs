//! `hybrid report`: what it says equals a calculation by hand from the lines of JSON, and what it cannot say it refuses.

#![allow(clippy::unwrap_used, reason = "a test fails where it cannot go on")]

mod support;

use std::{collections::BTreeMap, fs, os::unix::fs::PermissionsExt, path::Path, process::Command};

use serde_json::Value;
use support::{Finished, HYBRID, Job, python};

/// A program that tells its time: a serial part and one that the ranks share, with noise that the repetition decides.
const APP: &str = "#!/bin/sh
awk -v np=$1 -v size=$2 -v repeat=$3 -v factor=${FACTOR:-1} 'BEGIN {
  noise = 1 + ((repeat * 7919 + np * 31 + size) % 13) / 500
  printf \"t=%.9f\\n\", factor * size * (0.2 + 0.8 / np) * noise }'
";

fn folder() -> tempfile::TempDir {
    let folder = tempfile::tempdir().unwrap();
    fs::write(folder.path().join("app"), APP).unwrap();
    fs::set_permissions(folder.path().join("app"), fs::Permissions::from_mode(0o755)).unwrap();
    folder
}

/// Measures the program: `np` and `size` as they are given, each combination seven times.
fn sweep(folder: &Path, file: &str, np: &str, size: &str, factor: &str) {
    let np_and_size = [format!("np={np}"), format!("size={size}")];
    let mut command = Command::new(HYBRID);
    command.args(["sweep", "-q", "-o", file, "--repeat", "7", "--launcher", "none", "--pattern", "t=([0-9.]+)"]);
    command.args(["-p", &np_and_size[0], "-p", &np_and_size[1], "--", "./app", "{np}", "{size}", "{repeat}"]);
    Job::of(command, folder).env("FACTOR", factor).run().succeeded();
}

fn report(folder: &Path, words: &str) -> Finished {
    Job::alone(folder, &format!("report {words}")).run()
}

fn assert_refused(job: &Finished, code: i32, expected: &[&str]) {
    assert_eq!((job.code, job.stderr.lines().count(), job.stdout.as_str()), (Some(code), 1, ""), "{job:#?}");
    for text in expected {
        assert!(job.stderr.contains(text), "`{text}` in {job:#?}");
    }
}

/// The medians by size and ranks, from the lines.
fn medians(folder: &Path, file: &str) -> BTreeMap<(u64, u64), f64> {
    let text = fs::read_to_string(folder.join(file)).unwrap();
    let mut values: BTreeMap<_, Vec<f64>> = BTreeMap::new();
    for line in text.lines() {
        let record: Value = serde_json::from_str(line).unwrap();
        let of = |name: &str| record["parameters"][name].as_u64().unwrap();
        values.entry((of("size"), of("np"))).or_default().push(record["value"].as_f64().unwrap());
    }
    let median = |mut values: Vec<f64>| {
        values.sort_by(f64::total_cmp);
        assert_eq!(values.len(), 7);
        values[3]
    };
    values.into_iter().map(|(key, values)| (key, median(values))).collect()
}

fn near(value: &Value, expected: f64) {
    let value = value.as_f64().unwrap();
    assert!((value - expected).abs() < 1e-9, "{value} and {expected}");
}

#[test]
fn speed_up_efficiency_and_serial_part_are_those_of_a_calculation_by_hand() {
    let folder = folder();
    sweep(folder.path(), "r.jsonl", "1,2,4", "10,20", "1");
    let medians = medians(folder.path(), "r.jsonl");
    let json = report(folder.path(), "r.jsonl --format json").succeeded().json();
    let strong = json["scaling"]["strong"].as_array().unwrap();
    assert_eq!(strong.len(), 2, "{json:#}");
    for scaling in strong {
        let size = scaling["parameters"]["size"].as_u64().unwrap();
        for row in scaling["rows"].as_array().unwrap() {
            let np = row["ranks"].as_u64().unwrap();
            let (speedup, ranks) = (medians[&(size, 1)] / medians[&(size, np)], np as f64);
            assert_eq!(row["n"], 7);
            near(&row["median"], medians[&(size, np)]);
            near(&row["speedup"], speedup);
            near(&row["efficiency"], speedup / ranks);
            if np > 1 {
                near(&row["karp_flatt"], (1.0 / speedup - 1.0 / ranks) / (1.0 - 1.0 / ranks));
            }
        }
    }
    // The same in a table to read: a fifth of the work is serial.
    let text = report(folder.path(), "r.jsonl").succeeded().stdout;
    for expected in [
        "Strong scaling: size=10",
        "Karp-Flatt",
        "No weak scaling: the work of the runs is not known",
        "an efficiency of",
    ] {
        assert!(text.contains(expected), "{expected} in {text}");
    }
    let csv = report(folder.path(), "r.jsonl --format csv").succeeded().stdout;
    let lines: Vec<&str> = csv.lines().collect();
    assert_eq!(lines[0], "np,size,runs,failed,median s,q1 s,q3 s,from s,to s,min s,max s");
    assert_eq!(lines.len(), 7, "{csv}");
    assert!(lines[1].starts_with(&format!("1,10,7,0,{},", medians[&(10, 1)])), "{csv}");
}

#[test]
fn a_figure_that_is_not_in_seconds_has_its_own_unit() {
    let folder = folder();
    sweep(folder.path(), "r.jsonl", "1,2", "10", "1");
    let csv = report(folder.path(), "r.jsonl --unit us --format csv").succeeded().stdout;
    assert_eq!(csv.lines().next(), Some("np,size,runs,failed,median us,q1 us,q3 us,from us,to us,min us,max us"));
    let text = report(folder.path(), "r.jsonl --unit us").succeeded().stdout;
    assert!(text.contains("| median us | from us |") && !text.contains(" s |"), "{text}");
    let wrong = report(folder.path(), "r.jsonl --unit us --metric wall");
    assert_refused(&wrong, 2, &["--unit is that of --metric value; the wall time is in seconds"]);
}

/// The notebook, run for a file of results.
fn notebook(folder: &Path, results: &str) -> Finished {
    let notebook = concat!(env!("CARGO_MANIFEST_DIR"), "/examples/notebooks/scaling.ipynb");
    let mut papermill = Command::new(python());
    papermill.args(["-m", "papermill", "--no-progress-bar", notebook, "done.ipynb", "-p", "results", results]);
    Job::of(papermill, folder).run()
}

#[test]
fn the_notebook_reads_the_lines_of_json_and_says_what_the_report_says() {
    let folder = folder();
    sweep(folder.path(), "r.jsonl", "1,2,4", "10,20", "1");
    notebook(folder.path(), "r.jsonl").succeeded();
    assert!(fs::read(folder.path().join("scaling.png")).unwrap().starts_with(b"\x89PNG"));
    let table = fs::read_to_string(folder.path().join("scaling.csv")).unwrap();
    let mut lines = table.lines().map(|line| line.split(',').collect::<Vec<_>>());
    let names = lines.next().unwrap();
    let rows: Vec<BTreeMap<&str, &str>> = lines.map(|line| names.iter().copied().zip(line).collect()).collect();
    let json = report(folder.path(), "r.jsonl --format json").succeeded().json();
    let mut compared = 0;
    for scaling in json["scaling"]["strong"].as_array().unwrap() {
        let size = scaling["parameters"]["size"].to_string();
        for row in scaling["rows"].as_array().unwrap() {
            let ranks = row["ranks"].to_string();
            let of_notebook = rows.iter().find(|row| (row["np"], row["size"]) == (&ranks, &size)).unwrap();
            assert_eq!(of_notebook["runs"], "7");
            for (name, of_report) in [("median", "median"), ("speed_up", "speedup"), ("efficiency", "efficiency")] {
                near(&row[of_report], of_notebook[name].parse().unwrap());
            }
            match row["karp_flatt"].as_f64() {
                Some(_) => near(&row["karp_flatt"], of_notebook["karp_flatt"].parse().unwrap()),
                None => assert_eq!(of_notebook["karp_flatt"], ""),
            }
            compared += 1;
        }
    }
    assert_eq!((compared, rows.len()), (6, 6), "{table}");
}

#[test]
fn the_notebook_fails_where_no_run_has_succeeded() {
    let folder = folder();
    let mut failing = Command::new(HYBRID);
    failing.args(["sweep", "-q", "-o", "bad.jsonl", "-p", "np=1,2", "--", "false", "{np}"]);
    assert_eq!(Job::of(failing, folder.path()).run().code, Some(5));
    let job = notebook(folder.path(), "bad.jsonl");
    assert_ne!(job.code, Some(0), "{job:?}");
    assert!(job.stderr.contains("bad.jsonl: none of its runs has succeeded"), "{job:?}");
}

#[test]
fn weak_scaling_is_shown_where_the_work_a_rank_is_the_same_and_refused_where_it_is_not() {
    let folder = folder();
    sweep(folder.path(), "r.jsonl", "1,2,4", "10,20,40", "1");
    let medians = medians(folder.path(), "r.jsonl");
    let json = report(folder.path(), "r.jsonl --work {size} --format json").succeeded().json();
    let weak = json["scaling"]["weak"].as_array().unwrap();
    let ten = weak.iter().find(|scaling| scaling["parameters"]["work a rank"] == 10).unwrap();
    for (row, (size, np)) in ten["rows"].as_array().unwrap().iter().zip([(10, 1), (20, 2), (40, 4)]) {
        assert_eq!(row["ranks"], np);
        near(&row["efficiency"], medians[&(10, 1)] / medians[&(size, np)]);
    }
    assert_eq!(json["scaling"]["strong"].as_array().unwrap().len(), 3);
    let refused = report(folder.path(), "r.jsonl --weak --work {size}");
    assert_refused(
        &refused,
        2,
        &["r.jsonl: this is no study of weak scaling: the work a rank is not the same: 10 with 1 rank; 5 with 2 ranks"],
    );
    assert_refused(
        &report(folder.path(), "r.jsonl --weak"),
        2,
        &["the work of its runs is not known; --work tells it"],
    );
    assert_refused(&report(folder.path(), "r.jsonl --work {kind}"), 2, &["--work makes \"{kind}\" of np="]);
    let json = report(folder.path(), "r.jsonl --weak --work {np}0 --format json").succeeded().json();
    assert!(json["scaling"]["strong"].as_array().unwrap().is_empty());
}

#[test]
fn two_files_are_compared_with_a_verdict_that_respects_the_noise() {
    let folder = folder();
    for (file, factor) in [("base.jsonl", "1"), ("slow.jsonl", "1.25"), ("same.jsonl", "1.001")] {
        sweep(folder.path(), file, "1,2", "10", factor);
    }
    let of =
        |file: &str| report(folder.path(), &format!("{file} --against base.jsonl --format json")).succeeded().json();
    for (file, verdict) in [("slow.jsonl", "more"), ("same.jsonl", "not_shown"), ("base.jsonl", "not_shown")] {
        let rows = of(file)["against"]["rows"].clone();
        assert_eq!(rows.as_array().unwrap().len(), 2);
        for row in rows.as_array().unwrap() {
            assert_eq!(row["comparison"]["verdict"], verdict, "{file}: {row:#}");
        }
    }
    let text = report(folder.path(), "slow.jsonl --against base.jsonl").succeeded().stdout;
    for expected in
        ["Of 2 combinations, against base.jsonl: 2 slower.", "slower by 2", "Mann and Whitney", "Hodges and Lehmann"]
    {
        assert!(text.contains(expected), "{expected} in {text}");
    }
    sweep(folder.path(), "few.jsonl", "1", "99", "1");
    let refused = report(folder.path(), "few.jsonl --against base.jsonl");
    assert_refused(&refused, 2, &["no combination of parameters was measured both there and in base.jsonl"]);
}

#[test]
fn broken_lines_are_named_and_the_valid_ones_used() {
    let folder = folder();
    sweep(folder.path(), "r.jsonl", "1,2", "10", "1");
    let path = folder.path().join("r.jsonl");
    let whole = fs::read_to_string(&path).unwrap();
    let half = &whole[..whole.len() - 40];
    for (text, runs, expected) in [
        (half.to_owned(), 13, "r.jsonl: 13 of 14 runs are there"),
        (format!("my notes\n{whole}"), 14, "line 1 is no record of a sweep: it is no JSON; all other lines are used"),
        (whole.replacen("\"hybrid_sweep\":1", "\"hybrid_sweep\":7", 1), 13, "its form is of version 7"),
        (whole.replacen("\"build\":\"", "\"build\":\"0", 1), 14, "measured by different builds"),
    ] {
        fs::write(&path, &text).unwrap();
        let job = report(folder.path(), "r.jsonl --format json").succeeded();
        let values = |point: &Value| point["values"].as_array().unwrap().len();
        assert_eq!(job.json()["points"].as_array().unwrap().iter().map(values).sum::<usize>(), runs, "{expected}");
        assert!(job.stderr.starts_with("warning: ") && job.stderr.contains(expected), "{expected}: {job:#?}");
        assert_eq!(fs::read_to_string(&path).unwrap(), text, "it is not touched");
    }
    for (text, expected) in [
        ("", "no run is in it"),
        ("my notes\n", "line 1 is no record of a sweep: it is no JSON"),
        ("{\"hybrid_sw", "no run is in it"),
        ("\u{0}\u{1b}[2J\n", "line 1 is no record"),
    ] {
        fs::write(&path, text).unwrap();
        assert_refused(&report(folder.path(), "r.jsonl"), 1, &["cannot read r.jsonl: ", expected]);
    }
    assert_refused(&report(folder.path(), "none.jsonl"), 1, &["cannot read none.jsonl: No such file or directory"]);
    assert_refused(&report(folder.path(), "."), 1, &["cannot read .: "]);
    let failed = whole.replace("\"status\":\"ok\"", "\"status\":\"failed\"");
    fs::write(&path, failed).unwrap();
    assert_refused(&report(folder.path(), "r.jsonl"), 2, &["r.jsonl: no run has succeeded"]);
}

#[test]
fn a_page_holds_all_that_it_shows_and_nothing_that_stands_in_a_file_becomes_a_part_of_it() {
    let folder = folder();
    sweep(folder.path(), "r.jsonl", "1,2,4", "10", "1");
    let path = folder.path().join("r.jsonl");
    let hostile = "<script>alert(1)</script><img src=http://example.org/>";
    let text = fs::read_to_string(&path).unwrap().replace("\"host\":\"", &format!("\"host\":\"{hostile}"));
    fs::write(&path, text).unwrap();
    report(folder.path(), "r.jsonl -o r.html --plots plot").succeeded();
    let page = fs::read_to_string(folder.path().join("r.html")).unwrap();
    for expected in [
        "<svg",
        "Strong scaling: speed-up",
        "Karp-Flatt",
        "./app 4 10 ",
        "prefers-color-scheme:dark",
        "default-src 'none'",
    ] {
        assert!(page.contains(expected), "{expected} in {page}");
    }
    for refused in ["<script", "<img", "src=\"", "url(", "@import"] {
        assert!(!page.contains(refused), "{refused} in {page}");
    }
    let addresses = page.matches("http").count();
    let names = page.matches("xmlns=\"http://www.w3.org/2000/svg\"").count()
        + page.matches("http-equiv").count()
        + page.matches("http://example.org").count();
    assert_eq!(addresses, names, "nothing is fetched");
    for name in ["time", "speedup", "efficiency"] {
        assert!(fs::read_to_string(folder.path().join(format!("plot-{name}.svg"))).unwrap().starts_with("<svg"));
        let png = image::open(folder.path().join(format!("plot-{name}.png"))).unwrap();
        assert_eq!(png.width(), 900);
    }
    assert_refused(&report(folder.path(), "r.jsonl -o no/r.html"), 1, &["no/r.html", "mkdir -p no"]);
    assert_refused(
        &report(folder.path(), "r.jsonl --metric total"),
        2,
        &["has no time that hybrid reports: another --metric"],
    );
}
