//! The tutorial's Julia set, line by line, and as a file. Knows nothing of ranks but who drew what.

use image::{Rgb, RgbImage};

use crate::pool::Outcome;

/// Line `k` of the tutorial's picture, by the tutorial's formula: z*z + 0.65i from 255 downward.
pub(crate) fn line(k: u32, width: u32, height: u32) -> Vec<u8> {
    let y = 1.5 - f64::from(k) * (3.0 / f64::from(height));
    let count = |j| {
        let (mut re, mut im) = (-2.0 + f64::from(j) * (4.0 / f64::from(width)), y);
        let mut n = 255;
        while re * re + im * im < 9.0 && n > 1 {
            (re, im) = (re * re - im * im, 2.0 * re * im + 0.65);
            n -= 1;
        }
        n
    };
    (0..width).map(count).collect()
}

/// Compares with what one process computes and writes `julia.png`.
pub(crate) fn finish(lines: &[Outcome<u8>], width: u32, height: u32) -> Result<(), String> {
    for (outcome, k) in lines.iter().zip(0..) {
        let counts =
            outcome.values.as_ref().map_err(|reason| format!("line {k} failed on rank {}: {reason}", outcome.rank))?;
        assert_eq!(*counts, line(k, width, height), "line {k} is another one where it is computed alone");
    }
    let counts: Vec<u8> = lines.iter().flat_map(|line| line.values.iter().flatten().copied()).collect();
    let (least, most) = (counts.iter().min().expect("a pixel"), counts.iter().max().expect("a pixel"));
    let (colors, range) = (hybrid::viridis(), usize::from(most - least).max(1));
    let picture = RgbImage::from_fn(width, height, |j, k| {
        let count = counts[k as usize * width as usize + j as usize];
        Rgb(colors[(256 * usize::from(count - least) / range).min(255)])
    });
    picture.save("julia.png").map_err(|error| format!("cannot write julia.png: {error}"))
}
