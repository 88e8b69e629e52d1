//! Whether the dynamic linker would load a library, and what it would miss: a walk over what libraries say they need. Nothing is
//! loaded. Where libraries are looked for: `ld.so(8)`.

use std::{
    collections::{HashMap, HashSet},
    env, fs,
    path::{Path, PathBuf},
    rc::Rc,
};

use super::{shared_library::SharedLibrary, system::System};
use crate::{placement::LibraryFault, visible::visible};

const CACHE: &str = "/etc/ld.so.cache";
const FOLDERS: [&str; 4] = ["/lib", "/usr/lib", "/lib64", "/usr/lib64"];

impl System<'_> {
    /// The file that the dynamic linker takes for a library of that name, which may be a path. `run_paths` are the folders that
    /// whoever needs it names.
    pub(super) fn library(&self, name: &str, run_paths: &[PathBuf]) -> Option<PathBuf> {
        if name.contains('/') {
            return Some(self.at(name)).filter(|file| file.exists());
        }
        let own = self.set("LD_LIBRARY_PATH").unwrap_or_default();
        let own = env::split_paths(&own).map(|folder| self.at(folder).join(name));
        let beside = run_paths.iter().map(|folder| folder.join(name));
        let multiarch = format!("{}-linux-gnu", env::consts::ARCH);
        let system = FOLDERS.iter().flat_map(|folder| {
            let folder = self.at(folder);
            [folder.join(&multiarch).join(name), folder.join(name)]
        });
        let cached = self.read.cache.get_or_init(|| self.cache()).get(name).into_iter().flatten().cloned();
        let mut there = own.chain(beside).chain(cached).chain(system).filter(|file| file.exists()).peekable();
        // Libraries for other machines are passed over, unless there is no other.
        let first = there.peek().cloned();
        there.find(|file| self.shared_library(file).is_ok()).or(first)
    }

    /// The linker's cache, which holds whole paths as C strings.
    fn cache(&self) -> HashMap<String, Vec<PathBuf>> {
        let bytes = fs::read(self.at(CACHE)).unwrap_or_default();
        let mut paths = HashMap::<String, Vec<PathBuf>>::new();
        for string in bytes.split(|byte| *byte == 0).filter_map(|string| str::from_utf8(string).ok()) {
            // The head of the cache may stand before the first.
            if let Some((start, slash)) = string.find('/').zip(string.rfind('/')) {
                paths.entry(string[slash + 1..].to_owned()).or_default().push(self.at(&string[start..]));
            }
        }
        paths
    }

    /// What a library says of itself, or why it cannot be loaded here.
    fn shared_library(&self, file: &Path) -> Result<Rc<SharedLibrary>, String> {
        let mut libraries = self.read.libraries.borrow_mut();
        let read = || SharedLibrary::read(file).map(Rc::new);
        libraries.entry(file.to_owned()).or_insert_with(read).clone()
    }

    /// The first fault that the linker would find in a library or in what it needs.
    pub(super) fn fault(&self, library: &Path) -> Option<LibraryFault> {
        let (mut open, mut seen) = (vec![library.to_owned()], HashSet::new());
        while let Some(file) = open.pop() {
            let by = self.shown(&file);
            let read = match self.shared_library(&file) {
                Ok(read) => read,
                Err(reason) => return Some(LibraryFault::Unusable { library: by, reason }),
            };
            let run_paths: Vec<PathBuf> = read.run_paths.iter().map(|folder| self.run_path(folder, &file)).collect();
            for needed in &read.needed {
                let Some(found) = self.library(needed, &run_paths) else {
                    return Some(LibraryFault::Missing { library: visible(needed).into_owned(), by });
                };
                if let Some(fault) = self.missing_version(&read, needed, &found, &by) {
                    return Some(fault);
                }
                if seen.insert(found.clone()) {
                    open.push(found);
                }
            }
        }
        None
    }

    /// A folder of a library's own, in which `$ORIGIN` is where the library is.
    fn run_path(&self, folder: &str, library: &Path) -> PathBuf {
        let origin = library.canonicalize().unwrap_or_else(|_| library.to_owned());
        let origin = origin.parent().unwrap_or(Path::new("/"));
        match folder.strip_prefix("$ORIGIN").or_else(|| folder.strip_prefix("${ORIGIN}")) {
            Some(rest) => origin.join(rest.trim_start_matches('/')),
            None => self.at(folder),
        }
    }

    /// The first version of `needed` that `found` has not. A library without any versions is taken as it is, as the linker does.
    fn missing_version(&self, of: &SharedLibrary, needed: &str, found: &Path, by: &str) -> Option<LibraryFault> {
        let found_library = self.shared_library(found).ok()?;
        let versions = &found_library.versions;
        let lacks = |(name, version): &&(String, String)| name == needed && !versions.contains(version);
        let (_, version) = of.needed_versions.iter().find(lacks).filter(|_| !versions.is_empty())?;
        let family = version.split_once('_').map_or(version.as_str(), |(family, _)| family);
        let of_family = |name: &&String| name.split_once('_').is_some_and(|(its, _)| its == family);
        Some(LibraryFault::TooOld {
            library: self.shown(found),
            newest: versions.iter().filter(of_family).max_by_key(|name| numbers(name)).cloned(),
            needs: version.clone(),
            by: by.to_owned(),
        })
    }
}

