//! Options that every picture has, whatever its kernel: its size, how it is colored and stored, and how the work is assigned.

use std::path::{Path, PathBuf};

use clap::{Args, ValueEnum};

use super::{
    device::DeviceArgs,
    numbers::{MAX_SIDE_PX, Reals, Size},
    report::ReportArgs,
};
use crate::kernel::{Precision, image::ImageKernel};

/// A command that computes a picture: what its kernel makes special.
pub trait Picture {
    /// What is iterated.
    fn kernel(&self) -> ImageKernel;
    /// The part of the plane shown: left, right, bottom, top.
    fn view(&self) -> Reals<4>;
    /// The file of the picture.
    fn output(&self) -> &Path;
    /// The options that every picture has.
    fn shared(&self) -> &ImageArgs;
}

/// Options of every picture.
#[derive(Clone, Debug, PartialEq, Args)]
pub struct ImageArgs {
    /// Size as a multiple of 640 x 480 pixels.
    #[arg(
        long, value_name = "N", allow_negative_numbers = true, default_value_t = 1, conflicts_with = "size",
        value_parser = clap::value_parser!(u32).range(1..=i64::from(MAX_SIDE_PX / 640))
    )]
    pub scale: u32,
    /// Size in pixels instead of --scale.
    #[arg(long, value_name = "WxH")]
    pub size: Option<Size>,
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
    /// How counts are spread over the colors: evenly, or by the logarithm of the iterations, so that what takes few of many can be
    /// told apart too [default: linear up to 256 iterations, log above].
    #[arg(long, value_enum)]
    pub color_scale: Option<ColorScale>,
    /// Also write the counts as a NumPy array (uint8 up to 255 iterations, uint16 above).
    #[arg(long, value_name = "FILE.npy")]
    pub counts: Option<PathBuf>,
    /// Continue what a killed or stopped job of the same picture left, with any ranks and devices.
    #[arg(long)]
    pub resume: bool,
    /// How work is shared: by whoever is free, as its speed makes right, or by all ranks alike, gathered and reduced in waves.
    #[arg(long, value_enum, default_value_t = Schedule::Dynamic)]
    pub schedule: Schedule,
    /// Stop in an orderly way after this many seconds; --resume then continues.
    #[arg(long, value_name = "S", allow_negative_numbers = true, value_parser = clap::value_parser!(u32).range(1..))]
    pub time_limit: Option<u32>,
    /// Compare a row of every piece of work with the definition, and fail where a device is wrong.
    #[arg(long)]
    pub verify: bool,
    /// Floating-point format of the whole run; auto takes f64 where every device of the run has it.
    #[arg(long, value_enum, default_value_t = PrecisionRequest::Auto)]
    pub precision: PrecisionRequest,
    /// Options on where to compute.
    #[command(flatten)]
    pub device: DeviceArgs,
    /// Options on what to print.
    #[command(flatten)]
    pub report: ReportArgs,
}

impl ImageArgs {
    /// Width and height of the image in pixels.
    #[must_use]
    pub fn size_px(&self) -> (u32, u32) {
        self.size.map_or((640 * self.scale, 480 * self.scale), |size| (size.width, size.height))
    }

    /// How counts are spread over the colors: what was asked for, or what shows most of so many iterations.
    #[must_use]
    pub fn color_scale(&self) -> ColorScale {
        const FEW: u16 = 256;
        self.color_scale.unwrap_or(if self.max_iter <= FEW { ColorScale::Linear } else { ColorScale::Log })
    }
}

/// What `--schedule` chooses from.
#[derive(Clone, Copy, Debug, PartialEq, Eq, ValueEnum)]
pub enum Schedule {
    /// Pieces for whoever is free, sized by the speed it has shown.
    Dynamic,
    /// Every rank the same number of bands, in turn, in waves that are gathered.
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

/// What `--color-scale` chooses from.
#[derive(Clone, Copy, Debug, PartialEq, Eq, ValueEnum)]
pub enum ColorScale {
    /// As many counts for each color.
    Linear,
    /// As many doublings of the iterations for each color.
    Log,
}

/// What `--precision` chooses from.
#[derive(Clone, Copy, Debug, PartialEq, Eq, ValueEnum)]
pub enum PrecisionRequest {
    /// f64 where every device has it, else f32.
    Auto,
    /// IEEE 754 binary32.
    F32,
    /// IEEE 754 binary64.
    F64,
}

impl PrecisionRequest {
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
