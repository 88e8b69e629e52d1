//! What a run leaves behind, in four folders for what it is.
//!
//! Files are created before any work starts, so that a bad path fails at once, and appear under their own name only when
//! they are complete. Knows nothing of MPI, devices or how a result came to be.

pub mod drawing;
pub mod file;
pub mod image;
pub mod report;
