//! What the ranks send each other: the flowers once, the sums in every round.

use mpi::{Count, collective::SystemOperation, datatype::Partition, topology::SimpleCommunicator, traits::*};

use crate::clusters::{Flower, MEASURES, Sums};

/// Scatters the flowers of rank 0 in shares that differ by at most one. Collective.
pub(crate) fn scatter(world: &SimpleCommunicator, flowers: &[Flower]) -> Vec<Flower> {
    let root = world.process_at_rank(0);
    let mut total: Count = flowers.len().try_into().expect("a number of flowers that MPI can count");
    root.broadcast_into(&mut total);
    let numbers = Count::try_from(MEASURES).expect("four");
    let start_of = |rank: i32| rank * total / world.size() * numbers;
    let starts: Vec<Count> = (0..world.size()).map(start_of).collect();
    let counts: Vec<Count> = (0..world.size()).map(|rank| start_of(rank + 1) - start_of(rank)).collect();
    let my_count = start_of(world.rank() + 1) - start_of(world.rank());
    let mut lengths = vec![0_u32; my_count.try_into().expect("a share is no less than 0")];
    if world.rank() == 0 {
        let shares = Partition::new(flowers.as_flattened(), &counts[..], &starts[..]);
        root.scatter_varcount_into_root(&shares, &mut lengths[..]);
    } else {
        root.scatter_varcount_into(&mut lengths[..]);
    }
    lengths.as_chunks().0.to_vec()
}

/// Sums of every cluster over the flowers of all ranks, and how many flowers changed cluster. Collective.
pub(crate) fn sum_over_ranks(world: &SimpleCommunicator, mine: &[Sums], moved: u64) -> (Vec<Sums>, u64) {
    let numbers = [mine.as_flattened(), &[moved]].concat();
    let mut totals = vec![0; numbers.len()];
    world.all_reduce_into(&numbers[..], &mut totals[..], SystemOperation::sum());
    let (sums, moved) = totals.as_chunks();
    (sums.to_vec(), moved[0])
}
