//! An operation of one's own: which rank has the lowest temperature? The least number alone would not say whose it is.
//!
//! Teaches: a reduction takes any function that combines two values into one, here of structures. It must be associative: MPI
//! chooses in which order it combines.
//! Replaces: nothing in the tutorial, which has sums alone.
//! Run: `mpiexec -n 4 target/release/examples/user_operation`

use mpi::{collective::UserOperation, traits::*};

#[derive(Clone, Copy, Debug, PartialEq, Equivalence)]
struct Reading {
    celsius: f64,
    rank: i32,
}

/// The colder of two readings, and of equal ones that of the lower rank.
fn colder(a: Reading, b: Reading) -> Reading {
    if (a.celsius, a.rank) < (b.celsius, b.rank) { a } else { b }
}

/// A made-up temperature, the lowest in the middle of the ranks.
fn reading(rank: i32, size: i32) -> Reading {
    Reading { celsius: f64::from((rank - size / 2).abs()) + 0.5, rank }
}

fn main() {
    let universe = mpi::initialize().expect("MPI is started once");
    let world = universe.world();
    let (rank, size) = (world.rank(), world.size());

    // MPI hands over slices: a reduction of arrays combines them element by element.
    let coldest = UserOperation::commutative(|from, into| {
        let from = from.downcast::<Reading>().expect("readings are reduced");
        let into = into.downcast::<Reading>().expect("readings are reduced");
        for (from, into) in from.iter().zip(into) {
            *into = colder(*from, *into);
        }
    });

    let mine = reading(rank, size);
    let mut lowest = mine;
    world.all_reduce_into(&mine, &mut lowest, &coldest);
    println!("rank {rank} has {} °C; the lowest is {} °C, on rank {}", mine.celsius, lowest.celsius, lowest.rank);

    assert_eq!(lowest, reading(size / 2, size));
}
