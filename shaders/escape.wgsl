// Escape counts of an image kernel, PER_WORD of them packed into each word of the output. Behind them a word for each workgroup: the
// iterations that it did not make, since an orbit was found to repeat.
//
// The definition is src/kernel/escape.rs: the same operations in the same order, one rounding each. Contraction cannot be
// forbidden in WGSL; src/device/gpu/no_contraction.rs forbids it in the SPIR-V made from this file. Coordinates are not
// computed here: they come rounded from the host, one real a column and one a row.
//
// Added by src/device/gpu/shader.rs:
//   alias real       f32 or f64
//   const PER_WORD   counts in a word: 4 of 8 bits or 2 of 16
//   const BLOCK      iterations of a block
//   const REPEATS_AFTER   iterations after which orbits may repeat, a multiple of BLOCK
//   const GROUP      invocations of a workgroup
//   fn start, fn constant   where the orbit of a pixel starts, and its c, as the kernel's plane has it
//   fn leap          a block: advance BLOCK times, with a test after every few iterations
//   fn advance       one iteration: the kernel's own file
//
// Operations an iteration of z*z + c: 3 mul, 2 add or sub, 1 fma; in a block, for each test 1 add and 1 compare; elsewhere 1 add and
// 1 compare, and in integers 1 and, 1 sub, 1 select; every fourth time 1 compare and 1 branch.

const COUNT_BITS = 32u / PER_WORD;

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
@group(0) @binding(2) var<storage, read_write> words: array<u32>;

var<workgroup> counts: array<u32, GROUP * PER_WORD>;
var<workgroup> skipped: array<u32, GROUP>;

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

// The orbit of a pixel: its point, its count, and whether it has passed all tests.
struct Orbit {
    z: Point,
    n: u32,
    alive: bool,
}

// One iteration with its test. An orbit that has escaped is iterated on, maybe to infinity or NaN, but its count stays.
fn step(orbit: Orbit, c: Point, radius2: real) -> Orbit {
    let alive = orbit.alive & is_inside(orbit.z, radius2);
    return Orbit(advance(orbit.z, c), select(orbit.n, orbit.n - 1u, alive), alive);
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
    var orbit = Orbit(start(Point(x, y), fixed), params.max_iter, true);
    // Blocks, as long as all tests are passed. Where one is failed the orbit goes back to the block's begin and is counted
    // from there step by step. Between two tests no number grows beyond the format: what is decided here is decided without
    // infinity and NaN, of which drivers may assume that they do not occur. What escapes stays escaped.
    var leaps = is_inside(orbit.z, radius2);
    let first_above = max(params.leap_above, params.max_iter - min(params.max_iter, REPEATS_AFTER));
    while leaps & (orbit.n > first_above) {
        let next = leap(orbit.z, c, radius2);
        leaps = next.inside;
        if leaps {
            orbit.z = next.z;
            orbit.n -= BLOCK;
        }
    }
    // An orbit that comes back to where it was goes round for ever. It is compared with a point of its past, which is renewed whenever
    // the iterations have doubled (Brent, BIT 20, 1980).
    var past = orbit.z;
    var renew_at = params.max_iter - min(params.max_iter, 2u * REPEATS_AFTER);
    while leaps & (orbit.n > params.leap_above) {
        let next = leap(orbit.z, c, radius2);
        leaps = next.inside;
        if leaps {
            orbit.z = next.z;
            orbit.n -= BLOCK;
            if (orbit.z.x == past.x) & (orbit.z.y == past.y) {
                return Counted(1u, orbit.n - 1u);
            }
            if orbit.n <= renew_at {
                past = orbit.z;
                renew_at = params.max_iter - min(params.max_iter, 2u * (params.max_iter - renew_at));
            }
        }
    }
    // Asking only every fourth time whether to go on costs less than the iterations that it wastes.
    while orbit.alive & (orbit.n > 4u) {
        orbit = step(orbit, c, radius2);
        orbit = step(orbit, c, radius2);
        orbit = step(orbit, c, radius2);
        orbit = step(orbit, c, radius2);
    }
    while orbit.alive & (orbit.n > 1u) {
        orbit = step(orbit, c, radius2);
    }
    return Counted(orbit.n, 0u);
}

// Neighbouring invocations take neighbouring pixels, whose counts are alike, so that few lanes wait for a slow one; the
// counts meet in workgroup memory to be packed.
@compute @workgroup_size(GROUP)
fn escape(
    @builtin(workgroup_id) group: vec3<u32>,
    @builtin(num_workgroups) grid: vec3<u32>,
    @builtin(local_invocation_index) lane: u32,
) {
    let group_index = group.y * grid.x + group.x;
    let first = group_index * (GROUP * PER_WORD);
    var left = 0u;
    for (var i = 0u; i < PER_WORD; i += 1u) {
        let slot = i * GROUP + lane;
        let pixel = first + slot;
        var n = 0u;
        if pixel < params.pixels {
            let at = params.first_column + pixel;
            let counted = count(columns[at % params.width], rows[params.first_row + at / params.width]);
            n = counted.n;
            left += counted.skipped;
        }
        counts[slot] = n;
    }
    skipped[lane] = left;
    workgroupBarrier();

    var word = 0u;
    for (var i = 0u; i < PER_WORD; i += 1u) {
        word |= counts[lane * PER_WORD + i] << (i * COUNT_BITS);
    }
    if first + lane * PER_WORD < params.pixels {
        words[group_index * GROUP + lane] = word;
    }
    if (lane == 0u) & (first < params.pixels) {
        var sum = 0u;
        for (var i = 0u; i < GROUP; i += 1u) {
            sum += skipped[i];
        }
        words[(params.pixels + PER_WORD - 1u) / PER_WORD + group_index] = sum;
    }
}
