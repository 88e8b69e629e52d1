//! What this program is built from, as two digests: of all sources, and of those that decide what ranks tell each other. The same on
//! any machine, since paths are sorted and written with `/`. Knows nothing of cargo, git or who compares the digests.

use std::{fs, io, path::Path};

use sha2::{Digest, Sha256};

/// Folders of which every file is a source.
pub(crate) const FOLDERS: [&str; 2] = ["shaders", "src"];
/// The versions of all crates.
pub(crate) const LOCK: &str = "Cargo.lock";
/// Folders whose files all count for the wire, beside those that [`crosses`] finds by their words: the calls of MPI; the words of the
/// command line, which each rank reads for itself; what a band is of, and the bytes of bands, which go as they are.
const ON_THE_WIRE: [&str; 4] = ["src/cli/", "src/comm/", "src/kernel/", "src/output/image/"];
/// Crates that decide how a value becomes bytes.
const PACKERS: [&str; 5] = ["rmp", "rmp-serde", "serde", "serde_core", "serde_derive"];

/// A source file: its path from the root of the package, and what is in it.
pub(crate) type Source = (String, Vec<u8>);

/// All sources below `root`, by path. What editors leave beside them is none: hidden files, and names that end with `~`.
///
/// # Errors
/// Where a folder or a file cannot be read, or has a name that is no text.
pub(crate) fn read(root: &Path) -> io::Result<Vec<Source>> {
    let mut sources = Vec::new();
    let mut open: Vec<String> = FOLDERS.map(str::to_owned).to_vec();
    while let Some(folder) = open.pop() {
        for entry in fs::read_dir(root.join(&folder))? {
            let entry = entry?;
            let name = entry.file_name().into_string().map_err(|name| io::Error::other(format!("{name:?}")))?;
            let path = format!("{folder}/{name}");
            if name.starts_with('.') || name.ends_with('~') {
                continue;
            }
            if entry.file_type()?.is_dir() {
                open.push(path);
            } else {
                sources.push((path, fs::read(entry.path())?));
            }
        }
    }
    sources.sort();
    Ok(sources)
}

/// Whether a file decides what ranks tell each other: it is in one of the folders of which that is so, defines a value that can be read
/// back from bytes, or knows the ranks of the job. So no list has to be kept.
pub(crate) fn crosses((path, text): &Source) -> bool {
    let text = String::from_utf8_lossy(text);
    ON_THE_WIRE.iter().any(|folder| path.starts_with(folder))
        || ["Deserialize", "World", "NodeGroup"].iter().any(|word| text.contains(word))
}

/// The digest of all sources and the versions of all crates.
pub(crate) fn digest_of_all(sources: &[Source], lock: &str) -> u64 {
    digest(sources.iter(), &crates(lock, |name| name != env!("CARGO_PKG_NAME")))
}

/// The digest of what decides what ranks tell each other.
pub(crate) fn digest_of_wire(sources: &[Source], lock: &str) -> u64 {
    digest(sources.iter().filter(|source| crosses(source)), &crates(lock, |name| PACKERS.contains(&name)))
}

/// The parts of a lock file that are of these crates. What it says of this package itself is another thing in a published package,
/// which leaves some dependencies of tests away.
fn crates(lock: &str, wanted: impl Fn(&str) -> bool) -> String {
    let name = |part: &str| Some(part.split_once("name = \"")?.1.split_once('"')?.0.to_owned());
    let mut parts: Vec<&str> = lock.split("[[package]]").skip(1).map(str::trim).collect();
    parts.retain(|part| name(part).is_some_and(|name| wanted(&name)));
    parts.sort_unstable();
    parts.join("\n")
}

/// The first 64 bits of a SHA-256 over each path and content, with the length of each before it.
fn digest<'a>(sources: impl Iterator<Item = &'a Source>, crates: &str) -> u64 {
    let mut hash = Sha256::new();
    let mut add = |bytes: &[u8]| {
        hash.update((bytes.len() as u64).to_le_bytes());
        hash.update(bytes);
    };
    for (path, text) in sources {
        add(path.as_bytes());
        add(text);
    }
    add(crates.as_bytes());
    u64::from_be_bytes(hash.finalize()[..8].try_into().expect("a SHA-256 has 32 bytes"))
}
