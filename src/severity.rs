//! How bad a finding is, be it on a rankfile or on where ranks are. Knows neither.

use std::fmt;

use serde::{Deserialize, Serialize};

/// How bad a finding is.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum Severity {
    /// Worth knowing: nothing is wrong, nothing helps, or it was requested.
    Note,
    /// Wrong or wasteful, or right by chance; a strict look fails on it.
    Warning,
    /// A launcher refuses the file, or places a rank where the file does not say. Of places nothing is that bad.
    Error,
}

impl Severity {
    /// The severity as reports show it.
    #[must_use]
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Note => "note",
            Self::Warning => "warning",
            Self::Error => "error",
        }
    }
}

impl fmt::Display for Severity {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.pad(self.as_str())
    }
}
