//! MPI jobs on mixed clusters: each rank on its own GPU or CPU cores, one answer from all of them.
//!
//! This is the library of the program `hybrid`, and a small one for programs of your own: the [`World`] of ranks, the place and the
//! GPU of each ([`place_of_rank`], [`gpu_of_rank`]), a WGSL kernel of your own on it ([`GpuDevice::compile`], [`GpuDevice::run`]),
//! failures that all ranks know of ([`World::agree`]), and random numbers that do not depend on who asks for them
//! ([`threefry4x32`]).
//!
//! ```
//! use hybrid::{Devices, Shader, World, gpu_of_rank};
//!
//! const DOUBLE: &str = "
//!     @group(0) @binding(0) var<storage, read> numbers: array<f32>;
//!     @group(0) @binding(1) var<storage, read_write> doubled: array<f32>;
//!     @compute @workgroup_size(4)
//!     fn double(@builtin(global_invocation_id) id: vec3<u32>) { doubled[id.x] = 2.0 * numbers[id.x]; }";
//!
//! # fn main() -> Result<(), Box<dyn std::error::Error>> {
//! let world = World::of_job()?;
//! let mine = [world.rank() as f32, 0.5, 1.5, 2.5];
//! let (gpu, _notes) = gpu_of_rank(&world, &Devices::default())?;
//! let doubled = match gpu {
//!     Some(mut gpu) => {
//!         let shader = Shader { entry: "double", label: "double".to_owned(), wgsl: DOUBLE.to_owned() };
//!         let kernel = world.agree(gpu.compile(&shader))?;
//!         world.agree(gpu.run(&kernel, &[&mine], 1, mine.len()))?
//!     }
//!     None => mine.iter().map(|number| 2.0 * number).collect(), // its cores
//! };
//! assert_eq!(doubled[1..], [1.0, 3.0, 5.0]);
//! let sum = world.all.sum(1); // every rank counts
//! assert_eq!(sum, world.size() as u64);
//! # Ok(())
//! # }
//! ```
//!
//! How the modules inside know each other, docs/architecture.md says.

#![warn(clippy::print_stdout, clippy::print_stderr)]
// Here, and not for the whole package: a beginner's `size as usize` in an example is right.
#![warn(clippy::cast_possible_truncation, clippy::cast_possible_wrap, clippy::cast_sign_loss)]

mod as_text;
mod build_id;
mod cli;
mod comm;
mod commands;
mod device;
mod environment;
mod error;
mod face;
mod fault;
mod host_name;
mod kernel;
mod launcher;
mod output;
mod pci;
mod placement;
mod plan;
mod program;
mod rankfile;
mod request;
mod severity;
mod streams;
mod study;
mod timeline;
mod topology;
mod visible;
mod words;
mod workload;

pub use comm::{Failure, Group, NodeGroup, World};
pub use device::{
    DeviceError, Identity,
    gpu::{CustomKernel, GpuDevice, shader::Shader},
};
pub use error::Error;
pub use face::{Devices, RankPlace, gpu_of_rank, place_of_rank};
pub use kernel::threefry::{ROUNDS, threefry4x32};
pub use output::image::colormap::viridis;
pub use pci::PciBusId;
pub use placement::Device;
pub use program::run;
pub use request::DeviceRequest;

/// The modules, for this project's own tests, benchmarks and fuzzing: no promise is made of what is in here.
#[cfg(feature = "inside")]
#[doc(hidden)]
#[allow(missing_docs, reason = "each module is documented where it is")]
pub mod inside {
    macro_rules! modules {
        ($($name:ident)*) => { $(pub mod $name { pub use crate::$name::*; })* };
    }
    modules! { cli comm commands device environment error kernel launcher output pci placement plan rankfile streams topology request study workload }
}
