//! A step of the heat equation on a rank's GPU. Knows nothing of ranks.

use hybrid::{CustomKernel, Error, GpuDevice, Shader};

use crate::grid::Grid;

/// Cells of a workgroup of `heat.wgsl`.
const GROUP: usize = 64;

/// The kernel for a block of this size, compiled for the rank's GPU.
///
/// # Errors
/// The GPU does not compile it.
pub(crate) fn compile(gpu: GpuDevice, grid: &Grid) -> Result<(GpuDevice, CustomKernel), Error> {
    gpu.compile(&shader(grid)).map(|kernel| (gpu, kernel))
}

/// Its text.
pub(crate) fn shader(grid: &Grid) -> Shader {
    let open = format!("const HEIGHT = {}u;\nconst WIDTH = {}u;\n", grid.height, grid.width);
    Shader { entry: "heat_step", label: "heat".to_owned(), wgsl: open + include_str!("heat.wgsl") }
}

/// The heat of the block one step later, by the GPU: the block goes there with its ghosts, and comes back without.
///
/// # Errors
/// The GPU fails.
pub(crate) fn step((gpu, kernel): &mut (GpuDevice, CustomKernel), grid: &mut Grid) -> Result<(), Error> {
    let heat: Vec<f32> = grid.cells.iter().map(|cell| cell.heat).collect();
    let flow: Vec<f32> = grid.cells.iter().map(|cell| cell.flow).collect();
    let cells = grid.height * grid.width;
    let next: Vec<f32> = gpu.run(kernel, &[&heat, &flow], cells.div_ceil(GROUP) as u32, cells)?;
    let rows = grid.cells.chunks_mut(grid.width + 2).skip(1);
    for (row, heat) in rows.zip(next.chunks(grid.width)) {
        row[1..].iter_mut().zip(heat).for_each(|(cell, heat)| cell.heat = *heat);
    }
    Ok(())
}
