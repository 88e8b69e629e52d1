//! Options of `hybrid julia`: which picture, how it is colored and stored, and how the work is dealt.

use std::path::PathBuf;

use clap::{Args, ValueEnum};

use super::{
    device::DeviceArgs,
    numbers::{MAX_SIDE_PX, Reals, Size},
    report::ReportArgs,
};
use crate::kernel::Precision;

/// Options of `hybrid julia`.
#[derive(Clone, Debug, PartialEq, Args)]
pub struct JuliaArgs {
    /// Size as a multiple of 640 x 480 pixels.
    #[arg(
        long, value_name = "N", allow_negative_numbers = true, default_value_t = 1, conflicts_with = "size",
        value_parser = clap::value_parser!(u32).range(1..=i64::from(MAX_SIDE_PX / 640))
    )]
    pub scale: u32,
    /// Size in pixels instead of --scale.
    #[arg(long, value_name = "WxH")]
    pub size: Option<Size>,
    /// The constant c of z*z + c.
    #[arg(long, value_name = "RE,IM", default_value = "0,0.65", allow_hyphen_values = true)]
    pub c: Reals<2>,
    /// The part of the plane shown: left, right, bottom, top.
    #[arg(long, value_name = "X0,X1,Y0,Y1", default_value = "-2,2,-1.5,1.5", allow_hyphen_values = true)]
    pub view: Reals<4>,
    /// The count that a pixel starts from and that goes down by one an iteration to 1: at most N-1 iterations.
    #[arg(
        long, value_name = "N", allow_negative_numbers = true, default_value_t = 255,
        value_parser = clap::value_parser!(u16).range(1..)
    )]
    pub max_iter: u16,
    /// A point has escaped once |z| reaches this.
    #[arg(long, value_name = "R", default_value = "3", allow_hyphen_values = true)]
    pub radius: Reals<1>,
    /// Colors; rank and device tint each band by who computed it.
    #[arg(long, value_enum, default_value_t = Color::Viridis)]
    pub color: Color,
    /// The picture.
    #[arg(short, long, value_name = "FILE", default_value = "julia.png")]
    pub output: PathBuf,
    /// Also write the counts as a NumPy array (uint8 up to 255 iterations, uint16 above).
    #[arg(long, value_name = "FILE.npy")]
    pub counts: Option<PathBuf>,
    /// Continue what a killed or stopped job of the same picture left, with any ranks and devices.
    #[arg(long)]
    pub resume: bool,
    /// How work is dealt: to whoever is free, by speed, or to every rank the same.
    #[arg(long, value_enum, default_value_t = Schedule::Dynamic)]
    pub schedule: Schedule,
    /// Stop in an orderly way after this many seconds; --resume then continues.
    #[arg(long, value_name = "S", allow_negative_numbers = true, value_parser = clap::value_parser!(u32).range(1..))]
    pub time_limit: Option<u32>,
    /// Compare a row of every piece of work with the definition, and fail where a device is wrong.
    #[arg(long)]
    pub verify: bool,
    /// Floating-point format of the whole run; auto takes f64 where every device of the run has it.
    #[arg(long, value_enum, default_value_t = PrecisionWish::Auto)]
    pub precision: PrecisionWish,
    /// Options on where to compute.
    #[command(flatten)]
    pub device: DeviceArgs,
    /// Options on what to print.
    #[command(flatten)]
    pub report: ReportArgs,
}

impl JuliaArgs {
    /// Width and height of the image in pixels.
    #[must_use]
    pub fn size_px(&self) -> (u32, u32) {
        self.size.map_or((640 * self.scale, 480 * self.scale), |size| (size.width, size.height))
    }
}

/// What `--schedule` chooses from.
#[derive(Clone, Copy, Debug, PartialEq, Eq, ValueEnum)]
pub enum Schedule {
    /// Pieces for whoever asks, sized by the speed it has shown.
    Dynamic,
    /// Every rank the same number of bands, in turn.
    Static,
}

/// What `--color` chooses from.
#[derive(Clone, Copy, Debug, PartialEq, Eq, ValueEnum)]
pub enum Color {
    /// matplotlib's viridis.
    Viridis,
    /// matplotlib's cubehelix.
    Cubehelix,
    /// Black to white.
    Grey,
    /// Each band in the hue of the rank that computed it.
    Rank,
    /// Each band in the hue of the kind of device that computed it.
    Device,
}

/// What `--precision` chooses from.
#[derive(Clone, Copy, Debug, PartialEq, Eq, ValueEnum)]
pub enum PrecisionWish {
    /// f64 where every device has it, else f32.
    Auto,
    /// IEEE 754 binary32.
    F32,
    /// IEEE 754 binary64.
    F64,
}

impl PrecisionWish {
    /// The precision that was pinned, if one was.
    #[must_use]
    pub fn pinned(self) -> Option<Precision> {
        match self {
            Self::Auto => None,
            Self::F32 => Some(Precision::F32),
            Self::F64 => Some(Precision::F64),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::cli::{Command, tests::command};

    fn julia(words: &str) -> Result<JuliaArgs, String> {
        match command(&format!("julia {words}"))? {
            Command::Julia(args) => Ok(args),
            other => panic!("{other:?}"),
        }
    }

    #[test]
    fn defaults_are_the_tutorials() {
        let args = julia("").unwrap();
        assert_eq!(args.size_px(), (640, 480));
        assert_eq!(args.c, Reals([0.0, 0.65]));
        assert_eq!(args.view, Reals([-2.0, 2.0, -1.5, 1.5]));
        assert_eq!((args.max_iter, args.radius), (255, Reals([3.0])));
    }

    #[test]
    fn negative_numbers_are_values_and_not_flags() {
        let args = julia("--c -0.8,0.156 --view -1.6,1.6,-1,1").unwrap();
        assert_eq!(args.c, Reals([-0.8, 0.156]));
        assert_eq!(args.view.0[0], -1.6);
    }

    #[test]
    fn wrong_values_are_named_with_their_limit() {
        for (words, expected) in [
            ("--scale 0", "0 is not in 1..="),
            ("--scale 99999999999", "is not in 1..="),
            ("--size 12", "WIDTHxHEIGHT"),
            ("--c 1", "expected 2 numbers separated by commas, found 1"),
            ("--view 1,2,3", "expected 4 numbers"),
            ("--max-iter 0", "0 is not in 1..=65535"),
            ("--max-iter 65536", "1..=65535"),
            ("--radius inf", "inf is not a finite number"),
            ("--scale 2 --size 10x10", "cannot be used with"),
            ("--colour grey", "--color"),
        ] {
            let message = julia(words).expect_err(words);
            assert!(message.contains(expected), "{words}: {message}");
        }
    }
}
