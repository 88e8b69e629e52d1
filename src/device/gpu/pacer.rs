//! How much work a dispatch may hold, so that none runs long enough to freeze a desktop or to wake a driver's watchdog
//! (half a second on a Raspberry Pi, two on Windows; a device reset by its watchdog is lost).
//!
//! Work is measured in steps, the unit in which a kernel can state the *most* that an item may cost before it runs. A
//! dispatch is sized as if each of its items cost the most, at the rate that was measured: a long dispatch thus
//! needs no bad luck to be avoided. The useful rate is at most the rate of the worst case, where no lane waits for
//! another, so it errs on the safe side. Pure arithmetic: knows neither wgpu nor clocks.

/// What the dearest dispatch may take: under the promised tenth of a second by the margin that clocks and neighbors need.
const TARGET_S: f64 = 0.07;
/// The rate assumed before anything is measured: 1 ms of the slowest GPU in use.
const PILOT_STEPS_PER_S: f64 = 1e6 / TARGET_S;
/// A single measurement may raise the rate by this factor at most: it may have been of too little work to tell.
const MAX_GROWTH: f64 = 16.0;
/// A single measurement may lower the rate by this factor at most: the device may have been busy for another process.
const MAX_DECLINE: f64 = 0.5;

/// Sizes the dispatches of one kernel on one device.
#[derive(Clone, Debug)]
pub(super) struct Pacer {
    steps_per_s: f64,
    longest_s: f64,
    busy_s: f64,
}

impl Pacer {
    pub(super) fn new() -> Self {
        Self { steps_per_s: PILOT_STEPS_PER_S, longest_s: 0.0, busy_s: 0.0 }
    }

    /// For another kernel on the same device, with steps like this one's: it starts from the rate that was measured.
    pub(super) fn heir(&self) -> Self {
        Self { steps_per_s: self.steps_per_s, ..Self::new() }
    }

    /// How many items of at most `max_steps` each the next dispatch may hold, at least 1.
    pub(super) fn items(&self, max_steps: u64) -> u64 {
        #[expect(clippy::cast_precision_loss, reason = "an estimate")]
        let items = TARGET_S * self.steps_per_s / max_steps as f64;
        #[expect(
            clippy::cast_possible_truncation,
            clippy::cast_sign_loss,
            reason = "positive, and `as` saturates where it is huge"
        )]
        let items = items as u64;
        items.max(1)
    }

    /// Seconds of the longest dispatch so far.
    pub(super) fn longest_s(&self) -> f64 {
        self.longest_s
    }

    /// Seconds of all dispatches so far.
    pub(super) fn busy_s(&self) -> f64 {
        self.busy_s
    }

    /// Takes note that a dispatch of `steps` took `seconds`.
    pub(super) fn record(&mut self, steps: u64, seconds: f64) {
        let measured = self.rate(steps, seconds);
        self.steps_per_s = measured.clamp(self.steps_per_s * MAX_DECLINE, self.steps_per_s * MAX_GROWTH);
    }

    /// Takes note that a dispatch of at most `max_steps`, for which there was time in any case, took `seconds`: the rate is
    /// lowered where even so many steps would show a lower one.
    pub(super) fn record_at_most(&mut self, max_steps: u64, seconds: f64) {
        let max = self.rate(max_steps, seconds);
        self.steps_per_s = self.steps_per_s.min(max.max(self.steps_per_s * MAX_DECLINE));
    }

    /// The rate of a dispatch of `steps` that took `seconds`.
    fn rate(&mut self, steps: u64, seconds: f64) -> f64 {
        self.longest_s = self.longest_s.max(seconds);
        self.busy_s += seconds;
        #[expect(clippy::cast_precision_loss, reason = "an estimate")]
        let steps = steps as f64;
        steps / seconds.max(1e-9)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// Runs dispatches on a device with `overhead_s` a dispatch and `rate` steps a second, of items that cost `steps` of
    /// the `max_steps` they may cost; returns the longest dispatch.
    fn longest_s(rate: f64, overhead_s: f64, costs: &[(u64, u64)]) -> f64 {
        let mut pacer = Pacer::new();
        let mut longest_s = 0.0_f64;
        for &(steps, max_steps) in costs {
            let done = pacer.items(max_steps) * steps;
            let seconds = overhead_s + done as f64 / rate;
            pacer.record(done, seconds);
            longest_s = longest_s.max(seconds);
        }
        longest_s
    }

    #[test]
    fn the_dispatch_grows_to_the_target_and_stays_below_it() {
        for rate in [1e8, 1e9, 1e12] {
            let longest_s = longest_s(rate, 1e-4, &[(263, 263); 40]);
            assert!((0.05..=0.081).contains(&longest_s), "{longest_s} s at {rate} steps/s");
        }
    }

    #[test]
    fn the_step_from_cheap_to_dear_items_makes_no_long_dispatch() {
        let mut costs = vec![(9, 65_543); 40];
        costs.extend([(65_543, 65_543); 10]);
        for rate in [1e8, 1e9, 1e12] {
            let longest_s = longest_s(rate, 1e-4, &costs);
            assert!(longest_s <= 0.081, "{longest_s} s at {rate} steps/s");
        }
    }

    #[test]
    fn a_pacer_that_trusted_average_costs_would_be_caught() {
        // The saboteur: items counted by what they cost on average, not at most.
        let mut costs = vec![(9, 9); 40];
        costs.extend([(65_543, 9); 1]);
        assert!(longest_s(1e9, 1e-4, &costs) > 100.0);
    }

    #[test]
    fn what_a_dispatch_did_at_most_lowers_the_rate_and_never_raises_it() {
        let mut pacer = Pacer::new();
        (0..20).for_each(|_| pacer.record(1_000_000, 1e-3));
        let items = pacer.items(100);
        pacer.record_at_most(1_000_000, 1e-6);
        assert_eq!(pacer.items(100), items);
        pacer.record_at_most(1_000_000, 1e-3 / 0.75);
        assert!((3 * items / 4).abs_diff(pacer.items(100)) <= 1, "{} after {items}", pacer.items(100));
        assert!((pacer.heir().items(100), pacer.heir().longest_s()) == (pacer.items(100), 0.0));
    }

    #[test]
    fn a_measurement_of_nothing_does_not_overflow() {
        let mut pacer = Pacer::new();
        pacer.record(u64::MAX, 0.0);
        pacer.record(0, 1e9);
        assert!(pacer.items(u64::MAX) >= 1);
    }
}
