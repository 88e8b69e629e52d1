//! What a run leaves behind: files and printed reports.
//!
//! Files are created before any work starts, so that a bad path fails at once, and appear under their own name only when
//! they are complete. Knows nothing of MPI, devices or how a result came to be.

pub mod color;
pub mod colormap;
pub mod digest;
pub mod encode;
pub mod explanation;
pub mod file;
pub mod node_drawing;
pub mod npy;
pub mod places;
pub mod plot;
pub mod png;
pub mod progress;
pub mod report;
pub mod sink;
pub mod table;
