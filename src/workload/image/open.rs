//! The files of a job before it begins: new ones, or those of the job that it continues, as far as they are what was written.
//! Whether there is room for them is asked first.
//!
//! The formats are named here and nowhere else.

use std::{fs::File, io, mem, path::Path};

use super::{
    Job,
    assembly::Assembly,
    done,
    journal::{Journal, Mark},
};
use crate::{
    error::Error,
    kernel::image::Image,
    output::{
        file::{
            location::{Location, Target},
            lock::Lock,
        },
        image::{
            color::Coloring,
            npy::Npy,
            png::Png,
            sink::{Sink, layout::Layout, verify},
        },
    },
    visible,
    workload::{
        WorkloadError,
        space::{self, PendingFile},
    },
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
/// [`Error::Usage`] where two files are one, [`WorkloadError::Leftover`] where an unfinished job is in the way, [`WorkloadError::Resume`]
/// where it was of another picture or a file of it is missing, [`WorkloadError::Space`] where the files do not fit, and
/// [`Error::Output`] where they cannot be opened.
pub fn open(job: &Job, names: Names<'_>, resume: bool) -> Result<(Assembly, Vec<String>), Error> {
    let mut sinks = sinks(job, names)?;
    let locks = lock(&sinks)?;
    let mut journal = Journal::start(job, &sinks);
    if let Some(place) = journal.place().filter(|_| !resume)
        && place.folder().stat(place.name()).map_err(|source| place.failed(source))?.is_some()
    {
        // Of this picture or of another: it is not to be destroyed.
        return Err(WorkloadError::Leftover { path: place.shown().to_owned() }.into());
    }
    journal.probe()?;
    let mut warnings = Vec::new();
    let left = journal.read(job)?;
    if left.is_none()
        && resume
        && let Some(tally) = done::tally(job, &sinks)
    {
        let verb = if sinks.len() == 1 { "is" } else { "are" };
        warnings.push(format!("{} {verb} complete already: nothing is computed again", names_of(&sinks)));
        return Ok((Assembly::of_complete_files(job, journal, tally, locks), warnings));
    }
    let resumes = left.is_some();
    if let Some(left) = left {
        journal = left;
        warnings.extend(believe(job, &sinks, &mut journal)?);
    }
    warnings.extend(space::check(&pending(job, &sinks, journal.marks().last()))?);
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

fn names_of(sinks: &[Sink]) -> String {
    let names: Vec<_> = sinks.iter().map(|sink| visible::shown(sink.place().shown()).to_string()).collect();
    names.join(" and ")
}

/// The formats of a job's files, each with the name of its file.
fn layouts<'a>(image: &Image, coloring: Coloring, names: Names<'a>) -> Vec<(Box<dyn Layout>, &'a Path)> {
    let (width, height) = (image.width, image.height);
    let Names { picture, counts } = names;
    let mut layouts: Vec<(Box<dyn Layout>, &Path)> =
        vec![(Box::new(Png::new(width, height, coloring, image.max_iter)), picture)];
    if let Some(path) = counts {
        layouts.push((Box::new(Npy::new(width, height, image.counts_fit_u8())), path));
    }
    layouts
}

/// Whether any of a job's files takes the counts of bands.
#[must_use]
pub fn takes_counts(image: &Image, coloring: Coloring, names: Names<'_>) -> bool {
    layouts(image, coloring, names).iter().any(|(layout, _)| layout.takes_counts())
}

/// The files that are kept of the job; what goes to the null device is none.
fn sinks(job: &Job, names: Names<'_>) -> Result<Vec<Sink>, Error> {
    let mut sinks = Vec::<Sink>::new();
    for (layout, path) in layouts(&job.image, job.coloring, names) {
        let what = format!("the file of the {}", layout.role());
        let Some(place) = Target::of(path)?.seekable(&what)? else { continue };
        if let Some(other) = sinks.iter().find(|sink| sink.place().identity() == place.identity()) {
            return Err(Error::Usage(format!(
                "the {} and the {} name the same file, {} and {}: take two names",
                other.role(),
                layout.role(),
                visible::shown(other.place().shown()),
                visible::shown(place.shown())
            )));
        }
        sinks.push(Sink::new(layout, place));
    }
    Ok(sinks)
}

/// Holds all files against other jobs, in an order that all jobs have: one of two has them all.
fn lock(sinks: &[Sink]) -> Result<Vec<Lock>, Error> {
    let mut places: Vec<&Location> = sinks.iter().map(Sink::place).collect();
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
    let left = sinks.iter().enumerate().map(|(index, sink)| sink.left(last.map(|mark| &mark.files[index])));
    let left = left.collect::<Result<Vec<File>, _>>().map_err(|error| missing(journal, error))?;
    let good = good(sinks, &left, journal.marks());
    let noted = journal.marks().len();
    for (sink, _) in sinks.iter().zip(&left).filter(|(sink, file)| sink.is_named(file)) {
        if good < noted {
            // Something else that has the name by now: it is not this job's to change.
            return Err(missing(journal, sink.missing()));
        }
        sink.take_back()?;
    }
    let bands = |marks: &[Mark]| marks.last().map_or(0, |mark| mark.tally.bands);
    let (before, now) = (bands(journal.marks()), bands(&journal.marks()[..good]));
    journal.keep(good);
    Ok((good < noted).then(|| {
        let again = before - now;
        let names = names_of(sinks);
        format!("what is left of {names} is damaged: of {before} bands that were noted {again} are computed again")
    }))
}

/// Where a part is missing, the journal is to blame.
fn missing(journal: &Journal, error: Error) -> Error {
    match (error, journal.place()) {
        (Error::Output { source, .. }, Some(place)) if source.kind() == io::ErrorKind::NotFound => {
            WorkloadError::Resume { path: place.shown().to_owned(), reason: source.to_string() }.into()
        }
        (error, _) => error,
    }
}

/// The number of marks, from the first on, up to which all files have what was written.
fn good(sinks: &[Sink], files: &[File], marks: &[Mark]) -> usize {
    let mut starts: Vec<u64> = sinks.iter().map(Sink::head_bytes).collect();
    let (mut stretches, mut expected) = (Vec::new(), Vec::new());
    for mark in marks {
        for ((file, state), start) in files.iter().zip(&mark.files).zip(&mut starts) {
            stretches.push((file, mem::replace(start, state.bytes)..state.bytes));
            expected.push(Some(state.digest));
        }
    }
    let found = verify::digests(&stretches);
    let first_bad = found.iter().zip(&expected).position(|(found, expected)| found != expected);
    first_bad.map_or(marks.len(), |stretch| stretch / files.len())
}

/// What the files come to.
fn pending<'a>(job: &Job, sinks: &'a [Sink], last: Option<&Mark>) -> Vec<PendingFile<'a>> {
    let done = last.map_or(0, |mark| mark.tally.bands);
    let rows_done = if done == job.bands().len() { job.image.height } else { job.bands().get(done).rows.start };
    let (rows, bands) = (job.image.height - rows_done, job.bands().len() - done);
    let pending = |(index, sink): (usize, &'a Sink)| PendingFile {
        place: sink.place(),
        room: sink.room(last.map(|mark| &mark.files[index]), rows, bands),
    };
    sinks.iter().enumerate().map(pending).collect()
}
