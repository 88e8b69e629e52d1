//! The rankfile that a launcher tells its ranks of, and where it is for this process. Reads no rankfile.

use std::{
    ffi::{OsStr, OsString},
    fs,
    os::unix::{ffi::OsStrExt, process::parent_id},
    path::{Path, PathBuf},
};

use super::{Dialect, Launcher, profile::RankfileReader};
use crate::topology::SlotUnit;

/// The variable in which this program is told of a rankfile where the launcher does not tell of one.
pub(crate) const OWN_VARIABLE: &str = "HYBRID_RANKFILE";

/// A rankfile that a launcher follows.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct FollowedRankfile {
    /// The file as the launcher was given it.
    pub(crate) path: PathBuf,
    /// How the launcher reads it.
    pub(crate) dialect: Dialect,
    /// How names of the launcher's process begin.
    process_names: &'static [&'static str],
}

/// The rankfile that these variables tell of.
pub(crate) fn followed_rankfile(variable: impl Fn(&str) -> Option<OsString>) -> Option<FollowedRankfile> {
    Launcher::all().filter_map(Launcher::rankfile).find_map(|reader| {
        let RankfileReader { dialect, path_variables, process_names, .. } = *reader;
        let path = path_variables.iter().find_map(|name| variable(name).filter(|value| !value.is_empty()))?;
        Some(FollowedRankfile { path: path.into(), dialect, process_names })
    })
}

/// What slots count, as far as these variables tell: cores unless they say otherwise.
pub(crate) fn told_slot_unit(variable: impl Fn(&str) -> Option<OsString>) -> SlotUnit {
    let is_set = |(name, values): &(&str, &[&str])| {
        let value = variable(name).and_then(|value| value.into_string().ok()).unwrap_or_default();
        values.contains(&value.to_ascii_lowercase().as_str())
    };
    let mut settings = Launcher::all().filter_map(Launcher::rankfile).flat_map(|reader| reader.thread_settings);
    if settings.any(is_set) { SlotUnit::Thread } else { SlotUnit::Core }
}

impl FollowedRankfile {
    /// Where the file is: relative to the folder in which the launcher was started. That is where the ranks are too, unless
    /// `-wdir` sends them elsewhere; then the launcher's environment remembers it.
    pub(crate) fn file(&self) -> PathBuf {
        let path = &self.path;
        let remembered =
            || launchers_folder(self.process_names).map(|folder| folder.join(path)).filter(|path| path.exists());
        if path.exists() { path.clone() } else { remembered().unwrap_or_else(|| path.clone()) }
    }
}

/// The folder in which the shell started the launcher, where that is the parent of this process and the system tells.
fn launchers_folder(process_names: &[&str]) -> Option<PathBuf> {
    let parent = Path::new("/proc").join(parent_id().to_string());
    let name = fs::read_to_string(parent.join("comm")).ok()?;
    if !process_names.iter().any(|launcher| name.trim_end().starts_with(launcher)) {
        return None;
    }
    let environment = fs::read(parent.join("environ")).ok()?;
    let folder = environment.split(|&byte| byte == 0).find_map(|setting| setting.strip_prefix(b"PWD="))?;
    Some(PathBuf::from(OsStr::from_bytes(folder)))
}
