//! Variables that libraries read, set before they start. The only file that changes the environment.

#![expect(unsafe_code, reason = "changing the environment is unsafe where other threads read it")]

use std::env;

/// Sets what the user has not set. Call it first, before MPI or any thread is started.
///
/// `XDG_RUNTIME_DIR`: without it the Vulkan loader's window-system libraries print an error on every rank, though no window
/// is wanted.
pub fn prepare() {
    let defaults = [("XDG_RUNTIME_DIR", env::temp_dir())];
    for (name, value) in defaults {
        if env::var_os(name).is_none() {
            // SAFETY: `main` calls this before anything that starts a thread, so nobody reads the environment meanwhile.
            unsafe { env::set_var(name, value) };
        }
    }
}
