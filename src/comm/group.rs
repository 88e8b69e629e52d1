//! Collectives over all ranks of the job.

use std::fmt;

use mpi::{
    collective::SystemOperation,
    request,
    topology::{Communicator, SimpleCommunicator},
    traits::{CommunicatorCollectives, Root},
};

use serde::{Serialize, de::DeserializeOwned};

use super::{gather, pause::finish, wire};

/// All ranks of the job: collectives over the whole job, and messages between two of its ranks. Those of one node are in
/// [`NodeGroup`](super::NodeGroup).
///
/// The methods but for [`rank`](Self::rank), [`size`](Self::size), [`send`](Self::send) and [`try_receive`](Self::try_receive) are
/// collective: every rank of the job calls them, in the same order. Values are anything that serde knows, of one type on all ranks. A
/// value that cannot be packed as MessagePack, or that was packed as another type, is a panic, which ends the job.
pub struct Group {
    pub(super) comm: SimpleCommunicator,
}

impl fmt::Debug for Group {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "Group({} of {})", self.rank(), self.size())
    }
}

impl Group {
    pub(super) fn new(comm: SimpleCommunicator) -> Self {
        Self { comm }
    }

    /// This rank's number in the job, from 0.
    #[must_use]
    pub fn rank(&self) -> usize {
        usize::try_from(self.comm.rank()).expect("MPI numbers ranks from 0")
    }

    /// Number of ranks in the job.
    #[must_use]
    pub fn size(&self) -> usize {
        usize::try_from(self.comm.size()).expect("an MPI communicator has at least one rank")
    }

    /// Waits, asleep, until every rank of the job has arrived.
    pub fn meet(&self) {
        finish(self.comm.immediate_barrier());
    }

    /// Smallest of the ranks' values, on every rank.
    #[must_use]
    pub fn min(&self, value: u64) -> u64 {
        self.reduce_one(value, SystemOperation::min())
    }

    /// Largest of the ranks' values, on every rank.
    #[must_use]
    pub fn max(&self, value: u64) -> u64 {
        self.reduce_one(value, SystemOperation::max())
    }

    /// Sum of the ranks' values, on every rank; modulo 2^64.
    #[must_use]
    pub fn sum(&self, value: u64) -> u64 {
        self.reduce_one(value, SystemOperation::sum())
    }

    /// Sums of the ranks' values, element by element, on every rank; modulo 2^64. All ranks pass the same number of them.
    #[must_use]
    pub fn sums(&self, values: &[u64]) -> Vec<u64> {
        self.reduce(values, SystemOperation::sum())
    }

    fn reduce(&self, values: &[u64], operation: SystemOperation) -> Vec<u64> {
        let mut results = vec![0; values.len()];
        request::scope(|scope| finish(self.comm.immediate_all_reduce_into(scope, values, &mut results[..], operation)));
        results
    }

    fn reduce_one(&self, value: u64, operation: SystemOperation) -> u64 {
        self.reduce(&[value], operation)[0]
    }

    /// The value that rank `from` passed, on every rank; those of the others do not matter. All ranks name the same `from`, which is
    /// below [`size`](Self::size).
    #[must_use]
    pub fn broadcast<T: Serialize + DeserializeOwned>(&self, from: usize, value: &T) -> T {
        let mine = if self.rank() == from { wire::pack(value) } else { Vec::new() };
        wire::unpack(&self.broadcast_bytes(from, mine))
    }

    /// Every rank's value in rank order, on rank 0; `None` elsewhere.
    #[must_use]
    pub fn gather<T: Serialize + DeserializeOwned>(&self, value: &T) -> Option<Vec<T>> {
        self.gather_bytes(&wire::pack(value)).map(|values| values.iter().map(|bytes| wire::unpack(bytes)).collect())
    }

    /// Every rank's value in rank order, on every rank. For small things: all of it travels twice.
    #[must_use]
    pub fn share<T: Serialize + DeserializeOwned>(&self, value: &T) -> Vec<T> {
        let values = self.gather(value).unwrap_or_default();
        self.broadcast(0, &values)
    }

    fn broadcast_bytes(&self, from: usize, mut bytes: Vec<u8>) -> Vec<u8> {
        let process = self.comm.process_at_rank(gather::mpi_count(from));
        let mut length = u64::try_from(bytes.len()).expect("a length fits in 64 bits");
        request::scope(|scope| finish(process.immediate_broadcast_into(scope, &mut length)));
        bytes.resize(usize::try_from(length).expect("what one rank holds in memory, another can"), 0);
        for part in bytes.chunks_mut(gather::LIMIT_BYTES) {
            request::scope(|scope| finish(process.immediate_broadcast_into(scope, part)));
        }
        bytes
    }

    /// Every rank's value in rank order, each with the bytes that came behind it, on rank 0; `None` elsewhere. Ranks may pass
    /// different numbers of bytes.
    #[must_use]
    pub fn gather_with<T: Serialize + DeserializeOwned>(&self, value: &T, bytes: &[u8]) -> Option<Vec<(T, Vec<u8>)>> {
        let parts = self.gather_bytes(&wire::pack_with(value, bytes));
        parts.map(|parts| parts.into_iter().map(wire::unpack_with).collect())
    }

    fn gather_bytes(&self, bytes: &[u8]) -> Option<Vec<Vec<u8>>> {
        gather::gather(&self.comm, bytes)
    }
}
