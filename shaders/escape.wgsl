// Escape counts of an image kernel, PER_WORD of them packed into each word of the output. Where repeats are sought there is behind
// them a vector for each workgroup, whose x is the number of iterations that it did not make, since an orbit was found to repeat.
//
// The definition is src/kernel/escape.rs: the same operations in the same order, one rounding each. Contraction cannot be
// forbidden in WGSL; src/device/gpu/no_contraction.rs forbids it in the SPIR-V made from this file. Coordinates are not
// computed here: they come rounded from the host, one real a column and one a row.
//
// Added by src/device/gpu/shader.rs:
//   alias real       f32 or f64
//   const PER_WORD   counts in a word: 4 of 8 bits or 2 of 16
//   const BLOCK      iterations of a block
//   const SEEKS_REPEATS   whether orbits that repeat are sought
//   const REPEATS_AFTER   iterations after which orbits may repeat, a multiple of BLOCK
//   const GROUP_WORDS     words of counts that a workgroup puts out, a multiple of 4
//   const LANE_PIXELS     pixels of an invocation
//   const LANES           invocations of a workgroup: GROUP_WORDS * PER_WORD / LANE_PIXELS
//   fn start, fn constant   where the orbit of a pixel starts, and its c, as the kernel's plane has it
//   fn leap          a block: advance BLOCK times, with a test after every few iterations
//   fn advance       one iteration: the kernel's own file
//
// Operations an iteration of z*z + c: 3 mul, 2 add or sub, 1 fma; in a block, for each test 1 add and 1 compare; elsewhere 1 add and
// 1 compare, and in integers 1 sub, 1 compare; 2 branches.

const COUNT_BITS = 32u / PER_WORD;
const VECTOR_PIXELS = 4u * PER_WORD;
const GROUP_PIXELS = GROUP_WORDS * PER_WORD;

// Twin: `Params` in src/device/gpu/image/params.rs.
struct Params {
    // What is fixed for all orbits: c, or where they start.
    fixed_x: real,
    fixed_y: real,
    radius2: real,
    max_iter: u32,
    // Pixels in a row of the tile that the tables describe, at least 1.
    width: u32,
    // Where pixel 0 of this dispatch lies in the tile; pixels are numbered on through the rows.
    first_column: u32,
    first_row: u32,
    // Pixels of this dispatch.
    pixels: u32,
    // A block begins where n is above this: BLOCK where tests may wait (src/device/proof.rs), else more than any n.
    leap_above: u32,
}

var<immediate> params: Params;
@group(0) @binding(0) var<storage, read> columns: array<real>;
@group(0) @binding(1) var<storage, read> rows: array<real>;
@group(0) @binding(2) var<storage, read_write> words: array<vec4<u32>>;

var<workgroup> counts: array<u32, GROUP_PIXELS>;
var<workgroup> skipped: atomic<u32>;

// A point of an orbit: z = x + yi.
struct Point {
    x: real,
    y: real,
}

// Where a block ends, and whether all its tests were passed.
struct Leap {
    z: Point,
    inside: bool,
}

// z*z + c, for the kernels that are made of it.
fn square_plus(z: Point, c: Point) -> Point {
    let a = z.x * z.x;
    let b = z.y * z.y;
    let xy = z.x * z.y;
    // (xy + xy) + c.y in one operation: doubling does not round, so fused or not the sum is rounded once.
    return Point((a - b) + c.x, fma(xy, real(2), c.y));
}

// The test that comes before an iteration. Written so that infinity and NaN count as escaped.
fn is_inside(z: Point, radius2: real) -> bool {
    return z.x * z.x + z.y * z.y < radius2;
}

// What is known of an orbit: its count, and how many iterations were not made for it.
struct Counted {
    n: u32,
    skipped: u32,
}

