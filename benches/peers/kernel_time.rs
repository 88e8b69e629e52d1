//! Times one CPU kernel on the calling thread and prints the shortest time in seconds and the work done in it:
//! `kernel_time image ISA f32|f64 picture|long|mandelbrot RUNS` or `kernel_time pi ISA DARTS RUNS`.

use std::{env, process::ExitCode};

use hybrid::inside::{
    device::cpu::{
        isa::Isa,
        measure::{Times, time_counting, time_image},
    },
    kernel::{
        Precision,
        counting::CountingKernel,
        image::{Image, ImageKernel},
        mandelbrot::Mandelbrot,
        pi::Pi,
    },
};

/// The tutorial's picture, sixteen times as wide and high.
const PICTURE: Image = Image { width: 10_240, height: 7_680, ..Image::tutorial() };

/// Points that live long.
const LONG: Image = Image {
    width: 1920,
    height: 1200,
    x: (-1.6, 1.6),
    y: (-1.0, 1.0),
    max_iter: 2001,
    kernel: ImageKernel::julia((-0.8, 0.156)),
    ..PICTURE
};

/// The Mandelbrot set, eight times as wide and high as it is drawn where nothing else is asked for.
const MANDELBROT: Image =
    Image { width: 5120, height: 3840, x: (-2.5, 1.5), kernel: ImageKernel::Mandelbrot(Mandelbrot), ..PICTURE };

fn times(words: &[&str]) -> Result<Times, String> {
    let number = |word: &str| word.parse::<u64>().map_err(|error| format!("{word}: {error}"));
    match words {
        ["image", isa, precision, case, runs] => {
            let isa = Isa::choose(Some(isa), &Isa::available())?;
            let precision = if *precision == "f32" { Precision::F32 } else { Precision::F64 };
            let image = match *case {
                "long" => LONG,
                "mandelbrot" => MANDELBROT,
                _ => PICTURE,
            };
            Ok(time_image(isa, precision, &image, number(runs)?))
        }
        ["pi", isa, darts, runs] => {
            let isa = Isa::choose(Some(isa), &Isa::available())?;
            Ok(time_counting(isa, &CountingKernel::Pi(Pi { seed: 7 }), number(darts)?, number(runs)?))
        }
        _ => Err("usage: kernel_time image ISA f32|f64 picture|long|mandelbrot RUNS, or kernel_time pi ISA DARTS RUNS"
            .into()),
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
