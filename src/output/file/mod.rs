//! Files as safe as a shared folder allows: opened by descriptor relative to their folder, never through a link that somebody
//! else has laid, and held against every other job.
//!
//! Knows nothing of what is in the files.

pub mod digest;
pub mod folder;
mod holder;
pub mod location;
pub mod lock;
pub mod part_file;
pub mod process;
pub mod sealed;
pub mod stream;
pub mod whole;
