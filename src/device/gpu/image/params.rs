//! The uniform of `shaders/escape.wgsl`, in each format that `real` stands for.
//!
//! One definition for both: bytemuck derives its guarantees for concrete types alone, hence the macro.

use bytemuck::{Pod, Zeroable};

use super::batch::Batch;
use crate::kernel::{image::Image, number::Real};

/// A floating-point format of the kernel.
pub(super) trait GpuReal: Real + Pod + Into<f64> {
    /// The uniform.
    type Params: Pod;

    /// The largest number.
    const MAX: Self;

    /// The uniform of the dispatch of `batch`.
    fn params(image: &Image, batch: &Batch) -> Self::Params;
}

macro_rules! params {
    ($name:ident, $real:ty) => {
        #[doc = concat!("The shader's `Params` where `real` is ", stringify!($real), ".")]
        #[repr(C)]
        #[derive(Clone, Copy, Debug, Pod, Zeroable)]
        #[allow(missing_docs, reason = "the shader's twin explains each member")]
        pub struct $name {
            pub fixed_x: $real,
            pub fixed_y: $real,
            pub radius2: $real,
            pub max_iter: u32,
            pub width: u32,
            pub first_column: u32,
            pub first_row: u32,
            pub pixels: u32,
            pub leap_above: u32,
        }

        impl GpuReal for $real {
            type Params = $name;

            const MAX: Self = <$real>::MAX;

            fn params(image: &Image, batch: &Batch) -> $name {
                let constants = image.constants::<$real>();
                $name {
                    fixed_x: constants.fixed.x,
                    fixed_y: constants.fixed.y,
                    radius2: constants.radius2,
                    max_iter: u32::from(constants.max_iter),
                    width: batch.width,
                    first_column: batch.first_column,
                    first_row: batch.first_row,
                    pixels: batch.pixels,
                    leap_above: batch.leap_above,
                }
            }
        }
    };
}

params!(ParamsF32, f32);
params!(ParamsF64, f64);
