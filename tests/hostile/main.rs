//! What a cluster does to a program: closed streams, signals to any rank, ranks that were told different things or are of different builds, files that
//! others wrote, names with control characters, limits. Nothing may crash or hang, and every exit code is the documented one.

#![allow(clippy::unwrap_used, reason = "a test fails where it cannot go on")]

mod builds;
mod limits;
mod names;
mod ranks;
mod signals;
mod streams;
#[path = "../support/mod.rs"]
mod support;
mod xml;
