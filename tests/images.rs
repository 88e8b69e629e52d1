//! `hybrid julia` and `hybrid mandelbrot` under mpiexec: the same answer for any number of ranks on any devices, and the right answer.

#![allow(clippy::unwrap_used, reason = "a test fails where it cannot go on")]

mod support;

use std::{
    fs,
    path::Path,
    process::{Command, Output},
};

use ndarray::Array2;
use sha2::{Digest, Sha256};
use support::{Finished, Job, failing_files, python, ranks_of, signal, wait_for_end_of, wait_until};

/// Options of the jobs that must agree, with the device of rank 0 and that of the other ranks.
const DEVICES: [(&str, &str, &str); 3] = [
    ("--device cpu", "cpu", "cpu"),
    ("--device gpu --software-gpu --ranks-per-gpu 8", "gpu", "gpu"),
    // One software GPU, which is given to the first rank.
    ("--software-gpu", "gpu", "cpu"),
];
const SCHEDULES: [&str; 2] = ["--schedule dynamic", "--schedule static"];

/// The picture is `julia.png`, whatever it shows: tests/support/failing_files.c knows it by that name.
fn run(folder: &Path, ranks: usize, words: &str) -> Finished {
    Job::mpiexec(folder, ranks, &format!("{words} --timings json -o julia.png")).run().succeeded()
}

fn files(folder: &Path) -> (Vec<u8>, Vec<u8>) {
    let read = |name: &str| fs::read(folder.join(name)).unwrap();
    (read("julia.png"), read("counts.npy"))
}

/// The picture and the counts of one rank on its cores.
fn files_of_one_rank(words: &str) -> (Vec<u8>, Vec<u8>) {
    let folder = tempfile::tempdir().unwrap();
    run(folder.path(), 1, &format!("{words} --counts counts.npy --device cpu"));
    files(folder.path())
}

/// The picture and the counts must be the same files for every number of ranks, on any devices, under either schedule.
fn assert_same_file_for_any_ranks(words: &str, ranks: impl IntoIterator<Item = usize>) {
    let folder = tempfile::tempdir().unwrap();
    let expected = files_of_one_rank(words);
    for ranks in ranks {
        for (devices, first, others) in DEVICES {
            for schedule in SCHEDULES {
                let options = format!("{words} --counts counts.npy {devices} {schedule}");
                let report = run(folder.path(), ranks, &options).json();
                assert!(files(folder.path()) == expected, "{ranks} ranks {options}: {report:#}");
                let kinds: Vec<_> = report["ranks"].as_array().unwrap().iter().map(|rank| &rank["device"]).collect();
                assert!(kinds[0] == first && kinds[1..].iter().all(|kind| *kind == others), "{options}: {report:#}");
                ["julia.png", "counts.npy"].iter().for_each(|name| fs::remove_file(folder.path().join(name)).unwrap());
            }
        }
    }
}

#[test]
fn the_files_are_the_same_for_any_ranks_devices_and_schedules() {
    assert_same_file_for_any_ranks("julia --size 333x250 --precision f64", 1..=8);
    assert_same_file_for_any_ranks("mandelbrot --size 333x250 --precision f64", [1, 2, 5]);
}

#[test]
fn the_files_are_the_same_for_any_ranks_and_devices_in_f32() {
    assert_same_file_for_any_ranks("julia --precision f32", [1, 3, 7]);
    assert_same_file_for_any_ranks("mandelbrot --precision f32 --max-iter 1000", [1, 3]);
}

/// The comparison itself must be able to fail.
#[test]
fn a_rank_that_computes_something_else_changes_the_files() {
    let expected = files_of_one_rank("julia --size 333x250 --precision f64");
    let folder = tempfile::tempdir().unwrap();
    let words = "julia --size 333x250 --precision f64 --counts counts.npy --device cpu -q -o julia.png";
    Job::mpiexec(folder.path(), 2, words).env("HYBRID_TEST_WRONG_RANK", "1").run().succeeded();
    let found = files(folder.path());
    assert!(found.0 != expected.0 && found.1 != expected.1);
}

/// How a job of the next test ends before its picture is complete.
#[derive(Clone, Copy, Debug)]
enum End {
    TimeLimit,
    KilledRank(usize),
}

