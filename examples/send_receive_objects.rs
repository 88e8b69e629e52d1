//! Point to point, objects: rank 0 sends a value of any type, rank 1 receives it, the others take no part.
//!
//! Teaches: an object that has no fixed layout, since there are strings and lists in it, travels as text that serde writes and
//! reads, so the receiver learns its length with the message.
//! Replaces: `send_receive.py`, as far as it sends objects.
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
    let rank = world.rank();
    if world.size() < 2 {
        eprintln!("error: a message needs 2 ranks, this job has 1: start it with mpiexec -n 2");
        return ExitCode::from(2);
    }

    let disk = Disk { name: "disk1".to_owned(), sizes: vec![1, 3, 8] };
    if rank == 0 {
        let neighbor = world.process_at_rank(1);
        send_object(&neighbor, &disk);
        send_object(&neighbor, &("forty-two", 42));
    } else if rank == 1 {
        let root = world.process_at_rank(0);
        let first: Disk = receive_object(&root);
        let second: (String, i32) = receive_object(&root);
        println!("Process 1 received {first:?} and {second:?}");
        assert_eq!(first, disk);
        assert_eq!(second, ("forty-two".to_owned(), 42));
    }
    ExitCode::SUCCESS
}
