//! The halo exchange, three ways: each rank sends the cells along its four sides, and receives those beyond them.
//!
//! `out` and `into` have a list for each side; where there is no neighbor, the wall keeps what it has. Knows nothing of heat.

use std::ops::Range;

use mpi::{Rank, point_to_point as p2p, topology::CartesianCommunicator, traits::*};

use crate::grid::{Cell, DOWN, LEFT, RIGHT, UP};

/// The neighbor on each side, where there is one.
pub(crate) type Neighbors = [Option<Rank>; 4];

/// The ranks as a grid that is as square as their number allows.
pub(crate) fn grid_of_ranks(world: &impl Communicator) -> (CartesianCommunicator, Neighbors) {
    let size = world.size();
    let rows = (1..=size).filter(|rows| size % rows == 0 && rows * rows <= size).max().expect("1 divides all");
    let cart = world.create_cartesian_communicator(&[rows, size / rows], &[false, false], false);
    let cart = cart.expect("every rank has a place in the grid");
    let ((up, down), (left, right)) = (cart.shift(0, 1), cart.shift(1, 1));
    (cart, [up, down, left, right])
}

/// The part that number `part` of `parts` has of `size` rows or columns.
fn share(size: usize, part: i32, parts: i32) -> Range<usize> {
    let start = |part: i32| size * part as usize / parts as usize;
    start(part)..start(part + 1)
}

/// The rows and columns of a rank.
pub(crate) fn block_of(cart: &CartesianCommunicator, rank: Rank, size: usize) -> (Range<usize>, Range<usize>) {
    let (place, layout) = (cart.rank_to_coordinates(rank), cart.get_layout());
    (share(size, place[0], layout.dims[0]), share(size, place[1], layout.dims[1]))
}

/// Blocking: where all sent first, long messages would hang; so ranks with an even coordinate send first, the others receive first.
pub(crate) fn blocking(
    cart: &CartesianCommunicator,
    neighbors: &Neighbors,
    out: &[Vec<Cell>; 4],
    into: &mut [Vec<Cell>; 4],
) {
    let place = cart.rank_to_coordinates(cart.rank());
    for (coordinate, [before, after]) in place.iter().zip([[UP, DOWN], [LEFT, RIGHT]]) {
        let is_even = coordinate % 2 == 0;
        // An even rank and the one after it are partners first.
        for side in if is_even { [after, before] } else { [before, after] } {
            let Some(neighbor) = neighbors[side].map(|rank| cart.process_at_rank(rank)) else { continue };
            if is_even {
                neighbor.send(&out[side][..]);
                neighbor.receive_into(&mut into[side][..]);
            } else {
                neighbor.receive_into(&mut into[side][..]);
                neighbor.send(&out[side][..]);
            }
        }
    }
}

/// `MPI_Sendrecv`: to one side, and from the opposite one, at once. At the walls only one of the two is left.
pub(crate) fn sendrecv(
    cart: &CartesianCommunicator,
    neighbors: &Neighbors,
    out: &[Vec<Cell>; 4],
    into: &mut [Vec<Cell>; 4],
) {
    for side in [UP, DOWN, LEFT, RIGHT] {
        let back = side ^ 1;
        let process = |side: usize| neighbors[side].map(|rank| cart.process_at_rank(rank));
        match (process(side), process(back)) {
            (Some(to), Some(from)) => drop(p2p::send_receive_into(&out[side][..], &to, &mut into[back][..], &from)),
            (Some(to), None) => to.send(&out[side][..]),
            (None, Some(from)) => drop(from.receive_into(&mut into[back][..])),
            (None, None) => {}
        }
    }
}

/// Non-blocking: all eight messages are under way while `compute` does what needs none of them.
pub(crate) fn overlap(
    cart: &CartesianCommunicator,
    neighbors: &Neighbors,
    out: &[Vec<Cell>; 4],
    into: &mut [Vec<Cell>; 4],
    compute: impl FnOnce(),
) {
    mpi::request::multiple_scope(8, |scope, requests| {
        for (rank, into) in neighbors.iter().zip(into) {
            let Some(rank) = rank else { continue };
            requests.add(cart.process_at_rank(*rank).immediate_receive_into(scope, &mut into[..]));
        }
        for (rank, out) in neighbors.iter().zip(out) {
            let Some(rank) = rank else { continue };
            requests.add(cart.process_at_rank(*rank).immediate_send(scope, &out[..]));
        }
        compute();
        requests.wait_all(&mut Vec::new());
    });
}
