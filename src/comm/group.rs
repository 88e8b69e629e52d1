//! A group of ranks that communicate: the whole job, or one node's part of it.

use std::fmt;

use mpi::{
    collective::SystemOperation,
    topology::{Communicator, SimpleCommunicator},
    traits::{CommunicatorCollectives, Root},
};

use serde::{Serialize, de::DeserializeOwned};

use super::{Pause, gather, wire};

/// A communicator with the collectives that are needed here; messages between two ranks are in `mail`.
///
/// The methods here, but for [`rank`](Self::rank) and [`size`](Self::size), are collective: every rank of the group calls them
/// in the same order.
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

    /// This rank's number in the group, from 0.
    #[must_use]
    pub fn rank(&self) -> usize {
        usize::try_from(self.comm.rank()).expect("MPI numbers ranks from 0")
    }

    /// Number of ranks in the group.
    #[must_use]
    pub fn size(&self) -> usize {
        usize::try_from(self.comm.size()).expect("an MPI communicator has at least one rank")
    }

    /// Waits until every rank has arrived, without taking time from ranks that still compute on the same core: MPI's own
    /// blocking calls spin.
    pub fn meet(&self) {
        let mut pending = self.comm.immediate_barrier();
        let mut pause = Pause::default();
        while let Err(still_pending) = pending.test() {
            pending = still_pending;
            pause.sleep();
        }
    }

    /// Smallest of the ranks' values, on every rank.
    #[must_use]
    pub fn min(&self, value: u64) -> u64 {
        self.reduce(value, SystemOperation::min())
    }

    /// Largest of the ranks' values, on every rank.
    #[must_use]
    pub fn max(&self, value: u64) -> u64 {
        self.reduce(value, SystemOperation::max())
    }

    /// Sum of the ranks' values, on every rank.
    #[must_use]
    pub fn sum(&self, value: u64) -> u64 {
        self.reduce(value, SystemOperation::sum())
    }

    /// Sums of the ranks' values, element by element, on every rank; all ranks pass the same number of them.
    #[must_use]
    pub fn sums(&self, values: &[u64]) -> Vec<u64> {
        let mut sums = vec![0; values.len()];
        self.meet();
        self.comm.all_reduce_into(values, &mut sums[..], SystemOperation::sum());
        sums
    }

    fn reduce(&self, value: u64, operation: SystemOperation) -> u64 {
        let mut result = 0;
        self.meet();
        self.comm.all_reduce_into(&value, &mut result, operation);
        result
    }

    /// The value that rank `from` passed, on every rank; those of the others do not matter.
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
        self.meet();
        let process = self.comm.process_at_rank(gather::mpi_count(from));
        let mut length = u64::try_from(bytes.len()).expect("a length fits in 64 bits");
        process.broadcast_into(&mut length);
        bytes.resize(usize::try_from(length).expect("what one rank holds in memory, another can"), 0);
        for part in bytes.chunks_mut(gather::LIMIT_BYTES) {
            process.broadcast_into(part);
        }
        bytes
    }

    /// Every rank's value and bytes in rank order, on rank 0; `None` elsewhere.
    #[must_use]
    pub fn gather_with<T: Serialize + DeserializeOwned>(&self, value: &T, bytes: &[u8]) -> Option<Vec<(T, Vec<u8>)>> {
        let parts = self.gather_bytes(&wire::pack_with(value, bytes));
        parts.map(|parts| parts.into_iter().map(wire::unpack_with).collect())
    }

    fn gather_bytes(&self, bytes: &[u8]) -> Option<Vec<Vec<u8>>> {
        self.meet();
        gather::gather(&self.comm, bytes)
    }
}
