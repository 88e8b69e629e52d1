//! The gradient of a rank's flowers, on its GPU or on its cores: the same bits.
//!
//! Whole numbers come out, so that ranks can add them in any order. Knows nothing of ranks.

use hybrid::{CustomKernel, Error, GpuDevice, Shader};

use crate::{
    flowers::{Flower, INPUTS, SPECIES},
    network::{self, HIDDEN, TERMS},
};

/// The unit of the sums: whole numbers of it are added, so any order of adding gives the same sum. It is far above the numbers
/// that a GPU may take for 0, those below 2^-126. 15 000 terms below 100 are less than 2^61 units.
const UNIT: f64 = 1.0 / (1_u64 << 40) as f64;
/// Flowers of a workgroup of `gradient.wgsl`.
const GROUP: usize = 64;

/// What computes the gradient.
pub(crate) enum Means {
    /// The cores.
    Cpu,
    /// A GPU and the shader compiled for it.
    Gpu(Box<GpuDevice>, CustomKernel),
}

/// The shader's text.
pub(crate) fn shader() -> Shader {
    let open = format!("const INPUTS = {INPUTS}u;\nconst HIDDEN = {HIDDEN}u;\nconst SPECIES = {}u;\n", SPECIES.len());
    Shader { entry: "gradient", label: "gradient".to_owned(), wgsl: open + include_str!("gradient.wgsl") }
}

impl Means {
    /// The GPU where there is one, else the cores.
    ///
    /// # Errors
    /// The GPU does not compile the shader.
    pub(crate) fn new(gpu: Option<GpuDevice>) -> Result<Self, Error> {
        let Some(gpu) = gpu else { return Ok(Self::Cpu) };
        gpu.compile(&shader()).map(|kernel| Self::Gpu(Box::new(gpu), kernel))
    }

    /// For messages.
    pub(crate) fn name(&self) -> &str {
        match self {
            Self::Cpu => "its cores",
            Self::Gpu(gpu, _) => gpu.name(),
        }
    }

    /// The terms of each flower, one after the other.
    ///
    /// # Errors
    /// The GPU fails.
    pub(crate) fn terms(&mut self, weights: &[f32], flowers: &[Flower]) -> Result<Vec<f32>, Error> {
        match self {
            Self::Gpu(gpu, kernel) if !flowers.is_empty() => {
                let groups = u32::try_from(flowers.len().div_ceil(GROUP)).expect("100 copies of 150 flowers at most");
                gpu.run(kernel, &[weights, bytemuck::cast_slice(flowers)], groups, flowers.len() * TERMS)
            }
            _ => Ok(flowers.iter().flat_map(|flower| network::terms(weights, flower)).collect()),
        }
    }

    /// Gradient and loss of all `flowers`, in units. The cores take over from a GPU that fails.
    pub(crate) fn sums(&mut self, weights: &[f32], flowers: &[Flower]) -> [i64; TERMS] {
        let terms = self.terms(weights, flowers).unwrap_or_else(|error| {
            eprintln!("note: the cores go on: {error}");
            *self = Self::Cpu;
            flowers.iter().flat_map(|flower| network::terms(weights, flower)).collect()
        });
        let mut sums = [0; TERMS];
        for of_flower in terms.as_chunks::<TERMS>().0 {
            for (sum, term) in sums.iter_mut().zip(of_flower) {
                assert!(term.abs() < 1e2, "a gradient of {term} is too large for the sums: the training diverges");
                let whole = (f64::from(*term) / UNIT).round() as i64;
                *sum += whole;
            }
        }
        sums
    }
}

/// The mean of the terms of `flowers` flowers, from their sums.
pub(crate) fn mean(sums: [i64; TERMS], flowers: usize) -> [f64; TERMS] {
    sums.map(|sum| sum as f64 * UNIT / flowers as f64)
}
