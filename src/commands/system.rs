//! Names that the operating system has: its own, and that of whoever runs this process.

use std::{env, ffi::CStr, fs};

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

/// The user's name: as the environment has it, else as the system's list of users does, else the number.
pub(super) fn user() -> String {
    let named = ["USER", "LOGNAME"].into_iter().find_map(|name| env::var(name).ok()).filter(|name| !name.is_empty());
    let number = rustix::process::getuid().as_raw().to_string();
    let listed = || name_of(&number, &fs::read_to_string("/etc/passwd").unwrap_or_default());
    let name = named.or_else(listed).unwrap_or_else(|| number.clone());
    visible(&name).into_owned()
}

/// The name of the user with this number in a list of users, as passwd(5) has it.
fn name_of(number: &str, users: &str) -> Option<String> {
    let fields = |line: &str| line.split(':').map(str::to_owned).collect::<Vec<_>>();
    let user = users.lines().map(fields).find(|fields| fields.get(2).is_some_and(|uid| uid == number))?;
    user.into_iter().next()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_user_has_a_name_or_a_number() {
        let users = "root:x:0:0:root:/root:/bin/bash\nme:x:1000:1000::/home/me:/bin/sh\nbroken\n";
        assert_eq!(name_of("1000", users).as_deref(), Some("me"));
        assert_eq!(name_of("7", users), None);
        assert!(!user().is_empty());
    }
}
