//! Puts bands together from batches of any length, as the device returns them, and has them delivered by some threads.
//!
//! A band that lies whole in a batch is delivered from there, without a copy: the batch is given back when its last band is
//! done. Bands are begun in order and are in nobody's way meanwhile, so the device computes while they are delivered. Knows
//! nothing of the device.

use std::{
    collections::VecDeque,
    ops::{Deref, Range},
    sync::{Arc, Condvar, Mutex, MutexGuard, PoisonError},
    thread::{self, Builder},
};

use ndarray::ArrayView2;

use crate::{
    device::Deliver,
    kernel::{band::Band, count::Count},
};

/// Runs `produce`, which puts in what the device returns for `bands` of an image with `width` columns; so many `threads`
/// deliver meanwhile. Returns when everything is delivered, or what is wanted of it.
pub(super) fn assemble<C: Count, P: Deref<Target = [u8]> + Send + Sync, R>(
    width: usize,
    bands: &[Band],
    threads: usize,
    deliver: Deliver<'_>,
    produce: impl FnOnce(&mut Assembler<'_, '_, C, P>) -> R,
) -> R {
    let queue = Queue::default();
    thread::scope(|scope| {
        // A thread that does not start leaves its work to the others, and where none does this one has it.
        let start = |_: &usize| Builder::new().spawn_scoped(scope, || queue.work(width, deliver)).is_ok();
        let started = (0..threads.min(bands.len())).filter(start).count();
        // However this ends, the threads must.
        let _end = EndOnDrop(&queue);
        let by_itself = (started == 0).then_some(deliver);
        produce(&mut Assembler { width, bands, queue: &queue, begun: Vec::new(), by_itself })
    })
}

/// The bands of a call, put together as their counts come in.
pub(super) struct Assembler<'a, 'q, C, P> {
    width: usize,
    /// Bands that are not complete.
    bands: &'a [Band],
    queue: &'q Queue<'a, C, P>,
    /// Counts of the first of these bands that have come in.
    begun: Vec<C>,
    /// Where the bands go if there are no other threads to deliver them.
    by_itself: Option<Deliver<'a>>,
}

impl<C: Count, P: Deref<Target = [u8]>> Assembler<'_, '_, C, P> {
    /// Whether no more bands are wanted.
    pub(super) fn is_enough(&self) -> bool {
        self.queue.lock().enough
    }

    /// Takes the next `counts` counts, in the order of the bands' pixels: those that `batch` begins with.
    ///
    /// # Panics
    /// On more counts than the bands have pixels.
    pub(super) fn append(&mut self, batch: P, counts: usize) {
        let batch = Arc::new(batch);
        let all: &[C] = &bytemuck::cast_slice(&batch)[..counts];
        let mut taken = 0;
        while taken < counts {
            let band = self.bands.first().expect("there are as many counts as pixels");
            let missing = self.width * band.height() as usize - self.begun.len();
            let next = taken..counts.min(taken + missing);
            taken = next.end;
            let is_complete = next.len() == missing;
            if is_complete && self.begun.is_empty() {
                self.queue.push(band, Source::Batch(Arc::clone(&batch), next));
            } else {
                self.begun.extend_from_slice(&all[next]);
                if is_complete {
                    self.queue.push(band, Source::Gathered(std::mem::take(&mut self.begun)));
                }
            }
            if is_complete {
                self.bands = &self.bands[1..];
            }
        }
        if let Some(deliver) = self.by_itself {
            while let Some(band) = self.queue.ready() {
                self.queue.deliver(band, self.width, deliver);
            }
        }
    }
}

/// Where the counts of a band are.
#[derive(Debug)]
enum Source<C, P> {
    /// In a batch, these of its counts.
    Batch(Arc<P>, Range<usize>),
    /// Gathered from several batches.
    Gathered(Vec<C>),
}

impl<C: Count, P: Deref<Target = [u8]>> Source<C, P> {
    fn counts(&self) -> &[C] {
        match self {
            Self::Batch(batch, range) => &bytemuck::cast_slice(batch)[range.clone()],
            Self::Gathered(counts) => counts,
        }
    }
}

/// Complete bands on their way to the threads that deliver.
#[derive(Debug)]
struct Queue<'a, C, P> {
    state: Mutex<State<'a, C, P>>,
    changed: Condvar,
}

#[derive(Debug)]
struct State<'a, C, P> {
    bands: VecDeque<(&'a Band, Source<C, P>)>,
    /// Whether no more bands are wanted.
    enough: bool,
    /// Whether no more bands will come.
    ended: bool,
}

impl<C, P> Default for Queue<'_, C, P> {
    fn default() -> Self {
        let state = State { bands: VecDeque::new(), enough: false, ended: false };
        Self { state: Mutex::new(state), changed: Condvar::new() }
    }
}

impl<'a, C, P> Queue<'a, C, P> {
    fn lock(&self) -> MutexGuard<'_, State<'a, C, P>> {
        self.state.lock().unwrap_or_else(PoisonError::into_inner)
    }

    fn push(&self, band: &'a Band, source: Source<C, P>) {
        let mut state = self.lock();
        if !state.enough {
            state.bands.push_back((band, source));
            self.changed.notify_one();
        }
    }

    /// The next band, if there is one.
    fn ready(&self) -> Option<(&'a Band, Source<C, P>)> {
        self.lock().bands.pop_front()
    }

