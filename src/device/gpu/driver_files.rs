//! What Vulkan is made of on this node: its loader, the files that name drivers, and the adapters that come of them. Facts
//! alone; what they mean for a GPU is judged in [`crate::placement`].
//!
//! Where the loader looks for drivers: "Vulkan Driver Interface", section "Driver Discovery on Linux", of the Vulkan loader's
//! documentation. Where a library is found: `ld.so(8)`.

use std::{
    env,
    ffi::OsStr,
    fs,
    path::{Path, PathBuf},
};

use super::adapter::{self, AdapterFacts, Class};
use crate::{
    placement::{IcdFile, VulkanAdapter, VulkanFacts},
    visible::visible,
};

const LOADER: &str = "libvulkan.so.1";
/// Settings that name the only driver files to be read; the first that is set counts.
const RESTRICTIONS: [&str; 2] = ["VK_DRIVER_FILES", "VK_ICD_FILENAMES"];
/// Names driver files to be read before the others.
const ADDITION: &str = "VK_ADD_DRIVER_FILES";
/// A driver file has some hundred bytes; a file of more is something else.
const LIMIT_BYTES: u64 = 1 << 20;

/// Looks for Vulkan on this node, and lists its adapters. Files are looked for below `root`, `/` but for tests. Costs a few tens of milliseconds, most of it for the list.
#[must_use]
pub fn vulkan_facts(root: &Path) -> VulkanFacts {
    let system = System { root, variable: &|name| env::var(name).ok() };
    VulkanFacts {
        loader: system.has_library(LOADER),
        icd_files: system.icd_files(),
        restricted_by: system.restriction().map(|(name, value)| format!("{name}={value}")),
        adapters: adapter::list().into_iter().map(plain).collect(),
    }
}

fn plain(facts: AdapterFacts) -> VulkanAdapter {
    VulkanAdapter {
        driver: format!("{} {}", facts.driver, facts.driver_info).trim().to_owned(),
        vendor_id: facts.vendor_id,
        device_id: facts.device_id,
        pci_bus_id: facts.pci_bus_id.and_then(|id| id.parse().ok()),
        is_software: facts.class == Class::Software,
        name: facts.name,
    }
}

/// A file system and an environment.
struct System<'a> {
    root: &'a Path,
    variable: &'a dyn Fn(&str) -> Option<String>,
}

impl System<'_> {
    fn set(&self, name: &str) -> Option<String> {
        (self.variable)(name).filter(|value| !value.is_empty())
    }

    /// The setting that makes the loader read some files alone.
    fn restriction(&self) -> Option<(&'static str, String)> {
        RESTRICTIONS.into_iter().find_map(|name| Some((name, self.set(name)?)))
    }

    fn at(&self, path: &Path) -> PathBuf {
        self.root.join(path.strip_prefix("/").unwrap_or(path))
    }

    /// The driver files that the loader reads, in its order.
    fn icd_files(&self) -> Vec<IcdFile> {
        let places: Vec<PathBuf> = match self.restriction() {
            Some((_, value)) => env::split_paths(&value).collect(),
            None => {
                let added = self.set(ADDITION).unwrap_or_default();
                env::split_paths(&added).chain(self.folders()).collect()
            }
        };
        let mut files: Vec<PathBuf> = Vec::new();
        for place in places {
            let mut here = json_files(&self.at(&place));
            here.retain(|file| !files.contains(file));
            files.extend(here);
        }
        files.iter().filter_map(|file| self.icd_file(file)).collect()
    }

    /// The folders in which drivers are looked for.
    fn folders(&self) -> Vec<PathBuf> {
        let home = self.set("HOME");
        let own = |name: &str, below: &str| self.set(name).or_else(|| Some(format!("{}/{below}", home.as_ref()?)));
        let list = |name: &str, default: &str| self.set(name).unwrap_or_else(|| default.to_owned());
        let mut lists = Vec::new();
        lists.extend(own("XDG_CONFIG_HOME", ".config"));
        lists.push(list("XDG_CONFIG_DIRS", "/etc/xdg"));
        lists.extend(["/usr/local/etc", "/etc"].map(str::to_owned));
        lists.extend(own("XDG_DATA_HOME", ".local/share"));
        lists.push(list("XDG_DATA_DIRS", "/usr/local/share:/usr/share"));
        lists.iter().flat_map(env::split_paths).map(|folder| folder.join("vulkan/icd.d")).collect()
    }

    /// What a driver file says; `None` where it is none.
    fn icd_file(&self, file: &Path) -> Option<IcdFile> {
        let is_small = fs::metadata(file).is_ok_and(|facts| facts.is_file() && facts.len() <= LIMIT_BYTES);
        let text = is_small.then(|| fs::read_to_string(file).ok()).flatten()?;
        let json: serde_json::Value = serde_json::from_str(&text).ok()?;
        let library = json["ICD"]["library_path"].as_str()?;
        let shown = Path::new("/").join(file.strip_prefix(self.root).unwrap_or(file));
        let library_found = if !library.contains('/') {
            self.has_library(library)
        } else if library.starts_with('/') {
            self.at(Path::new(library)).exists()
        } else {
            file.parent().is_some_and(|folder| folder.join(library).exists())
        };
        Some(IcdFile {
            path: visible(&shown.to_string_lossy()).into_owned(),
            library: library.to_owned(),
            library_found,
        })
    }

    /// Whether the dynamic linker finds a library of that name.
    fn has_library(&self, name: &str) -> bool {
        let paths = self.set("LD_LIBRARY_PATH").unwrap_or_default();
        let system = ["/lib", "/usr/lib", "/lib64", "/usr/lib64"].map(PathBuf::from);
        let beside = env::split_paths(&paths).chain(system).any(|folder| self.at(&folder).join(name).exists());
        // The cache holds whole paths as C strings.
        let wanted = [b"/", name.as_bytes(), b"\0"].concat();
        let in_cache = |cache: Vec<u8>| cache.windows(wanted.len()).any(|window| window == wanted);
        beside || fs::read(self.at(Path::new("/etc/ld.so.cache"))).is_ok_and(in_cache)
    }
}

