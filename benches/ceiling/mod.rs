//! What this core can do at most: operations a second on registers, all independent, in the proportions of the kernels.
//! A kernel's speed as a fraction of it travels between machines, where its speed does not.

use std::{hint::black_box, time::Instant};

use fearless_simd::{Level, Simd, SimdBase, dispatch};
use hybrid::inside::device::cpu::isa::Isa;

/// Chains that do not depend on each other: more than any core needs to hide an addition's latency.
const CHAINS: usize = 6;
const ROUNDS: u32 = 20_000;

/// Operations a second of 64-bit lanes (floating point, as many multiplications as additions), and of 32-bit lanes
/// (integer: an addition, a rotation and an exclusive-or in turn; a rotation counts as one).
#[derive(Clone, Copy, Debug)]
pub(crate) struct Ceiling {
    pub(crate) f64_lanes_per_s: f64,
    pub(crate) u32_lanes_per_s: f64,
}

/// That of `isa` on this core.
pub(crate) fn measure(isa: Isa) -> Ceiling {
    let level = Level::new();
    let level = match isa {
        #[cfg(target_arch = "x86_64")]
        Isa::Avx2 => level.as_avx2().expect("the CPU has it").level(),
        _ => level,
    };
    let best = |run: &dyn Fn() -> f64| (0..200).map(|_| run()).fold(0.0, f64::max);
    Ceiling {
        f64_lanes_per_s: best(&|| dispatch!(level, simd => floats(simd))),
        u32_lanes_per_s: best(&|| dispatch!(level, simd => integers(simd))),
    }
}

#[inline(always)]
fn floats<S: Simd>(simd: S) -> f64 {
    let mut sums = [S::f64s::splat(simd, black_box(1.0)); CHAINS];
    let mut products = sums;
    let (term, factor) = (S::f64s::splat(simd, black_box(1e-9)), S::f64s::splat(simd, black_box(1.000_000_001)));
    let start = Instant::now();
    for _ in 0..ROUNDS {
        for i in 0..CHAINS {
            sums[i] += term;
            products[i] *= factor;
        }
    }
    let time_s = start.elapsed().as_secs_f64();
    black_box((sums, products));
    f64::from(ROUNDS) * (2 * CHAINS * S::f64s::LEN) as f64 / time_s
}

#[inline(always)]
fn integers<S: Simd>(simd: S) -> f64 {
    let mut x = [S::u32s::splat(simd, black_box(1)); 2 * CHAINS];
    let key = S::u32s::splat(simd, black_box(0x9e37_79b9));
    let start = Instant::now();
    for _ in 0..ROUNDS {
        for x in &mut x {
            *x += key;
            *x = (*x << 13) | (*x >> 19);
            *x ^= key;
        }
    }
    let time_s = start.elapsed().as_secs_f64();
    black_box(x);
    f64::from(ROUNDS) * (3 * 2 * CHAINS * S::u32s::LEN) as f64 / time_s
}
