//! Tags and status: rank 0 receives from whoever comes first, and is told who that was; tags keep two kinds of messages apart.
//!
//! Teaches: `any_process()` takes a message of any rank, its status tells the source and the tag. A receive with a tag passes over
//! messages with others: they wait.
//! Replaces: nothing in the tutorial, which names `tag` and `status` and does not use them.
//! Run: `mpiexec -n 4 target/release/examples/tags`

use mpi::{Tag, traits::*};

const GREETING: Tag = 1;
const FAREWELL: Tag = 2;

fn main() {
    let universe = mpi::initialize().expect("MPI is started once");
    let world = universe.world();
    let (rank, size) = (world.rank(), world.size());

    if rank != 0 {
        let root = world.process_at_rank(0);
        root.send_with_tag(&rank, GREETING);
        root.send_with_tag(&(rank * 10), FAREWELL);
        return;
    }

    // The farewells first, though each rank sent its greeting before.
    let mut farewells = vec![0; size as usize];
    for _ in 1..size {
        let (value, status) = world.any_process().receive_with_tag::<i32>(FAREWELL);
        println!("{value} from rank {} with tag {}", status.source_rank(), status.tag());
        farewells[status.source_rank() as usize] = value;
    }
    let mut greetings = vec![0; size as usize];
    for _ in 1..size {
        let (value, status) = world.any_process().receive::<i32>();
        println!("{value} from rank {} with tag {}", status.source_rank(), status.tag());
        assert_eq!(status.tag(), GREETING, "the farewells have been received");
        greetings[status.source_rank() as usize] = value;
    }
    println!("rank 0 has received {} messages", 2 * (size - 1));

    let expected: Vec<i32> = (0..size).collect();
    assert_eq!(greetings, expected);
    let expected: Vec<i32> = (0..size).map(|rank| rank * 10).collect();
    assert_eq!(farewells, expected);
}