// All loops end after max_iter - 1 iterations at the latest, whatever the values: the host relies on it.
fn count(x: real, y: real) -> Counted {
    let fixed = Point(params.fixed_x, params.fixed_y);
    let c = constant(Point(x, y), fixed);
    let radius2 = params.radius2;
    var z = start(Point(x, y), fixed);
    var n = params.max_iter;
    // Blocks, as long as all tests are passed. Where one is failed the orbit goes back to the block's begin and is counted
    // from there step by step. Between two tests no number grows beyond the format: what is decided here is decided without
    // infinity and NaN, of which drivers may assume that they do not occur. What escapes stays escaped.
    var leaps = is_inside(z, radius2);
    var first_above = params.leap_above;
    if SEEKS_REPEATS {
        first_above = max(first_above, params.max_iter - min(params.max_iter, REPEATS_AFTER));
    }
    while leaps & (n > first_above) {
        let next = leap(z, c, radius2);
        leaps = next.inside;
        if leaps {
            z = next.z;
            n -= BLOCK;
        }
    }
    // An orbit that comes back to where it was goes round for ever. It is compared with a point of its past, which is renewed whenever
    // the iterations have doubled (Brent, BIT 20, 1980).
    if SEEKS_REPEATS {
        var past = z;
        var renew_at = params.max_iter - min(params.max_iter, 2u * REPEATS_AFTER);
        while leaps & (n > params.leap_above) {
            let next = leap(z, c, radius2);
            leaps = next.inside;
            if leaps {
                z = next.z;
                n -= BLOCK;
                if (z.x == past.x) & (z.y == past.y) {
                    return Counted(1u, n - 1u);
                }
                if n <= renew_at {
                    past = z;
                    renew_at = params.max_iter - min(params.max_iter, 2u * (params.max_iter - renew_at));
                }
            }
        }
    }
    while n > 1u {
        if !is_inside(z, radius2) {
            break;
        }
        z = advance(z, c);
        n -= 1u;
    }
    return Counted(n, 0u);
}

// Neighbouring invocations take neighbouring pixels, whose counts are alike, so that few lanes wait for a slow one; the counts meet
// in workgroup memory to be packed and put out as one piece: on its way to the host's memory that is faster than bits of it.
@compute @workgroup_size(LANES)
fn escape(
    @builtin(workgroup_id) group: vec3<u32>,
    @builtin(num_workgroups) grid: vec3<u32>,
    @builtin(local_invocation_index) lane: u32,
) {
    if SEEKS_REPEATS {
        if lane == 0u {
            atomicStore(&skipped, 0u);
        }
        workgroupBarrier();
    }
    let group_index = group.y * grid.x + group.x;
    let first = group_index * GROUP_PIXELS;
    // Divided once for the workgroup; again only where a row ends within it.
    let first_at = params.first_column + first;
    let first_row = params.first_row + first_at / params.width;
    let first_column = first_at % params.width;
    var left = 0u;
    for (var i = 0u; i < LANE_PIXELS; i += 1u) {
        let slot = i * LANES + lane;
        var n = 0u;
        if first + slot < params.pixels {
            var column = first_column + slot;
            var row = first_row;
            if column >= params.width {
                row += column / params.width;
                column %= params.width;
            }
            let counted = count(columns[column], rows[row]);
            n = counted.n;
            left += counted.skipped;
        }
        counts[slot] = n;
    }
    if SEEKS_REPEATS & (left > 0u) {
        atomicAdd(&skipped, left);
    }
    workgroupBarrier();

    for (var at = lane; at < GROUP_WORDS / 4u; at += LANES) {
        var vector = vec4<u32>(0u);
        for (var k = 0u; k < 4u; k += 1u) {
            for (var i = 0u; i < PER_WORD; i += 1u) {
                vector[k] |= counts[(at * 4u + k) * PER_WORD + i] << (i * COUNT_BITS);
            }
        }
        if first + at * VECTOR_PIXELS < params.pixels {
            words[group_index * (GROUP_WORDS / 4u) + at] = vector;
        }
    }
    if SEEKS_REPEATS & (lane == 0u) & (first < params.pixels) {
        let counted = (params.pixels + VECTOR_PIXELS - 1u) / VECTOR_PIXELS;
        words[counted + group_index] = vec4<u32>(atomicLoad(&skipped), 0u, 0u, 0u);
    }
}
