//! The example `heat_gpu`: a step by the kernel has the bits of a step by the cores, and a kernel that differs is noticed. On a
//! software adapter.

#![allow(clippy::unwrap_used, reason = "a test fails where it cannot go on")]

#[allow(dead_code, reason = "the program uses the rest")]
#[path = "../examples/heat/grid.rs"]
mod grid;
#[allow(dead_code, reason = "the program uses the rest")]
#[path = "../examples/library/heat_gpu/kernel.rs"]
mod kernel;

use hybrid::{
    GpuDevice, Shader,
    inside::device::gpu::{GpuDevice as Gpu, Which},
};

use grid::Grid;

const SIZE: usize = 40;
const STEPS: usize = 20;

fn gpu() -> GpuDevice {
    Gpu::open(&Which::Software).unwrap_or_else(|error| panic!("{error} (apt install mesa-vulkan-drivers)"))
}

/// Cells that differ in a bit after some steps by the shader, after `edit`, and by the cores.
fn differing(edit: impl Fn(&str) -> String) -> usize {
    let mut by_cores = Grid::new(SIZE, &(0..SIZE), &(0..SIZE), 100.0);
    let mut by_gpu = Grid::new(SIZE, &(0..SIZE), &(0..SIZE), 100.0);
    let Shader { entry, label, wgsl } = kernel::shader(&by_gpu);
    let device = gpu();
    let kernel = device.compile(&Shader { entry, label, wgsl: edit(&wgsl) }).unwrap();
    let mut device = (device, kernel);
    for _ in 0..STEPS {
        by_cores.update(1..SIZE + 1, 1..SIZE + 1);
        by_cores.finish_step();
        kernel::step(&mut device, &mut by_gpu).unwrap();
    }
    let (by_gpu, by_cores) = (by_gpu.heat(), by_cores.heat());
    assert!(by_cores.iter().filter(|heat| **heat > 1.0).count() > 100, "the plate is cold");
    by_gpu.iter().zip(&by_cores).filter(|(a, b)| a.to_bits() != b.to_bits()).count()
}

#[test]
fn the_kernel_has_the_bits_of_the_cores() {
    assert_eq!(differing(str::to_owned), 0);
}

#[test]
fn a_kernel_that_adds_in_another_order_or_forgets_a_factor_is_noticed() {
    let edits = [
        ("from_cell(cell, cell - 1u) + from_cell(cell, cell + 1u)", "from_cell(cell, cell + 1u)"),
        (" * 0.5", ""),
        (
            "((from_cell(cell, cell - line) + from_cell(cell, cell + line))",
            "((from_cell(cell, cell - 1u) + from_cell(cell, cell + line))",
        ),
    ];
    for (right, wrong) in edits {
        let edit = |wgsl: &str| {
            assert_eq!(wgsl.matches(right).count(), 1, "{right}");
            wgsl.replace(right, wrong)
        };
        assert!(differing(edit) > 10, "{right}");
    }
}
