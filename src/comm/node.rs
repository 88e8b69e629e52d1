//! The ranks of one node. Messages on the whole job's communicator, not a communicator of their own: MPI makes one in a call that
//! spins until all ranks have come, see `pause`.

use std::{fmt, fs};

use mpi::topology::SimpleCommunicator;
use serde::{Serialize, de::DeserializeOwned};

use super::{
    Group, Pause,
    mail::{self, Tag},
    wire,
};

/// The ranks of this rank's node, which share its cores, memory and GPUs: collectives over the node alone. Those over the whole job
/// are in [`Group`].
///
/// The methods but for [`rank`](Self::rank) and [`size`](Self::size) are collective over the node: each of its ranks calls them, in the
/// same order. Values are as those of [`Group`].
pub struct NodeGroup {
    comm: SimpleCommunicator,
    /// The node's ranks by their numbers in the job, in rising order.
    members: Vec<usize>,
    rank: usize,
}

impl fmt::Debug for NodeGroup {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "NodeGroup({} of {:?})", self.rank, self.members)
    }
}

impl NodeGroup {
    /// Finds who is on the node that is called `host`. Collective over the job.
    ///
    /// Processes are on one node where they have the same host name and the same start of the kernel: small boards keep the name
    /// that all of them were delivered with, and containers of one machine may have names of their own.
    pub(super) fn of(all: &Group, host: &str) -> Self {
        let boot = fs::read_to_string("/proc/sys/kernel/random/boot_id").unwrap_or_default();
        let mine = (host.to_owned(), boot);
        let nodes = all.share(&mine);
        let members: Vec<usize> = (0..all.size()).filter(|rank| nodes[*rank] == mine).collect();
        let rank = members.iter().position(|rank| *rank == all.rank()).expect("a rank is on its own node");
        Self { comm: SimpleCommunicator::world(), members, rank }
    }

    /// This rank's number on the node, from 0.
    #[must_use]
    pub fn rank(&self) -> usize {
        self.rank
    }

    /// Number of ranks on the node.
    #[must_use]
    pub fn size(&self) -> usize {
        self.members.len()
    }

    /// Sum of the values of the node's ranks, on each of them; it fits in 64 bits.
    #[must_use]
    pub fn sum(&self, value: u64) -> u64 {
        self.share(&value).iter().sum()
    }

    /// The value that the node's rank 0 passed, on each of its ranks; those of the others do not matter.
    #[must_use]
    pub fn broadcast<T: Serialize + DeserializeOwned>(&self, value: &T) -> T {
        let (first, others) = self.members.split_first().expect("a rank is on its own node");
        let bytes = if self.rank == 0 { wire::pack(value) } else { self.receive(*first) };
        if self.rank == 0 {
            others.iter().for_each(|other| mail::send(&self.comm, *other, Tag::Node, &bytes));
        }
        wire::unpack(&bytes)
    }

    /// The values of the node's ranks in their order, on each of them.
    #[must_use]
    pub fn share<T: Serialize + DeserializeOwned>(&self, value: &T) -> Vec<T> {
        let (first, others) = self.members.split_first().expect("a rank is on its own node");
        let mine = wire::pack(value);
        let values = if self.rank == 0 {
            let values = [mine].into_iter().chain(others.iter().map(|other| self.receive(*other)));
            values.map(|bytes| wire::unpack(&bytes)).collect()
        } else {
            mail::send(&self.comm, *first, Tag::Node, &mine);
            Vec::new()
        };
        self.broadcast(&values)
    }

    fn receive(&self, from: usize) -> Vec<u8> {
        let mut pause = Pause::default();
        loop {
            match mail::try_receive(&self.comm, Some(from), Tag::Node) {
                Some((_, bytes)) => return bytes,
                None => pause.sleep(),
            }
        }
    }
}
