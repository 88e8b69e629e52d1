//! Gathering more bytes than MPI can count: its counts and displacements are C ints.

use mpi::{
    Count,
    datatype::PartitionMut,
    request,
    topology::{Communicator, SimpleCommunicator},
    traits::{CommunicatorCollectives, Root},
};

use super::pause::finish;

/// Bytes that one MPI call moves to a rank at most.
pub(super) const LIMIT_BYTES: usize = i32::MAX.unsigned_abs() as usize;

/// A number that was checked to fit in MPI's C int.
pub(super) fn mpi_count(number: usize) -> Count {
    Count::try_from(number).expect("counts are cut to what a C int holds")
}

/// Every rank's bytes in rank order, on rank 0; `None` elsewhere.
pub(super) fn gather(comm: &SimpleCommunicator, bytes: &[u8]) -> Option<Vec<Vec<u8>>> {
    let root = comm.process_at_rank(0);
    let size = usize::try_from(comm.size()).expect("an MPI communicator has at least one rank");
    let mine = u64::try_from(bytes.len()).expect("a length fits in 64 bits");
    let mut lengths = vec![0_u64; size];
    request::scope(|scope| finish(comm.immediate_all_gather_into(scope, &mine, &mut lengths[..])));
    let lengths: Vec<usize> =
        lengths.iter().map(|length| usize::try_from(*length).expect("what is sent is in memory")).collect();

    let mut parts: Vec<Vec<u8>> = lengths.iter().map(|_| Vec::new()).collect();
    let mut buffer = Vec::new();
    let mut sent = 0;
    for round in rounds(&lengths, LIMIT_BYTES) {
        let my_count = round[usize::try_from(comm.rank()).expect("MPI numbers ranks from 0")];
        let part = &bytes[sent..sent + my_count];
        sent += my_count;
        if comm.rank() == 0 {
            let counts: Vec<Count> = round.iter().map(|count| mpi_count(*count)).collect();
            let displacements: Vec<Count> = starts(&round).map(mpi_count).collect();
            buffer.resize(round.iter().sum(), 0);
            let mut places = PartitionMut::new(&mut buffer[..], &counts[..], &displacements[..]);
            request::scope(|scope| finish(root.immediate_gather_varcount_into_root(scope, part, &mut places)));
            for ((part, start), count) in parts.iter_mut().zip(starts(&round)).zip(&round) {
                part.extend_from_slice(&buffer[start..start + count]);
            }
        } else {
            request::scope(|scope| finish(root.immediate_gather_varcount_into(scope, part)));
        }
    }
    (comm.rank() == 0).then_some(parts)
}

/// Where each rank's bytes start when they stand one after the other.
fn starts(counts: &[usize]) -> impl Iterator<Item = usize> + '_ {
    counts.iter().scan(0, |next, count| {
        let start = *next;
        *next += count;
        Some(start)
    })
}

/// Cuts what the ranks send into rounds of at most `limit` bytes in all; each round holds a count for every rank.
///
/// Every rank's bytes are sent in order, rank by rank, so that most jobs need one round.
fn rounds(lengths: &[usize], limit: usize) -> Vec<Vec<usize>> {
    let mut left = lengths.to_vec();
    let mut rounds = Vec::new();
    while left.iter().any(|bytes| *bytes > 0) {
        let mut room = limit;
        let round: Vec<usize> = left
            .iter_mut()
            .map(|bytes| {
                let count = (*bytes).min(room);
                *bytes -= count;
                room -= count;
                count
            })
            .collect();
        rounds.push(round);
    }
    rounds
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn small_parts_travel_in_one_round() {
        assert_eq!(rounds(&[3, 0, 4], 10), [[3, 0, 4]]);
    }

    #[test]
    fn nothing_travels_in_no_round() {
        assert!(rounds(&[0, 0], 10).is_empty());
    }

    #[test]
    fn no_round_is_over_the_limit_and_all_bytes_travel_once() {
        for lengths in [&[25_usize, 7, 0, 31][..], &[10], &[11], &[1; 40]] {
            let rounds = rounds(lengths, 10);
            assert!(rounds.iter().all(|round| round.iter().sum::<usize>() <= 10), "{lengths:?}");
            for (rank, length) in lengths.iter().enumerate() {
                assert_eq!(rounds.iter().map(|round| round[rank]).sum::<usize>(), *length, "{lengths:?} rank {rank}");
            }
        }
    }

    #[test]
    fn parts_stand_one_after_the_other() {
        assert_eq!(starts(&[3, 0, 4]).collect::<Vec<_>>(), [0, 3, 3]);
    }
}
