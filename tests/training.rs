//! The example `training`: a gradient has the same bits by the shader as by the cores, and so the losses are the same for any
//! number of ranks on any mix of CPU and GPU. On a software adapter.

#![allow(clippy::unwrap_used, reason = "a test fails where it cannot go on")]

#[allow(dead_code, reason = "the program uses the rest")]
#[path = "../examples/library/training/flowers.rs"]
mod flowers;
#[allow(dead_code, reason = "the program uses the rest")]
#[path = "../examples/library/training/gradient.rs"]
mod gradient;
#[allow(dead_code, reason = "the program uses the rest")]
#[path = "../examples/library/training/network.rs"]
mod network;
mod support;

use std::{path::Path, time::Duration};

use hybrid::inside::device::gpu::{GpuDevice, Which};

use flowers::Flower;
use gradient::{Means, mean, shader};
use network::{TERMS, train};
use support::{Finished, HYBRID, Job};

/// Every flower, and weights before and while the network is trained.
fn questions() -> (Vec<Flower>, Vec<Vec<f32>>) {
    let (mut flowers, held_out) = flowers::read_flowers();
    flowers.extend(held_out);
    let weights = [0, 1, 7, 300].map(|epochs| {
        train(network::first_weights(), epochs, |weights| mean(Means::Cpu.sums(weights, &flowers), flowers.len())).0
    });
    (flowers, weights.to_vec())
}

/// How many of the terms of all flowers differ in a bit, by the shader after `edit` and by the cores.
fn differing(edit: impl Fn(&str) -> String) -> usize {
    let gpu =
        GpuDevice::open(&Which::Software).unwrap_or_else(|error| panic!("{error} (apt install mesa-vulkan-drivers)"));
    let mut shader = shader();
    shader.wgsl = edit(&shader.wgsl);
    let kernel = gpu.compile(&shader).unwrap();
    let mut gpu = Means::Gpu(Box::new(gpu), kernel);
    let (flowers, weights) = questions();
    let differing = |weights: &Vec<f32>| {
        let (by_gpu, by_cpu) = (gpu.terms(weights, &flowers).unwrap(), Means::Cpu.terms(weights, &flowers).unwrap());
        assert_eq!((by_gpu.len(), by_cpu.len()), (150 * TERMS, 150 * TERMS));
        by_gpu.iter().zip(&by_cpu).filter(|(a, b)| a.to_bits() != b.to_bits()).count()
    };
    weights.iter().map(differing).sum()
}

#[test]
fn the_shader_has_the_bits_of_the_cores() {
    assert_eq!(differing(str::to_owned), 0);
}

#[test]
fn a_shader_that_adds_in_another_order_or_forgets_a_factor_is_noticed() {
    let edits = [
        // The second half of the inputs comes first.
        (
            "sum += weights[row + i] * flowers[flower + i];",
            "sum += weights[row + (i ^ 2u)] * flowers[flower + (i ^ 2u)];",
        ),
        ("select(0.0, sum, sum > 0.0)", "sum"),
        ("errors[o] * errors[o] * 0.5", "errors[o] * errors[o]"),
    ];
    for (right, wrong) in edits {
        let edit = |wgsl: &str| {
            assert_eq!(wgsl.matches(right).count(), 1, "{right}");
            wgsl.replace(right, wrong)
        };
        assert!(differing(edit) > 100, "{right}");
    }
}

/// Trains as `words` say, and returns what was printed of devices and of losses.
fn trained(ranks: usize, words: &str) -> (Vec<String>, Vec<String>) {
    let program = Path::new(HYBRID).with_file_name("examples/training");
    assert!(program.exists(), "{} is missing: run `cargo build --examples`", program.display());
    let folder = tempfile::tempdir().unwrap();
    let options = ["-n", &ranks.to_string()];
    parts(&Job::launched(folder.path(), &options, &[program.to_str().unwrap()], words).run().succeeded())
}

fn parts(job: &Finished) -> (Vec<String>, Vec<String>) {
    let lines_with = |word: &str| {
        let mut lines: Vec<String> = job.stdout.lines().filter(|line| line.contains(word)).map(str::to_owned).collect();
        lines.sort();
        lines
    };
    (lines_with(" trains with "), [lines_with("loss "), lines_with("named right")].concat())
}

#[test]
fn losses_are_the_same_for_any_number_of_ranks_on_any_mix_of_devices() {
    let (_, expected) = trained(1, "--device cpu");
    assert_eq!(expected.len(), 7, "{expected:?}");
    for ranks in 1..=4 {
        let mixes = [
            ("--device cpu", 0),
            ("--device gpu --software-gpu --ranks-per-gpu 4", ranks),
            ("--software-gpu", 1),
            ("--device auto --software-gpu --ranks-per-gpu 2", ranks.min(2)),
        ];
        for (words, on_gpu) in mixes {
            let (devices, losses) = trained(ranks, words);
            assert_eq!(devices.len(), ranks, "{devices:?}");
            // More where the computer has a GPU besides the software adapter.
            let found = devices.iter().filter(|line| !line.ends_with("its cores")).count();
            assert!(found >= on_gpu && (found == 0 || on_gpu > 0), "{on_gpu} GPUs were asked for: {devices:?}");
            assert_eq!(losses, expected, "{ranks} ranks with {words}");
        }
    }
}

#[test]
fn a_loss_that_differs_in_its_last_digit_is_noticed() {
    let stdout =
        "rank 0 trains with 120 flowers on its cores\nepoch   0: loss 0.25\n1 of 2 are named right\n".to_owned();
    let losses = |stdout| parts(&Finished { code: Some(0), stdout, stderr: String::new(), elapsed: Duration::ZERO }).1;
    let right = losses(stdout.clone());
    assert_eq!(right, ["epoch   0: loss 0.25", "1 of 2 are named right"]);
    assert_ne!(right, losses(stdout.replace("0.25", "0.26")));
}

#[test]
fn a_gpu_that_is_not_there_is_missed_once_on_all_ranks() {
    let program = Path::new(HYBRID).with_file_name("examples/training");
    let folder = tempfile::tempdir().unwrap();
    let launched = |words: &str| Job::launched(folder.path(), &["-n", "3"], &[program.to_str().unwrap()], words).run();
    for (words, parts) in [
        ("--device gpu", ["no GPU for this rank", "--software-gpu"]),
        ("--device ffff:ff:1f.7", ["GPU ffff:ff:1f.7", "has "]),
        ("--device gpu --software-gpu --ranks-per-gpu 2", ["--ranks-per-gpu 3", "--device auto"]),
        ("--device igpu", ["`igpu` is no device", "0000:65:00.0"]),
    ] {
        let job = launched(words);
        assert_eq!((job.code, job.error_lines().len()), (Some(2), 1), "{job:#?}");
        assert!(parts.iter().all(|part| job.error_lines()[0].contains(part)), "{job:#?}\nlacks one of {parts:?}");
    }
}
