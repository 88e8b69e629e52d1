//! Solution of the exercise ping_pong.

use mpi::{topology::SimpleCommunicator, traits::*};

/// The number that comes back, on rank 0; `None` elsewhere. There are two ranks at least.
fn ping_pong(world: &SimpleCommunicator) -> Option<i32> {
    match world.rank() {
        0 => {
            let partner = world.process_at_rank(1);
            partner.send(&41);
            Some(partner.receive::<i32>().0)
        }
        1 => {
            let partner = world.process_at_rank(0);
            let (number, _status) = partner.receive::<i32>();
            partner.send(&(number + 1));
            None
        }
        _ => None,
    }
}

fn main() {
    let universe = mpi::initialize().expect("MPI is started once");
    let world = universe.world();
    if world.size() == 1 {
        println!("rank 0 is alone");
    } else if let Some(number) = ping_pong(&world) {
        println!("rank 0 got {number} back");
    }
}
