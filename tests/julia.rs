//! `hybrid julia` under mpiexec: the same answer for any number of ranks on any devices, and the right answer.

#![allow(clippy::unwrap_used, reason = "a test fails where it cannot go on")]

mod support;

use std::{
    fs,
    path::Path,
    process::{Command, Output},
};

use ndarray::Array2;
use sha2::{Digest, Sha256};
use support::{Finished, Job, python};

/// Ranks and options of the jobs that must agree: CPU ranks, software-GPU ranks, and both.
const MIXES: [&str; 4] =
    ["--device cpu", "--device cpu --schedule static", "--device gpu --software-gpu --share-gpus 7", "--software-gpu"];

fn run(folder: &Path, ranks: usize, words: &str) -> Finished {
    Job::mpiexec(folder, ranks, &format!("julia --timings json {words}")).run().succeeded()
}

/// The PNG must be the same file for every number of ranks and every mix of devices.
fn assert_same_file_for_any_ranks(words: &str, ranks: &[usize]) {
    let folder = tempfile::tempdir().unwrap();
    let expected = {
        run(folder.path(), 1, &format!("{words} --device cpu -o expected.png"));
        fs::read(folder.path().join("expected.png")).unwrap()
    };
    for ranks in ranks {
        for mix in MIXES {
            let report = run(folder.path(), *ranks, &format!("{words} {mix}")).json();
            let png = fs::read(folder.path().join("julia.png")).unwrap();
            assert!(png == expected, "{ranks} ranks {mix}: {report:#}");
            fs::remove_file(folder.path().join("julia.png")).unwrap();
        }
    }
}

#[test]
fn the_file_is_the_same_for_any_ranks_and_devices_in_f64() {
    assert_same_file_for_any_ranks("--precision f64", &[1, 2, 3, 4, 7]);
}

#[test]
fn the_file_is_the_same_for_any_ranks_and_devices_in_f32() {
    assert_same_file_for_any_ranks("--precision f32", &[1, 2, 3, 4, 7]);
}

#[test]
fn the_file_is_the_same_with_a_long_limit_and_odd_sizes() {
    let words = "--c=-0.8,0.156 --view=-1.6,1.6,-1,1 --size 333x211 --max-iter 2000";
    assert_same_file_for_any_ranks(words, &[1, 3]);
    assert_same_file_for_any_ranks("--size 1x9 --max-iter 65535", &[2]);
}

#[test]
fn mixed_ranks_do_use_both_kinds_of_device() {
    let folder = tempfile::tempdir().unwrap();
    let report = run(folder.path(), 3, "--software-gpu").json();
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
        for mix in MIXES {
            let words = format!("--scale {scale} --precision f64 --counts counts.npy {mix}");
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
    let report = run(folder.path(), 2, "--scale 1 --precision f64 --device cpu").json();
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
        .arg(concat!(env!("CARGO_MANIFEST_DIR"), "/tests/reference/julia.py"))
        .arg(folder.join(png))
        .args(options.split_whitespace())
        .output()
        .unwrap()
}

/// Every pixel must be what numpy and matplotlib make of the same options.
fn assert_pixels_are_pythons(size: &str, options: &str, mix: &str) {
    let folder = tempfile::tempdir().unwrap();
    run(folder.path(), 2, &format!("--size {size} {options} {mix}"));
    let compared = compare(folder.path(), "julia.png", &format!("--size {size} {options}"));
    assert!(compared.status.success(), "{size} {options} {mix}: {compared:?}");
}

#[test]
fn pixels_are_pythons_in_f64() {
    for mix in MIXES {
        assert_pixels_are_pythons("1920x1440", "--precision f64", mix);
    }
}

#[test]
fn pixels_are_pythons_in_f32() {
    assert_pixels_are_pythons("640x480", "--precision f32", "--software-gpu");
}

#[test]
fn pixels_are_pythons_in_every_color_and_with_other_options() {
    for (size, options) in [
        ("320x240", "--color cubehelix"),
        ("320x240", "--color grey"),
        ("321x123", "--c=-0.8,0.156 --view=-1.6,1.6,-1,1 --max-iter 2000"),
        ("320x200", "--c=-0.12,0.74 --max-iter 256"),
        ("320x200", "--c=-0.12,0.74 --max-iter 257 --color grey"),
        ("100x80", "--c 0.3,-0.5 --radius 1.1 --max-iter 40"),
    ] {
        assert_pixels_are_pythons(size, options, "--software-gpu --precision f64");
    }
}

/// The comparison itself must be able to fail.
#[test]
fn a_wrong_picture_is_found_out_by_the_reference() {
    let folder = tempfile::tempdir().unwrap();
    run(folder.path(), 1, "--size 64x48 --c 0,0.66");
    let compared = compare(folder.path(), "julia.png", "--size 64x48");
    assert_eq!(compared.status.code(), Some(1), "{compared:?}");
    assert!(!String::from_utf8(compared.stdout).unwrap().starts_with("0 of"));
}

#[test]
fn tinted_pictures_show_who_computed_what() {
    let folder = tempfile::tempdir().unwrap();
    for color in ["rank", "device"] {
        run(folder.path(), 2, &format!("--color {color} --software-gpu --schedule static"));
        let picture = image::open(folder.path().join("julia.png")).unwrap().to_rgb8();
        // Bands of 7 rows, one for each rank in turn.
        let (first, second) = (picture.get_pixel(0, 0).0, picture.get_pixel(0, 7).0);
        assert_ne!(first, second, "{color}");
        assert_eq!(first, picture.get_pixel(0, 14).0, "{color}");
    }
}
