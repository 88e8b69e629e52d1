//! Faults for the tests of what happens when a rank fails. Compiled into builds with debug assertions alone; a release
//! build has no such switch.

/// Fails the rank that `HYBRID_TEST_PANIC_RANK` names.
#[cfg(debug_assertions)]
pub(crate) fn inject(rank: usize) {
    let named = std::env::var("HYBRID_TEST_PANIC_RANK").ok();
    assert!(named.as_deref() != Some(rank.to_string().as_str()), "a fault was asked for");
}

/// Does nothing.
#[cfg(not(debug_assertions))]
pub(crate) fn inject(_rank: usize) {}
