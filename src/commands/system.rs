//! Names that the operating system has: its own, and that of whoever runs this process.

use std::{env, ffi::CStr};

use crate::{output::report::system::Uname, visible::visible};

/// What uname(2) tells.
pub(super) fn uname() -> Uname {
    let told = rustix::system::uname();
    let text = |text: &CStr| visible(&text.to_string_lossy()).into_owned();
    Uname {
        system: text(told.sysname()),
        node: text(told.nodename()),
        release: text(told.release()),
        version: text(told.version()),
        machine: text(told.machine()),
    }
}

/// The user's name, as the environment has it.
pub(super) fn user() -> Option<String> {
    let name = ["USER", "LOGNAME"].into_iter().find_map(|name| env::var(name).ok());
    name.map(|name| visible(&name).into_owned())
}
