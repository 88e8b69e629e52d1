//! The sockets over which Open MPI talks to its launcher.
//!
//! They are opened without `TCP_NODELAY`, and the exchange of small messages at the end of a job then waits for delayed
//! acknowledgements, some 40 ms.

#![expect(unsafe_code, reason = "another library's file descriptors are borrowed by number")]

use std::{fs, os::fd::BorrowedFd};

use socket2::{Protocol, SockRef};

/// Sends small messages at once on every TCP socket of this process. Linux only; elsewhere it finds nothing.
pub(super) fn send_at_once() {
    let numbers = fs::read_dir("/proc/self/fd").into_iter().flatten().flatten();
    for number in numbers.filter_map(|entry| entry.file_name().to_str()?.parse().ok()) {
        // SAFETY: The descriptor was open a moment ago; nothing closes it meanwhile, since MPI's own threads keep theirs for
        // the whole job. A number that is no open socket makes the calls below fail, which is ignored.
        let descriptor = unsafe { BorrowedFd::borrow_raw(number) };
        let socket = SockRef::from(&descriptor);
        if socket.protocol().ok().flatten() == Some(Protocol::TCP) {
            // Where this fails the job only ends a little later.
            let _ = socket.set_tcp_nodelay(true);
        }
    }
}
