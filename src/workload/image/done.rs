//! What a complete file says of itself, in an attribute beside its bytes: of which job it is, and a digest of all of it. So a
//! job that is started once more finds that nothing is left to do.
//!
//! Not all file systems have attributes, and copies seldom keep them: such a file is computed again.

use std::{fs::File, os::unix::fs::FileExt};

use serde::{Deserialize, Serialize};

use super::{Job, journal::Mark, tally::Tally};
use crate::output::{
    file::digest::{Digest, Digesting},
    file::sealed,
    image::sink::{Sink, verify},
};

const KIND: &str = "hybrid image file";
/// Changes with the meaning of the fields, and with anything that changes a file's bytes.
const VERSION: u32 = 1;

/// What is said of a complete file.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
struct Done {
    /// Of all that decides the bytes, and of what the file is in its job.
    job: Digest,
    tally: Tally,
    /// Where each stretch ends.
    ends: Vec<u64>,
    /// Of what stands before the first, of their digests, and of what stands behind the last.
    whole: Digest,
}

/// Which file of which job.
fn identity(job: &Job, sink: &Sink) -> Digest {
    Digest::of(format!("{} {}", sink.role(), job.picture()).as_bytes())
}

/// Says of file number `index` what it is, which is complete with the last of `marks`.
pub(super) fn say(job: &Job, sink: &Sink, index: usize, marks: &[Mark]) {
    let Some(last) = marks.last() else { return };
    let (head, tail) = sink.ends(last.tally.counted(), last.files[index].carry);
    let whole = whole(&head, marks.iter().map(|mark| mark.files[index].digest), &tail);
    let ends = marks.iter().map(|mark| mark.files[index].bytes).collect();
    let done = Done { job: identity(job, sink), tally: last.tally, ends, whole };
    sink.say(&sealed::seal(KIND, VERSION, &done));
}

/// What is known of the image where all files are complete, are of this job, and are what was written.
pub(super) fn tally(job: &Job, sinks: &[Sink]) -> Option<Tally> {
    let mut tallies = sinks.iter().map(|sink| {
        let (file, said) = sink.said()?;
        let done: Done = sealed::unseal(KIND, VERSION, &said).ok()?;
        let fits = done.job == identity(job, sink) && done.tally.bands == job.bands().len();
        (fits && is_whole(sink, &file, &done)).then_some(done.tally)
    });
    let first = tallies.next()??;
    tallies.all(|tally| tally == Some(first)).then_some(first)
}

fn is_whole(sink: &Sink, file: &File, done: &Done) -> bool {
    let Some(bytes) = file.metadata().ok().map(|metadata| metadata.len()) else { return false };
    let bounds: Vec<u64> = [0, sink.head_bytes()].into_iter().chain(done.ends.iter().copied()).chain([bytes]).collect();
    // The tail of a file is short.
    if !bounds.is_sorted() || bytes - bounds[bounds.len() - 2] > 4096 {
        return false;
    }
    let read = |bounds: &[u64]| {
        let mut bytes = vec![0; usize::try_from(bounds[1] - bounds[0]).ok()?];
        file.read_exact_at(&mut bytes, bounds[0]).ok().map(|()| bytes)
    };
    let stretches: Vec<_> = bounds[1..bounds.len() - 1].windows(2).map(|ends| (file, ends[0]..ends[1])).collect();
    let (Some(head), Some(tail)) = (read(&bounds[..2]), read(&bounds[bounds.len() - 2..])) else { return false };
    let digests: Option<Vec<_>> = verify::digests(&stretches).into_iter().collect();
    digests.is_some_and(|digests| whole(&head, digests.into_iter(), &tail) == done.whole)
}

fn whole(head: &[u8], digests: impl Iterator<Item = Digest>, tail: &[u8]) -> Digest {
    let mut digesting = Digesting::default();
    digesting.update(head);
    digests.for_each(|digest| digesting.update(&digest.bytes()));
    digesting.update(tail);
    digesting.digest()
}
