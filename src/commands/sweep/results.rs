//! The file of a sweep's results: held by one sweep, taken up where an earlier one stopped, and longer by one synced line for each run.

use std::{
    collections::BTreeMap,
    fs::File,
    io::{ErrorKind, Read, Seek, SeekFrom, Write},
    path::Path,
};

use crate::{
    build_id::BuildId,
    cli::Again,
    error::Error,
    output::file::{
        folder::Access,
        location::{Location, Target},
        lock::Lock,
    },
    study::{Record, Results, Spec, Status},
    visible::{shown, visible},
};

/// An open file of results.
pub(super) struct ResultsFile {
    file: File,
    location: Location,
    /// Bytes of whole lines.
    length: u64,
    /// The last status of each run.
    done: BTreeMap<String, Status>,
    /// Goes last.
    pub(super) lock: Lock,
}

impl ResultsFile {
    /// Opens the file for a sweep, or makes it. What was cut off at its end is dropped; a file of others is not touched.
    pub(super) fn open(path: &Path, spec: &Spec, allows_mixed_builds: bool) -> Result<Self, Error> {
        let Some(location) = Target::of(path)?.seekable("a file of results")? else {
            return Err(Error::Usage(format!("{} keeps no results: name a file", shown(path))));
        };
        let lock = Lock::take(&location)?;
        let folder = location.folder();
        let (mut file, is_new) = match folder.open_own(location.name(), Access::Write) {
            Ok(file) => (file, false),
            Err(error) if error.kind() == ErrorKind::NotFound => {
                (folder.create(location.name()).map_err(|source| location.failed(source))?, true)
            }
            Err(source) => return Err(location.failed(source)),
        };
        let mut bytes = Vec::new();
        file.read_to_end(&mut bytes).map_err(|source| Error::Input { path: path.to_owned(), source })?;
        let results = Results::of(&bytes);
        check(path, &results, spec, allows_mixed_builds)?;
        let done = results.latest().iter().map(|record| (record.key.clone(), record.status)).collect();
        let mut opened = Self { file, location, length: results.whole_bytes as u64, done, lock };
        if opened.length < bytes.len() as u64 {
            opened.file.set_len(opened.length).map_err(|source| opened.location.failed(source))?;
        }
        if results.lacks_end {
            opened.write(b"\n")?;
        }
        if is_new {
            opened.location.folder().sync();
        }
        Ok(opened)
    }

    /// Whether a run is to be made: it is not in the file, or is to be made again.
    pub(super) fn lacks(&self, key: &str, again: Option<Again>) -> bool {
        match (self.done.get(key), again) {
            (None, _) => true,
            (Some(status), Some(Again::Failed)) => *status != Status::Ok,
            (Some(_), None) => false,
        }
    }

    /// How many runs are in the file.
    pub(super) fn done(&self) -> usize {
        self.done.len()
    }

    /// How many of them ended so.
    pub(super) fn count(&self, status: Status) -> usize {
        self.done.values().filter(|known| **known == status).count()
    }

    /// Adds a record, and returns when it is safe.
    pub(super) fn append(&mut self, record: Record) -> Result<(), Error> {
        self.write(record.line().as_bytes())?;
        self.done.insert(record.key, record.status);
        Ok(())
    }

    /// Adds these bytes all, or none of them.
    fn write(&mut self, bytes: &[u8]) -> Result<(), Error> {
        let written = self.file.seek(SeekFrom::Start(self.length));
        let written = written.and_then(|_| self.file.write_all(bytes)).and_then(|()| self.file.sync_data());
        if let Err(source) = written {
            // What is before it is whole either way.
            let _ = self.file.set_len(self.length);
            return Err(self.location.failed(source));
        }
        self.length += bytes.len() as u64;
        Ok(())
    }
}

/// Refuses a file that has something else in it than this sweep's results.
fn check(path: &Path, results: &Results, spec: &Spec, allows_mixed_builds: bool) -> Result<(), Error> {
    let refused = |reason: String| {
        Error::Usage(format!("{}: {}; take another name for this sweep", shown(path), visible(&reason)))
    };
    if let Some(fault) = results.fault() {
        return Err(refused(fault));
    }
    let Some(last) = results.records.last() else { return Ok(()) };
    let differences = spec.differences(&last.sweep);
    if !differences.is_empty() {
        return Err(refused(format!("it is of another sweep: {}", differences.join("; "))));
    }
    let build = BuildId::of_this_program();
    let mine = (build.version, format!("{:016x}", build.sources));
    if spec.is_hybrid && !allows_mixed_builds && (&last.version, &last.build) != (&mine.0, &mine.1) {
        return Err(refused(format!(
            "it was measured by hybrid {} (sources {}), and this is hybrid {} (sources {}); --allow-mixed-builds goes on with it",
            last.version, last.build, mine.0, mine.1
        )));
    }
    Ok(())
}
