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
    let my_length = Count::try_from(text.len()).expect("MPI counts with a C int");
    if !root.is_self() {
        root.gather_into(&my_length);
        root.gather_varcount_into(&text[..]);
        return None;
    }
    let mut lengths: Vec<Count> = vec![0; size];
    root.gather_into_root(&my_length, &mut lengths[..]);
    let starts: Vec<Count> = (0..size).map(|rank| lengths[..rank].iter().sum()).collect();
    let index = |count: Count| usize::try_from(count).expect("a length is not negative");
    let mut all = vec![0_u8; index(lengths.iter().sum())];
    root.gather_varcount_into_root(&text[..], &mut PartitionMut::new(&mut all[..], &lengths[..], &starts[..]));
    let of_rank = |(start, length): (&Count, &Count)| {
        serde_json::from_slice(&all[index(*start)..][..index(*length)]).expect("each rank wrote an object of this type")
    };
    Some(starts.iter().zip(&lengths).map(of_rank).collect())
}

fn main() {
    let universe = mpi::initialize().expect("MPI is started once");
    let world = universe.world();
    let (rank, size) = (world.rank(), world.size());

    let mine = (rank + 1) * (rank + 1);
    println!("before gathering, data on rank {rank} is {mine}");

    let length = usize::try_from(size).expect("a job has at least one rank");
    let gathered = gather_objects(&world.process_at_rank(0), length, &mine);
    match &gathered {
        Some(list) => println!("after gathering, process 0's data is {list:?}"),
        None => println!("after gathering, data in rank {rank} is None"),
    }

    assert_eq!(gathered, (rank == 0).then(|| (1..=size).map(|i| i * i).collect()));
}