/// The numbers in the name of a version, by which versions are ordered.
fn numbers(version: &str) -> Vec<u32> {
    version.split(|c: char| !c.is_ascii_digit()).filter_map(|number| number.parse().ok()).collect()
}

#[cfg(test)]
mod tests {
    use super::{
        super::made_up::{Made, library},
        *,
    };

    #[test]
    fn libraries_are_found_on_the_path_in_the_system_and_in_the_cache() {
        let mut made = Made::with(&[
            ("usr/lib/liba.so.1", ""),
            ("own/libb.so.1", ""),
            ("opt/libc.so.1", ""),
            ("etc/ld.so.cache", "x\0/opt/libc.so.1\0/opt/libgone.so.1\0y"),
        ]);
        made.variables.push(("LD_LIBRARY_PATH", "/own".to_owned()));
        made.system(|system| {
            let found = ["liba.so.1", "libb.so.1", "libc.so.1", "libc.so", "libgone.so.1", "/opt/libc.so.1"]
                .map(|name| system.library(name, &[]).is_some());
            assert_eq!(found, [true, true, true, false, false, true]);
        });
    }

    #[test]
    fn a_library_for_another_machine_is_passed_over() {
        let mut made = Made::with(&[("first/liba.so.1", "for another machine"), ("usr/lib/readme", "")]);
        library(&made.path("usr/lib/liba.so.1"), &[], None);
        made.variables.push(("LD_LIBRARY_PATH", "/first".to_owned()));
        made.system(|system| assert_eq!(system.library("liba.so.1", &[]), Some(made.path("usr/lib/liba.so.1"))));
    }

    #[test]
    fn the_first_thing_that_is_missing_is_named_however_deep_it_is() {
        let made = Made::with(&[("usr/lib/readme", ""), ("opt/readme", "")]);
        let at = |name: &str| made.path(name);
        library(&at("usr/lib/libbase.so.1"), &[], Some("BASE_2.38"));
        library(&at("usr/lib/libmiddle.so.1"), &[&at("usr/lib/libbase.so.1")], None);
        library(&at("opt/libtop.so"), &[&at("usr/lib/libmiddle.so.1")], None);
        let fault = || made.system(|system| system.fault(&at("opt/libtop.so")));
        assert_eq!(fault(), None);

        library(&at("usr/lib/libbase.so.1"), &[], Some("BASE_2.4"));
        let too_old = LibraryFault::TooOld {
            library: "/usr/lib/libbase.so.1".to_owned(),
            needs: "BASE_2.38".to_owned(),
            newest: Some("BASE_2.4".to_owned()),
            by: "/usr/lib/libmiddle.so.1".to_owned(),
        };
        assert_eq!(fault(), Some(too_old));

        fs::remove_file(at("usr/lib/libbase.so.1")).unwrap();
        let missing =
            LibraryFault::Missing { library: "libbase.so.1".to_owned(), by: "/usr/lib/libmiddle.so.1".to_owned() };
        assert_eq!(fault(), Some(missing));

        fs::write(at("usr/lib/libmiddle.so.1"), "<html>").unwrap();
        assert!(
            matches!(fault(), Some(LibraryFault::Unusable { library, .. }) if library == "/usr/lib/libmiddle.so.1")
        );
    }

    #[test]
    fn versions_are_ordered_by_their_numbers() {
        assert!(numbers("GLIBC_2.36") > numbers("GLIBC_2.4") && numbers("GLIBC_2.2.5") < numbers("GLIBC_2.3"));
    }
}
