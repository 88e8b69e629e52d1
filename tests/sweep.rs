//! `hybrid sweep`: the runs of a grid, each kept as soon as it is measured, whatever happens to the sweep.

#![allow(clippy::unwrap_used, reason = "a test fails where it cannot go on")]

mod support;

use std::{
    collections::BTreeSet,
    fs,
    os::unix::fs::PermissionsExt,
    path::Path,
    process::Command,
    thread,
    time::{Duration, Instant},
};

use serde_json::Value;
use support::{Finished, HYBRID, Job, failing_files, launcher, signal, wait_for_end_of, wait_until};

/// A grid of 24 runs of a program that needs some time.
const GRID: &str = "-o r.jsonl --np 1,2,4 -p size=1,2 --repeat 4 --launcher ./start{np} -- {size}";

fn sweep(folder: &Path, words: &str) -> Job {
    Job::alone(folder, &format!("sweep {words}"))
}

/// As [`sweep`], with words that have blanks.
fn sweep_of(folder: &Path, words: &[&str]) -> Job {
    let mut command = Command::new(HYBRID);
    command.arg("sweep").args(words);
    Job::of(command, folder)
}

fn script(folder: &Path, name: &str, text: &str) {
    let path = folder.join(name);
    fs::write(&path, format!("#!/bin/sh\n{text}\n")).unwrap();
    fs::set_permissions(path, fs::Permissions::from_mode(0o755)).unwrap();
}

/// A folder with the launchers of [`GRID`].
fn folder_of_grid(text: &str) -> tempfile::TempDir {
    let folder = tempfile::tempdir().unwrap();
    for np in [1, 2, 4] {
        script(folder.path(), &format!("start{np}"), text);
    }
    folder
}

fn records(folder: &Path, name: &str) -> Vec<Value> {
    let text = fs::read_to_string(folder.join(name)).unwrap();
    text.lines().map(|line| serde_json::from_str(line).unwrap_or_else(|error| panic!("{error}: {line}"))).collect()
}

fn keys(records: &[Value]) -> BTreeSet<String> {
    records.iter().map(|record| record["key"].as_str().unwrap().to_owned()).collect()
}

fn assert_refused(job: &Finished, code: i32, expected: &[&str]) {
    assert_eq!((job.code, job.stderr.lines().count()), (Some(code), 1), "{job:#?}");
    for text in expected {
        assert!(job.stderr.contains(text), "`{text}` in {job:#?}");
    }
}

fn files_in(folder: &Path) -> Vec<String> {
    let names = fs::read_dir(folder).unwrap().map(|entry| entry.unwrap().file_name().into_string().unwrap());
    let mut names: Vec<_> = names.filter(|name| !name.starts_with("start")).collect();
    names.sort();
    names
}

