//! Pi: of random points in a square, the share in the quarter circle is pi / 4. The points are numbered and shared out.
//!
//! Teaches: the shortest useful parallel program, beside the serial one: each rank takes one point in `size`, and one reduction adds.
//! Hits are whole numbers, so their sum is the same for any number of ranks.
//! Replaces: `montecarlo.py` and `parallel_pi.py`; `hybrid pi` does it on all devices.
//! Run: `mpiexec -n 4 target/release/examples/pi`

use mpi::{collective::SystemOperation, traits::*};

const POINTS: u64 = 20_000_000;

/// Whether point number `i` is in the circle: its coordinates are the halves of a number that looks random (SplitMix64).
fn hit(i: u64) -> bool {
    let z = i.wrapping_mul(0x9e37_79b9_7f4a_7c15);
    let z = (z ^ (z >> 30)).wrapping_mul(0xbf58_476d_1ce4_e5b9);
    let z = (z ^ (z >> 27)).wrapping_mul(0x94d0_49bb_1331_11eb);
    let (x, y) = (z >> 33, z & 0x7fff_ffff);
    x * x + y * y < 1 << 62
}

/// Hits among the points `first`, `first + step`, ...
fn hits(first: u64, step: usize) -> u64 {
    (first..POINTS).step_by(step).filter(|i| hit(*i)).count() as u64
}

fn main() {
    let universe = mpi::initialize().expect("MPI is started once");
    let world = universe.world();
    world.barrier();
    let start_s = mpi::time();
    let part = hits(world.rank() as u64, world.size() as usize);
    let mut sum = 0;
    world.all_reduce_into(&part, &mut sum, SystemOperation::sum());
    let together_s = mpi::time() - start_s;

    if world.rank() == 0 {
        let start_s = mpi::time();
        let alone = hits(0, 1);
        let alone_s = mpi::time() - start_s;
        println!("pi is about {}, from {sum} hits", 4.0 * sum as f64 / POINTS as f64);
        println!("together {together_s:.4} s, alone {alone_s:.4} s, speed-up {:.2}", alone_s / together_s);
        assert_eq!(sum, alone);
    }
}