/// A job on some ranks and devices is ended when part of it is in the files, and continued on others.
#[test]
fn a_resumed_job_ends_in_the_same_files_whatever_ranks_devices_and_schedules_it_had() {
    let commands = ["julia --precision f64", "mandelbrot --precision f64 --max-iter 300"];
    let expected = commands.map(files_of_one_rank);
    let [cpu, gpu, mixed] = DEVICES.map(|(words, ..)| words);
    let [dynamic, fixed] = SCHEDULES;
    for ((ranks, devices, schedule, end, next_ranks, next_devices, next_schedule), number) in [
        (1, cpu, dynamic, End::TimeLimit, 3, mixed, fixed),
        (3, mixed, fixed, End::TimeLimit, 2, cpu, dynamic),
        (4, gpu, dynamic, End::KilledRank(3), 1, cpu, fixed),
        (2, cpu, fixed, End::KilledRank(0), 4, gpu, dynamic),
        (3, cpu, dynamic, End::KilledRank(2), 1, gpu, fixed),
        (2, mixed, dynamic, End::KilledRank(1), 8, cpu, dynamic),
        (2, gpu, fixed, End::KilledRank(0), 5, mixed, fixed),
    ]
    .into_iter()
    .zip(0..)
    {
        let folder = tempfile::tempdir().unwrap();
        let (command, expected) = (commands[number % 2], &expected[number % 2]);
        let words = format!("{command} --counts counts.npy --timings json -o julia.png");
        let case =
            format!("{command} {ranks} {devices} {schedule} {end:?} {next_ranks} {next_devices} {next_schedule}");
        // The limit is reached while a slow file system takes the second write.
        let limit = if matches!(end, End::TimeLimit) { "--time-limit 1" } else { "" };
        let job = Job::mpiexec(folder.path(), ranks, &format!("{words} {devices} {schedule} {limit}"))
            .env("LD_PRELOAD", failing_files())
            .env("HYBRID_TEST_SLOW_WRITES", "400")
            .start();
        let mut ranks_left = Vec::new();
        if let End::KilledRank(rank) = end {
            wait_until("the journal", || folder.path().join("julia.png.journal").exists());
            ranks_left = ranks_of(job.pid());
            signal("KILL", &ranks_left[rank].to_string());
        }
        let job = job.finish();
        wait_for_end_of(&ranks_left);
        match end {
            End::TimeLimit => assert_eq!(job.code, Some(4), "{case}: {job:#?}"),
            End::KilledRank(_) => _ = job.was_killed(),
        }

        let options = format!("{words} {next_devices} {next_schedule} --resume");
        let report = Job::mpiexec(folder.path(), next_ranks, &options).run().succeeded().json();
        assert!(report["resumed_bands"].as_u64().unwrap() > 0, "{case}: {report:#}");
        assert!(files(folder.path()) == *expected, "{case}: {report:#}");
    }
}

#[test]
fn the_file_is_the_same_with_a_long_limit_and_odd_sizes() {
    let words = "julia --c=-0.8,0.156 --view=-1.6,1.6,-1,1 --size 333x211 --max-iter 2000";
    assert_same_file_for_any_ranks(words, [1, 3]);
    assert_same_file_for_any_ranks("julia --size 1x9 --max-iter 65535", [2]);
}

#[test]
fn mixed_ranks_do_use_both_kinds_of_device() {
    let folder = tempfile::tempdir().unwrap();
    let report = run(folder.path(), 3, "julia --software-gpu").json();
    let devices: Vec<_> = report["ranks"].as_array().unwrap().iter().map(|rank| rank["device"].clone()).collect();
    assert_eq!(devices, ["gpu", "cpu", "cpu"]);
    let pixels: u64 = report["ranks"].as_array().unwrap().iter().map(|rank| rank["pixels"].as_u64().unwrap()).sum();
    assert_eq!(pixels, 640 * 480);
}

#[test]
fn counts_have_the_known_digests() {
    let known = [
        (1, "d076bfe3ebde427e48a1707a5480343354d88d9f0fb9d82bebdaf5e3294c4747"),
        (2, "16cdc64ccb1b2c8274d66df75bb88f8268f9fd27322a6ef224c2e84150529f9b"),
        (3, "9adb0ff953a07628254b534c0f762ea63137e7576b30c380896b04f7a9afab86"),
    ];
    let folder = tempfile::tempdir().unwrap();
    for (scale, digest) in known {
        for (mix, ..) in DEVICES {
            let words = format!("julia --scale {scale} --precision f64 --counts counts.npy {mix}");
            run(folder.path(), 3, &words);
            let counts: Array2<u8> = ndarray_npy::read_npy(folder.path().join("counts.npy")).unwrap();
            assert_eq!(counts.dim(), (480 * scale, 640 * scale));
            let found = Sha256::digest(counts.as_slice().unwrap());
            let found: String = found.iter().map(|byte| format!("{byte:02x}")).collect();
            assert_eq!(found, digest, "scale {scale} {mix}");
        }
    }
}

#[test]
fn the_report_tells_what_was_done_and_where() {
    let folder = tempfile::tempdir().unwrap();
    let report = run(folder.path(), 2, "julia --scale 1 --precision f64 --device cpu").json();
    assert_eq!((&report["command"], &report["precision"]), (&"julia".into(), &"f64".into()));
    assert_eq!((&report["width"], &report["height"]), (&640.into(), &480.into()));
    let total: u64 = report["ranks"].as_array().unwrap().iter().map(|rank| rank["iterations"].as_u64().unwrap()).sum();
    assert_eq!(report["iterations"], total);
    let host = Command::new("hostname").arg("-s").output().unwrap();
    assert_eq!(report["ranks"][1]["host"], String::from_utf8(host.stdout).unwrap().trim());
    assert!(report["total_s"].as_f64().unwrap() > report["ranks"][0]["compute_s"].as_f64().unwrap());
}

