//! The files of a job before it begins: new ones, or those of the job that it continues, as far as they are what was written.
//! Whether there is room for them is asked first.
//!
//! The formats are named here and nowhere else.

use std::{fs::File, path::Path};

use super::{
    Job,
    assembly::Assembly,
    journal::{Journal, Mark},
};
use crate::{
    error::Error,
    output::{
        file::{
            lock::Lock,
            place::{Place, Target},
        },
        npy::Npy,
        png::Png,
        sink::{
            Sink,
            layout::Layout,
            verify::{self, Expected},
        },
    },
    workload::space::{self, Planned},
};

/// Names of a job's files.
#[derive(Clone, Copy, Debug)]
pub struct Names<'a> {
    /// The picture.
    pub picture: &'a Path,
    /// The counts, where they are wanted.
    pub counts: Option<&'a Path>,
}

/// Creates the files of `job`, or with `resume` opens those of the job that it continues, if there was one. Also returns
/// what the user should know.
///
/// # Errors
/// [`Error::Usage`] where two files are one, [`Error::Leftover`] where an unfinished job is in the way, [`Error::Resume`]
/// where it was of another picture or a file of it is missing, [`Error::Space`] where the files do not fit, and
/// [`Error::Output`] where they cannot be opened.
pub fn open(job: &Job, names: Names<'_>, resume: bool) -> Result<(Assembly, Vec<String>), Error> {
    let mut sinks = sinks(job, names)?;
    let locks = lock(&sinks)?;
    let mut journal = Journal::start(job, &sinks);
    if let Some(place) = journal.place().filter(|_| !resume)
        && place.folder().stat(place.name()).map_err(|source| place.failed(source))?.is_some()
    {
        // Of this picture or of another: it is not to be destroyed.
        return Err(Error::Leftover { path: place.shown().to_owned() });
    }
    let left = journal.read(job)?;
    let resumes = left.is_some();
    let mut warnings = Vec::new();
    if let Some(left) = left {
        let noted = left.marks().len();
        journal = left;
        warnings.extend(believe(job, &sinks, &mut journal)?);
        debug_assert!(journal.marks().len() <= noted, "nothing is added");
    }
    warnings.extend(space::check(&planned(job, &sinks, journal.marks().last()))?);
    for (index, sink) in sinks.iter_mut().enumerate() {
        if resumes {
            let state = journal.marks().last().map(|mark| &mark.files[index]);
            let stretch = journal.last_stretch().map_or_else(|| sink.head_bytes(), |mark| mark.files[index].bytes);
            sink.resume(state, stretch)?;
        } else {
            sink.create()?;
        }
    }
    Ok((Assembly::new(job, sinks, journal, resumes, locks), warnings))
}

/// The files that are kept of the job; what goes to the null device is none.
fn sinks(job: &Job, names: Names<'_>) -> Result<Vec<Sink>, Error> {
    let (width, height) = (job.julia.width, job.julia.height);
    let mut wanted: Vec<(Box<dyn Layout>, &Path)> =
        vec![(Box::new(Png::new(width, height, job.coloring, job.julia.max_iter)), names.picture)];
    if let Some(path) = names.counts {
        wanted.push((Box::new(Npy::new(width, height, job.julia.counts_fit_u8())), path));
    }
    let mut sinks = Vec::<Sink>::new();
    for (layout, path) in wanted {
        let what = format!("the file of the {}", layout.role());
        let Some(place) = Target::of(path)?.seekable(&what)? else { continue };
        if let Some(other) = sinks.iter().find(|sink| sink.place().identity() == place.identity()) {
            return Err(Error::Usage(format!(
                "the {} and the {} name the same file, {} and {}: take two names",
                other.role(),
                layout.role(),
                other.place().shown().display(),
                place.shown().display()
            )));
        }
        sinks.push(Sink::new(layout, place));
    }
    Ok(sinks)
}

/// Holds all files against other jobs, in an order that all jobs have: one of two has them all.
fn lock(sinks: &[Sink]) -> Result<Vec<Lock>, Error> {
    let mut places: Vec<&Place> = sinks.iter().map(Sink::place).collect();
    places.sort_by_key(|place| place.identity());
    places.into_iter().map(Lock::take).collect()
}

/// Compares what an earlier job has left with what `journal` tells of it, and shortens the journal to what is true. Returns
/// what the user should know.
///
/// A job that is killed while it gives its files their names leaves a journal of all bands and files under their names: these
/// become parts again, to be completed together.
fn believe(job: &Job, sinks: &[Sink], journal: &mut Journal) -> Result<Option<String>, Error> {
    let all_bands = job.bands().len();
    let last = journal.marks().last().filter(|mark| mark.tally.bands == all_bands);
    let missing = |error: Error| match error {
        Error::Output { path: _, source } if source.kind() == std::io::ErrorKind::NotFound => Error::Resume {
            path: journal.place().map(|place| place.shown().to_owned()).unwrap_or_default(),
            reason: format!("of the files of which it tells, {source}"),
        },
        other => other,
    };
    let left: Vec<File> = sinks
        .iter()
        .enumerate()
        .map(|(index, sink)| sink.left(last.map(|mark| &mark.files[index])).map_err(missing))
        .collect::<Result<_, _>>()?;
    let good = verify::good(&expected(sinks, &left, journal.marks()));
    let noted = journal.marks().len();
    for (sink, file) in sinks.iter().zip(&left) {
        if sink.is_named(file) {
            if good < noted {
                // Something else that has the name by now: it is not this job's to change.
                let reason = std::io::Error::new(std::io::ErrorKind::NotFound, "one is missing");
                return Err(missing(Error::Output { path: sink.place().shown().to_owned(), source: reason }));
            }
            sink.take_back()?;
        }
    }
    let bands = |marks: &[Mark]| marks.last().map_or(0, |mark| mark.tally.bands);
    let (before, now) = (bands(journal.marks()), bands(&journal.marks()[..good]));
    journal.keep(good);
    Ok((good < noted).then(|| {
        let names = sinks.iter().map(|sink| sink.place().shown().display().to_string()).collect::<Vec<_>>();
        format!(
            "what was left of {} is damaged: of the {before} bands that were noted, {} are computed again",
            names.join(" and "),
            before - now
        )
    }))
}

/// What is expected in the files, mark by mark.
fn expected<'a>(sinks: &[Sink], files: &'a [File], marks: &[Mark]) -> Vec<Vec<Expected<'a>>> {
    let mut starts: Vec<u64> = sinks.iter().map(Sink::head_bytes).collect();
    let mark = |mark: &Mark| {
        let files = files.iter().zip(&mark.files).zip(&mut starts);
        files
            .map(|((file, state), start)| Expected {
                file,
                stretch: std::mem::replace(start, state.bytes)..state.bytes,
                digest: state.digest,
            })
            .collect()
    };
    marks.iter().map(mark).collect()
}

/// What the files come to.
fn planned<'a>(job: &Job, sinks: &'a [Sink], last: Option<&Mark>) -> Vec<Planned<'a>> {
    let done = last.map_or(0, |mark| mark.tally.bands);
    let rows_done = if done == job.bands().len() { job.julia.height } else { job.bands().get(done).rows.start };
    let (rows, bands) = (job.julia.height - rows_done, job.bands().len() - done);
    let planned = |(index, sink): (usize, &'a Sink)| Planned {
        place: sink.place(),
        room: sink.room(last.map(|mark| &mark.files[index]), rows, bands),
    };
    sinks.iter().enumerate().map(planned).collect()
}
