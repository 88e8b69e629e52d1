//! Times one CPU kernel on the calling thread and prints the shortest time in seconds and the work done in it:
//! `kernel_time julia ISA f32|f64 picture|long RUNS` or `kernel_time pi ISA DARTS RUNS`.

use std::{env, process::ExitCode};

use hybrid::{
    device::cpu::{
        isa::Isa,
        measure::{Times, time_julia, time_pi},
    },
    kernel::{Precision, julia::Julia},
};

/// The tutorial's picture, sixteen times as wide and high.
const PICTURE: Julia =
    Julia { width: 10_240, height: 7_680, x: (-2.0, 2.0), y: (-1.5, 1.5), c: (0.0, 0.65), radius: 3.0, max_iter: 255 };

/// Points that live long.
const LONG: Julia =
    Julia { width: 1920, height: 1200, x: (-1.6, 1.6), y: (-1.0, 1.0), c: (-0.8, 0.156), radius: 3.0, max_iter: 2001 };

fn times(words: &[&str]) -> Result<Times, String> {
    let number = |word: &str| word.parse::<u64>().map_err(|error| format!("{word}: {error}"));
    match words {
        ["julia", isa, precision, case, runs] => {
            let isa = Isa::choose(Some(isa), &Isa::available())?;
            let precision = if *precision == "f32" { Precision::F32 } else { Precision::F64 };
            let julia = if *case == "long" { LONG } else { PICTURE };
            Ok(time_julia(isa, precision, &julia, number(runs)?))
        }
        ["pi", isa, darts, runs] => {
            Ok(time_pi(Isa::choose(Some(isa), &Isa::available())?, number(darts)?, number(runs)?))
        }
        _ => Err("usage: kernel_time julia ISA f32|f64 picture|long RUNS, or kernel_time pi ISA DARTS RUNS".into()),
    }
}

fn main() -> ExitCode {
    let words = env::args().skip(1).collect::<Vec<_>>();
    match times(&words.iter().map(String::as_str).collect::<Vec<_>>()) {
        Ok(times) => {
            println!("{} {}", times.shortest_s, times.work);
            ExitCode::SUCCESS
        }
        Err(message) => {
            eprintln!("{message}");
            ExitCode::from(2)
        }
    }
}
