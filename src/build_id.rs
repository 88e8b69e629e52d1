//! Which build this program is: its version, a digest of its sources, and one of those that decide what ranks tell each other. Knows
//! nothing of who compares them; `build/sources.rs` says what the digests are of.

use std::fmt;

/// What `--version` prints behind the program's name.
pub(crate) const LONG_VERSION: &str =
    concat!(env!("CARGO_PKG_VERSION"), "\nsources     ", env!("HYBRID_SOURCES"), "\nwire format ", env!("HYBRID_WIRE"));

/// A build. Two that are equal were made of the same sources, on whatever machine.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub(crate) struct BuildId {
    /// The package's version.
    pub(crate) version: String,
    /// Of the sources that decide what ranks tell each other.
    pub(crate) wire: u64,
    /// Of all sources and of the versions of all crates.
    pub(crate) sources: u64,
}

impl BuildId {
    /// That of this program.
    pub(crate) fn of_this_program() -> Self {
        let digest = |digits| u64::from_str_radix(digits, 16).expect("the build writes 16 digits");
        Self {
            version: env!("CARGO_PKG_VERSION").to_owned(),
            wire: digest(env!("HYBRID_WIRE")),
            sources: digest(env!("HYBRID_SOURCES")),
        }
    }
}

impl fmt::Display for BuildId {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "hybrid {} (sources {:016x}, wire format {:016x})", self.version, self.sources, self.wire)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_is_compared_is_what_is_printed() {
        let build = BuildId::of_this_program();
        let printed = format!("{}\nsources     {:016x}\nwire format {:016x}", build.version, build.sources, build.wire);
        assert_eq!(printed, LONG_VERSION);
        assert_ne!(build.sources, build.wire);
    }
}
