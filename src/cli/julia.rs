//! Options of `hybrid julia`.

use std::path::{Path, PathBuf};

use clap::Args;

use super::{
    image::{ImageArgs, Picture},
    numbers::Reals,
};
use crate::kernel::{image::ImageKernel, julia::Julia};

/// Options of `hybrid julia`.
#[derive(Clone, Debug, PartialEq, Args)]
pub struct JuliaArgs {
    /// The constant c of z*z + c.
    #[arg(long, value_name = "RE,IM", default_value = "0,0.65", allow_hyphen_values = true)]
    pub c: Reals<2>,
    /// The part of the plane shown: left, right, bottom, top.
    #[arg(long, value_name = "X0,X1,Y0,Y1", default_value = "-2,2,-1.5,1.5", allow_hyphen_values = true)]
    pub view: Reals<4>,
    /// The picture.
    #[arg(short, long, value_name = "FILE", default_value = "julia.png")]
    pub output: PathBuf,
    /// Options that every picture has.
    #[command(flatten)]
    pub image: ImageArgs,
}

impl Picture for JuliaArgs {
    fn kernel(&self) -> ImageKernel {
        let [re, im] = self.c.0;
        ImageKernel::Julia(Julia { c: (re, im) })
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

#[cfg(test)]
mod tests {
    use super::*;
    use crate::cli::{Command, tests::command};

    fn julia(words: &str) -> Result<JuliaArgs, String> {
        match command(&format!("julia {words}"))? {
            Command::Julia(args) => Ok(*args),
            other => panic!("{other:?}"),
        }
    }

    #[test]
    fn defaults_are_the_tutorials() {
        let args = julia("").unwrap();
        assert_eq!(args.image.size_px(), (640, 480));
        assert_eq!(args.c, Reals([0.0, 0.65]));
        assert_eq!(args.view, Reals([-2.0, 2.0, -1.5, 1.5]));
        assert_eq!((args.image.max_iter, args.image.radius), (255, Reals([3.0])));
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
