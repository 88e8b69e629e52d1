//! The random numbers: Threefry-4x32, a counter-based generator of the Random123 family.
//!
//! J. K. Salmon, M. A. Moraes, R. O. Dror, D. E. Shaw, "Parallel random numbers: as easy as 1, 2, 3", SC 2011. The output is
//! a function of a counter and a key, with no state between calls, so that any device can compute the numbers of any part
//! of a run. It needs 32-bit additions, rotations and exclusive-ors only, which CPUs have as vectors and WGSL has too.
//!
//! Thirteen rounds. The paper finds that 12 are the fewest with which this generator passes BigCrush of TestU01, and makes
//! 20 the default for a wide margin. For 13, one above the fewest, and for 20 the authors publish known answers, and the
//! tests here use both; for 12 there are none. Thirteen take two thirds of the time of 20.
//! Knows nothing of what the numbers are for.

/// Rounds with which [`threefry4x32`] makes random words: one more than the fewest that pass BigCrush of TestU01.
pub const ROUNDS: usize = 13;

/// What the exclusive-or of a key's words begins with, so that no key schedule is all zeros.
const PARITY: u32 = 0x1BD1_1BDA;

/// Rotations of the two mixes of round r, at r modulo 8.
pub const ROTATIONS: [[u32; 2]; 8] = [[10, 26], [11, 21], [13, 27], [23, 5], [6, 20], [17, 11], [25, 10], [18, 20]];

/// The four words of `key` and their parity.
#[must_use]
pub fn schedule(key: [u32; 4]) -> [u32; 5] {
    [key[0], key[1], key[2], key[3], PARITY ^ key[0] ^ key[1] ^ key[2] ^ key[3]]
}

/// Four random words: those of number `counter` in the sequence that `key` selects. Random words of a caller's own need
/// [`crate::ROUNDS`] rounds; who uses a counter once has words that nobody else has.
///
/// ```
/// use hybrid::{ROUNDS, threefry4x32};
///
/// let (seed, rank, draw) = (7, 3, 0);
/// let words = threefry4x32::<ROUNDS>([draw, rank, 0, 0], [seed, 0, 0, 0]);
/// assert_eq!(words, threefry4x32::<ROUNDS>([draw, rank, 0, 0], [seed, 0, 0, 0]));
/// assert_ne!(words, threefry4x32::<ROUNDS>([draw, rank + 1, 0, 0], [seed, 0, 0, 0]));
/// ```
#[must_use]
#[inline]
pub fn threefry4x32<const ROUNDS: usize>(counter: [u32; 4], key: [u32; 4]) -> [u32; 4] {
    let schedule = schedule(key);
    let mut x = counter;
    inject(&mut x, &schedule, 0);
    // In fours, which the compiler writes out: the rotations are constants then, and no word is looked up.
    for four in 0..ROUNDS / 4 {
        for round in 0..4 {
            mix(&mut x, 4 * four + round);
        }
        inject(&mut x, &schedule, four + 1);
    }
    for round in ROUNDS / 4 * 4..ROUNDS {
        mix(&mut x, round);
    }
    x
}

/// A round.
#[inline(always)]
fn mix(x: &mut [u32; 4], round: usize) {
    let [first, second] = ROTATIONS[round % 8];
    // Words 1 and 3 swap partners from round to round.
    let (one, three) = if round.is_multiple_of(2) { (1, 3) } else { (3, 1) };
    x[0] = x[0].wrapping_add(x[one]);
    x[one] = x[one].rotate_left(first) ^ x[0];
    x[2] = x[2].wrapping_add(x[three]);
    x[three] = x[three].rotate_left(second) ^ x[2];
}

/// Adds the key for the `number`-th time.
#[inline(always)]
fn inject(x: &mut [u32; 4], schedule: &[u32; 5], number: usize) {
    for (word, x) in x.iter_mut().enumerate() {
        *x = x.wrapping_add(schedule[(number + word) % 5]);
    }
    x[3] = x[3].wrapping_add(u32::try_from(number).expect("the key is added once in four rounds"));
}

/// The generator in WGSL, its rounds written out: `threefry` takes a counter and the key schedule as `k0` to `k4` of `params`.
#[must_use]
pub fn wgsl() -> String {
    // The key is added before the first round and after every fourth.
    let inject = |number: usize| {
        let k = |word: usize| (number + word) % 5;
        format!("    x += vec4(key.k{}, key.k{}, key.k{}, key.k{} + {number}u);\n", k(0), k(1), k(2), k(3))
    };
    let mut body = inject(0);
    for round in 0..ROUNDS {
        let parity = if round % 2 == 0 { "even" } else { "odd" };
        let [first, second] = ROTATIONS[round % ROTATIONS.len()];
        body += &format!("    x = {parity}_round(x, {first}u, {second}u);\n");
        if round % 4 == 3 {
            body += &inject(round / 4 + 1);
        }
    }
    format!(
        "fn threefry(counter: vec4<u32>, key: Params) -> vec4<u32> {{\n    var x = counter;\n{body}    return x;\n}}"
    )
}

#[cfg(test)]
mod tests {
    use super::*;

    const ONES: [u32; 4] = [u32::MAX; 4];
    /// The first digits of pi in hexadecimal, as the published vectors have them.
    const PI_COUNTER: [u32; 4] = [0x243f_6a88, 0x85a3_08d3, 0x1319_8a2e, 0x0370_7344];
    const PI_KEY: [u32; 4] = [0xa409_3822, 0x299f_31d0, 0x082e_fa98, 0xec4e_6c89];

    #[test]
    fn thirteen_rounds_give_the_published_answers() {
        for (counter, key, answer) in [
            ([0; 4], [0; 4], [0x531c_7e4f, 0x3949_1ee5, 0x2c85_5a92, 0x3d6a_bf9a]),
            (ONES, ONES, [0xc418_9358, 0x1c9c_c83a, 0xd588_1c67, 0x6a0a_89e0]),
            (PI_COUNTER, PI_KEY, [0x4aa7_1d8f, 0x7347_38c2, 0x431f_c6a8, 0xae6d_ebf1]),
        ] {
            assert_eq!(threefry4x32::<ROUNDS>(counter, key), answer, "counter {counter:x?}");
        }
    }

    #[test]
    fn twenty_rounds_give_the_published_answers() {
        for (counter, key, answer) in [
            ([0; 4], [0; 4], [0x9c6c_a96a, 0xe17e_ae66, 0xfc10_ecd4, 0x5256_a7d8]),
            (ONES, ONES, [0x2a88_1696, 0x5701_2287, 0xf6c7_446e, 0xa16a_6732]),
            (PI_COUNTER, PI_KEY, [0x59cd_1dbb, 0xb887_9579, 0x86b5_d00c, 0xac8b_6d84]),
        ] {
            assert_eq!(threefry4x32::<20>(counter, key), answer, "counter {counter:x?}");
        }
    }
}