#[test]
fn every_run_of_a_grid_is_a_record_with_all_that_repeats_it() {
    let folder = folder_of_grid("sleep 0.01; echo time: $1.5; echo a warning >&2");
    let words = [
        "-o",
        "r.jsonl",
        "--np",
        "1..4..x2",
        "-p",
        "size=1..2",
        "--repeat",
        "4",
        "--seed",
        "3",
        "--launcher",
        "./start{np}",
        "--pattern",
        "time: ([0-9.]+)",
        "--",
        "{size}",
        "a b",
        "{{size}}",
    ];
    let job = sweep_of(folder.path(), &words).env("OMP_NUM_THREADS", "3").run().succeeded();
    assert_eq!(job.stdout, "24 runs in r.jsonl: 24 ok, 0 failed, 0 over time; 24 measured now\n");
    assert_eq!(files_in(folder.path()), ["r.jsonl"]);
    let records = records(folder.path(), "r.jsonl");
    assert_eq!((records.len(), keys(&records).len()), (24, 24));
    for record in &records {
        let (np, size, repeat) = (&record["parameters"]["np"], &record["parameters"]["size"], &record["repeat"]);
        assert_eq!(record["key"], format!("np={np} size={size} repeat={repeat}"));
        assert_eq!(record["argv"], serde_json::json!([format!("./start{np}"), size.to_string(), "a b", "{size}"]));
        assert_eq!(record["value"].as_f64(), Some(size.as_f64().unwrap() + 0.5));
        assert!(record["wall_ns"].as_u64().unwrap() > 10_000_000, "{record:#}");
        assert_eq!((&record["status"], &record["exit_code"]), (&"ok".into(), &0.into()));
        assert_eq!(record["environment"]["OMP_NUM_THREADS"], "3");
        assert_eq!(record["cwd"], fs::canonicalize(folder.path()).unwrap().to_str().unwrap());
        assert_eq!((&record["version"], &record["stderr"]), (&env!("CARGO_PKG_VERSION").into(), &Value::Null));
        assert!(record["started"].as_str().unwrap().ends_with('Z'), "{record:#}");
    }
    let order: Vec<&str> = records.iter().map(|record| record["key"].as_str().unwrap()).collect();
    let mut sorted = order.clone();
    sorted.sort_unstable();
    assert_ne!(order, sorted, "the order is shuffled");

    // The same seed prints the same order, and starts nothing.
    let printed = sweep_of(folder.path(), &[&["--dry-run"], &words[..]].concat()).run().succeeded().stdout;
    let argv = |record: &Value| {
        let words = record["argv"].as_array().unwrap().iter().map(|word| word.as_str().unwrap());
        words
            .map(|word| if word.contains([' ', '{']) { format!("'{word}'") } else { word.to_owned() })
            .collect::<Vec<_>>()
    };
    assert_eq!(printed, records.iter().map(|record| argv(record).join(" ") + "\n").collect::<String>());

    // Everything is there already.
    let job = sweep_of(folder.path(), &words).run().succeeded();
    assert_eq!(job.stdout, "24 runs in r.jsonl: 24 ok, 0 failed, 0 over time; 0 measured now\n");
}

#[test]
fn a_sweep_that_is_killed_twenty_times_has_each_run_once() {
    let folder = folder_of_grid("echo $$ >>pids; sleep 0.1");
    let mut random = 12345_u64;
    for _ in 0..20 {
        let running = sweep(folder.path(), GRID).start();
        random = random.wrapping_mul(6_364_136_223_846_793_005).wrapping_add(1_442_695_040_888_963_407);
        thread::sleep(Duration::from_millis(random >> 56));
        signal("KILL", &running.pid().to_string());
        running.finish();
    }
    sweep(folder.path(), GRID).run().succeeded();
    let text = fs::read_to_string(folder.path().join("r.jsonl")).unwrap();
    let records = records(folder.path(), "r.jsonl");
    assert_eq!((records.len(), keys(&records).len(), text.ends_with('\n')), (24, 24, true), "{text}");
    assert_eq!(files_in(folder.path()), ["pids", "r.jsonl"]);
}

#[test]
fn a_run_does_not_outlive_a_sweep_that_is_killed_and_the_next_waits_for_its_end() {
    let folder = folder_of_grid(
        "echo $$ >pid; trap 'sleep 0.3; echo ended >>log; exit 1' TERM; echo started >>log; sleep 100 & wait",
    );
    let read = |name: &str| fs::read_to_string(folder.path().join(name)).unwrap_or_default();
    let running = sweep(folder.path(), GRID).start();
    wait_until("a run", || read("log") == "started\n" && read("pid").ends_with('\n'));
    signal("KILL", &running.pid().to_string());
    running.finish();
    let next = sweep(folder.path(), GRID).start();
    wait_until("the next run", || read("log").matches("started").count() == 2);
    assert_eq!(read("log"), "started\nended\nstarted\n");
    // An orderly end: the run is told to end, and is no record.
    signal("TERM", &next.pid().to_string());
    let job = next.finish();
    assert_refused(&job, 4, &["stopped by SIGTERM with 0 of 24 runs measured: start it again with the same words"]);
    assert_eq!((read("log").as_str(), read("r.jsonl").as_str()), ("started\nended\nstarted\nended\n", ""));
}

