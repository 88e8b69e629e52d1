//! What a shared library says of itself: what it needs to be loaded, and which versions of symbols it has. Read from its file,
//! since loading a library runs it. ELF, `gabi` and the "Symbol Versioning" of the Linux Standard Base.

use std::{fs::File, path::Path};

use object::{
    Endianness, ReadCache, ReadRef, elf,
    read::elf::{Dyn, FileHeader},
};

/// A reference to a version that need not be there.
const WEAK: u16 = 2;
#[cfg(target_pointer_width = "64")]
type Header = elf::FileHeader64<Endianness>;
#[cfg(target_pointer_width = "32")]
type Header = elf::FileHeader32<Endianness>;

/// What a library for this kind of machine says.
#[derive(Debug, Default, PartialEq, Eq)]
pub(super) struct SharedLibrary {
    /// Names of the libraries that it needs.
    pub(super) needed: Vec<String>,
    /// Folders in which those are looked for, with `$ORIGIN` for its own.
    pub(super) run_paths: Vec<String>,
    /// Versions of symbols that it needs, each with the name of the library that is to have it.
    pub(super) needed_versions: Vec<(String, String)>,
    /// Versions of symbols that it has.
    pub(super) versions: Vec<String>,
}

impl SharedLibrary {
    /// Reads the file.
    ///
    /// # Errors
    /// Why it cannot be loaded here, in words.
    pub(super) fn read(path: &Path) -> Result<Self, String> {
        let file = File::open(path).map_err(|cause| cause.to_string())?;
        parse(&ReadCache::new(file)).map_err(|cause| format!("it is no library for this machine: {cause}"))
    }
}

fn parse<'data, R: ReadRef<'data>>(data: R) -> Result<SharedLibrary, String> {
    let words = |error: object::Error| error.to_string();
    let header = Header::parse(data).map_err(words)?;
    let endian = header.endian().map_err(words)?;
    let machine = header.e_machine(endian);
    if this_machine().is_some_and(|this| this != machine) {
        return Err(format!("it is for machines of ELF's number {machine}"));
    }
    let sections = header.sections(endian, data).map_err(words)?;
    let mut library = SharedLibrary::default();
    let text = |bytes: &[u8]| String::from_utf8_lossy(bytes).into_owned();
    if let Some((entries, link)) = sections.dynamic(endian, data).map_err(words)? {
        let strings = sections.strings(endian, data, link).map_err(words)?;
        for entry in entries {
            let tag = entry.tag(endian);
            if ![elf::DT_NEEDED, elf::DT_RPATH, elf::DT_RUNPATH].contains(&tag) {
                continue;
            }
            let value = text(entry.string(endian, strings).map_err(words)?);
            if tag == elf::DT_NEEDED {
                library.needed.push(value);
            } else {
                library.run_paths.extend(value.split(':').filter(|folder| !folder.is_empty()).map(str::to_owned));
            }
        }
    }
    if let Some((mut files, link)) = sections.gnu_verneed(endian, data).map_err(words)? {
        let strings = sections.strings(endian, data, link).map_err(words)?;
        while let Some((file, mut versions)) = files.next().map_err(words)? {
            let name = text(file.file(endian, strings).map_err(words)?);
            while let Some(version) = versions.next().map_err(words)? {
                if version.vna_flags.get(endian) & WEAK == 0 {
                    let version = text(version.name(endian, strings).map_err(words)?);
                    library.needed_versions.push((name.clone(), version));
                }
            }
        }
    }
    if let Some((mut versions, link)) = sections.gnu_verdef(endian, data).map_err(words)? {
        let strings = sections.strings(endian, data, link).map_err(words)?;
        while let Some((_, mut names)) = versions.next().map_err(words)? {
            // The first name is the version's own, others are those that it comes after.
            if let Some(name) = names.next().map_err(words)? {
                library.versions.push(text(name.name(endian, strings).map_err(words)?));
            }
        }
    }
    Ok(library)
}

/// ELF's number of the machines that this program runs on, where it is known here.
fn this_machine() -> Option<u16> {
    match std::env::consts::ARCH {
        "x86_64" => Some(elf::EM_X86_64),
        "x86" => Some(elf::EM_386),
        "aarch64" => Some(elf::EM_AARCH64),
        "arm" => Some(elf::EM_ARM),
        "riscv64" => Some(elf::EM_RISCV),
        "powerpc64" => Some(elf::EM_PPC64),
        _ => None,
    }
}

#[cfg(test)]
mod tests {
    use std::fs;

    use super::{super::made_up::library, *};

    #[test]
    fn needs_and_versions_are_read() {
        let folder = tempfile::tempdir().unwrap();
        let at = |name: &str| folder.path().join(name);
        library(&at("libbase.so.1"), &[], Some("BASE_2.38"));
        library(&at("libtop.so"), &[&at("libbase.so.1")], None);
        let top = SharedLibrary::read(&at("libtop.so")).unwrap();
        assert_eq!(top.needed, ["libbase.so.1"]);
        assert_eq!(top.needed_versions, [("libbase.so.1".to_owned(), "BASE_2.38".to_owned())]);
        assert_eq!(SharedLibrary::read(&at("libbase.so.1")).unwrap().versions, ["libbase.so.1", "BASE_2.38"]);
    }

    #[test]
    fn what_is_no_library_for_this_machine_says_so() {
        let folder = tempfile::tempdir().unwrap();
        let file = folder.path().join("lib.so");
        library(&file, &[], None);
        let good = fs::read(&file).unwrap();
        let of = |bytes: &[u8]| {
            fs::write(&file, bytes).unwrap();
            SharedLibrary::read(&file).unwrap_err()
        };
        let mut other = good.clone();
        // The machine's number: that of a SPARC.
        other[18] = 43;
        for bytes in [&b""[..], b"text", &good[..40], &other] {
            let reason = of(bytes);
            assert!(reason.contains("no library for this machine"), "{reason}");
        }
        // Damage anywhere is an error or a library, and no panic.
        for at in (0..good.len()).step_by(7) {
            let mut damaged = good.clone();
            damaged[at] ^= 0xff;
            fs::write(&file, damaged).unwrap();
            let _ = SharedLibrary::read(&file);
        }
        assert!(SharedLibrary::read(&folder.path().join("missing")).unwrap_err().contains("No such file"));
    }
}
