//! Numbers as people write them on a command line, read exactly or refused with the limit. Knows no flag.

use std::{ops::RangeInclusive, str::FromStr};

use crate::words::counted;

/// PNG stores width and height in 31 bits.
pub(super) const MAX_SIDE_PX: u32 = i32::MAX.unsigned_abs();
/// Largest power of 4 that a run of the study may have darts: 4^20 is 1.1e12.
const MAX_POWER: u32 = 20;

/// Width and height of an image in pixels, written `WxH`.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Size {
    /// Pixels in a row.
    pub width: u32,
    /// Rows.
    pub height: u32,
}

impl FromStr for Size {
    type Err = String;

    fn from_str(text: &str) -> Result<Self, String> {
        let (width, height) = text.split_once(['x', 'X']).ok_or("expected WIDTHxHEIGHT, such as 1920x1440")?;
        let side = |name: &str, digits: &str| match digits.trim().parse::<u64>() {
            Ok(0) => Err(format!("{name} 0: an image has at least 1 pixel a side")),
            Ok(px) => u32::try_from(px)
                .ok()
                .filter(|px| *px <= MAX_SIDE_PX)
                .ok_or_else(|| format!("{name} {px}: PNG allows at most {MAX_SIDE_PX} pixels a side")),
            Err(_) => Err(format!("{name} {digits:?} is no whole number of pixels")),
        };
        Ok(Self { width: side("width", width)?, height: side("height", height)? })
    }
}

/// A number of darts: at least 1, in 64 bits.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Darts(pub u64);

impl FromStr for Darts {
    type Err = String;

    fn from_str(text: &str) -> Result<Self, String> {
        const FORMS: &str = "write it like 1e9, 4^14 or 10_000_000_000";
        let plain = text.replace('_', "");
        let whole = |digits: &str| -> Result<u128, String> {
            let all_digits = !digits.is_empty() && digits.bytes().all(|byte| byte.is_ascii_digit());
            if !all_digits {
                return Err(format!("{text:?} is no whole number of darts; {FORMS}"));
            }
            // A number that 128 bits do not hold is over the limit as well.
            Ok(digits.parse().unwrap_or(u128::MAX))
        };
        let power = |base: u128, exponent: u128| {
            u32::try_from(exponent).ok().and_then(|exponent| base.checked_pow(exponent)).unwrap_or(u128::MAX)
        };
        let darts = if let Some((base, exponent)) = plain.split_once('^') {
            power(whole(base)?, whole(exponent)?)
        } else if let Some((mantissa, exponent)) = plain.split_once(['e', 'E']) {
            let (units, fraction) = mantissa.split_once('.').unwrap_or((mantissa, ""));
            let digits = whole(&format!("{units}{fraction}"))?;
            let shift = whole(exponent.trim_start_matches('+'))?;
            let Some(zeros) = shift.checked_sub(fraction.len() as u128) else {
                return Err(format!("{text:?} is no whole number of darts; {FORMS}"));
            };
            digits.saturating_mul(power(10, zeros))
        } else {
            whole(&plain)?
        };
        match u64::try_from(darts) {
            Ok(0) => Err("0 darts estimate nothing: throw at least 1".to_owned()),
            Ok(darts) => Ok(Self(darts)),
            Err(_) => Err(format!("{text} darts are more than the generator's {} numbers of darts", u64::MAX)),
        }
    }
}

/// A range of powers, both ends included, written `FROM..TO`.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Powers(pub RangeInclusive<u32>);

impl FromStr for Powers {
    type Err = String;

    fn from_str(text: &str) -> Result<Self, String> {
        let ends =
            text.split_once("..").and_then(|(from, to)| Some((from.trim().parse().ok()?, to.trim().parse().ok()?)));
        match ends {
            Some((from, to)) if 1 <= from && from <= to && to <= MAX_POWER => Ok(Self(from..=to)),
            Some((from, to)) => Err(format!("{from}..{to}: powers ascend from at least 1 to at most {MAX_POWER}")),
            None => Err(format!("{text:?} is no range of powers; write it like 5..14")),
        }
    }
}