#[test]
fn a_line_that_was_cut_off_is_measured_again_and_whole_ones_are_kept() {
    let folder = folder_of_grid("true");
    sweep(folder.path(), GRID).run().succeeded();
    let path = folder.path().join("r.jsonl");
    let whole = fs::read(&path).unwrap();
    let first = whole.iter().position(|byte| *byte == b'\n').unwrap() + 1;
    for (length, missing) in [(0, 24), (7, 24), (first - 1, 23), (first, 23), (first + 40, 23), (whole.len() - 1, 0)] {
        fs::write(&path, &whole[..length]).unwrap();
        let job = sweep(folder.path(), GRID).run().succeeded();
        assert!(job.stdout.ends_with(&format!("{missing} measured now\n")), "{length}: {job:#?}");
        let found = records(folder.path(), "r.jsonl");
        assert_eq!((found.len(), keys(&found).len()), (24, 24), "{length}");
        assert!(length < first || fs::read(&path).unwrap().starts_with(&whole[..first]), "{length}");
    }
}

#[test]
fn a_file_of_something_else_is_refused_and_not_touched() {
    let folder = folder_of_grid("true");
    sweep(folder.path(), GRID).run().succeeded();
    let path = folder.path().join("r.jsonl");
    let whole = fs::read_to_string(&path).unwrap();
    let newer = whole.replacen("{\"hybrid_sweep\":1,", "{\"hybrid_sweep\":9,", 1);
    for (text, expected) in [
        ("my only copy\n".to_owned(), "line 1 is no record of a sweep: it is no JSON; take another name"),
        ("my only copy".to_owned(), "line 1 is no record of a sweep"),
        ("{\"a\": 1}\n".to_owned(), "it is no record of hybrid sweep"),
        (format!("{}broken\n{whole}", &whole[..whole.find('\n').unwrap() + 1]), "line 2 is no record of a sweep"),
        (newer, "its form is of version 9, and this program knows version 1"),
    ] {
        fs::write(&path, &text).unwrap();
        assert_refused(&sweep(folder.path(), GRID).run(), 2, &["r.jsonl: ", expected]);
        assert_eq!(fs::read_to_string(&path).unwrap(), text);
    }
    fs::write(&path, &whole).unwrap();
    for (from, to, expected) in [
        ("--repeat 4", "--repeat 5", "it is of another sweep: --repeat is 4 there and 5 here"),
        ("size=1,2", "size=1..3", "the parameter size is 1,2 there and 1,2,3 here"),
        ("-- {size}", "-- {size} x", "the command is {size} there and {size} x here"),
        ("--repeat 4", "--repeat 4 --seed 2", "--seed is 1 there and 2 here"),
    ] {
        assert_refused(&sweep(folder.path(), &GRID.replace(from, to)).run(), 2, &[expected, "take another name"]);
    }
    sweep(folder.path(), &GRID.replace("--repeat", "--timeout 9 --repeat")).run().succeeded();
    assert_eq!(fs::read_to_string(&path).unwrap(), whole);
}

#[test]
fn two_sweeps_do_not_mix() {
    let folder = folder_of_grid("echo >started; sleep 100");
    let running = sweep(folder.path(), GRID).start();
    wait_until("a run", || folder.path().join("started").exists());
    assert_refused(&sweep(folder.path(), GRID).run(), 1, &["r.jsonl", "another job (process ", "wait for its end"]);
    signal("INT", &running.pid().to_string());
    assert_refused(&running.finish(), 4, &["stopped by SIGINT with 0 of 24 runs"]);
}

