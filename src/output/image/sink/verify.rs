//! Whether what is in files is what was written: the digests of their stretches, taken on all cores.

use std::{
    fs::File,
    io,
    num::NonZero,
    os::unix::fs::FileExt,
    sync::{
        Mutex,
        atomic::{AtomicUsize, Ordering},
    },
    thread,
};

use super::Stretch;
use crate::output::file::digest::{Digest, Digesting};

/// Bytes that are read at a time.
const READ_BYTES: usize = 1 << 20;

/// The digest of each stretch; `None` where it cannot be read or the file is shorter.
///
/// # Panics
/// Never: no thread panics while it holds what is found.
#[must_use]
pub fn digests(stretches: &[(&File, Stretch)]) -> Vec<Option<Digest>> {
    let next = AtomicUsize::new(0);
    let found = Mutex::new(vec![None; stretches.len()]);
    let work = || {
        loop {
            let index = next.fetch_add(1, Ordering::Relaxed);
            let Some((file, stretch)) = stretches.get(index) else { break };
            let digest = digesting(file, stretch.clone()).ok().map(|digesting| digesting.digest());
            found.lock().expect("no thread panics while it holds this")[index] = digest;
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
    found.into_inner().expect("no thread panicked while it held this")
}

/// A digest of what is in a stretch, ready for more.
///
/// # Errors
/// What the operating system says, or that the file is shorter.
pub fn digesting(file: &File, stretch: Stretch) -> io::Result<Digesting> {
    let mut digesting = Digesting::default();
    let mut buffer = vec![0; READ_BYTES.min(usize::try_from(stretch.end - stretch.start).unwrap_or(READ_BYTES))];
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
    fn every_stretch_has_its_digest_and_what_is_not_there_none() {
        let bytes: Vec<u8> = (0..4000_u32).map(|i| (i.wrapping_mul(i) >> 3).to_le_bytes()[0]).collect();
        let file = tempfile::tempfile().unwrap();
        file.write_all_at(&bytes, 0).unwrap();
        let stretches: Vec<_> = (0..40).map(|index| (&file, 100 * index..100 * index + 100)).collect();
        let expected: Vec<_> = bytes.chunks(100).map(|bytes| Some(Digest::of(bytes))).collect();
        assert_eq!(digests(&stretches), expected);
        file.set_len(3333).unwrap();
        let found = digests(&stretches);
        assert_eq!(found[..33], expected[..33]);
        assert_eq!(found[33..], [None; 7]);
    }
}
