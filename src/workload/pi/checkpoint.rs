//! What a killed run continues from: how many darts are thrown, and how many of them hit. A small JSON file with a checksum,
//! replaced as a whole, and held against other runs as long as the run lasts.

use std::path::Path;

use serde::{Deserialize, Serialize};

use crate::{
    error::Error,
    output::file::{
        location::{Location, Target},
        lock::Lock,
        sealed,
    },
    workload::WorkloadError,
};

/// The name in the file, so that no other JSON is taken for one.
const KIND: &str = "hybrid pi, threefry4x32-13";
/// Changes with the meaning of the file's fields or of a dart's number.
const VERSION: u32 = 2;
/// A checkpoint is far shorter; a longer file is something else.
const MAX_BYTES: u64 = 4096;

/// The state of a run: the darts from 0 on are thrown without a gap.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct Checkpoint {
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
        Self { seed, until, target: 0, darts: 0, hits: 0 }
    }

    /// The text of the file.
    #[must_use]
    pub fn text(&self) -> Vec<u8> {
        sealed::seal(KIND, VERSION, self)
    }

    /// The state that `bytes` are, of a run that began as `start`.
    ///
    /// # Errors
    /// Why they are not one.
    pub fn of_text(bytes: &[u8], start: &Self) -> Result<Self, String> {
        let found: Self = sealed::unseal(KIND, VERSION, bytes)?;
        if found.seed != start.seed {
            return Err(format!("it is of seed {}, this run has seed {}", found.seed, start.seed));
        }
        if found.until != start.until {
            let end = |until: Option<f64>| until.map_or("--darts".to_owned(), |error| format!("--until {error}"));
            return Err(format!("it is of a run with {}, this one has {}", end(found.until), end(start.until)));
        }
        if found.hits > found.darts || found.darts > found.target {
            return Err(format!("{} hits among {} darts of {}", found.hits, found.darts, found.target));
        }
        Ok(found)
    }
}

/// The file of a run's state, which no other run has while this is there.
#[derive(Debug)]
pub struct StateFile {
    place: Location,
    _lock: Lock,
}

impl StateFile {
    /// Holds `path`.
    ///
    /// # Errors
    /// As [`Target::of`] and [`Lock::take`] have it, and [`WorkloadError::Resume`] where it can be no file.
    pub fn hold(path: &Path) -> Result<Self, Error> {
        match Target::of(path)? {
            Target::File(place) => Ok(Self { _lock: Lock::take(&place)?, place }),
            Target::Stream(_) | Target::Nothing => {
                Err(WorkloadError::Resume { path: path.to_owned(), reason: "it is no file".to_owned() }.into())
            }
        }
    }

    /// Reads the state of a run that began as `start`; `start` itself where there is no file yet.
    ///
    /// # Errors
    /// [`WorkloadError::Resume`] where the file is no whole checkpoint, is of another version of this program, or of a run with
    /// another seed or end.
    pub fn read(&self, start: Checkpoint) -> Result<Checkpoint, Error> {
        let refused =
            |reason: String| Error::from(WorkloadError::Resume { path: self.place.shown().to_owned(), reason });
        match sealed::read(&self.place, "checkpoint", MAX_BYTES).map_err(|error| refused(error.to_string()))? {
            Some(bytes) => Checkpoint::of_text(&bytes, &start).map_err(refused),
            None => Ok(start),
        }
    }

    /// Puts the state in place of what the file holds.
    ///
    /// # Errors
    /// [`Error::Output`] where it cannot be written; the old file then stays.
    pub fn write(&self, state: &Checkpoint) -> Result<(), Error> {
        sealed::replace(&self.place, &state.text())
    }
}

#[cfg(test)]
mod tests {
    use std::fs;

    use super::*;

    fn state() -> Checkpoint {
        Checkpoint { darts: 10, hits: 8, target: 100, ..Checkpoint::start(7, None) }
    }

    #[test]
    fn a_state_survives_writing_and_reading_and_is_held_between() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("pi.json");
        let file = StateFile::hold(&path).unwrap();
        assert_eq!(file.read(Checkpoint::start(7, None)).unwrap(), Checkpoint::start(7, None));
        for state in [state(), Checkpoint { until: Some(1e-5), ..state() }] {
            file.write(&state).unwrap();
            assert_eq!(file.read(Checkpoint::start(7, state.until)).unwrap(), state);
            assert!(StateFile::hold(&path).unwrap_err().to_string().contains("another job"));
        }
        drop(file);
        StateFile::hold(&path).unwrap();
    }

    #[test]
    fn what_is_no_checkpoint_of_this_run_is_refused_and_kept() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("pi.json");
        let text = |state: Checkpoint| String::from_utf8(state.text()).unwrap();
        let whole = text(state());
        for (text, expected) in [
            (whole[..whole.len() / 2].to_owned(), "cut short"),
            (String::new(), "cut short"),
            ("\0\0".to_owned(), "cut short"),
            (" ".repeat(5000), "4096 bytes"),
            (whole.replace("\"version\": 2", "\"version\": 1"), "version 1"),
            (whole.replace("\"hits\": 8", "\"hits\": 7"), "checksum"),
            (text(Checkpoint { seed: 8, ..state() }), "seed 8"),
            (text(Checkpoint { until: Some(0.5), ..state() }), "--until 0.5"),
            (text(Checkpoint { hits: 11, ..state() }), "11 hits among 10 darts"),
        ] {
            fs::write(&path, &text).unwrap();
            let message = StateFile::hold(&path).unwrap().read(Checkpoint::start(7, None)).unwrap_err().to_string();
            assert!(message.contains(expected) && message.contains("pi.json"), "{message}");
            assert_eq!(fs::read_to_string(&path).unwrap(), text);
        }
        assert!(StateFile::hold(folder.path()).is_err());
    }
}
