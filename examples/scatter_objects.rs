//! Scatter, objects: rank 0 has a list with one object for each rank, each rank gets its own.
//!
//! Teaches: objects differ in length (1 is shorter than 16), so the lengths are scattered first, then the text with a count
//! for each rank.
//! Replaces: `scatter.py`.
//! Run: `mpiexec -n 4 target/release/examples/scatter_objects`

use mpi::{Count, datatype::Partition, topology::Process, traits::*};
use serde::{Serialize, de::DeserializeOwned};

/// This rank's object of the list that `root` passes; the other ranks pass `None`. Collective.
fn scatter_objects<T: Serialize + DeserializeOwned>(root: &Process<'_>, list: Option<&[T]>) -> T {
    let mut my_length: Count = 0;
    let mut mine = Vec::new();
    if let Some(list) = list {
        let texts: Vec<String> =
            list.iter().map(|object| serde_json::to_string(object).expect("it has a JSON form")).collect();
        let lengths: Vec<Count> = texts.iter().map(|text| text.len() as Count).collect();
        let starts: Vec<Count> = (0..lengths.len()).map(|rank| lengths[..rank].iter().sum()).collect();
        root.scatter_into_root(&lengths[..], &mut my_length);
        mine.resize(my_length as usize, 0_u8);
        let all = texts.concat();
        root.scatter_varcount_into_root(&Partition::new(all.as_bytes(), &lengths[..], &starts[..]), &mut mine[..]);
    } else {
        root.scatter_into(&mut my_length);
        mine.resize(my_length as usize, 0_u8);
        root.scatter_varcount_into(&mut mine[..]);
    }
    serde_json::from_slice(&mine).expect("the root wrote an object of this type")
}

fn main() {
    let universe = mpi::initialize().expect("MPI is started once");
    let world = universe.world();
    let rank = world.rank();

    let data: Option<Vec<i32>> = (rank == 0).then(|| (1..=world.size()).map(|i| i * i).collect());
    match &data {
        Some(list) => println!("before scattering, data on rank {rank} is {list:?}"),
        None => println!("before scattering, data on rank {rank} is None"),
    }

    let mine = scatter_objects(&world.process_at_rank(0), data.as_deref());
    println!("data for rank {rank} is {mine}");

    assert_eq!(mine, (rank + 1) * (rank + 1));
}
