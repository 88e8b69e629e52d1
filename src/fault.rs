//! Faults for the tests of what happens when a rank or its device fails, and made-up hardware. Compiled into builds with debug
//! assertions alone; a release build has no such switch.

use std::{path::PathBuf, time::Duration};

use crate::{
    build_id::BuildId,
    device::{Device, gpu::Which},
    placement::VulkanFacts,
};

/// Panics on the rank that `HYBRID_TEST_PANIC_RANK` names.
#[cfg(debug_assertions)]
pub(crate) fn inject(rank: usize) {
    assert!(!faulty::named("HYBRID_TEST_PANIC_RANK", rank), "a fault was asked for");
}

/// Does nothing.
#[cfg(not(debug_assertions))]
pub(crate) fn inject(_rank: usize) {}

/// The build of this program, or on the rank that `HYBRID_TEST_OTHER_VERSION`, `HYBRID_TEST_OTHER_WIRE` or `HYBRID_TEST_OTHER_SOURCES`
/// names another one; `None`, as of a build that does not tell, on the rank of `HYBRID_TEST_UNTOLD_BUILD`.
#[cfg(debug_assertions)]
pub(crate) fn build(rank: usize) -> Option<BuildId> {
    let mut build = BuildId::of_this_program();
    if faulty::named("HYBRID_TEST_OTHER_VERSION", rank) {
        build.version += "-other";
    }
    build.wire ^= u64::from(faulty::named("HYBRID_TEST_OTHER_WIRE", rank));
    build.sources ^= u64::from(faulty::named("HYBRID_TEST_OTHER_SOURCES", rank));
    (!faulty::named("HYBRID_TEST_UNTOLD_BUILD", rank)).then_some(build)
}

/// How long a rank may not tell its build, where `HYBRID_TEST_BUILD_LIMIT` says so many seconds.
#[cfg(debug_assertions)]
pub(crate) fn build_limit() -> Option<Duration> {
    std::env::var("HYBRID_TEST_BUILD_LIMIT").ok()?.parse().map(Duration::from_secs).ok()
}

/// Nothing else than usual.
#[cfg(not(debug_assertions))]
pub(crate) fn build_limit() -> Option<Duration> {
    None
}

/// The build of this program.
#[cfg(not(debug_assertions))]
pub(crate) fn build(_rank: usize) -> Option<BuildId> {
    Some(BuildId::of_this_program())
}

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

/// Where the kernel's `/sys` and `/proc` and the files of drivers are: below `HYBRID_TEST_ROOT`.
pub(crate) fn root() -> PathBuf {
    #[cfg(debug_assertions)]
    if let Some(root) = std::env::var_os("HYBRID_TEST_ROOT") {
        return root.into();
    }
    "/".into()
}

/// Puts the adapters of `HYBRID_TEST_VULKAN`, GPUs at the PCI bus ids that it has with commas between, in the place of those in
/// hardware.
#[cfg(debug_assertions)]
pub(crate) fn with_adapters(mut facts: VulkanFacts) -> VulkanFacts {
    if let Some(made_up) = faulty::adapters() {
        facts.adapters.retain(|adapter| adapter.is_software);
        facts.adapters.extend(made_up);
    }
    facts
}

/// Leaves the adapters as they are.
#[cfg(not(debug_assertions))]
pub(crate) fn with_adapters(facts: VulkanFacts) -> VulkanFacts {
    facts
}

/// Lets the software adapter stand in for an adapter of `HYBRID_TEST_VULKAN`.
pub(crate) fn stand_in(which: &Which) -> Which {
    #[cfg(debug_assertions)]
    if let Which::PciBusId(id) = which
        && faulty::adapters().iter().flatten().any(|adapter| adapter.pci_bus_id == id.parse().ok())
    {
        return Which::Software;
    }
    which.clone()
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
        placement::VulkanAdapter,
    };

    /// The adapters of `HYBRID_TEST_VULKAN`.
    pub(super) fn adapters() -> Option<Vec<VulkanAdapter>> {
        let ids = env::var("HYBRID_TEST_VULKAN").ok()?;
        let adapter = |id: &str| VulkanAdapter {
            name: "NVIDIA Made-Up".to_owned(),
            vendor_id: 0x10de,
            device_id: 0x2335,
            driver: "made up".to_owned(),
            pci_bus_id: id.parse().ok(),
            is_software: false,
        };
        Some(ids.split(',').filter(|id| !id.is_empty()).map(adapter).collect())
    }

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
