//! Broken, to be repaired: rank 0 tells all ranks a factor, each multiplies its number by it, and rank 0 collects the products.
//!
//! It hangs with two ranks and more.
//!
//! Repair it, then: `make exercise N=broken_order`

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
    if world.rank() == 0 {
        let mut factor = 7;
        collect(&world, number * factor);
        tell(&world, &mut factor);
    } else {
        let mut factor = 0;
        tell(&world, &mut factor);
        collect(&world, number * factor);
    }
}