#[test]
fn failed_runs_are_records_and_can_be_made_again() {
    let folder =
        folder_of_grid("if [ $1 = 2 ] && [ ! -e mended ]; then echo first >&2; echo 'no luck' >&2; exit 7; fi");
    let job = sweep(folder.path(), GRID).run();
    assert_eq!((job.code, job.error_lines().len(), job.stderr.lines().count()), (Some(5), 1, 4), "{job:#?}");
    assert!(job.stderr.contains("size=2 repeat=1: it ended with code 7: no luck"), "{job:#?}");
    assert!(job.error_lines()[0].contains("12 of 24 runs failed") && job.stderr.contains("--again failed"), "{job:#?}");
    let failed: Vec<Value> =
        records(folder.path(), "r.jsonl").into_iter().filter(|record| record["status"] == "failed").collect();
    assert_eq!(failed.len(), 12);
    assert_eq!((&failed[0]["exit_code"], &failed[0]["stderr"]), (&7.into(), &"first\nno luck\n".into()));
    assert!(failed.iter().all(|record| record["parameters"]["size"] == 2));

    fs::write(folder.path().join("mended"), "").unwrap();
    let job = sweep(folder.path(), GRID).run();
    assert_eq!(job.code, Some(5), "they are not made again unasked: {job:#?}");
    let job = sweep(folder.path(), &GRID.replace("--repeat", "--again failed --repeat")).run().succeeded();
    assert_eq!(job.stdout, "24 runs in r.jsonl: 24 ok, 0 failed, 0 over time; 12 measured now\n");
    let all = records(folder.path(), "r.jsonl");
    assert_eq!((all.len(), keys(&all).len()), (36, 24));
}

#[test]
fn a_run_that_takes_too_long_is_ended_with_all_that_it_has_started() {
    let folder = tempfile::tempdir().unwrap();
    script(folder.path(), "app", "[ $1 = 1 ] && exit; sleep 100 & echo $! $$ >pids; echo slow >&2; wait");
    let job = sweep(folder.path(), "-o r.jsonl --timeout 1 -p n=1,2 -- ./app {n}").run();
    assert_eq!(job.code, Some(5), "{job:#?}");
    let records = records(folder.path(), "r.jsonl");
    let late = records.iter().find(|record| record["status"] == "timeout").unwrap();
    assert_eq!((records.len(), &late["parameters"]["n"]), (2, &2.into()));
    assert_eq!(late["reason"], "it took longer than 1 s: slow");
    let pids = fs::read_to_string(folder.path().join("pids")).unwrap();
    wait_for_end_of(&pids.split_whitespace().map(|pid| pid.parse().unwrap()).collect::<Vec<_>>());
}

#[test]
fn a_run_that_was_ended_by_a_signal_or_has_no_figure_has_failed() {
    let folder = tempfile::tempdir().unwrap();
    script(folder.path(), "app", "case $1 in 1) kill -9 $$;; 2) echo none;; 3) echo t=fast;; 4) echo t=5 >&2;; esac");
    let job =
        sweep_of(folder.path(), &["-o", "r.jsonl", "-p", "n=1..4", "--pattern", "t=(.*)", "--", "./app", "{n}"]).run();
    assert_eq!(job.code, Some(5), "{job:#?}");
    let records = records(folder.path(), "r.jsonl");
    let of = |n: u64| records.iter().find(|record| record["parameters"]["n"] == n).unwrap();
    assert_eq!((&of(1)["reason"], &of(1)["signal"]), (&"it was ended by signal 9".into(), &9.into()));
    assert_eq!(of(2)["reason"], "the pattern was not found in what it printed");
    assert_eq!(of(3)["reason"], "the pattern found \"fast\", which is no number");
    assert_eq!((&of(4)["status"], of(4)["value"].as_f64()), (&"ok".into(), Some(5.0)));
}

#[test]
fn warm_up_runs_come_before_the_first_of_each_combination_and_are_not_kept() {
    let folder = tempfile::tempdir().unwrap();
    script(folder.path(), "app", "echo $1 >>log");
    sweep(folder.path(), "-o r.jsonl -p n=1,2 --repeat 3 --warm-up 2 -- ./app {n}").run().succeeded();
    let log = fs::read_to_string(folder.path().join("log")).unwrap();
    assert_eq!((records(folder.path(), "r.jsonl").len(), log.lines().count()), (6, 10), "{log}");
    let first: Vec<&str> = log.lines().take(6).collect();
    assert!(first[..3].iter().all(|n| *n == first[0]) && first[3..].iter().all(|n| *n != first[0]), "{log}");
}

