//! What a rankfile says, line by line, once it is understood. Values only.

use super::diagnostic::Span;
use super::hostname;
use super::slots::SlotList;
use crate::wish::DeviceWish;

/// One rank's line.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Entry {
    /// The rank in `MPI_COMM_WORLD`.
    pub rank: u32,
    /// The host as written, without `user@`.
    pub host: String,
    /// The cores asked for.
    pub slots: SlotList,
    /// The device asked for in a comment on the line.
    pub device: Option<DeviceWish>,
    /// Line of the file, from 1.
    pub line: usize,
    /// Place of the rank's number, of the host and of the slot list.
    pub(super) spans: [Span; 3],
    /// Place of the device comment.
    pub(super) device_at: Option<Span>,
}

impl Entry {
    /// Place of the slot list.
    #[must_use]
    pub fn slots_span(&self) -> Span {
        self.spans[2]
    }

    /// The host as the launchers know it: cut at the first dot unless it is an address.
    #[must_use]
    pub fn short_host(&self) -> &str {
        hostname::short_name(&self.host)
    }
}

/// The lines of a rankfile that can be understood, in the order of the file.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Rankfile {
    /// The lines. A rank may stand in several of them; then the last one counts.
    pub entries: Vec<Entry>,
}

impl Rankfile {
    /// The line that counts for a rank.
    #[must_use]
    pub fn entry(&self, rank: u32) -> Option<&Entry> {
        self.entries.iter().rev().find(|entry| entry.rank == rank)
    }
}
