//! Rankfiles: the text that tells Open MPI which rank runs on which cores of which host.
//!
//! Open MPI 4.1 and 5.x read the same text differently, each in a [`Dialect`](crate::launcher::Dialect), and
//! misread much of it without a word. This module knows what a line asks for, what each dialect really makes
//! of it, and how to write a file that is read alike in all of them. Pure text in, values and [`Diagnostic`]s
//! out: it opens no file, asks no operating system, and knows nothing of MPI, hwloc or the command line.
//!
//! ```text
//! file    := { line "\n" }            comments: "#" and "//" to the end of the line, "/* */"
//! line    := "rank" N "=" host ("slot" | "slots") "=" slots [device]
//! slots   := item { ";" item }        no blanks, at most 64 characters
//! item    := cores { "," cores }      logical cores of the node: 3, 0-2; its hardware threads under --use-hwthread-cpus
//!          | package ":" cores        cores counted within a package: 1:0-2, 1:*
//! device  := "#" ( "cpu" | "gpu" | "gpu=" PCI-bus-id )     read by this program alone
//! ```
//!
//! | to | call |
//! |---|---|
//! | read a file | [`parse_counting`] |
//! | find what a launcher will misread | the diagnostics of [`parse_counting`], [`lint_overlaps`], [`lint_rank_count`] |
//! | compare with real nodes | [`lint_against`] |
//! | find this machine under several names | [`lint_own_names`] |
//! | compare device comments with real GPUs | [`lint_gpus`] |
//! | know the cores of one entry | [`resolve`] |
//! | write a file | [`write_for`] |
//! | show a diagnostic | [`render`] |

mod against;
mod code;
mod device;
mod diagnostic;
mod entry;
mod gpus;
mod guise;
mod host_word;
mod line_ends;
mod lines;
mod lint;
mod one_machine;
mod order;
mod other_kind;
mod overlaps;
mod parse;
mod readable;
mod slots;
mod statement;
mod text;
mod wording;
mod write;

#[cfg(feature = "inside")]
pub use crate::severity::Severity;
pub use against::lint_against;
pub use code::Code;
pub use diagnostic::{Diagnostic, render};
pub use entry::{Entry, Rankfile};
pub use gpus::lint_gpus;
#[cfg(any(test, feature = "inside"))]
pub use lint::lint;
pub use lint::lint_rank_count;
pub use one_machine::{OwnName, lint_own_names, soften_own_addresses};
pub use overlaps::lint_overlaps;
#[cfg(any(test, feature = "inside"))]
pub use parse::parse;
pub use parse::{Parsed, parse_counting};
pub use slots::{Misfit, NodeShape, Reading, resolve};
pub use text::MAX_BYTES;
#[cfg(any(test, feature = "inside"))]
pub use write::write;
pub use write::{RankLine, WriteError, write_for};

/// Whether a word is the name or the IPv4 address of a host, with or without a user, that launchers take.
#[must_use]
pub fn is_host(word: &str) -> bool {
    host_word::read(word).fault.is_none_or(|fault| matches!(fault, Code::FullHostName | Code::HostUnderscore))
}