#[test]
fn a_file_says_the_same_as_the_command_line_which_counts_where_both_speak() {
    let folder = tempfile::tempdir().unwrap();
    script(folder.path(), "app", "echo $@ >>log");
    let toml = "output = 'r.jsonl'\nprogram = ['./app', '{n}', '{c}']\nrepeat = 2\nlauncher = 'none'\n
        [parameters]\nn = '1..3'\nc = ['0,0.65', '1,2']\n";
    fs::write(folder.path().join("s.toml"), toml).unwrap();
    let job = sweep(folder.path(), "--from s.toml").run().succeeded();
    assert!(job.stdout.starts_with("12 runs in r.jsonl: 12 ok"), "{job:#?}");
    let log = fs::read_to_string(folder.path().join("log")).unwrap();
    assert_eq!(log.lines().filter(|line| *line == "2 0,0.65").count(), 2, "{log}");
    let job = sweep(folder.path(), "--from s.toml -o s.jsonl -p n=7 --repeat 1").run().succeeded();
    assert!(job.stdout.starts_with("2 runs in s.jsonl"), "{job:#?}");
    for (from, to, expected) in [
        ("repeat = 2", "repaet = 2", "s.toml: unknown field `repaet`"),
        ("repeat = 2", "repeat = 0", "repeat 0: a sweep makes each run at least once"),
        ("repeat = 2", "repeat = ", "line 3"),
        ("'1..3'", "'3..1'", "parameter n: 3..1 goes down"),
        ("'1..3'", "[]", "parameter n: there is no value"),
        ("program = ", "hybrid = ['pi']\nprogram = ", "hybrid and program both say what to run"),
    ] {
        fs::write(folder.path().join("s.toml"), toml.replace(from, to)).unwrap();
        assert_refused(&sweep(folder.path(), "--from s.toml").run(), 2, &[expected]);
    }
    assert_refused(&sweep(folder.path(), "--from none.toml").run(), 1, &["cannot read none.toml: No such file"]);
    assert_refused(&sweep(folder.path(), "--from /dev/zero").run(), 1, &["cannot read /dev/zero: it is larger than"]);
}

#[test]
fn what_cannot_be_run_is_refused_before_anything_is() {
    let folder = tempfile::tempdir().unwrap();
    script(folder.path(), "app", "echo >>log");
    fs::write(folder.path().join("s.toml"), "hybrid = ['where']\n").unwrap();
    for (words, expected) in [
        ("-p n=1 -- ./app", "the parameter n has no place: write {n} where its value belongs"),
        ("-- ./app {n}", "there is no parameter n for the place {n}"),
        ("--np 1,2 --launcher none -- ./app", "the parameter np has no place"),
        ("--np 1,2 --launcher no-such-launcher{np} -- ./app", "there is no launcher no-such-launcher1 on the PATH"),
        ("-- ./no-such-app", "there is no program ./no-such-app that could be started"),
        ("-p n=1 -p n=2 -- ./app {n}", "the parameter n stands there twice"),
        ("-p n=1..1000 --repeat 100000 -- ./app {n}", "make 100000000 runs, and a sweep has at most 1000000"),
        ("--pattern (x -- ./app", "--pattern (x: found open group"),
        ("pi --darts 1e3,nan", "\"nan\" is no whole number of darts"),
        ("pi --scale 1..3", "unexpected argument '--scale' found"),
        ("where", "unexpected argument 'where' found"),
        (
            "julia --scale 1,2 --size 64x48",
            "with scale=1: the argument '--scale <N>' cannot be used with '--size <WxH>'",
        ),
        ("-p scale=0,1 julia", "with scale=0: invalid value '0' for '--scale <N>'"),
        ("--from s.toml", "where is no command that a sweep can measure: those are julia, mandelbrot, pi; "),
        ("pi --timings table", "the sweep reads the report itself"),
    ] {
        let job = sweep(folder.path(), &format!("-o r.jsonl {words}")).run();
        assert!(
            job.code == Some(2) && job.error_lines().len() == 1 && job.stderr.contains(expected),
            "{words}: {job:#?}"
        );
        assert_eq!(files_in(folder.path()), ["app", "s.toml"], "{words}");
    }
    assert_refused(&sweep(folder.path(), "-o r.jsonl").run(), 2, &["nothing to run"]);
    assert_refused(&sweep(folder.path(), "-o /dev/null -- ./app").run(), 2, &["/dev/null keeps no results"]);
    assert_refused(&sweep(folder.path(), "-o no/r.jsonl -- ./app").run(), 1, &["no/r.jsonl", "mkdir -p no"]);
    // Nothing that is known as a launcher is on this PATH.
    let job = sweep(folder.path(), "-o r.jsonl --np 1 -- ./app").env("PATH", "/no/where").run();
    assert_refused(&job, 2, &["no launcher is on the PATH that is known here", "--launcher 'mpiexec -n {np}'"]);
    assert!(!folder.path().join("log").exists());
}

