//! The first words between two ranks: which build each is of, in bytes whose layout never changes, so that any two builds understand
//! each other as far as that. Knows nothing of MPI and not the format on the wire, which may change.

use crate::build_id::BuildId;

/// Marks the message. The last byte would be another for another layout, which no build is to have.
const MARK: [u8; 8] = *b"hybrid\0\x01";
const VERSION_BYTES: usize = 32;
const HOST_BYTES: usize = 64;

/// Length of the message: the mark; the version, padded with zeros; the digests of the wire format and of the sources, little-endian;
/// the host, padded with zeros.
pub(super) const BYTES: usize = MARK.len() + VERSION_BYTES + 2 * size_of::<u64>() + HOST_BYTES;

/// What a rank says of itself.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct Hello {
    /// Its build.
    pub(super) build: BuildId,
    /// Its node.
    pub(super) host: String,
}

impl Hello {
    /// As bytes. Texts that are too long are cut.
    pub(super) fn to_bytes(&self) -> [u8; BYTES] {
        let BuildId { version, wire, sources } = &self.build;
        let mut bytes = [0; BYTES];
        let parts = [
            (MARK.len(), &MARK[..]),
            (VERSION_BYTES, version.as_bytes()),
            (size_of::<u64>(), &wire.to_le_bytes()),
            (size_of::<u64>(), &sources.to_le_bytes()),
            (HOST_BYTES, self.host.as_bytes()),
        ];
        let mut start = 0;
        for (length, part) in parts {
            let part = &part[..part.len().min(length)];
            bytes[start..start + part.len()].copy_from_slice(part);
            start += length;
        }
        bytes
    }

    /// What another rank said; `None` where it is no such message.
    pub(super) fn of_bytes(bytes: &[u8]) -> Option<Self> {
        let bytes: &[u8; BYTES] = bytes.try_into().ok()?;
        let (mark, rest) = bytes.split_first_chunk()?;
        let (version, rest) = rest.split_first_chunk::<VERSION_BYTES>()?;
        let (wire, rest) = rest.split_first_chunk()?;
        let (sources, host) = rest.split_first_chunk()?;
        let build =
            BuildId { version: text(version), wire: u64::from_le_bytes(*wire), sources: u64::from_le_bytes(*sources) };
        (*mark == MARK).then(|| Self { build, host: text(host) })
    }
}

/// A text without its padding.
fn text(bytes: &[u8]) -> String {
    String::from_utf8_lossy(bytes).trim_end_matches('\0').to_owned()
}

#[cfg(test)]
mod tests {
    use super::*;

    fn hello(version: &str, host: &str) -> Hello {
        let build = BuildId { version: version.to_owned(), wire: 0x0102_0304_0506_0708, sources: 0xa0 };
        Hello { build, host: host.to_owned() }
    }

    /// Nothing here may ever be another: builds of all versions say this.
    #[test]
    fn the_layout_is_fixed() {
        let bytes = hello("0.1.0", "node7").to_bytes();
        assert_eq!(bytes.len(), 120);
        assert_eq!(bytes[..14], *b"hybrid\0\x010.1.0\0");
        assert_eq!(bytes[40..56], [8, 7, 6, 5, 4, 3, 2, 1, 0xa0, 0, 0, 0, 0, 0, 0, 0]);
        assert_eq!(bytes[56..62], *b"node7\0");
        assert!(bytes[13..40].iter().chain(&bytes[61..]).all(|byte| *byte == 0));
    }

    #[test]
    fn a_rank_is_understood_and_what_is_cut_as_well() {
        let said = hello("0.1.0", "node7");
        assert_eq!(Hello::of_bytes(&said.to_bytes()), Some(said));
        let long = Hello::of_bytes(&hello(&"1".repeat(40), &"\u{e9}".repeat(40)).to_bytes()).unwrap();
        assert_eq!((long.build.version.len(), long.host.chars().count()), (32, 32));
    }

    #[test]
    fn other_bytes_are_no_such_message() {
        let bytes = hello("0.1.0", "n").to_bytes();
        let mut other_mark = bytes;
        other_mark[7] = 2;
        for bytes in [&[][..], &bytes[1..], &[&bytes[..], &[0]].concat(), &other_mark, &[0; BYTES]] {
            assert_eq!(Hello::of_bytes(bytes), None);
        }
    }
}
