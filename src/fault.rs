//! Faults for the tests of what happens when a rank or its device fails. Compiled into builds with debug assertions alone;
//! a release build has no such switch.

use crate::device::Device;

/// Panics on the rank that `HYBRID_TEST_PANIC_RANK` names.
#[cfg(debug_assertions)]
pub(crate) fn inject(rank: usize) {
    assert!(!faulty::named("HYBRID_TEST_PANIC_RANK", rank), "a fault was asked for");
}

/// Does nothing.
#[cfg(not(debug_assertions))]
pub(crate) fn inject(_rank: usize) {}

/// Wraps the device of the rank that `HYBRID_TEST_WRONG_RANK`, `HYBRID_TEST_LOST_RANK` or `HYBRID_TEST_SLOW_RANK` names: one
/// that computes wrong counts, fails at its second call, or takes ten times as long.
#[cfg(debug_assertions)]
pub(crate) fn sabotage(device: Box<dyn Device>, rank: usize) -> Box<dyn Device> {
    faulty::wrap(device, rank)
}

/// Leaves the device as it is.
#[cfg(not(debug_assertions))]
pub(crate) fn sabotage(device: Box<dyn Device>, _rank: usize) -> Box<dyn Device> {
    device
}

#[cfg(debug_assertions)]
mod faulty {
    use std::{
        env,
        ops::{ControlFlow, Range},
        sync::Mutex,
        thread,
        time::Instant,
    };

    use crate::{
        device::{Deliver, Device, DeviceError, Identity},
        kernel::{Precision, band::Band, count::Counts, counting::CountingKernel, image::Image},
    };

    pub(super) fn named(variable: &str, rank: usize) -> bool {
        env::var(variable).is_ok_and(|value| value == rank.to_string())
    }

    pub(super) fn wrap(device: Box<dyn Device>, rank: usize) -> Box<dyn Device> {
        let kinds = [
            ("HYBRID_TEST_WRONG_RANK", Fault::Wrong),
            ("HYBRID_TEST_LOST_RANK", Fault::Lost),
            ("HYBRID_TEST_SLOW_RANK", Fault::Slow),
        ];
        match kinds.into_iter().find(|(variable, _)| named(variable, rank)) {
            Some((_, fault)) => Box::new(Faulty { device, fault, calls: 0 }),
            None => device,
        }
    }

    #[derive(Clone, Copy, Debug)]
    enum Fault {
        Wrong,
        Lost,
        Slow,
    }

    #[derive(Debug)]
    struct Faulty {
        device: Box<dyn Device>,
        fault: Fault,
        calls: u32,
    }

    impl Device for Faulty {
        fn identity(&self) -> &Identity {
            self.device.identity()
        }

        fn image(
            &mut self,
            image: &Image,
            precision: Precision,
            bands: &[Band],
            deliver: Deliver<'_>,
        ) -> Result<u64, DeviceError> {
            self.calls += 1;
            match self.fault {
                Fault::Lost if self.calls > 1 => {
                    // Half of the bands arrives before the device is gone.
                    self.device.image(image, precision, &bands[..bands.len() / 2], deliver)?;
                    let adapter = self.identity().adapter.clone();
                    Err(DeviceError::Gpu { adapter, step: "a fault was asked for", cause: "device lost".to_owned() })
                }
                Fault::Lost => self.device.image(image, precision, bands, deliver),
                Fault::Slow => {
                    let wanted = Mutex::new(ControlFlow::Continue(()));
                    let mut skipped = 0;
                    for bands in bands.chunks(self.identity().threads.max(1)) {
                        let started = Instant::now();
                        skipped += self.device.image(image, precision, bands, &|band, counts| {
                            let mut wanted = wanted.lock().expect("no thread panics while it delivers");
                            *wanted = deliver(band, counts);
                            *wanted
                        })?;
                        thread::sleep(started.elapsed() * 9);
                        if wanted.lock().expect("no thread panicked while it delivered").is_break() {
                            break;
                        }
                    }
                    Ok(skipped)
                }
                Fault::Wrong => self.device.image(image, precision, bands, &|band, counts| match counts {
                    Counts::U8(counts) => deliver(band, Counts::U8(counts.mapv(|count| count.max(2) - 1).view())),
                    Counts::U16(counts) => deliver(band, Counts::U16(counts.mapv(|count| count.max(2) - 1).view())),
                }),
            }
        }

        fn busy_s(&self) -> Option<f64> {
            self.device.busy_s()
        }

        fn count(&mut self, kernel: &CountingKernel, indices: Range<u64>) -> Result<u64, DeviceError> {
            self.device.count(kernel, indices)
        }
    }
}