#[test]
fn a_sweep_among_ranks_is_refused_in_one_line() {
    let folder = tempfile::tempdir().unwrap();
    let job = Job::mpiexec(folder.path(), 2, "sweep -o r.jsonl pi --darts 1e3").run();
    assert_eq!((job.code, job.error_lines().len()), (Some(2), 1), "{job:#?}");
    assert!(job.error_lines()[0].contains("has started 2 processes of it: start it once"), "{job:#?}");
    assert!(files_in(folder.path()).is_empty());
}

#[test]
fn a_disk_that_fills_up_keeps_what_was_measured() {
    // The third record cannot be made safe: the library fails where there is a journal.
    let folder = folder_of_grid("echo >>n; [ $(wc -l <n) -lt 3 ] || : >julia.png.journal");
    let failing = [("LD_PRELOAD", failing_files()), ("HYBRID_TEST_FAIL", "fdatasync:/r.jsonl:28")];
    let job = sweep(folder.path(), GRID).envs(&failing).run();
    assert_refused(&job, 1, &["cannot write r.jsonl: No space left on device (os error 28): make room"]);
    assert_eq!(records(folder.path(), "r.jsonl").len(), 2);
    sweep(folder.path(), GRID).run().succeeded();
    assert_eq!(keys(&records(folder.path(), "r.jsonl")).len(), 24);

    // On a file system of 64 KiB that the results do not fit on.
    if std::env::var("HYBRID_TEST_NO_CLUSTER").is_ok_and(|value| value == "1") {
        return support::not_run("small file systems: turned off by HYBRID_TEST_NO_CLUSTER=1");
    }
    fs::create_dir(folder.path().join("small")).unwrap();
    let words = GRID.replace("r.jsonl", "small/r.jsonl").replace("--repeat 4", "--repeat 40");
    let script = format!(
        "mount -t tmpfs -o size=64k small small || exit 99
         {HYBRID} sweep -q {words}; echo first $?; grep -c '}}$' small/r.jsonl >count; test $(cat count) = $(wc -l <small/r.jsonl) && echo whole
         mount -o remount,size=8m small small && {HYBRID} sweep {words}"
    );
    let mut command = Command::new("unshare");
    command.args(["--mount", "--user", "--map-root-user", "sh", "-c", &script]);
    let job = Job::of(command, folder.path()).run();
    let kept: usize = fs::read_to_string(folder.path().join("count")).unwrap().trim().parse().unwrap();
    assert!((10..240).contains(&kept), "{job:#?}");
    assert_eq!((job.code, job.error_lines().len()), (Some(0), 1), "{job:#?}");
    let measured = 240 - kept;
    let expected =
        format!("first 1\nwhole\n240 runs in small/r.jsonl: 240 ok, 0 failed, 0 over time; {measured} measured now\n");
    assert_eq!(job.stdout, expected, "{job:#?}");
}

