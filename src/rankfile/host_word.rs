//! The word after `rank N=`: which names the launchers' lexers take, and what they cut off.
//! Knows no network: whether a host exists is for others to say.

use std::net::{IpAddr, Ipv6Addr};

use super::code::Code;
use crate::host_name::short_name;

/// The name to compare hosts by, and what is wrong with the word, if anything.
#[derive(Debug, PartialEq, Eq)]
pub(super) struct HostName<'a> {
    /// Without `user@`.
    pub(super) name: &'a str,
    pub(super) fault: Option<Code>,
}

/// Judges the word.
pub(super) fn read(word: &str) -> HostName<'_> {
    let (user, name) = word.split_once('@').map_or((None, word), |(user, name)| (Some(user), name));
    HostName { name, fault: fault(user, name) }
}

fn fault(user: Option<&str>, name: &str) -> Option<Code> {
    let plain = |b: u8| b.is_ascii_alphanumeric() || b == b'-' || b == b'_';
    let starts_plain = |text: &str| text.starts_with(|c: char| c.is_ascii_alphanumeric());
    if name.contains(['"', '\'']) || user.is_some_and(|user| user.contains(['"', '\''])) {
        return Some(Code::QuotedHost);
    }
    if name.starts_with("+n") || name.starts_with("+N") {
        return Some(Code::RelativeHost);
    }
    if name.contains('@') {
        return Some(Code::SeveralAts);
    }
    if user.is_some_and(|user| !starts_plain(user) || !user.bytes().all(plain)) {
        return Some(Code::HostSyntax);
    }
    if name.parse::<Ipv6Addr>().is_ok() {
        return Some(Code::Ipv6Host);
    }
    if name.parse::<IpAddr>().is_ok() {
        return None;
    }
    // The lexer takes a dot only in a name that starts with a letter, and takes its own words for itself.
    let keyword = matches!(name, "rank" | "slot" | "slots" | "username" | "user-name" | "user_name");
    let dotted = name.contains('.');
    let first_fits = if dotted { name.starts_with(|c: char| c.is_ascii_alphabetic()) } else { starts_plain(name) };
    if keyword || !first_fits || !name.bytes().all(|b| plain(b) || b == b'.') {
        return Some(Code::HostSyntax);
    }
    if short_name(name).contains('_') {
        return Some(Code::HostUnderscore);
    }
    dotted.then_some(Code::FullHostName)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn names_the_launchers_take_have_no_fault() {
        for word in ["node1", "n-1", "10", "192.0.2.2", "me@node1", "localhost", "root@192.0.2.2"] {
            assert_eq!(read(word).fault, None, "{word}");
        }
        assert_eq!(read("me@node1").name, "node1");
    }

    #[test]
    fn names_they_stumble_over_are_told_apart() {
        for (word, code) in [
            ("node.site.org", Code::FullHostName),
            ("7node.site.org", Code::HostSyntax),
            ("a_b", Code::HostUnderscore),
            ("fd00::2", Code::Ipv6Host),
            ("me@::1", Code::Ipv6Host),
            ("\"a\"", Code::QuotedHost),
            ("+n0", Code::RelativeHost),
            ("+N1", Code::RelativeHost),
            ("a@b@c", Code::SeveralAts),
            ("@a", Code::HostSyntax),
            ("a@", Code::HostSyntax),
            ("vm:0", Code::HostSyntax),
            ("[a]", Code::HostSyntax),
            ("caf\u{e9}", Code::HostSyntax),
            ("slot", Code::HostSyntax),
            ("-a", Code::HostSyntax),
        ] {
            assert_eq!(read(word).fault, Some(code), "{word}");
        }
    }
}
