//! Solution of the exercise broken_order: all ranks make the same calls in the same order.

use mpi::{topology::SimpleCommunicator, traits::*};

/// The factor of rank 0, on every rank.
fn tell(world: &SimpleCommunicator, factor: &mut i32) {
    world.process_at_rank(0).broadcast_into(factor);
}

/// The products of all ranks, printed by rank 0.
fn collect(world: &SimpleCommunicator, product: i32) {
    let root = world.process_at_rank(0);
    if world.rank() == 0 {
        let mut products = vec![0; world.size() as usize];
        root.gather_into_root(&product, &mut products[..]);
        println!("products: {products:?}");
    } else {
        root.gather_into(&product);
    }
}

fn main() {
    let universe = mpi::initialize().expect("MPI is started once");
    let world = universe.world();
    let number = world.rank() + 1;
    let mut factor = if world.rank() == 0 { 7 } else { 0 };
    tell(&world, &mut factor);
    collect(&world, number * factor);
}
