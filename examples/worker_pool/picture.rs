//! The tutorial's Julia set, line by line, and as a file. Knows nothing of ranks but who drew what.

use std::fs;

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

/// Compares with what one process computes and writes `julia.pgm`.
pub(crate) fn finish(lines: &[Outcome<u8>], width: u32, height: u32) -> Result<(), String> {
    for (outcome, k) in lines.iter().zip(0..) {
        let counts =
            outcome.values.as_ref().map_err(|reason| format!("line {k} failed on rank {}: {reason}", outcome.rank))?;
        assert_eq!(*counts, line(k, width, height), "line {k} is another one where it is computed alone");
    }
    // A portable graymap: a line of text, then a byte a pixel. What escapes at once is dark.
    let mut file = format!("P5 {width} {height} 255\n").into_bytes();
    file.extend(lines.iter().flat_map(|line| line.values.iter().flatten()).map(|count| 255 - count));
    fs::write("julia.pgm", file).map_err(|error| format!("cannot write julia.pgm: {error}"))
}
