//! Broken, to be repaired: each rank takes a word from a list, and rank 0 prints how long all words are together.
//!
//! With 4 ranks one of them panics, and the others wait.
//!
//! Repair it, then: `make exercise N=broken_panic`

use mpi::{collective::SystemOperation, traits::*};

const WORDS: [&str; 3] = ["send", "receive", "barrier"];

fn main() {
    let universe = mpi::initialize().expect("MPI is started once");
    let world = universe.world();
    let root = world.process_at_rank(0);
    let length = WORDS[world.rank() as usize].len() as i32;
    if world.rank() == 0 {
        let mut sum = 0;
        root.reduce_into_root(&length, &mut sum, SystemOperation::sum());
        println!("{sum} letters");
    } else {
        root.reduce_into(&length, SystemOperation::sum());
    }
}
