//! Broadcast, objects: rank 0 has an object, afterwards every rank has a copy of it.
//!
//! Teaches: the ranks that receive do not know how long the object is, so its length is broadcast first.
//! Replaces: `broadcast.py`.
//! Run: `mpiexec -n 4 target/release/examples/broadcast_objects`

use mpi::{topology::Process, traits::*};
use serde::{Deserialize, Serialize, de::DeserializeOwned};

#[derive(Debug, PartialEq, Serialize, Deserialize)]
struct Disks {
    size: Vec<u32>,
    name: Vec<String>,
}

/// Every rank's copy of the object that `root` passes; the other ranks pass `None`. Collective.
fn broadcast_object<T: Serialize + DeserializeOwned>(root: &Process<'_>, object: Option<T>) -> T {
    let mut text = object.map_or(Vec::new(), |object| serde_json::to_vec(&object).expect("it has a JSON form"));
    let mut length = text.len();
    root.broadcast_into(&mut length);
    text.resize(length, 0);
    root.broadcast_into(&mut text[..]);
    serde_json::from_slice(&text).expect("the root wrote an object of this type")
}

fn main() {
    let universe = mpi::initialize().expect("MPI is started once");
    let world = universe.world();
    let rank = world.rank();
    let disks = || Disks { size: vec![1, 3, 8], name: ["disk1", "disk2", "disk3"].map(str::to_owned).to_vec() };

    let data = (rank == 0).then(disks);
    println!("before broadcast, data on rank {rank} is: {data:?}");

    let data = broadcast_object(&world.process_at_rank(0), data);
    println!("after broadcast, data on rank {rank} is: {data:?}");

    assert_eq!(data, disks());
}
