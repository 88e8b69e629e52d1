//! Where am I: every rank tells its number, its host, the cores it was bound to, and the device it would compute on.
//!
//! Teaches: who am I, how many are we, and where did the launcher put me.
//! Replaces: `python -m mpi4py.bench helloworld` and `multiprocessing.cpu_count()`.
//! Run: `mpiexec -n 4 --bind-to core target/release/examples/where_am_i`

use std::process::ExitCode;

use hybrid::{Devices, Error, Failure, World};

/// What the rank says. Collective.
fn greeting(world: &World) -> Result<String, Failure> {
    let place = hybrid::place_of_rank(world, &Devices::default())?;
    let cores: Vec<String> = place.bound_cores.iter().map(u32::to_string).collect();
    Ok(format!(
        "Hello, World! I am process {} of {} on {}, bound to core {} of {}, device {}",
        world.rank(),
        world.size(),
        world.host(),
        cores.join(","),
        place.cores_of_node,
        place.device
    ))
}

fn main() -> ExitCode {
    let world = match World::of_job() {
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
