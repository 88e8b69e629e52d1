//! Whether what is in unfinished files is what was written: stretches compared with their digests, on all cores.

use std::{
    fs::File,
    io,
    num::NonZero,
    os::unix::fs::FileExt,
    sync::atomic::{AtomicUsize, Ordering},
    thread,
};

use super::Stretch;
use crate::output::digest::{Digest, Digesting};

/// Bytes that are read at a time.
const READ_BYTES: usize = 1 << 20;

/// A stretch of a file and what its digest was.
#[derive(Clone, Debug)]
pub struct Expected<'a> {
    /// The file.
    pub file: &'a File,
    /// Where the stretch lies.
    pub stretch: Stretch,
    /// What is expected of it.
    pub digest: Digest,
}

/// The number of `groups`, from the first on, whose stretches are all as expected. What cannot be read is not.
#[must_use]
pub fn good(groups: &[Vec<Expected<'_>>]) -> usize {
    let stretches: Vec<_> =
        groups.iter().enumerate().flat_map(|(group, expected)| expected.iter().map(move |one| (group, one))).collect();
    let (next, first_bad) = (AtomicUsize::new(0), AtomicUsize::new(groups.len()));
    let work = || {
        while let Some((group, expected)) = stretches.get(next.fetch_add(1, Ordering::Relaxed)) {
            if *group >= first_bad.load(Ordering::Relaxed) {
                continue;
            }
            let found = digesting(expected.file, expected.stretch.clone());
            if found.map_or(true, |found| found.digest() != expected.digest) {
                first_bad.fetch_min(*group, Ordering::Relaxed);
            }
        }
    };
    let others = thread::available_parallelism().map_or(1, NonZero::get).min(stretches.len()).saturating_sub(1);
    thread::scope(|scope| {
        for _ in 0..others {
            // Where no further thread can be had, those that are there do the work.
            let _ = thread::Builder::new().spawn_scoped(scope, work);
        }
        work();
    });
    first_bad.into_inner()
}

/// A digest of what is in a stretch, ready for more.
///
/// # Errors
/// What the operating system says, or that the file is shorter.
pub fn digesting(file: &File, stretch: Stretch) -> io::Result<Digesting> {
    let mut digesting = Digesting::default();
    let mut buffer = vec![0; READ_BYTES];
    let mut at = stretch.start;
    while at < stretch.end {
        let wanted = usize::try_from(stretch.end - at).unwrap_or(usize::MAX).min(READ_BYTES);
        file.read_exact_at(&mut buffer[..wanted], at)?;
        digesting.update(&buffer[..wanted]);
        at += wanted as u64;
    }
    Ok(digesting)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_first_bad_stretch_of_any_file_ends_what_is_good() {
        let bytes: Vec<u8> = (0..4000_u32).map(|i| (i.wrapping_mul(i) >> 3).to_le_bytes()[0]).collect();
        let file = tempfile::tempfile().unwrap();
        let groups = || -> Vec<Vec<Expected<'_>>> {
            let stretch = |at: usize| Expected {
                file: &file,
                stretch: at as u64..at as u64 + 100,
                digest: Digest::of(&bytes[at..at + 100]),
            };
            (0..20).map(|group| vec![stretch(100 * group), stretch(2000 + 100 * group)]).collect()
        };
        for (at, expected) in [(5000, 20), (0, 0), (99, 0), (100, 1), (1999, 19), (2000, 0), (3450, 14)] {
            file.write_all_at(&bytes, 0).unwrap();
            file.write_all_at(&[!bytes.get(at).copied().unwrap_or(0)], at as u64).unwrap();
            assert_eq!(good(&groups()), expected, "byte {at}");
        }
        file.write_all_at(&bytes, 0).unwrap();
        file.set_len(3333).unwrap();
        assert_eq!(good(&groups()), 13, "cut short");
    }
}
