//! Broken, to be repaired: rank 0 sends the numbers 1 to 10 to rank 1, which adds them up.
//!
//! MPI ends the job.
//!
//! Repair it, then: `make exercise N=broken_buffer`

use mpi::traits::*;

fn main() {
    let universe = mpi::initialize().expect("MPI is started once");
    let world = universe.world();
    if world.size() == 1 {
        println!("rank 0 is alone");
    } else if world.rank() == 0 {
        let numbers: Vec<i32> = (1..=10).collect();
        world.process_at_rank(1).send(&numbers[..]);
    } else if world.rank() == 1 {
        let mut numbers = [0; 8];
        world.process_at_rank(0).receive_into(&mut numbers[..]);
        println!("rank 1 has the sum {}", numbers.iter().sum::<i32>());
    }
}
