//! Names of hosts: what of them tells one host from another. Knows no network.

use std::net::IpAddr;

/// The name as launchers know it: cut at the first dot unless it is an address.
#[must_use]
pub(crate) fn short_name(name: &str) -> &str {
    match name.parse::<IpAddr>() {
        Ok(_) => name,
        Err(_) => name.split('.').next().unwrap_or(name),
    }
}

/// The name without the `user@` that may stand before it.
#[must_use]
pub(crate) fn without_user(word: &str) -> &str {
    word.split_once('@').map_or(word, |(_, name)| name)
}

/// Whether it is a name of mDNS, `.local`, which exists with its ending alone.
#[must_use]
pub(crate) fn is_mdns(name: &str) -> bool {
    let Some((host, ending)) = name.rsplit_once('.') else { return false };
    !host.is_empty() && ending.eq_ignore_ascii_case("local")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn names_of_mdns_end_in_local() {
        assert!(is_mdns("pi1.local") && is_mdns("Pi1.LOCAL"));
        assert!(!is_mdns("local") && !is_mdns(".local") && !is_mdns("pi1.local.site.org"));
    }

    #[test]
    fn a_user_is_no_part_of_the_name() {
        assert_eq!(["pi@a.b", "a", "a@b@c"].map(without_user), ["a.b", "a", "b@c"]);
    }

    #[test]
    fn an_address_keeps_its_dots() {
        assert_eq!(short_name("192.0.2.2"), "192.0.2.2");
        assert_eq!(short_name("a.b.c"), "a");
    }
}