    /// The next band, once there is one; none where no more are wanted or will come. What is left out is at the end of the
    /// bands, since bands are begun in order and nobody begins one when it is enough.
    fn next(&self) -> Option<(&'a Band, Source<C, P>)> {
        let mut state = self.lock();
        loop {
            if let Some(band) = state.bands.pop_front() {
                return Some(band);
            }
            if state.ended {
                return None;
            }
            state = self.changed.wait(state).unwrap_or_else(PoisonError::into_inner);
        }
    }

    /// A thread that delivers.
    fn work(&self, width: usize, deliver: Deliver<'_>)
    where
        C: Count,
        P: Deref<Target = [u8]>,
    {
        while let Some(band) = self.next() {
            self.deliver(band, width, deliver);
        }
    }

    fn deliver(&self, (band, source): (&Band, Source<C, P>), width: usize, deliver: Deliver<'_>)
    where
        C: Count,
        P: Deref<Target = [u8]>,
    {
        let shape = (band.height() as usize, width);
        let view = ArrayView2::from_shape(shape, source.counts()).expect("a whole band has come in");
        if deliver(band, C::counts(view)).is_break() {
            let mut state = self.lock();
            state.enough = true;
            // Batches whose bands are not wanted are free at once.
            state.bands.clear();
        }
    }
}

/// Tells the threads that no more bands will come.
struct EndOnDrop<'q, 'a, C, P>(&'q Queue<'a, C, P>);

impl<C, P> Drop for EndOnDrop<'_, '_, C, P> {
    fn drop(&mut self) {
        self.0.lock().ended = true;
        self.0.changed.notify_all();
    }
}

#[cfg(test)]
mod tests {
    use std::{collections::BTreeMap, ops::ControlFlow};

    use super::*;
    use crate::kernel::count::Counts;

    #[test]
    fn bands_are_the_same_for_batches_of_any_length_and_any_number_of_threads() {
        let bands = [4..6, 0..1, 9..12].map(|rows| Band { index: rows.start, rows });
        let pixels: Vec<u16> = (0..5 * 6).collect();
        let expected = BTreeMap::from([(4, &pixels[..10]), (0, &pixels[10..15]), (9, &pixels[15..])]);
        for (length, threads) in (1..=pixels.len()).flat_map(|length| [(length, 0), (length, 1), (length, 3)]) {
            let delivered = Mutex::new(BTreeMap::new());
            let deliver = |band: &Band, counts: Counts<'_>| {
                let Counts::U16(counts) = counts else { panic!("bytes") };
                assert_eq!(counts.dim(), (band.height() as usize, 5));
                let counts = counts.iter().copied().collect::<Vec<u16>>();
                assert_eq!(delivered.lock().unwrap().insert(band.index, counts), None, "each band once");
                ControlFlow::Continue(())
            };
            assemble::<u16, Vec<u8>, ()>(5, &bands, threads, &deliver, |assembler| {
                for batch in pixels.chunks(length) {
                    assert!(!assembler.is_enough(), "nobody has said so");
                    assembler.append(bytemuck::cast_slice(batch).to_vec(), batch.len());
                }
            });
            let delivered = delivered.into_inner().unwrap();
            assert!(delivered.iter().map(|(band, counts)| (*band, &counts[..])).eq(expected.clone()), "{length}");
        }
    }

    #[test]
    fn what_is_left_out_when_it_is_enough_is_at_the_end() {
        let bands: Vec<Band> = (0..100).map(|index| Band { index, rows: index..index + 1 }).collect();
        for threads in [0, 1, 3] {
            let delivered = Mutex::new(Vec::new());
            let deliver = |band: &Band, _: Counts<'_>| {
                delivered.lock().unwrap().push(band.index);
                if band.index == 20 { ControlFlow::Break(()) } else { ControlFlow::Continue(()) }
            };
            let was_enough = assemble::<u8, Vec<u8>, bool>(7, &bands, threads, &deliver, |assembler| {
                bands.iter().for_each(|_| assembler.append(vec![1; 7], 7));
                while !assembler.is_enough() {
                    thread::yield_now();
                }
                assembler.is_enough()
            });
            let mut delivered = delivered.into_inner().unwrap();
            delivered.sort_unstable();
            assert!(was_enough && delivered.len() >= 21, "{delivered:?}");
            // Other threads may have begun some bands more by then.
            assert!(delivered.iter().copied().eq(0..u32::try_from(delivered.len()).unwrap()), "{delivered:?}");
        }
    }

    #[test]
    fn a_batch_is_given_back_when_its_last_band_is_delivered() {
        let bands: Vec<Band> = (0..4).map(|index| Band { index, rows: index..index + 1 }).collect();
        let batch = Arc::new(vec![1_u8; 12]);
        #[derive(Debug)]
        struct Shared(Arc<Vec<u8>>);
        impl Deref for Shared {
            type Target = [u8];
            fn deref(&self) -> &[u8] {
                &self.0
            }
        }
        let deliver = |band: &Band, _: Counts<'_>| {
            assert!(Arc::strong_count(&batch) > 1, "band {} is still in use", band.index);
            ControlFlow::Continue(())
        };
        assemble::<u8, Shared, ()>(3, &bands, 2, &deliver, |assembler| {
            assembler.append(Shared(Arc::clone(&batch)), 12);
            while Arc::strong_count(&batch) > 1 {
                thread::yield_now();
            }
        });
    }
}
