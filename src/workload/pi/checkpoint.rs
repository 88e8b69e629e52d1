//! What a killed run continues from: how many darts are thrown, and how many of them hit. A small JSON file, replaced as
//! a whole.

use std::{fs, io, path::Path};

use serde::{Deserialize, Serialize};

use crate::{error::Error, output::part_file::PartFile};

/// Changes with the meaning of the file's fields or of a dart's number.
const VERSION: u32 = 1;
/// The name in the file, so that no other JSON is taken for one.
const KIND: &str = "hybrid pi, threefry4x32-13";
/// A checkpoint is far shorter; a longer file is something else.
const MAX_BYTES: u64 = 4096;

/// The state of a run: the darts from 0 on are thrown without a gap.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct Checkpoint {
    kind: String,
    version: u32,
    /// Seed of the run.
    pub seed: u64,
    /// The error that the run is to reach, where that is its end.
    pub until: Option<f64>,
    /// Where the batch in work ends, in darts.
    pub target: u64,
    /// Darts thrown.
    pub darts: u64,
    /// Hits among them.
    pub hits: u64,
}

impl Checkpoint {
    /// The state before the first dart.
    #[must_use]
    pub fn start(seed: u64, until: Option<f64>) -> Self {
        Self { kind: KIND.to_owned(), version: VERSION, seed, until, target: 0, darts: 0, hits: 0 }
    }

    /// Reads the state of a run like `start` from `path`; `start` itself where there is no file yet.
    ///
    /// # Errors
    /// [`Error::Resume`] where the file is no whole checkpoint, is of another version of this program, or of a run with
    /// another seed or end.
    pub fn read(path: &Path, start: Self) -> Result<Self, Error> {
        let refused = |reason: String| Error::Resume { path: path.to_owned(), reason };
        let length = match fs::metadata(path) {
            Ok(metadata) if metadata.is_file() => metadata.len(),
            Ok(_) => return Err(refused("it is no file".to_owned())),
            Err(error) if error.kind() == io::ErrorKind::NotFound => return Ok(start),
            Err(error) => return Err(refused(error.to_string())),
        };
        if length > MAX_BYTES {
            return Err(refused(format!("{length} bytes are too many for a checkpoint")));
        }
        let text = fs::read_to_string(path).map_err(|error| refused(error.to_string()))?;
        let found: Self = serde_json::from_str(&text)
            .map_err(|error| refused(format!("it is no checkpoint, or was cut short: {error}")))?;
        if found.kind != KIND || found.version != VERSION {
            return Err(refused(format!(
                "it is of `{}` version {}, this program reads `{KIND}` version {VERSION}",
                found.kind, found.version
            )));
        }
        if found.seed != start.seed {
            return Err(refused(format!("it is of seed {}, this run has seed {}", found.seed, start.seed)));
        }
        if found.until != start.until {
            let end = |until: Option<f64>| until.map_or("--darts".to_owned(), |error| format!("--until {error}"));
            return Err(refused(format!(
                "it is of a run with {}, this one has {}",
                end(found.until),
                end(start.until)
            )));
        }
        if found.hits > found.darts || found.darts > found.target {
            return Err(refused(format!("{} hits among {} darts of {}", found.hits, found.darts, found.target)));
        }
        Ok(found)
    }

    /// Puts the state in place of what `path` holds.
    ///
    /// # Errors
    /// [`Error::Output`] where it cannot be written; the old file then stays.
    pub fn write(&self, path: &Path) -> Result<(), Error> {
        let part = PartFile::create(path)?;
        serde_json::to_writer_pretty(part.file(), self).map_err(|error| part.failed(error.into()))?;
        part.complete()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn state() -> Checkpoint {
        Checkpoint { darts: 10, hits: 8, target: 100, ..Checkpoint::start(7, None) }
    }

    #[test]
    fn a_state_survives_writing_and_reading() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("pi.json");
        assert_eq!(Checkpoint::read(&path, Checkpoint::start(7, None)).unwrap(), Checkpoint::start(7, None));
        for state in [state(), Checkpoint { until: Some(1e-5), ..state() }] {
            state.write(&path).unwrap();
            assert_eq!(Checkpoint::read(&path, Checkpoint::start(7, state.until)).unwrap(), state);
        }
    }

    #[test]
    fn what_is_no_checkpoint_of_this_run_is_refused_and_kept() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("pi.json");
        let whole = serde_json::to_string(&state()).unwrap();
        for (text, expected) in [
            (whole[..whole.len() / 2].to_owned(), "cut short"),
            (String::new(), "cut short"),
            ("\0\0".to_owned(), "cut short"),
            (" ".repeat(5000), "5000 bytes"),
            (whole.replace("\"version\":1", "\"version\":2"), "version 2"),
            (whole.replace("\"seed\":7", "\"seed\":8"), "seed 8"),
            (whole.replace("\"until\":null", "\"until\":0.5"), "--until 0.5"),
            (whole.replace("\"hits\":8", "\"hits\":11"), "11 hits among 10 darts"),
        ] {
            fs::write(&path, &text).unwrap();
            let message = Checkpoint::read(&path, Checkpoint::start(7, None)).unwrap_err().to_string();
            assert!(message.contains(expected) && message.contains("pi.json"), "{message}");
            assert_eq!(fs::read_to_string(&path).unwrap(), text);
        }
        assert!(Checkpoint::read(folder.path(), Checkpoint::start(7, None)).is_err());
    }
}
