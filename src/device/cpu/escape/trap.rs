//! Orbits that are known to stay for good, long before they repeat: they lie in a disc that some iterations take into itself.
//!
//! Let w_0 be a point of an orbit, w_1, w_2, ... what the kernel computes from it, and d_0 some radius. A number z within d_i of w_i
//! is taken to one that lies within
//!
//!   d_{i+1} = d_i (2 |w_i| + d_i) + e
//!
//! of w_{i+1}, since |f(z, c) - f(w, c)| <= |z - w| (2 |w| + |z - w|), where e has room for the roundings of both. If for some p
//!
//!   |w_i| + d_i < the radius of escape, for all i < p,    and    |w_p - w_0| + d_p <= d_0,
//!
//! then every number of the disc around w_0 passes p tests and is in that disc again, and so passes all tests there are: w_0 too. Where
//! the c of others in the disc is up to d_c from that of w, each iteration adds d_c, and theirs stay as well.
//! Such a disc is there once an orbit has come near to a cycle that attracts: for a cycle of one point z with |2 z| = 1 - h the orbit
//! has to be within about h h / 4 of it, while it repeats only when it is as near as two numbers can be.
//!
//! The roundings: let u be the rounding unit and all |w_i| + d_i < 2, so that |c| <= |w_1| + |w_0|^2 <= 6 (with p = 1 too, where w_1
//! is within d_0 of w_0), and so for others' c. A computed step lies within 6u (|z|^2 + |c|) <= 60u of f, see [`EscapeTime`], which is
//! 120u for two. |w_i| and what is made of it lose 60u at most, since d_i (2 |w_i| + d_i) < 4 and d_c <= d_p < d_0 < 2, and the last
//! comparison 5u. What underflows in its squares is far below u. e is 256u.

use fearless_simd::{Select, Simd, SimdBase, SimdFloat, SimdMask};

use super::{
    lane::{Lane, Vector},
    map::{Map, Points, Rules},
};
use crate::{
    device::proof::MARGIN,
    kernel::{
        escape::{Constants, EscapeTime},
        number::Point,
    },
};

/// The disc that is tried, and what the proof needs.
#[derive(Clone, Copy, Debug, PartialEq)]
pub(super) struct Trap {
    /// Below this a point and its disc lie within the circle of escape, and where the proof holds.
    pub(super) limit: f64,
    /// e.
    pub(super) rounding: f64,
    /// d_0 at least: orbits come nearer to their cycle with time.
    pub(super) radius: f64,
    /// p at most.
    pub(super) longest: usize,
}

/// The discs around the points of a vector.
#[derive(Clone, Copy, Debug)]
pub(super) struct Disc<V> {
    /// d_0.
    pub(super) radius: V,
    /// What an iteration adds: e, and how far off the c is of others that start in the disc.
    pub(super) spread: V,
}

impl Trap {
    /// The disc of a point alone.
    #[inline(always)]
    pub(super) fn disc<S: Simd, T: Lane>(&self, simd: S) -> Disc<Vector<S, T>> {
        let splat = |value: f64| Vector::splat(simd, T::round(value));
        Disc { radius: splat(self.radius), spread: splat(self.rounding) }
    }

    /// After `done` iterations, with ways back of at most `longest`.
    pub(super) fn after<T: Lane>(done: usize, longest: usize, constants: &Constants<T>) -> Self {
        let circle = Into::<f64>::into(constants.radius2).sqrt() * (1.0 - MARGIN);
        Self {
            limit: if circle > 2.0 { 2.0 } else { circle },
            rounding: 256.0 * T::UNIT,
            #[expect(clippy::cast_precision_loss, reason = "iterations are at most 65534")]
            radius: 1.0 / done as f64,
            longest,
        }
    }
}

