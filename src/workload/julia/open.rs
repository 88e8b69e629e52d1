//! The files of a job before it begins: new ones, or those of the job that it continues. Whether there is room for them is
//! asked first.

use std::{fs, iter::once, path::Path};

use super::{Job, assembly::Assembly, journal::Journal};
use crate::{
    error::Error,
    output::{
        npy::{self, NpyFile},
        part_file::part_of,
        png::{self, PngFile},
    },
    visible::shown,
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

impl<'a> Names<'a> {
    fn all(self) -> impl Iterator<Item = &'a Path> {
        once(self.picture).chain(self.counts)
    }
}

/// A header of a NumPy file is far shorter.
const MOST_HEADER_BYTES: u64 = 4096;

/// Creates the files of `job`, or with `resume` opens those of the job that it continues, if there was one. Also returns
/// what the user should know.
///
/// # Errors
/// [`Error::Leftover`] where an unfinished job is in the way, [`Error::Resume`] where it was of another picture or what it
/// left is not whole, [`Error::Space`] where the files do not fit, and [`Error::Output`] where they cannot be opened.
pub fn open(job: &Job, names: Names<'_>, resume: bool) -> Result<(Assembly, Option<String>), Error> {
    let start = Journal::start(job, names.picture);
    let left = match Journal::read(job, names.picture) {
        Ok(None) => None,
        // Of this picture or of another: it is not to be destroyed.
        _ if !resume => return Err(Error::Leftover { path: start.path().to_owned() }),
        left => left?,
    };
    let (width, height, fits_u8) = (job.julia.width, job.julia.height, job.julia.counts_fit_u8());
    if let Some(journal) = &left {
        take_names_back(job, names, journal)?;
        if let Some(part) = names.all().map(part_of).find(|part| !part.exists()) {
            let reason = format!("{}, of which it tells, is missing", shown(&part));
            return Err(Error::Resume { path: journal.path().to_owned(), reason });
        }
    }
    let warning = space::check(&planned(job, names, left.as_ref()))?;
    let resumes = left.is_some();
    let journal = left.unwrap_or(start);
    let (png, counts) = if resumes {
        let row = first_row(job, &journal);
        let counts = names.counts.map(|path| NpyFile::resume(path, width, height, fits_u8, row)).transpose()?;
        (PngFile::resume(names.picture, job.coloring, journal.png())?, counts)
    } else {
        let counts = names.counts.map(|path| NpyFile::create(path, width, height, fits_u8)).transpose()?;
        (PngFile::create(names.picture, width, height, job.coloring)?, counts)
    };
    Ok((Assembly::new(job, png, counts, journal, resumes), warning))
}

/// The first row that is not in the files.
fn first_row(job: &Job, journal: &Journal) -> u32 {
    if journal.bands() == job.bands().len() { job.julia.height } else { job.bands().get(journal.bands()).rows.start }
}

/// What the files come to.
fn planned<'a>(job: &Job, names: Names<'a>, left: Option<&Journal>) -> Vec<Planned<'a>> {
    let (width, height) = (job.julia.width, job.julia.height);
    let (bands_done, rows_done) = left.map_or((0, 0), |journal| (journal.bands(), first_row(job, journal)));
    let (least, usual) = png::rows_bytes(width, height - rows_done, job.bands().len() - bands_done, job.coloring);
    let done_bytes = left.map_or(0, |journal| journal.png().bytes());
    let picture = Planned { path: names.picture, least_bytes: done_bytes + least, usual_bytes: done_bytes + usual };
    let counts_bytes = npy::data_bytes(width, height, job.julia.counts_fit_u8());
    let counts = names.counts.map(|path| Planned { path, least_bytes: counts_bytes, usual_bytes: counts_bytes });
    once(picture).chain(counts).collect()
}

/// A job that is killed while it gives its files their names leaves a journal of all bands and files under their names:
/// these become parts again, to be completed together.
fn take_names_back(job: &Job, names: Names<'_>, journal: &Journal) -> Result<(), Error> {
    if journal.bands() != job.bands().len() {
        return Ok(());
    }
    let png_bytes = journal.png().final_bytes();
    let counts_bytes = npy::data_bytes(job.julia.width, job.julia.height, job.julia.counts_fit_u8());
    let files = [
        (Some(names.picture), png_bytes..=png_bytes),
        (names.counts, counts_bytes..=counts_bytes.saturating_add(MOST_HEADER_BYTES)),
    ];
    for (path, expected_bytes) in files {
        let Some(path) = path else { continue };
        let part = part_of(path);
        if !part.exists() && fs::metadata(path).is_ok_and(|file| expected_bytes.contains(&file.len())) {
            fs::rename(path, part).map_err(|source| Error::Output { path: path.to_owned(), source })?;
        }
    }
    Ok(())
}