/// The file itself, or the `.json` files of a folder by name.
fn json_files(place: &Path) -> Vec<PathBuf> {
    let Ok(entries) = fs::read_dir(place) else { return vec![place.to_owned()] };
    let mut files: Vec<PathBuf> = entries.filter_map(|entry| Some(entry.ok()?.path())).collect();
    files.retain(|file| file.extension() == Some(OsStr::new("json")));
    files.sort();
    files
}

#[cfg(test)]
mod tests {
    use super::*;

    const NVIDIA: &str = r#"{"file_format_version": "1.0.1", "ICD": {"library_path": "libGLX_nvidia.so.0"}}"#;
    const BESIDE: &str = r#"{"ICD": {"library_path": "../drivers/own.so"}}"#;
    const ABSOLUTE: &str = r#"{"ICD": {"library_path": "/opt/lvp.so"}}"#;

    /// A node with these files.
    fn root(files: &[(&str, &str)]) -> tempfile::TempDir {
        let root = tempfile::tempdir().unwrap();
        for (path, text) in files {
            let file = root.path().join(path);
            fs::create_dir_all(file.parent().unwrap()).unwrap();
            fs::write(file, text).unwrap();
        }
        root
    }

    fn seen(root: &Path, variables: &[(&str, &str)]) -> Vec<String> {
        let variable =
            |name: &str| variables.iter().find(|(key, _)| *key == name).map(|(_, value)| (*value).to_owned());
        let system = System { root, variable: &variable };
        let word = |icd: IcdFile| format!("{} {} {}", icd.path, icd.library, icd.library_found);
        system.icd_files().into_iter().map(word).collect()
    }

    #[test]
    fn drivers_are_found_where_the_loader_finds_them() {
        let root = root(&[
            ("usr/share/vulkan/icd.d/b.json", ABSOLUTE),
            ("usr/share/vulkan/icd.d/a.json", BESIDE),
            ("usr/share/vulkan/icd.d/readme.txt", NVIDIA),
            ("usr/share/vulkan/icd.d/broken.json", "{"),
            ("usr/share/vulkan/drivers/own.so", ""),
            ("etc/vulkan/icd.d/nvidia_icd.json", NVIDIA),
            ("home/me/.config/vulkan/icd.d/mine.json", ABSOLUTE),
            ("opt/lvp.so", ""),
        ]);
        let expected = [
            "/home/me/.config/vulkan/icd.d/mine.json /opt/lvp.so true",
            "/etc/vulkan/icd.d/nvidia_icd.json libGLX_nvidia.so.0 false",
            "/usr/share/vulkan/icd.d/a.json ../drivers/own.so true",
            "/usr/share/vulkan/icd.d/b.json /opt/lvp.so true",
        ];
        assert_eq!(seen(root.path(), &[("HOME", "/home/me")]), expected);
        assert_eq!(seen(root.path(), &[]), expected[1..]);
        assert_eq!(seen(root.path(), &[("XDG_DATA_DIRS", "/elsewhere")]), expected[1..2]);
    }

    #[test]
    fn a_setting_names_the_only_files() {
        let root = root(&[("etc/vulkan/icd.d/nvidia_icd.json", NVIDIA), ("opt/own.json", ABSOLUTE)]);
        let only = |name, value| seen(root.path(), &[(name, value)]);
        assert_eq!(only("VK_DRIVER_FILES", "/opt/own.json:/nonexistent"), ["/opt/own.json /opt/lvp.so false"]);
        assert_eq!(only("VK_ICD_FILENAMES", "/nonexistent"), [""; 0]);
        assert_eq!(only("VK_ADD_DRIVER_FILES", "/opt/own.json").len(), 2);
    }

    #[test]
    fn libraries_are_found_on_the_path_in_the_system_and_in_the_cache() {
        let root =
            root(&[("usr/lib/liba.so.1", ""), ("own/libb.so.1", ""), ("etc/ld.so.cache", "x\0/opt/libc.so.1\0y")]);
        let variable = |name: &str| (name == "LD_LIBRARY_PATH").then(|| "/own".to_owned());
        let system = System { root: root.path(), variable: &variable };
        let found =
            ["liba.so.1", "libb.so.1", "libc.so.1", "libc.so", "libd.so.1"].map(|name| system.has_library(name));
        assert_eq!(found, [true, true, true, false, false]);
    }
}
