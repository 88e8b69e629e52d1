//! Point to point, structures: rank 0 sends disks of a fixed layout, one and then a list of them, as they lie in memory.
//!
//! Teaches: `#[derive(Equivalence)]` tells MPI the layout of a structure of numbers, which then is sent like a number: nothing
//! is turned into text.
//! Replaces: nothing in the tutorial, whose structures are pickled.
//! Run: `mpiexec -n 4 target/release/examples/send_receive_structs`

use std::process::ExitCode;

use mpi::traits::*;

#[derive(Clone, Copy, Debug, Default, PartialEq, Equivalence)]
struct Disk {
    number: u32,
    is_full: bool,
    size_tb: f64,
}

fn main() -> ExitCode {
    let universe = mpi::initialize().expect("MPI is started once");
    let world = universe.world();
    let rank = world.rank();
    if world.size() < 2 {
        eprintln!("error: a message needs 2 ranks, this job has 1: start it with mpiexec -n 2");
        return ExitCode::from(2);
    }

    let disks = [
        Disk { number: 1, is_full: true, size_tb: 0.5 },
        Disk { number: 2, is_full: false, size_tb: 1.0 },
        Disk { number: 3, is_full: false, size_tb: 8.0 },
    ];
    if rank == 0 {
        let neighbor = world.process_at_rank(1);
        neighbor.send(&disks[2]);
        neighbor.send(&disks[..]);
    } else if rank == 1 {
        let (disk, _status) = world.process_at_rank(0).receive::<Disk>();
        println!("Process 1 received {disk:?}");
        let mut list = [Disk::default(); 3];
        world.process_at_rank(0).receive_into(&mut list[..]);
        println!("Process 1 received {} disks, the last of {} TB", list.len(), list[2].size_tb);
        assert_eq!(disk, disks[2]);
        assert_eq!(list, disks);
    }
    ExitCode::SUCCESS
}
