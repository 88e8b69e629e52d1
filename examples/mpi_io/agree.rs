//! Ranks fail together: a rank that went home alone would leave the others waiting in the next collective call.

use mpi::{collective::SystemOperation, topology::SimpleCommunicator, traits::*};

/// A step that failed on some rank, and so on all; the reason has been printed.
pub(crate) struct Failed;

/// Goes on where every rank succeeded; otherwise the lowest rank that failed says why. Collective.
pub(crate) fn agree<T, E: ToString>(
    world: &SimpleCommunicator,
    step: &str,
    outcome: Result<T, E>,
) -> Result<T, Failed> {
    // Who has not failed votes for a rank that there is not.
    let mine = if outcome.is_err() { world.rank() } else { world.size() };
    let mut first = 0;
    world.all_reduce_into(&mine, &mut first, SystemOperation::min());
    assert!(first <= mine, "the least number, {first}, is above this rank's, {mine}");
    match outcome {
        Ok(value) if first == world.size() => Ok(value),
        Err(reason) if first == world.rank() => {
            eprintln!("error: rank {first} cannot {step}: {}", reason.to_string());
            Err(Failed)
        }
        _ => Err(Failed),
    }
}