#[test]
fn this_programs_own_commands_bring_their_report() {
    let folder = tempfile::tempdir().unwrap();
    let launcher = launcher().join(" ") + " -n {np}";
    let words = [
        "-o",
        "r.jsonl",
        "--np",
        "1,2",
        "--launcher",
        &launcher,
        "--repeat",
        "2",
        "pi",
        "--darts",
        "1e5,1e6",
        "--device",
        "cpu",
    ];
    let job = sweep_of(folder.path(), &words).run().succeeded();
    assert!(job.stdout.starts_with("8 runs in r.jsonl: 8 ok"), "{job:#?}");
    for record in records(folder.path(), "r.jsonl") {
        let np = record["parameters"]["np"].as_u64().unwrap();
        assert_eq!(record["report"]["ranks"].as_array().unwrap().len() as u64, np, "{record:#}");
        assert_eq!(record["report"]["darts"].as_f64(), record["parameters"]["darts"].as_f64());
        assert!(record["wall_ns"].as_f64().unwrap() / 1e9 > record["report"]["total_s"].as_f64().unwrap());
        let argv = record["argv"].as_array().unwrap();
        assert!(argv.contains(&HYBRID.into()) && argv.contains(&"--device=cpu".into()), "{record:#}");
    }
    // A picture is written where one is named alone.
    sweep(folder.path(), "-o j.jsonl julia --size 64x48,32x24 --device cpu").run().succeeded();
    assert_eq!(files_in(folder.path()), ["j.jsonl", "r.jsonl"]);
    assert_eq!(records(folder.path(), "j.jsonl")[0]["report"]["command"], "julia");

    // Another build's figures are not mixed with these unasked.
    let text = fs::read_to_string(folder.path().join("j.jsonl")).unwrap();
    let build = records(folder.path(), "j.jsonl")[0]["build"].as_str().unwrap().to_owned();
    fs::write(folder.path().join("j.jsonl"), text.replace(&build, "0123456789abcdef")).unwrap();
    let words = "-o j.jsonl julia --size 64x48,32x24 --device cpu";
    assert_refused(&sweep(folder.path(), words).run(), 2, &["(sources 0123456789abcdef)", "--allow-mixed-builds"]);
    sweep(folder.path(), &format!("--allow-mixed-builds {words}")).run().succeeded();
}

#[test]
fn a_run_finds_the_settings_of_the_user_and_no_others() {
    let folder = tempfile::tempdir().unwrap();
    script(folder.path(), "app", "env >variables");
    sweep(folder.path(), "-o r.jsonl -- ./app").env("OMPI_MCA_pml_base_verbose", "0").run().succeeded();
    let found = fs::read_to_string(folder.path().join("variables")).unwrap();
    let mine = |name: &str| std::env::var_os(name).is_some();
    assert!(found.contains("OMPI_MCA_pml_base_verbose=0\n"), "{found}");
    for name in ["OMPI_MCA_pml", "OMPI_MCA_btl", "XDG_RUNTIME_DIR"] {
        assert!(mine(name) || !found.contains(&format!("{name}=")), "{name} in {found}");
    }
}

#[test]
fn the_time_left_is_told_where_it_is_asked_for() {
    let folder = folder_of_grid("sleep 0.2");
    let job = sweep(folder.path(), &GRID.replace("--repeat", "--progress always --repeat")).run().succeeded();
    let line = job.stderr.lines().next().unwrap_or_default();
    assert!(line.contains("% of the runs in ") && line.contains(" s left"), "{job:#?}");
}

#[test]
fn output_without_end_fills_nothing() {
    let folder = tempfile::tempdir().unwrap();
    let started = Instant::now();
    let job = sweep(folder.path(), "-o r.jsonl --timeout 1 -- yes").run();
    assert_eq!(job.code, Some(5), "{job:#?}");
    assert!(started.elapsed() > Duration::from_secs(1));
    assert!(fs::metadata(folder.path().join("r.jsonl")).unwrap().len() < 10_000);
}
