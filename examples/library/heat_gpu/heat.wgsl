// A step of the heat equation: twin of `update` in examples/heat/grid.rs, one invocation a cell, the same operations in the same
// order, so the same bits. HEIGHT and WIDTH of the block are prepended.

// With the frame of ghost cells.
@group(0) @binding(0) var<storage, read> heat: array<f32>;
@group(0) @binding(1) var<storage, read> flow: array<f32>;
// Without it.
@group(0) @binding(2) var<storage, read_write> next: array<f32>;

// What comes from a neighbor.
fn from_cell(cell: u32, other: u32) -> f32 {
    return (flow[cell] + flow[other]) * 0.5 * (heat[other] - heat[cell]);
}

@compute @workgroup_size(64)
fn heat_step(@builtin(global_invocation_id) id: vec3<u32>) {
    if id.x >= HEIGHT * WIDTH {
        return;
    }
    let line = WIDTH + 2u;
    let cell = (id.x / WIDTH + 1u) * line + id.x % WIDTH + 1u;
    next[id.x] = heat[cell] + ((from_cell(cell, cell - line) + from_cell(cell, cell + line))
        + (from_cell(cell, cell - 1u) + from_cell(cell, cell + 1u)));
}