/// One bit for each of the `valid` points, set where it is known to pass all tests there are, and so do all orbits that share its
/// [`Disc`]. `caught` is told after each iteration of the way whose proof that has completed.
///
/// An iteration of a vector takes 19 operations and a root beside those of the map.
#[inline(always)]
pub(super) fn trapped<K: EscapeTime, S: Simd, T: Lane, R: Rules, const U: usize>(
    simd: S,
    map: &Map<K, S, T, R>,
    trap: &Trap,
    start: &Points<S, T, U>,
    disc: impl Fn(usize) -> Disc<Vector<S, T>>,
    valid: u64,
    mut caught: impl FnMut(usize, u64),
) -> u64 {
    let splat = |value: f64| T::Vector::<S>::splat(simd, T::round(value));
    let (limit, rounding, zero) = (splat(trap.limit), splat(trap.rounding), splat(0.0));
    let lost = splat(f64::INFINITY);
    let mut group = *start;
    let (first, spread) = (|u| disc(u).radius, |u: usize| disc(u).spread);
    let mut disc: [T::Vector<S>; U] = std::array::from_fn(|u| first(u).0);
    let mut back = [<T::Vector<S> as SimdBase<S>>::Mask::splat(simd, false); U];
    let mut bits = 0;
    for steps in 1..=trap.longest {
        for u in 0..U {
            let squares = group.z[u].squares();
            let modulus = (squares.x + squares.y).0.sqrt();
            let reach = modulus + disc[u];
            // Lost where it is not within or no number. An infinite disc is within nothing from here on, nor within the first one.
            disc[u] = reach.simd_lt(limit).select(disc[u].mul_add(modulus + reach, spread(u).0), lost);
            map.advance(&mut group, u);
            let gap = Vector::<S, T>(first(u).0 - rounding - disc[u]);
            let way = Point { x: group.z[u].x - start.z[u].x, y: group.z[u].y - start.z[u].y }.squares();
            back[u] |= (way.x + way.y).0.simd_le((gap * gap).0) & gap.0.simd_gt(zero);
        }
        let now = (0..U).fold(0, |bits, u| bits | back[u].to_bitmask() << (u * T::Vector::<S>::LEN)) & valid;
        caught(steps, now & !bits);
        bits = now;
        if bits == valid {
            break;
        }
    }
    bits
}

#[cfg(test)]
mod tests {
    use fearless_simd::{Level, dispatch};

    use super::*;
    use crate::{device::cpu::escape::map::General, kernel::julia::Julia};

    /// The way after which the trap closes around `z`, on one vector.
    fn way<T: Lane>(z: (f64, f64), c: (f64, f64), trap: &Trap) -> Option<usize> {
        dispatch!(Level::new(), simd => way_of::<_, T>(simd, z, c, trap))
    }

    #[inline(always)]
    fn way_of<S: Simd, T: Lane>(simd: S, z: (f64, f64), c: (f64, f64), trap: &Trap) -> Option<usize> {
        let fixed = Point { x: T::round(c.0), y: T::round(c.1) };
        let constants = Constants { fixed, radius2: T::round(9.0), max_iter: 255 };
        let len = <T::Vector<S> as SimdBase<S>>::LEN;
        let (x, y) = (vec![T::round(z.0); len], vec![T::round(z.1); len]);
        let z = Point { x: &*x, y: &*y };
        let group = Points::<S, T, 1>::load::<Julia>(simd, z, z, 0);
        let map = Map::<Julia, S, T, General>::new(simd, &constants);
        let mut way = None;
        let bits = trapped(
            simd,
            &map,
            trap,
            &group,
            |_| trap.disc(simd),
            1,
            |steps, bits| way = way.or((bits == 1).then_some(steps)),
        );
        assert_eq!(bits == 1, way.is_some());
        way
    }

    fn trap<T: Lane>(done: usize, radius: f64) -> Trap {
        let zero = T::round(0.0);
        let fixed = Point { x: zero, y: zero };
        Trap::after(done, 32, &Constants { fixed, radius2: T::round(radius * radius), max_iter: 255 })
    }

