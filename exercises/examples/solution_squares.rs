//! Solution of the exercise squares.

use mpi::{topology::SimpleCommunicator, traits::*};

/// The squares of all numbers, on rank 0; nothing elsewhere. The numbers are empty but on rank 0.
fn squares(world: &SimpleCommunicator, numbers: &[i32]) -> Vec<i32> {
    let root = world.process_at_rank(0);
    let mut mine = [0; 2];
    if world.rank() == 0 {
        root.scatter_into_root(numbers, &mut mine[..]);
    } else {
        root.scatter_into(&mut mine[..]);
    }
    let squares = mine.map(|number| number * number);
    let mut all = vec![0; numbers.len()];
    if world.rank() == 0 {
        root.gather_into_root(&squares[..], &mut all[..]);
    } else {
        root.gather_into(&squares[..]);
    }
    all
}

fn main() {
    let universe = mpi::initialize().expect("MPI is started once");
    let world = universe.world();
    let last = if world.rank() == 0 { 2 * world.size() } else { 0 };
    let numbers: Vec<i32> = (1..=last).collect();
    let squares = squares(&world, &numbers);
    if world.rank() == 0 {
        println!("squares: {squares:?}");
    }
}
