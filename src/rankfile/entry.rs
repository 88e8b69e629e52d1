//! What a rankfile says, line by line, once it is understood. Values only.

use std::collections::BTreeSet;

use super::diagnostic::Span;
use super::slots::SlotList;
use crate::{host_name::short_name, request::DeviceRequest};

/// One rank's line.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Entry {
    /// The rank in `MPI_COMM_WORLD`.
    pub rank: u32,
    /// The host as written, without `user@`.
    pub host: String,
    /// The user that ssh is to log in as there.
    pub user: Option<String>,
    /// The cores asked for.
    pub slots: SlotList,
    /// The device asked for in a comment on the line.
    pub device: Option<DeviceRequest>,
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
        short_name(&self.host)
    }
}

/// The lines of a rankfile that can be understood, in the order of the file.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Rankfile {
    /// The lines. A rank may stand in several of them; then the last one counts.
    pub entries: Vec<Entry>,
    /// Whether a line was meant for a rank and could not be read: then ranks only seem to be missing.
    pub has_unread_lines: bool,
}

impl Rankfile {
    /// The hosts, as [`Entry::short_host`] has them.
    #[must_use]
    pub fn short_hosts(&self) -> BTreeSet<&str> {
        self.entries.iter().map(Entry::short_host).collect()
    }

    /// The same lines, with other names for the hosts that `name` knows one for.
    #[must_use]
    pub fn with_hosts(&self, name: impl Fn(&str) -> Option<String>) -> Self {
        let mut renamed = self.clone();
        for entry in &mut renamed.entries {
            if let Some(other) = name(&entry.host) {
                entry.host = other;
            }
        }
        renamed
    }

    /// The line that counts for a rank.
    #[must_use]
    pub fn entry(&self, rank: u32) -> Option<&Entry> {
        self.entries.iter().rev().find(|entry| entry.rank == rank)
    }
}
