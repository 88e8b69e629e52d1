//! Options of `hybrid mandelbrot`.

use std::path::{Path, PathBuf};

use clap::Args;

use super::{
    image::{ImageArgs, Picture},
    numbers::Reals,
};
use crate::kernel::{image::ImageKernel, mandelbrot::Mandelbrot};

/// Options of `hybrid mandelbrot`.
#[derive(Clone, Debug, PartialEq, Args)]
pub struct MandelbrotArgs {
    /// The part of the plane shown: left, right, bottom, top.
    #[arg(long, value_name = "X0,X1,Y0,Y1", default_value = "-2.5,1.5,-1.5,1.5", allow_hyphen_values = true)]
    pub view: Reals<4>,
    /// The picture.
    #[arg(short, long, value_name = "FILE", default_value = "mandelbrot.png")]
    pub output: PathBuf,
    /// Options that every picture has.
    #[command(flatten)]
    pub image: ImageArgs,
}

impl Picture for MandelbrotArgs {
    fn kernel(&self) -> ImageKernel {
        ImageKernel::Mandelbrot(Mandelbrot)
    }

    fn view(&self) -> Reals<4> {
        self.view
    }

    fn output(&self) -> &Path {
        &self.output
    }

    fn shared(&self) -> &ImageArgs {
        &self.image
    }
}
