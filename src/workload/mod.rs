//! What a job computes: shares of the work, assembly of the one result, and what is measured on the way.

mod error;
pub mod image;
pub mod memory;
pub mod pi;
pub mod schedule;
pub mod space;
pub mod stop;

pub use self::error::WorkloadError;
