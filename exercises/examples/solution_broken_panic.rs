//! Solution of the exercise broken_panic: a rank for which there is no word counts none.

use mpi::{collective::SystemOperation, traits::*};

const WORDS: [&str; 3] = ["send", "receive", "barrier"];

fn main() {
    let universe = mpi::initialize().expect("MPI is started once");
    let world = universe.world();
    let root = world.process_at_rank(0);
    let length = WORDS.get(world.rank() as usize).map_or(0, |word| word.len() as i32);
    if world.rank() == 0 {
        let mut sum = 0;
        root.reduce_into_root(&length, &mut sum, SystemOperation::sum());
        println!("{sum} letters");
    } else {
        root.reduce_into(&length, SystemOperation::sum());
    }
}