    #[test]
    fn the_way_is_the_length_of_the_cycle() {
        let wide = trap::<f64>(20, 3.0);
        for (z, c, length) in [
            ((0.01, 0.02), (0.0, 0.0), Some(1)),
            ((-0.99, 0.0), (-1.0, 0.0), Some(2)),
            ((0.001, 0.0), (-0.122_561_166_876_654, 0.744_861_766_619_744), Some(3)),
            ((0.001, 0.0), (-1.310_702_641_336_833, 0.0), Some(4)),
            // Fixed points that repel, that neither attract nor repel, and a point that leaves.
            ((1.618_033_988_749_895, 0.0), (-1.0, 0.0), None),
            ((0.5, 0.0), (0.25, 0.0), None),
            ((1.7, 0.0), (-1.0, 0.0), None),
            ((f64::NAN, 0.0), (-1.0, 0.0), None),
            ((0.0, f64::INFINITY), (-1.0, 0.0), None),
        ] {
            assert_eq!(way::<f64>(z, c, &wide), length, "{z:?} {c:?}");
            assert_eq!(way::<f32>(z, c, &trap::<f32>(20, 3.0)), length, "{z:?} {c:?} in f32");
        }
    }

    #[test]
    fn a_cycle_that_leaves_the_circle_is_no_trap() {
        let (z, c) = ((0.001, 0.0), (-1.0, 0.0));
        for (radius, is_trap) in [(1.1, true), (1.001, false), (0.9, false), (f64::NAN, false), (f64::INFINITY, true)] {
            let small = trap::<f64>(20, radius);
            assert_eq!(way::<f64>(z, c, &small).is_some(), is_trap, "{radius}");
        }
        // A circle that is smaller than the disc, of a point outside and of one within.
        for z in [(0.05, 0.0), (0.0, 0.0)] {
            assert_eq!(way::<f64>(z, (0.0475, 0.0), &trap::<f64>(20, 0.04)), None, "{z:?}");
            assert_eq!(way::<f32>(z, (0.0475, 0.0), &trap::<f32>(20, 0.04)), None, "{z:?}");
        }
        // It is the limit that holds it off.
        assert_eq!(way::<f64>(z, c, &Trap { limit: 2.0, ..trap::<f64>(20, 0.9) }), Some(2));
    }

    #[test]
    fn no_disc_is_smaller_than_what_rounding_may_do() {
        let still = ((0.0, 0.0), (0.0, 0.0));
        assert_eq!(way::<f32>(still.0, still.1, &trap::<f32>(30_000, 3.0)), Some(1));
        assert_eq!(way::<f32>(still.0, still.1, &trap::<f32>(40_000, 3.0)), None);
    }

    /// Numbers at the rim of a disc around `z`, after `way` iterations in f64, as parts of the disc's radius from its middle, at most.
    fn rim_after(way: usize, z: (f64, f64), c: (f64, f64), radius: f64) -> f64 {
        let at_rim = |k: u8| {
            let (sin, cos) = (std::f64::consts::TAU * f64::from(k) / 16.0).sin_cos();
            let (mut x, mut y) = (radius.mul_add(cos, z.0), radius.mul_add(sin, z.1));
            for _ in 0..way {
                (x, y) = ((x * x - y * y) + c.0, (x * y + x * y) + c.1);
            }
            (x - z.0).hypot(y - z.1) / radius
        };
        (0..16).map(at_rim).fold(0.0, f64::max)
    }

    #[test]
    fn a_disc_that_traps_comes_into_itself() {
        let (mut trapped, mut free, mut narrowly) = (0, 0, 0);
        for k in 0..4000_u16 {
            // c from all over the set and around it; 0 after forty iterations.
            let part = |factor: f64| (f64::from(k) * factor).fract();
            let c = (part(0.618_033_988_7).mul_add(2.2, -1.6), part(0.754_877_666_2).mul_add(2.0, -1.0));
            let (mut x, mut y) = (0.0, 0.0);
            for _ in 0..40 {
                (x, y) = ((x * x - y * y) + c.0, (x * y + x * y) + c.1);
            }
            let trap = trap::<f64>(40, 3.0);
            match way::<f64>((x, y), c, &trap) {
                Some(way) => {
                    let reached = rim_after(way, (x, y), c, trap.radius);
                    assert!(reached <= 1.0, "{c:?}: {reached} after {way}");
                    trapped += 1;
                    narrowly += u32::from(reached > 0.8);
                }
                None => free += 1,
            }
        }
        assert!(trapped > 1000 && free > 1000 && narrowly > 10, "{trapped} {free} {narrowly}");
    }
}
