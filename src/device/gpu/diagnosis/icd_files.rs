//! The ICD files, by which Vulkan's loader knows its drivers: which it reads, what each names, and which settings keep it from
//! that. The loader's documentation, "Vulkan Driver Interface" and "Loader Settings".

use std::{
    env,
    ffi::OsStr,
    fs,
    path::{Path, PathBuf},
};

use super::system::System;
use crate::{
    placement::{IcdFile, UnreadIcdFile},
    visible::visible,
};

/// Settings that name the only driver files to be read; the first that is set counts.
const RESTRICTIONS: [&str; 2] = ["VK_DRIVER_FILES", "VK_ICD_FILENAMES"];
/// Names driver files to be read before the others.
const ADDITION: &str = "VK_ADD_DRIVER_FILES";
/// Names files that are not to be used, and those that alone are, both by globs with commas between.
const DISABLE: &str = "VK_LOADER_DRIVERS_DISABLE";
const SELECT: &str = "VK_LOADER_DRIVERS_SELECT";
/// A driver file has some hundred bytes; a file of more is something else.
const LIMIT_BYTES: u64 = 1 << 20;

impl System<'_> {
    /// The setting that makes the loader read some files alone, as `NAME=value`.
    pub(super) fn restriction(&self) -> Option<String> {
        self.restricting().map(|(name, value)| format!("{name}={}", visible(&value)))
    }

    fn restricting(&self) -> Option<(&'static str, String)> {
        RESTRICTIONS.into_iter().find_map(|name| Some((name, self.set(name)?)))
    }

    /// The driver files that the loader reads, in its order, and those that it cannot use.
    pub(super) fn icd_files(&self) -> (Vec<IcdFile>, Vec<UnreadIcdFile>) {
        let places: Vec<PathBuf> = match self.restricting() {
            Some((_, value)) => env::split_paths(&value).collect(),
            None => {
                let added = self.set(ADDITION).unwrap_or_default();
                env::split_paths(&added).chain(self.folders()).collect()
            }
        };
        let mut files: Vec<PathBuf> = Vec::new();
        // A list that is empty, or has nothing between two colons, is split into empty paths.
        for place in places.into_iter().filter(|place| !place.as_os_str().is_empty()) {
            let mut here = json_files(&self.at(&place));
            here.retain(|file| !files.contains(file));
            files.extend(here);
        }
        let (mut read, mut unread) = (Vec::new(), Vec::new());
        for file in files {
            match self.icd_file(&file) {
                Ok(icd) => read.push(icd),
                Err(reason) => unread.push(UnreadIcdFile { path: self.shown(&file), reason }),
            }
        }
        (read, unread)
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

    /// What a driver file says, or why the loader cannot use it.
    fn icd_file(&self, file: &Path) -> Result<IcdFile, String> {
        let facts = fs::metadata(file).map_err(|cause| cause.to_string())?;
        if !facts.is_file() || facts.len() > LIMIT_BYTES {
            return Err("it is no file of some hundred bytes".to_owned());
        }
        let text = fs::read_to_string(file).map_err(|cause| cause.to_string())?;
        let json: serde_json::Value = serde_json::from_str(&text).map_err(|cause| format!("it is no JSON: {cause}"))?;
        let library = json["ICD"]["library_path"].as_str().ok_or("it names no library: no ICD.library_path")?;
        let found = if library.contains('/') && !library.starts_with('/') {
            file.parent().map(|folder| folder.join(library)).filter(|library| library.exists())
        } else {
            self.library(library, &[])
        };
        Ok(IcdFile {
            path: self.shown(file),
            library: visible(library).into_owned(),
            library_found: found.is_some(),
            fault: found.and_then(|library| self.fault(&library)),
            disabled_by: self.disabling(file),
        })
    }

    /// The setting by which the loader does not use a driver file, as `NAME=value`.
    fn disabling(&self, file: &Path) -> Option<String> {
        let name = file.file_name()?.to_string_lossy().to_lowercase();
        let matches = |globs: &str| globs.split(',').any(|glob| matches(&glob.trim().to_lowercase(), &name));
        let shown = |name: &str, value: &str| Some(format!("{name}={}", visible(value)));
        match (self.set(DISABLE), self.set(SELECT)) {
            // What is selected is used although it is disabled.
            (_, Some(select)) if matches(&select) => None,
            (Some(disable), _) if matches(&disable) => shown(DISABLE, &disable),
            (_, Some(select)) => shown(SELECT, &select),
            _ => None,
        }
    }
}

/// Whether a glob of the loader, which has `*` at its ends alone, or `~all~`, names a file.
fn matches(glob: &str, name: &str) -> bool {
    if glob == "~all~" {
        return true;
    }
    match (glob.strip_prefix('*'), glob.strip_suffix('*')) {
        (Some(_), Some(_)) => name.contains(glob.trim_matches('*')),
        (Some(end), None) => name.ends_with(end),
        (None, Some(start)) => name.starts_with(start),
        (None, None) => name == glob,
    }
}

/// The file itself, or the `.json` files of a folder by name; none of a folder that is not there.
fn json_files(place: &Path) -> Vec<PathBuf> {
    let Ok(entries) = fs::read_dir(place) else {
        let is_file = place.extension() == Some(OsStr::new("json")) || place.is_file();
        return if is_file { vec![place.to_owned()] } else { Vec::new() };
    };
    let mut files: Vec<PathBuf> = entries.filter_map(|entry| Some(entry.ok()?.path())).collect();
    files.retain(|file| file.extension() == Some(OsStr::new("json")));
    files.sort();
    files
}

