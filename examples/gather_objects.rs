//! Gather, objects: each rank has an object, rank 0 gets them all as a list in the order of the ranks.
//!
//! Teaches: the inverse of scatter; the root gathers the lengths first, to know where each rank's text belongs.
//! Replaces: `gather.py`.
//! Run: `mpiexec -n 4 target/release/examples/gather_objects`

use mpi::{Count, datatype::PartitionMut, topology::Process, traits::*};
use serde::{Serialize, de::DeserializeOwned};

/// Every rank's object in the order of the ranks, on `root`; `None` elsewhere. Collective.
fn gather_objects<T: Serialize + DeserializeOwned>(root: &Process<'_>, size: usize, object: &T) -> Option<Vec<T>> {
    let text = serde_json::to_vec(object).expect("it has a JSON form");
    let length = text.len() as Count;
    if !root.is_self() {
        root.gather_into(&length);
        root.gather_varcount_into(&text[..]);
        return None;
    }
    let mut lengths: Vec<Count> = vec![0; size];
    root.gather_into_root(&length, &mut lengths[..]);
    let starts: Vec<Count> = (0..size).map(|rank| lengths[..rank].iter().sum()).collect();
    let mut all = vec![0_u8; lengths.iter().sum::<Count>() as usize];
    root.gather_varcount_into_root(&text[..], &mut PartitionMut::new(&mut all[..], &lengths[..], &starts[..]));

    let part = |(start, length): (&Count, &Count)| &all[*start as usize..][..*length as usize];
    let parts = starts.iter().zip(&lengths).map(part);
    Some(parts.map(|text| serde_json::from_slice(text).expect("each rank wrote an object of this type")).collect())
}

fn main() {
    let universe = mpi::initialize().expect("MPI is started once");
    let world = universe.world();
    let (rank, size) = (world.rank(), world.size());

    let mine = (rank + 1) * (rank + 1);
    println!("before gathering, data on rank {rank} is {mine}");

    let gathered = gather_objects(&world.process_at_rank(0), size as usize, &mine);
    match &gathered {
        Some(list) => println!("after gathering, process 0's data is {list:?}"),
        None => println!("after gathering, data in rank {rank} is None"),
    }

    assert_eq!(gathered, (rank == 0).then(|| (1..=size).map(|i| i * i).collect()));
}
