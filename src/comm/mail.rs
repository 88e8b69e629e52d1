//! Messages between two ranks of a group, in the order in which they were sent: a value, and bytes behind it. Who waits for the other side sleeps:
//! MPI's own blocking calls spin, which on a core that ranks share keeps the one that is waited for from its turn.

use mpi::{
    request::{self, Request, Scope},
    topology::Communicator,
    traits::{Destination, Equivalence, Source},
};

use serde::{Serialize, de::DeserializeOwned};

use super::{Group, Pause, gather::mpi_count, wire};

impl Group {
    /// Sends `value` and `bytes`, together less than 2 GiB, to rank `to`; returns when they may be changed again.
    pub fn send(&self, to: usize, value: &impl Serialize, bytes: &[u8]) {
        let message = wire::pack_with(value, bytes);
        request::scope(|scope| finish(self.comm.process_at_rank(mpi_count(to)).immediate_send(scope, &message[..])));
    }

    /// A message from any rank, with its sender, if one has arrived.
    #[must_use]
    pub fn try_receive<T: DeserializeOwned>(&self) -> Option<(usize, T, Vec<u8>)> {
        let (message, status) = self.comm.any_process().immediate_matched_probe()?;
        let length = status.count(u8::equivalent_datatype());
        let mut bytes = vec![0; usize::try_from(length).expect("MPI counts bytes from 0")];
        request::scope(|scope| finish(message.immediate_matched_receive_into(scope, &mut bytes[..])));
        let (value, rest) = wire::unpack_with(bytes);
        Some((usize::try_from(status.source_rank()).expect("MPI numbers ranks from 0"), value, rest))
    }
}

/// Waits for a request that the other side has to answer.
fn finish<'a, D: ?Sized>(mut request: Request<'a, D, impl Scope<'a>>) {
    let mut pause = Pause::default();
    while let Err(pending) = request.test() {
        request = pending;
        pause.sleep();
    }
}
