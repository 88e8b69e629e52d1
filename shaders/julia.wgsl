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
// Operations an iteration: 3 mul, 5 add or sub, 2 compare, 1 integer sub.

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

fn count(x0: real, y0: real) -> u32 {
    var x = x0;
    var y = y0;
    var n = params.max_iter;
    // Ends after at most max_iter - 1 iterations, whatever the values: the host relies on it.
    while n > 1u {
        let a = x * x;
        let b = y * y;
        // Written so that infinity and NaN count as escaped.
        if !(a + b < params.radius2) {
            break;
        }
        let xy = x * y;
        y = (xy + xy) + params.c_im;
        x = (a - b) + params.c_re;
        n -= 1u;
    }
    return n;
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
