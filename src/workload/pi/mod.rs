//! Monte Carlo pi by all ranks: darts assigned in waves, each rank's share sized by its rate, hits summed.
//!
//! Which rank throws which darts depends on timing; how many hit does not. Knows nothing of the command line's words or of
//! how the report looks.

pub mod checkpoint;
pub mod estimate;
mod share;
pub mod study;
pub mod throws;

use std::time::Instant;

use self::{share::share, throws::Throws};
use crate::{
    comm::{Failure, World},
    device::Device,
    error::Error,
    fault,
    kernel::{counting::CountingKernel, pi::Pi},
    timeline::{self, Track, What},
};

/// Darts of each rank in the first wave, when nothing is known of its rate: a few milliseconds of a core.
const FIRST_WAVE_DARTS: u64 = 1 << 22;
/// Length that waves grow to, in seconds: long against a collective call, short against what a killed job may lose.
const WAVE_S: f64 = 2.0;
/// A wave has at most this many times the darts of the one before it, since a first rate is a rough one.
const GROWTH: u64 = 8;
/// A rank that was busy for less than this, in seconds, has no rate.
const MEASURABLE_S: f64 = 1e-4;

/// The thrower of one rank: what it has thrown and how fast all ranks are. Times in seconds.
#[derive(Debug)]
pub struct Thrower {
    seed: u64,
    /// Darts a second of each rank, as measured; all equal at first.
    rates: Vec<u64>,
    wave_darts: u64,
    /// Darts this rank has thrown.
    pub my_darts: u64,
    /// Hits among them.
    pub my_hits: u64,
    /// Throwing.
    pub compute_s: f64,
    /// Waiting for other ranks.
    pub wait_s: f64,
}

/// Told of the progress after each wave, on every rank: the darts done, and the hits of each run so far where asked for.
pub type AfterWave<'a> = &'a mut dyn FnMut(u64, &[u64]) -> Result<(), Error>;

impl Thrower {
    /// A thrower for a job of `ranks` ranks with `seed`.
    #[must_use]
    pub fn new(seed: u64, ranks: usize) -> Self {
        Self {
            seed,
            rates: vec![1; ranks],
            wave_darts: FIRST_WAVE_DARTS * ranks as u64,
            my_darts: 0,
            my_hits: 0,
            compute_s: 0.0,
            wait_s: 0.0,
        }
    }

    /// Throws what is left of `throws` after the first `done` darts and returns the hits of each run among them. Collective.
    ///
    /// # Errors
    /// Of the devices and of `after_wave`, agreed on by all ranks.
    pub fn throw(
        &mut self,
        world: &World,
        device: &mut dyn Device,
        throws: &Throws,
        mut done: u64,
        after_wave: AfterWave<'_>,
    ) -> Result<Vec<u64>, Failure> {
        let mut hits = vec![0; throws.runs().len()];
        let mut told = Ok(());
        while done < throws.darts() {
            let wave = done..throws.darts().min(done.saturating_add(self.wave_darts));
            let mine = share(wave.clone(), &self.rates, world.rank());
            let my_darts = mine.end - mine.start;
            let started = Instant::now();
            let mut my_hits = vec![0; hits.len()];
            // A rank that is not to go on throws no more, and all agree below.
            let parts = throws.parts(mine).filter(|_| told.is_ok());
            let thrown = parts.into_iter().try_for_each(|(run, darts)| {
                my_hits[run] += device.count(&CountingKernel::Pi(Pi { seed: self.seed }), darts)?;
                Ok(())
            });
            fault::inject(world.rank());
            let elapsed = started.elapsed();
            let elapsed_s = elapsed.as_secs_f64();
            self.compute_s += elapsed_s;
            timeline::note(Track::Work, What::Compute, started, elapsed, my_darts);
            let arrived = Instant::now();
            world.all.meet();
            let waited = arrived.elapsed();
            self.wait_s += waited.as_secs_f64();
            timeline::note(Track::Work, What::Wait, arrived, waited, 0);
            world.agree(told.and(thrown))?;

            self.my_darts += my_darts;
            self.my_hits += my_hits.iter().sum::<u64>();
            hits.iter_mut().zip(world.all.sums(&my_hits)).for_each(|(hits, wave)| *hits += wave);
            self.learn(world, my_darts, elapsed_s);
            done = wave.end;
            told = after_wave(done, &hits);
        }
        world.agree(told)?;
        Ok(hits)
    }

    /// Learns every rank's rate from the wave that is over, and sizes the next one.
    fn learn(&mut self, world: &World, darts: u64, elapsed_s: f64) {
        let measured =
            if darts > 0 && elapsed_s > MEASURABLE_S { rounded(as_f64(darts) / elapsed_s).max(1) } else { 0 };
        let rates: Vec<u64> = world.all.share(&measured);
        if rates.contains(&0) {
            // Rates count against each other: until every rank has one, all get the same.
            self.wave_darts = self.wave_darts.saturating_mul(GROWTH);
            return;
        }
        let together = as_f64(rates.iter().sum());
        self.rates = rates;
        self.wave_darts = rounded(together * WAVE_S).clamp(1, self.wave_darts.saturating_mul(GROWTH));
    }
}

#[expect(clippy::cast_precision_loss, reason = "a rate needs few digits")]
fn as_f64(number: u64) -> f64 {
    number as f64
}

#[expect(clippy::cast_possible_truncation, clippy::cast_sign_loss, reason = "rates are positive and saturate")]
fn rounded(number: f64) -> u64 {
    number as u64
}
