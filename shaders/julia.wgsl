// Escape counts of the Julia set of z*z + c, PER_WORD of them packed into each word of the output.
//
// The definition is src/kernel/julia.rs: the same operations in the same order, one rounding each. Contraction cannot be
// forbidden in WGSL; src/device/gpu/no_contraction.rs forbids it in the SPIR-V made from this file. Coordinates are not
// computed here: they come rounded from the host, one real a column and one a row.
//
// Prepended by src/device/gpu/shader.rs:
//   alias real       f32 or f64
//   const PER_WORD   counts in a word: 4 of 8 bits or 2 of 16
//
// Operations an iteration: 3 mul, 3 add or sub, 1 fma, 1 compare, and in integers 1 and, 1 sub, 1 select; every fourth
// time 1 compare and 1 branch.

const GROUP = 64u;
const COUNT_BITS = 32u / PER_WORD;

// Twin: `Params` in src/device/gpu/julia.rs.
struct Params {
    c_re: real,
    c_im: real,
    radius2: real,
    max_iter: u32,
    // Pixels in a row of the tile that the tables describe, at least 1.
    width: u32,
    // Where pixel 0 of this dispatch lies in the tile; pixels are numbered on through the rows.
    first_column: u32,
    first_row: u32,
    // Pixels of this dispatch.
    pixels: u32,
    // Workgroups in a row of the two-dimensional grid.
    grid_width: u32,
}

@group(0) @binding(0) var<uniform> params: Params;
@group(0) @binding(1) var<storage, read> columns: array<real>;
@group(0) @binding(2) var<storage, read> lines: array<real>;
@group(0) @binding(3) var<storage, read_write> words: array<u32>;

var<workgroup> counts: array<u32, GROUP * PER_WORD>;

// The orbit of a pixel: z = x + yi, its count, and whether |z| has stayed below the radius.
struct Orbit {
    x: real,
    y: real,
    n: u32,
    alive: bool,
}

// One iteration. An orbit that has escaped is iterated on, maybe to infinity or NaN, but its count stays.
fn step(z: Orbit, c_re: real, c_im: real, radius2: real) -> Orbit {
    let a = z.x * z.x;
    let b = z.y * z.y;
    let xy = z.x * z.y;
    // Written so that infinity and NaN count as escaped.
    let alive = z.alive & (a + b < radius2);
    // (xy + xy) + c_im in one operation: doubling does not round, so fused or not the sum is rounded once.
    return Orbit((a - b) + c_re, fma(xy, real(2), c_im), select(z.n, z.n - 1u, alive), alive);
}

fn count(x: real, y: real) -> u32 {
    let c_re = params.c_re;
    let c_im = params.c_im;
    let radius2 = params.radius2;
    var z = Orbit(x, y, params.max_iter, true);
    // Both loops end after max_iter - 1 iterations at the latest, whatever the values: the host relies on it. Asking
    // only every fourth time whether to go on costs less than the iterations that it wastes.
    while z.alive & (z.n > 4u) {
        z = step(z, c_re, c_im, radius2);
        z = step(z, c_re, c_im, radius2);
        z = step(z, c_re, c_im, radius2);
        z = step(z, c_re, c_im, radius2);
    }
    while z.alive & (z.n > 1u) {
        z = step(z, c_re, c_im, radius2);
    }
    return z.n;
}

// Neighbouring invocations take neighbouring pixels, whose counts are alike, so that few lanes wait for a slow one; the
// counts meet in workgroup memory to be packed.
@compute @workgroup_size(GROUP)
fn julia(@builtin(workgroup_id) group: vec3<u32>, @builtin(local_invocation_index) lane: u32) {
    let group_index = group.y * params.grid_width + group.x;
    let first = group_index * (GROUP * PER_WORD);
    for (var i = 0u; i < PER_WORD; i += 1u) {
        let slot = i * GROUP + lane;
        let pixel = first + slot;
        var n = 0u;
        if pixel < params.pixels {
            let at = params.first_column + pixel;
            n = count(columns[at % params.width], lines[params.first_row + at / params.width]);
        }
        counts[slot] = n;
    }
    workgroupBarrier();

    var word = 0u;
    for (var i = 0u; i < PER_WORD; i += 1u) {
        word |= counts[lane * PER_WORD + i] << (i * COUNT_BITS);
    }
    if first + lane * PER_WORD < params.pixels {
        words[group_index * GROUP + lane] = word;
    }
}
