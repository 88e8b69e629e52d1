//! The device that is requested for a rank, by the command line or by a comment in a rankfile. Knows no machine.

use std::{fmt, str::FromStr};

use crate::{as_text::serde_as_text, pci::PciBusId};

/// The device requested for a rank.
///
/// ```
/// use hybrid::DeviceRequest;
///
/// assert_eq!("gpu".parse(), Ok(DeviceRequest::Gpu));
/// let this: DeviceRequest = "0000:65:00.0".parse().unwrap();
/// assert_eq!(this.to_string(), "0000:65:00.0");
/// assert!("teapot".parse::<DeviceRequest>().is_err());
/// ```
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Hash)]
pub enum DeviceRequest {
    /// A GPU where one is left, else cores.
    #[default]
    Auto,
    /// Cores.
    Cpu,
    /// Any GPU; without one the job fails.
    Gpu,
    /// This GPU; without it the job fails.
    ThisGpu(PciBusId),
}

impl fmt::Display for DeviceRequest {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Auto => f.pad("auto"),
            Self::Cpu => f.pad("cpu"),
            Self::Gpu => f.pad("gpu"),
            Self::ThisGpu(id) => id.fmt(f),
        }
    }
}

/// How it is said that a rank that must have a GPU gets none, whatever is missing.
pub(crate) const NO_GPU: &str = "no GPU for this rank";

/// A text that names no device.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[error("`{0}` is no device; give auto, cpu, gpu or a PCI bus id like 0000:65:00.0")]
pub struct ParseDeviceRequestError(String);

impl FromStr for DeviceRequest {
    type Err = ParseDeviceRequestError;

    fn from_str(text: &str) -> Result<Self, ParseDeviceRequestError> {
        match text {
            "auto" => Ok(Self::Auto),
            "cpu" => Ok(Self::Cpu),
            "gpu" => Ok(Self::Gpu),
            _ => text.parse().map(Self::ThisGpu).map_err(|_| ParseDeviceRequestError(text.to_owned())),
        }
    }
}

serde_as_text!(DeviceRequest);

/// Which kind of cores ranks are to have, where a processor has several.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum CoreKind {
    /// The most capable.
    Performance,
    /// All others.
    Efficiency,
}

/// What a rank should not span.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum Split {
    /// A NUMA node.
    #[default]
    Numa,
    /// A third-level cache, where one is known.
    L3,
}

/// Cores that are kept free on each node.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Reserve {
    /// The first so many, where operating systems do what they do anywhere.
    First(usize),
    /// The first of each third-level cache, so that each has as many left as any other.
    EachL3,
}

impl FromStr for Reserve {
    type Err = String;

    fn from_str(text: &str) -> Result<Self, String> {
        if text.eq_ignore_ascii_case("l3") {
            return Ok(Self::EachL3);
        }
        let cores = text.parse().ok().filter(|cores| *cores > 0);
        cores
            .map(Self::First)
            .ok_or_else(|| "expected a number of cores from 1 on, or l3 for the first of each cache".to_owned())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_device_request_is_read_as_it_is_written() {
        for text in ["auto", "cpu", "gpu", "0000:65:00.0"] {
            assert_eq!(text.parse::<DeviceRequest>().unwrap().to_string(), text);
        }
        let message = "gpu0".parse::<DeviceRequest>().unwrap_err().to_string();
        assert!(message.contains("`gpu0`") && message.contains("0000:65:00.0"), "{message}");
    }
}
