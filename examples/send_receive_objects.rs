//! Point to point, objects: rank 0 sends a value of any type, rank 1 receives it, the others take no part.
//!
//! Teaches: an object travels as text that serde writes and reads, so the receiver learns its length with the message.
//! Replaces: `send_receive.py`.
//! Run: `mpiexec -n 4 target/release/examples/send_receive_objects`

use std::process::ExitCode;

use mpi::{topology::Process, traits::*};
use serde::{Deserialize, Serialize, de::DeserializeOwned};

#[derive(Debug, PartialEq, Serialize, Deserialize)]
struct Disk {
    name: String,
    sizes: Vec<u32>,
}

fn send_object(to: &Process<'_>, object: &impl Serialize) {
    let text = serde_json::to_vec(object).expect("what these examples send has a JSON form");
    to.send(&text[..]);
}

fn receive_object<T: DeserializeOwned>(from: &Process<'_>) -> T {
    let (text, _status) = from.receive_vec::<u8>();
    serde_json::from_slice(&text).expect("the sender wrote an object of this type")
}

fn main() -> ExitCode {
    let universe = mpi::initialize().expect("MPI is started once");
    let world = universe.world();
    let (rank, size) = (world.rank(), world.size());
    if size < 2 {
        eprintln!("error: a message needs 2 ranks, this job has {size}: start it with mpiexec -n 2");
        return ExitCode::from(2);
    }
    let disk = || Disk { name: "disk1".to_owned(), sizes: vec![1, 3, 8] };

    let mut data: Option<i32> = None;
    let mut structure: Option<Disk> = None;
    if rank == 0 {
        let neighbor = world.process_at_rank(1);
        send_object(&neighbor, &42);
        send_object(&neighbor, &disk());
    } else if rank == 1 {
        data = Some(receive_object(&world.process_at_rank(0)));
        structure = Some(receive_object(&world.process_at_rank(0)));
    }

    let value = data.map_or("None".to_owned(), |value| value.to_string());
    println!("After send/receive, the value in process {rank} is {value}");
    if let Some(structure) = &structure {
        println!("Process {rank} also received {structure:?}");
    }
    assert_eq!(data, (rank == 1).then_some(42));
    assert_eq!(structure, (rank == 1).then(disk));
    ExitCode::SUCCESS
}