#[cfg(test)]
mod tests {
    use super::{super::made_up::Made, *};

    const NVIDIA: &str = r#"{"file_format_version": "1.0.1", "ICD": {"library_path": "libGLX_nvidia.so.0"}}"#;
    const BESIDE: &str = r#"{"ICD": {"library_path": "../drivers/own.so"}}"#;
    const ABSOLUTE: &str = r#"{"ICD": {"library_path": "/opt/lvp.so"}}"#;

    fn seen(made: &mut Made, variables: &[(&'static str, &str)]) -> Vec<String> {
        made.variables = variables.iter().map(|(name, value)| (*name, (*value).to_owned())).collect();
        let word = |icd: IcdFile| format!("{} {} {}", icd.path, icd.library, icd.library_found);
        made.system(|system| system.icd_files()).0.into_iter().map(word).collect()
    }

    #[test]
    fn drivers_are_found_where_the_loader_finds_them() {
        let mut made = Made::with(&[
            ("usr/share/vulkan/icd.d/b.json", ABSOLUTE),
            ("usr/share/vulkan/icd.d/a.json", BESIDE),
            ("usr/share/vulkan/icd.d/readme.txt", NVIDIA),
            ("usr/share/vulkan/icd.d/broken.json", "{"),
            ("usr/share/vulkan/icd.d/empty.json", "{}"),
            ("usr/share/vulkan/drivers/own.so", ""),
            ("etc/vulkan/icd.d/nvidia_icd.json", NVIDIA),
            ("home/me/.config/vulkan/icd.d/mine.json", ABSOLUTE),
            ("opt/lvp.so", ""),
            ("stray.json", ABSOLUTE),
        ]);
        let expected = [
            "/home/me/.config/vulkan/icd.d/mine.json /opt/lvp.so true",
            "/etc/vulkan/icd.d/nvidia_icd.json libGLX_nvidia.so.0 false",
            "/usr/share/vulkan/icd.d/a.json ../drivers/own.so true",
            "/usr/share/vulkan/icd.d/b.json /opt/lvp.so true",
        ];
        assert_eq!(seen(&mut made, &[("HOME", "/home/me")]), expected);
        assert_eq!(seen(&mut made, &[]), expected[1..]);
        let unread = made.system(|system| system.icd_files()).1;
        let reasons: Vec<String> = unread.iter().map(|icd| format!("{}: {}", icd.path, icd.reason)).collect();
        assert!(reasons[0].starts_with("/usr/share/vulkan/icd.d/broken.json: it is no JSON"), "{reasons:?}");
        assert!(reasons[1].contains("empty.json: it names no library") && reasons.len() == 2, "{reasons:?}");
        assert_eq!(seen(&mut made, &[("XDG_DATA_DIRS", "/elsewhere")]), expected[1..2]);
    }

    #[test]
    fn a_setting_names_the_only_files() {
        let mut made = Made::with(&[("etc/vulkan/icd.d/nvidia_icd.json", NVIDIA), ("opt/own.json", ABSOLUTE)]);
        let mut only = |name, value| seen(&mut made, &[(name, value)]);
        assert_eq!(only("VK_DRIVER_FILES", "/opt/own.json:/nonexistent"), ["/opt/own.json /opt/lvp.so false"]);
        assert_eq!(only("VK_ADD_DRIVER_FILES", "/opt/own.json").len(), 2);
        assert_eq!(only("VK_ICD_FILENAMES", "/nonexistent.json"), [""; 0]);
        let unread = made.system(|system| system.icd_files()).1;
        assert!(unread.len() == 1 && unread[0].reason.contains("No such file"), "{unread:?}");
        assert_eq!(made.system(|system| system.restriction()).as_deref(), Some("VK_ICD_FILENAMES=/nonexistent.json"));
    }

    #[test]
    fn drivers_are_disabled_by_globs_of_their_files() {
        let mut made = Made::with(&[("etc/vulkan/icd.d/nvidia_icd.json", NVIDIA)]);
        for (disable, select, expected) in [
            ("", "", None),
            ("*nvidia*", "", Some("VK_LOADER_DRIVERS_DISABLE=*nvidia*")),
            ("radeon*, NVIDIA*", "", Some("VK_LOADER_DRIVERS_DISABLE=radeon*, NVIDIA*")),
            ("~all~", "", Some("VK_LOADER_DRIVERS_DISABLE=~all~")),
            ("~all~", "nvidia*", None),
            ("radeon*", "", None),
            ("", "*lvp*", Some("VK_LOADER_DRIVERS_SELECT=*lvp*")),
            ("*_icd.json", "", Some("VK_LOADER_DRIVERS_DISABLE=*_icd.json")),
            ("nvidia_icd", "", None),
        ] {
            made.variables = vec![(DISABLE, disable.to_owned()), (SELECT, select.to_owned())];
            let disabled = made.system(|system| system.icd_files()).0.remove(0).disabled_by;
            assert_eq!(disabled.as_deref(), expected, "{disable:?}, {select:?}");
        }
    }
}
