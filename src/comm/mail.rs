//! Messages between two ranks of a group: bytes, in the order in which they were sent.

use mpi::{
    point_to_point::MatchedReceiveVec,
    topology::Communicator,
    traits::{Destination, Source},
};

use super::{Group, gather::mpi_count};

impl Group {
    /// Sends `bytes`, less than 2 GiB, to rank `to`; returns when they may be changed again.
    pub fn send(&self, to: usize, bytes: &[u8]) {
        self.comm.process_at_rank(mpi_count(to)).send(bytes);
    }

    /// A message from any rank, with its sender, if one has arrived.
    #[must_use]
    pub fn try_receive(&self) -> Option<(usize, Vec<u8>)> {
        let (bytes, status) = self.comm.any_process().immediate_matched_probe()?.matched_receive_vec();
        Some((usize::try_from(status.source_rank()).expect("MPI numbers ranks from 0"), bytes))
    }
}
