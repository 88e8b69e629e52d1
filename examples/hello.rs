//! Hello: every rank tells its number, its host, the cores it was bound to, and the device it would compute on.
//!
//! Teaches: who am I, how many are we, and where did the launcher put me.
//! Replaces: `python -m mpi4py.bench helloworld` and `multiprocessing.cpu_count()`.
//! Run: `mpiexec -n 4 --bind-to core target/release/examples/hello`

use std::{env, process::ExitCode};

use hybrid::{
    comm::{Failure, World},
    error::Error,
    placement::{self, DeviceWish, LocalRank, Rules},
    topology::{self, Node},
};

/// What the rank says. Collective.
fn greeting(world: &World) -> Result<String, Failure> {
    let node = world.agree(Node::of_this_machine())?;
    let me = LocalRank {
        rank: u32::try_from(world.rank()).expect("MPI numbers ranks with a C int"),
        binding: world.agree(topology::binding())?,
        wish: DeviceWish::Auto,
        told_by: None,
        visible: placement::visible(&node.gpus, |name| env::var(name).ok()),
        launcher: None,
    };
    // The ranks of a node share its GPUs out, so each has to know of the others.
    let neighbors: Vec<LocalRank> = world.node.share(&me);
    let placement = world.agree(placement::choose(&node, &neighbors, &Rules::default()))?;
    let cores: Vec<String> = node.cores_in(&me.binding).map(|core| core.logical.to_string()).collect();
    Ok(format!(
        "Hello, World! I am process {} of {} on {}, bound to core {} of {}, device {}",
        world.rank(),
        world.size(),
        world.host(),
        cores.join(","),
        node.allowed_cores().count(),
        placement.places[world.node.rank()].device
    ))
}

fn main() -> ExitCode {
    let world = match World::start(Vec::new()) {
        Ok(world) => world,
        Err(error) => return fail(&error),
    };
    match greeting(&world) {
        Ok(text) => println!("{text}"),
        Err(failure) => {
            if world.is_root() {
                eprintln!("error: {failure}");
            }
            return ExitCode::from(failure.exit_code());
        }
    }
    assert_eq!(world.all.sum(1), world.size() as u64, "every rank has said hello");
    ExitCode::SUCCESS
}

/// Where MPI itself cannot start there is nobody to agree with.
fn fail(error: &Error) -> ExitCode {
    eprintln!("error: {error}");
    ExitCode::from(error.exit_code())
}
