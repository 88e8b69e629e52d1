// Darts thrown at a square: how many of them hit the inscribed circle. A block is two darts.
//
// The definition is src/kernel/pi.rs: block b of the generator gives darts 2b and 2b + 1, coordinates are signed 32-bit
// integers, a dart hits where x*x + y*y < 2^62. All in integers, so that every device finds the same hits.
//
// Prepended by src/kernel/threefry.rs:
//   fn threefry      the generator, its rounds written out, with the key schedule k0 to k4 of `params`
//
// Operations a block: 13 rounds of 2 add, 2 rotate, 2 xor; 16 add for the key, of which 4 and parts of the first two rounds are
// the same for all; 4 shift, 4 multiply, 4 add for the two darts' first test, 2 shift, 2 add to count, 2 to see a doubt. That is
// 112, or 56 a dart, where the device rotates in one operation, and less where it adds three numbers in one.

fn rotate(x: u32, by: u32) -> u32 {
    return (x << by) | (x >> (32u - by));
}

// A round in which words 0 and 1 meet, and words 2 and 3.
fn even_round(x: vec4<u32>, first: u32, second: u32) -> vec4<u32> {
    let x0 = x.x + x.y;
    let x2 = x.z + x.w;
    return vec4(x0, rotate(x.y, first) ^ x0, x2, rotate(x.w, second) ^ x2);
}

// A round in which words 0 and 3 meet, and words 2 and 1.
fn odd_round(x: vec4<u32>, first: u32, second: u32) -> vec4<u32> {
    let x0 = x.x + x.w;
    let x2 = x.z + x.y;
    return vec4(x0, rotate(x.y, second) ^ x2, x2, rotate(x.w, first) ^ x0);
}

// x*x as low and high word, of x as a signed integer.
fn square(x: u32) -> vec2<u32> {
    // All ones where x is negative: two's complement without the overflow that abs has at -2^31.
    let sign = u32(i32(x) >> 31u);
    let size = (x ^ sign) - sign;
    let high = size >> 16u;
    let low = size & 0xffffu;
    // 2 high low < 2^32, since size is at most 2^31.
    let middle = 2u * high * low;
    let sum = low * low + (middle << 16u);
    let carry = select(0u, 1u, sum < (middle << 16u));
    return vec2(sum, high * high + (middle >> 16u) + carry);
}

fn is_hit(x: u32, y: u32) -> bool {
    let x2 = square(x);
    let y2 = square(y);
    let low = x2.x + y2.x;
    let carry = select(0u, 1u, low < x2.x);
    return x2.y + y2.y + carry < RADIUS2;
}

// Square of the radius in units of 2^32.
const RADIUS2 = 1u << 30u;
// See `beyond`: no dart farther than this from the circle is on its other side.
const DOUBT = 92690u;
// DOUBT - RADIUS2 in 32 bits.
const LESS_RADIUS2 = 0xc0000000u + DOUBT;

// (x*x + y*y) / 2^32 - RADIUS2 + DOUBT from the upper halves of the coordinates alone, each rounded down to h with x / 2^16 in
// [h, h + 1). It is wrong by at most 2 |hx| + 2 |hy| + 2 <= 2 sqrt(2 coarse) + 2, coarse being the sum of squares, which is less
// than DOUBT at RADIUS2 + DOUBT and below. So a dart hits where this is negative, misses where it is 2 DOUBT or more, and is in
// doubt between: one block in 3700. As an unsigned number, negative is more than any doubt.
fn beyond(x: u32, y: u32) -> u32 {
    let hx = i32(x) >> 16u;
    let hy = i32(y) >> 16u;
    return u32(hx * hx) + (u32(hy * hy) + LESS_RADIUS2);
}

fn exact_hits(dart: vec4<u32>) -> u32 {
    return select(0u, 1u, is_hit(dart.x, dart.y)) + select(0u, 1u, is_hit(dart.z, dart.w));
}

// The two darts of a block, x and y of each.
fn dart_pair(block: u32) -> vec4<u32> {
    return threefry(vec4(params.block_low + block, params.block_high, 0u, 0u), params);
}

fn block_count(block: u32) -> u32 {
    let dart = dart_pair(block);
    let first = beyond(dart.x, dart.y);
    let second = beyond(dart.z, dart.w);
    let doubt = min(first, second) < 2u * DOUBT;
    if doubt {
        return exact_hits(dart);
    }
    // The sign.
    return (first >> 31u) + (second >> 31u);
}

// The same for two blocks, with one doubt for both.
fn pair_count(first: u32, second: u32) -> u32 {
    let a = dart_pair(first);
    let b = dart_pair(second);
    let a1 = beyond(a.x, a.y);
    let a2 = beyond(a.z, a.w);
    let b1 = beyond(b.x, b.y);
    let b2 = beyond(b.z, b.w);
    let doubt = min(min(a1, a2), min(b1, b2)) < 2u * DOUBT;
    if doubt {
        return exact_hits(a) + exact_hits(b);
    }
    return (a1 >> 31u) + (a2 >> 31u) + (b1 >> 31u) + (b2 >> 31u);
}