/// `N` finite numbers separated by commas.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Reals<const N: usize>(pub [f64; N]);

impl<const N: usize> FromStr for Reals<N> {
    type Err = String;

    fn from_str(text: &str) -> Result<Self, String> {
        let numbers = text
            .split(',')
            .map(|number| match number.trim().parse::<f64>() {
                Ok(value) if value.is_finite() => Ok(value),
                Ok(value) => Err(format!("{value} is not a finite number")),
                Err(_) => Err(format!("{number:?} is not a number")),
            })
            .collect::<Result<Vec<_>, _>>()?;
        let found = numbers.len();
        let array = numbers
            .try_into()
            .map_err(|_| format!("expected {} separated by commas, found {found}", counted(N, "number")))?;
        Ok(Self(array))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn darts(text: &str) -> Result<u64, String> {
        text.parse::<Darts>().map(|darts| darts.0)
    }

    #[test]
    fn numbers_of_darts_are_read_exactly() {
        for (text, expected) in [
            ("1", 1),
            ("1e9", 1_000_000_000),
            ("1.5E3", 1500),
            ("1e+15", 1_000_000_000_000_000),
            ("4^14", 268_435_456),
            ("10_000_000_000", 10_000_000_000),
            ("18446744073709551615", u64::MAX),
        ] {
            assert_eq!(darts(text), Ok(expected), "{text}");
        }
    }

    #[test]
    fn numbers_that_are_no_number_of_darts_are_refused() {
        for (text, expected) in [
            ("0", "at least 1"),
            ("0e5", "at least 1"),
            ("-5", "no whole number"),
            ("1.5", "no whole number"),
            ("1.23e1", "no whole number"),
            ("1e-3", "no whole number"),
            ("many", "no whole number"),
            ("", "no whole number"),
            ("^", "no whole number"),
            ("2^64", "more than"),
            ("1e20", "more than"),
            ("9^999999999999", "more than"),
            ("1e99999999999999999999999999999999999999999", "more than"),
        ] {
            let message = darts(text).unwrap_err();
            assert!(message.contains(expected), "{text}: {message}");
        }
    }

    #[test]
    fn powers_ascend_within_the_limit() {
        assert_eq!("5..14".parse(), Ok(Powers(5..=14)));
        for text in ["14..5", "0..3", "5..21", "5", "a..b", "5..=6"] {
            assert!(text.parse::<Powers>().is_err(), "{text}");
        }
    }

    #[test]
    fn sizes_have_two_sides_that_a_png_can_have() {
        assert_eq!("1920x1440".parse(), Ok(Size { width: 1920, height: 1440 }));
        for (text, expected) in [
            ("0x5", "width 0: an image has at least 1 pixel"),
            ("5x2147483648", "height 2147483648: PNG allows at most 2147483647"),
            ("99999999999999999999x5", "no whole number"),
            ("12", "WIDTHxHEIGHT"),
        ] {
            let message = text.parse::<Size>().unwrap_err();
            assert!(message.contains(expected), "{text}: {message}");
        }
    }

    #[test]
    fn reals_are_finite_and_as_many_as_are_asked_for() {
        assert_eq!("-0.8, 1e-3".parse(), Ok(Reals([-0.8, 1e-3])));
        for (text, expected) in [
            ("1", "expected 2 numbers separated by commas, found 1"),
            ("1,2,3", "found 3"),
            ("NaN,0", "NaN is not a finite number"),
            ("0,1e999", "inf is not a finite number"),
            ("0,", "\"\" is not a number"),
        ] {
            let message = text.parse::<Reals<2>>().unwrap_err();
            assert!(message.contains(expected), "{text}: {message}");
        }
    }
}