#[test]
fn without_a_launcher_one_rank_does_it_all() {
    let folder = tempfile::tempdir().unwrap();
    let table = Job::alone(folder.path(), "julia --size 40x30").run().succeeded().stdout;
    assert!(table.contains("julia 40 x 30 px") && table.contains("julia.png written"), "{table}");
    let quiet = Job::alone(folder.path(), "julia --size 40x30 -q").run().succeeded();
    assert_eq!((quiet.stdout.as_str(), quiet.stderr.as_str()), ("", ""));
    let csv = Job::alone(folder.path(), "julia --size 40x30 --timings csv").run().succeeded().stdout;
    assert!(csv.starts_with("rank,host,cpuset"), "{csv}");
}

fn compare(folder: &Path, png: &str, options: &str) -> Output {
    Command::new(python())
        .arg(concat!(env!("CARGO_MANIFEST_DIR"), "/tests/reference/picture.py"))
        .arg(folder.join(png))
        .args(options.split_whitespace())
        .output()
        .unwrap()
}

/// Every pixel must be what numpy and matplotlib make of the same options.
fn assert_pixels_are_pythons(kernel: &str, size: &str, options: &str, mix: &str) {
    let folder = tempfile::tempdir().unwrap();
    run(folder.path(), 2, &format!("{kernel} --size {size} {options} {mix}"));
    let compared = compare(folder.path(), "julia.png", &format!("--kernel {kernel} --size {size} {options}"));
    assert!(compared.status.success(), "{kernel} {size} {options} {mix}: {compared:?}");
}

#[test]
fn pixels_are_pythons_in_f64() {
    for (mix, ..) in DEVICES {
        assert_pixels_are_pythons("julia", "1920x1440", "--precision f64", mix);
        assert_pixels_are_pythons("mandelbrot", "640x480", "--precision f64", mix);
    }
}

#[test]
fn pixels_are_pythons_in_f32() {
    assert_pixels_are_pythons("julia", "640x480", "--precision f32", "--software-gpu");
    assert_pixels_are_pythons("mandelbrot", "640x480", "--precision f32", "--software-gpu");
}

#[test]
fn pixels_are_pythons_in_every_color_and_with_other_options() {
    for (size, options) in [
        ("320x240", "--color cubehelix"),
        ("320x240", "--color grey"),
        ("321x123", "--c=-0.8,0.156 --view=-1.6,1.6,-1,1 --max-iter 2000"),
        ("320x200", "--c=-0.12,0.74 --max-iter 256"),
        ("320x200", "--c=-0.12,0.74 --max-iter 257 --color grey"),
        ("320x200", "--c=-0.12,0.74 --max-iter 300 --color-scale linear"),
        ("320x200", "--c=-0.12,0.74 --max-iter 255 --color-scale log"),
        ("100x80", "--c 0.3,-0.5 --radius 1.1 --max-iter 40"),
    ] {
        assert_pixels_are_pythons("julia", size, options, "--software-gpu --precision f64");
    }
    for (size, options) in [
        ("320x240", "--max-iter 2000 --color grey"),
        ("320x240", "--max-iter 2000 --color-scale linear"),
        ("333x200", "--view=-0.75,-0.73,0.1,0.112 --max-iter 1000"),
        ("100x80", "--radius 1.1 --max-iter 40"),
    ] {
        assert_pixels_are_pythons("mandelbrot", size, options, "--software-gpu --precision f64");
    }
}

/// The comparison itself must be able to fail.
#[test]
fn a_wrong_picture_is_found_out_by_the_reference() {
    let folder = tempfile::tempdir().unwrap();
    run(folder.path(), 1, "julia --size 64x48 --c 0,0.66");
    let compared = compare(folder.path(), "julia.png", "--size 64x48");
    assert_eq!(compared.status.code(), Some(1), "{compared:?}");
    assert!(!String::from_utf8(compared.stdout).unwrap().starts_with("0 of"));
}

#[test]
fn tinted_pictures_show_who_computed_what() {
    let folder = tempfile::tempdir().unwrap();
    for color in ["rank", "device"] {
        run(folder.path(), 2, &format!("julia --color {color} --software-gpu --schedule static"));
        let picture = image::open(folder.path().join("julia.png")).unwrap().to_rgb8();
        // Bands of 7 rows, one for each rank in turn.
        let (first, second) = (picture.get_pixel(0, 0).0, picture.get_pixel(0, 7).0);
        assert_ne!(first, second, "{color}");
        assert_eq!(first, picture.get_pixel(0, 14).0, "{color}");
    }
}
