//! The name of a GPU: its PCI bus id, in the one spelling that hwloc, Vulkan and the kernel share.
//!
//! Tools write the same id in several ways: `nvidia-smi` with a domain of eight digits and in upper case, `lspci` without a
//! domain. All are read, one is written.

use std::{fmt, str::FromStr};

use crate::as_text::serde_as_text;

/// A PCI function, written `0000:65:00.0` (domain, bus, device, function, in hexadecimal).
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct PciBusId {
    /// PCI domain; more than 16 bits behind Intel's volume management devices.
    pub domain: u32,
    /// Bus within the domain.
    pub bus: u8,
    /// Device on the bus, below 32.
    pub device: u8,
    /// Function of the device, below 8.
    pub function: u8,
}

impl PciBusId {
    /// Whether both are functions of one device, as a card and its virtual functions may be.
    #[must_use]
    pub fn is_same_device(&self, other: &Self) -> bool {
        Self { function: 0, ..*self } == Self { function: 0, ..*other }
    }
}

impl fmt::Display for PciBusId {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Self { domain, bus, device, function } = self;
        // `pad` lets a table align the id as it aligns any text.
        f.pad(&format!("{domain:04x}:{bus:02x}:{device:02x}.{function:x}"))
    }
}

/// A text that is no PCI bus id.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[error("`{0}` is no PCI bus id; write it like 0000:65:00.0")]
pub struct ParsePciBusIdError(String);

impl FromStr for PciBusId {
    type Err = ParsePciBusIdError;

    /// Reads `0000:65:00.0`, `00000000:65:00.0` and `65:00.0`, in lower or upper case.
    fn from_str(text: &str) -> Result<Self, ParsePciBusIdError> {
        parse(text.trim()).ok_or_else(|| ParsePciBusIdError(text.to_owned()))
    }
}

fn parse(text: &str) -> Option<PciBusId> {
    let (address, function) = text.split_once('.')?;
    let mut fields = address.rsplit(':');
    let (device, bus, domain) = (fields.next()?, fields.next()?, fields.next().unwrap_or("0000"));
    let id = PciBusId {
        domain: hexadecimal(domain, 4..=8)?,
        bus: u8::try_from(hexadecimal(bus, 1..=2)?).ok()?,
        device: u8::try_from(hexadecimal(device, 1..=2)?).ok()?,
        function: u8::try_from(hexadecimal(function, 1..=1)?).ok()?,
    };
    (fields.next().is_none() && id.device < 32 && id.function < 8).then_some(id)
}

fn hexadecimal(digits: &str, lengths: std::ops::RangeInclusive<usize>) -> Option<u32> {
    // `from_str_radix` alone would also take a sign.
    let all_digits = digits.bytes().all(|byte| byte.is_ascii_hexdigit());
    (all_digits && lengths.contains(&digits.len())).then(|| u32::from_str_radix(digits, 16).ok()).flatten()
}

serde_as_text!(PciBusId);

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_tools_spelling_reads_as_the_same_id() {
        for (text, normal) in [
            ("0000:65:00.0", "0000:65:00.0"),
            ("00000000:C1:00.0", "0000:c1:00.0"),
            ("65:00.0", "0000:65:00.0"),
            (" 0001:0a:1f.7 ", "0001:0a:1f.7"),
            ("10000:01:00.0", "10000:01:00.0"),
        ] {
            assert_eq!(text.parse::<PciBusId>().unwrap().to_string(), normal, "{text}");
        }
    }

    #[test]
    fn texts_that_are_no_bus_id_are_refused() {
        for text in [
            "",
            "65:00",
            "65:00.8",
            "65:20.0",
            "165:00.0",
            "0:0000:65:00.0",
            "+5:00.0",
            "0000:65:00.0x",
            "0",
            "gpu",
            "000:65:00.0",
        ] {
            let message = text.parse::<PciBusId>().unwrap_err().to_string();
            assert!(message.contains("0000:65:00.0"), "{message}");
        }
    }

    #[test]
    fn ids_sort_by_domain_bus_device_function() {
        let sorted = ["0000:65:00.0", "0000:65:00.1", "0000:c1:00.0", "0001:03:00.0"];
        let mut ids: Vec<PciBusId> = sorted.iter().rev().map(|text| text.parse().unwrap()).collect();
        ids.sort();
        assert_eq!(ids.iter().map(ToString::to_string).collect::<Vec<_>>(), sorted);
    }

    #[test]
    fn it_is_a_text_in_json_and_pads_in_a_table() {
        let id: PciBusId = "65:00.0".parse().unwrap();
        assert_eq!(serde_json::to_string(&id).unwrap(), "\"0000:65:00.0\"");
        assert_eq!(serde_json::from_str::<PciBusId>("\"65:00.0\"").unwrap(), id);
        assert_eq!(format!("{id:>14}|"), "  0000:65:00.0|");
    }
}
