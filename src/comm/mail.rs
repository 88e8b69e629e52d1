//! Messages between two ranks, in the order in which they were sent: a value, and bytes behind it.

use mpi::{
    request,
    topology::{Communicator, SimpleCommunicator},
    traits::{Destination, Equivalence, Source},
};

use serde::{Serialize, de::DeserializeOwned};

use super::{Group, gather::mpi_count, pause::finish, wire};

/// What a message belongs to: no receiver is given one that is meant for another part of the program.
#[derive(Clone, Copy)]
pub(super) enum Tag {
    /// Messages of [`Group::send`].
    Mail = 0,
    /// What the ranks of a node tell each other.
    Node = 1,
    /// What time it is.
    Clock = 2,
    /// Which build a rank is of: never another number, so that any two builds hear each other. Below 32768, as MPI has it everywhere.
    Build = 0x4859,
}

impl Group {
    /// Sends `value` and `bytes`, together less than 2 GiB, to rank `to`, which is below [`size`](Self::size); returns when they may be
    /// changed again, which may be before they are received. Messages from one rank to another arrive in the order of their sending.
    pub fn send(&self, to: usize, value: &impl Serialize, bytes: &[u8]) {
        send(&self.comm, to, Tag::Mail, &wire::pack_with(value, bytes));
    }

    /// A message that any rank has sent, if one has arrived: its sender, the value and the bytes. Does not wait.
    #[must_use]
    pub fn try_receive<T: DeserializeOwned>(&self) -> Option<(usize, T, Vec<u8>)> {
        let (from, bytes) = try_receive(&self.comm, None, Tag::Mail)?;
        let (value, rest) = wire::unpack_with(bytes);
        Some((from, value, rest))
    }
}

/// Sends less than 2 GiB to rank `to`; returns when they may be changed again.
pub(super) fn send(comm: &SimpleCommunicator, to: usize, tag: Tag, bytes: &[u8]) {
    let to = comm.process_at_rank(mpi_count(to));
    request::scope(|scope| finish(to.immediate_send_with_tag(scope, bytes, tag as i32)));
}

/// A message from rank `from`, or from any, with its sender, if one has arrived.
pub(super) fn try_receive(comm: &SimpleCommunicator, from: Option<usize>, tag: Tag) -> Option<(usize, Vec<u8>)> {
    let (message, status) = match from {
        Some(rank) => comm.process_at_rank(mpi_count(rank)).immediate_matched_probe_with_tag(tag as i32),
        None => comm.any_process().immediate_matched_probe_with_tag(tag as i32),
    }?;
    let length = status.count(u8::equivalent_datatype());
    let mut bytes = vec![0; usize::try_from(length).expect("MPI counts bytes from 0")];
    request::scope(|scope| finish(message.immediate_matched_receive_into(scope, &mut bytes[..])));
    Some((usize::try_from(status.source_rank()).expect("MPI numbers ranks from 0"), bytes))
}
