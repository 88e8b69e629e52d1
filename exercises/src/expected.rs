//! The exercises: what each is about, and the lines that it prints with so many ranks, in any order.
//!
//! Knows nothing of how they are run.

/// One exercise.
pub struct Exercise {
    pub name: &'static str,
    /// What it is about, in a line.
    pub task: &'static str,
    /// The lines for a number of ranks.
    pub lines: fn(usize) -> Vec<String>,
}

/// All of them, in an order to do them in.
pub const EXERCISES: &[Exercise] = &[
    Exercise { name: "hello", task: "every rank prints its number", lines: hello },
    Exercise { name: "ping_pong", task: "a number to rank 1 and back", lines: ping_pong },
    Exercise { name: "ring", task: "a number goes around a ring", lines: ring },
    Exercise { name: "any_source", task: "receive from whoever is first", lines: any_source },
    Exercise { name: "length", task: "a message whose length nobody knows", lines: length },
    Exercise { name: "exchange", task: "all ranks send long messages at once", lines: exchange },
    Exercise { name: "share", task: "a broadcast", lines: share },
    Exercise { name: "squares", task: "scatter, compute, gather", lines: squares },
    Exercise { name: "totals", task: "a sum and a maximum for everybody", lines: totals },
    Exercise { name: "halo", task: "cells that need the neighbor's cells", lines: halo },
    Exercise { name: "broken_ring", task: "to be repaired: hangs with long messages", lines: broken_ring },
    Exercise { name: "broken_order", task: "to be repaired: hangs in collective calls", lines: broken_order },
    Exercise { name: "broken_buffer", task: "to be repaired: MPI ends it", lines: broken_buffer },
    Exercise { name: "broken_share", task: "to be repaired: hangs with 4 ranks", lines: broken_share },
    Exercise { name: "broken_panic", task: "to be repaired: panics with 4 ranks", lines: broken_panic },
];

fn hello(ranks: usize) -> Vec<String> {
    (0..ranks).map(|rank| format!("rank {rank} of {ranks}")).collect()
}

fn ping_pong(ranks: usize) -> Vec<String> {
    vec![if ranks == 1 { "rank 0 is alone".to_owned() } else { "rank 0 got 42 back".to_owned() }]
}

fn ring(ranks: usize) -> Vec<String> {
    vec![format!("the number came back as {}", 100 + ranks)]
}

fn any_source(ranks: usize) -> Vec<String> {
    let from_each = (1..ranks).map(|rank| format!("rank {rank} sent {}", rank * rank));
    from_each.chain([format!("rank 0 received {} numbers", ranks - 1)]).collect()
}

fn length(ranks: usize) -> Vec<String> {
    let from_each = (1..ranks).map(|rank| format!("rank {rank} sent {} letters", 1000 * rank));
    from_each.chain([format!("rank 0 received {} texts", ranks - 1)]).collect()
}

fn exchange(ranks: usize) -> Vec<String> {
    (0..ranks).map(|rank| format!("rank {rank} has 100000 times {}", (rank + ranks - 1) % ranks)).collect()
}

fn share(ranks: usize) -> Vec<String> {
    (0..ranks).map(|rank| format!("rank {rank} has [2, 3, 5, 7]")).collect()
}

fn squares(ranks: usize) -> Vec<String> {
    let squares: Vec<usize> = (1..=2 * ranks).map(|number| number * number).collect();
    vec![format!("squares: {squares:?}")]
}

fn totals(ranks: usize) -> Vec<String> {
    let sum: usize = (1..=ranks).map(|number| number * number).sum();
    (0..ranks).map(|rank| format!("rank {rank} knows: sum {sum}, largest {}", ranks * ranks)).collect()
}

fn halo(ranks: usize) -> Vec<String> {
    let cells: Vec<usize> = (0..4 * ranks).map(|cell| 10 * (cell / 4) + cell % 4).collect();
    let at = |cell: usize| cells.get(cell).copied().unwrap_or(0);
    let sums: Vec<usize> = (0..cells.len()).map(|cell| cell.checked_sub(1).map_or(0, at) + at(cell + 1)).collect();
    sums.chunks(4).enumerate().map(|(rank, sums)| format!("rank {rank} has {sums:?}")).collect()
}

fn broken_ring(ranks: usize) -> Vec<String> {
    (0..ranks).map(|rank| format!("rank {rank} has 1000000 bytes of rank {}", (rank + ranks - 1) % ranks)).collect()
}

fn broken_order(ranks: usize) -> Vec<String> {
    vec![format!("products: {:?}", (1..=ranks).map(|number| 7 * number).collect::<Vec<_>>())]
}

fn broken_buffer(ranks: usize) -> Vec<String> {
    vec![if ranks == 1 { "rank 0 is alone".to_owned() } else { "rank 1 has the sum 55".to_owned() }]
}

fn broken_share(ranks: usize) -> Vec<String> {
    (0..ranks).map(|rank| format!("rank {rank} knows the sum 21")).collect()
}

fn broken_panic(ranks: usize) -> Vec<String> {
    vec![format!("{} letters", ["send", "receive", "barrier"].iter().take(ranks).map(|word| word.len()).sum::<usize>())]
}
