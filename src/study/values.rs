//! The values of a parameter, as people write them: `1,2,4`, `1..4`, `1..16..x2`, `cpu,gpu`. Both ends of a range are among them.

use std::str::FromStr;

/// A parameter has no more values, which a wrong end of a range would make it have.
const MOST: usize = 100_000;

/// At least one value, each once, in the order in which they were written.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Values(pub Vec<String>);

impl Values {
    /// These values.
    ///
    /// # Errors
    /// What is wrong, where there is none or one stands there twice.
    pub fn of(values: Vec<String>) -> Result<Self, String> {
        if values.is_empty() {
            return Err("there is no value".to_owned());
        }
        let mut sorted: Vec<&String> = values.iter().collect();
        sorted.sort();
        match sorted.windows(2).find(|pair| pair[0] == pair[1]) {
            Some(pair) => Err(format!("the value {} stands there twice", pair[0])),
            None => Ok(Self(values)),
        }
    }
}

impl FromStr for Values {
    type Err = String;

    fn from_str(text: &str) -> Result<Self, String> {
        let mut values = Vec::new();
        for part in text.split(',').map(str::trim) {
            match part {
                "" => return Err(format!("{text:?} has an empty value: write values like 1,2,4 or 1..4")),
                part => values.extend(range(part)?.unwrap_or_else(|| vec![part.to_owned()])),
            }
        }
        Self::of(values)
    }
}

/// The numbers of `FROM..TO`, `FROM..TO..STEP` or `FROM..TO..xFACTOR`; `None` for a text that is no range.
fn range(text: &str) -> Result<Option<Vec<String>>, String> {
    let parts: Vec<&str> = text.split("..").collect();
    let is_number = |part: &&str| part.parse::<f64>().is_ok_and(f64::is_finite);
    if parts.len() < 2 || !parts.iter().any(is_number) {
        return Ok(None);
    }
    let wrong = || format!("{text} is no range of whole numbers: write it like 1..4, 0..100..25 or 1..16..x2");
    let whole = |part: &str| part.parse::<i64>().map_err(|_| wrong());
    let (from, to, step) = match parts[..] {
        [from, to] => (whole(from)?, whole(to)?, Step::By(1)),
        [from, to, step] => (whole(from)?, whole(to)?, Step::read(step).ok_or_else(wrong)?),
        _ => return Err(wrong()),
    };
    if from > to {
        return Err(format!("{text} goes down: write the smaller number first"));
    }
    let mut numbers = vec![from];
    let mut last = from;
    while last < to {
        match step.next(last).filter(|next| last < *next && *next <= to) {
            Some(next) => last = next,
            None => {
                return Err(format!(
                    "{text} does not meet its end: both ends belong to a range, and from {last} the next is beyond {to}"
                ));
            }
        }
        numbers.push(last);
        if numbers.len() > MOST {
            return Err(format!("{text} has more than {MOST} values"));
        }
    }
    Ok(Some(numbers.iter().map(i64::to_string).collect()))
}

/// From one number of a range to the next.
#[derive(Clone, Copy)]
enum Step {
    By(i64),
    Times(i64),
}

impl Step {
    fn read(text: &str) -> Option<Self> {
        match text.strip_prefix('x') {
            Some(factor) => factor.parse().ok().filter(|factor| *factor > 1).map(Self::Times),
            None => text.parse().ok().filter(|step| *step > 0).map(Self::By),
        }
    }

    fn next(self, last: i64) -> Option<i64> {
        match self {
            Self::By(step) => last.checked_add(step),
            Self::Times(factor) => last.checked_mul(factor),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn values(text: &str) -> Result<String, String> {
        text.parse::<Values>().map(|values| values.0.join(" "))
    }

    #[test]
    fn both_ends_of_a_range_are_among_the_values() {
        for (text, expected) in [
            ("4", "4"),
            ("1,2,4", "1 2 4"),
            ("1..4", "1 2 3 4"),
            ("-1..1", "-1 0 1"),
            ("1, 4..6", "1 4 5 6"),
            ("0..100..25", "0 25 50 75 100"),
            ("1..16..x2", "1 2 4 8 16"),
            ("cpu,gpu", "cpu gpu"),
            ("640x480", "640x480"),
            ("1e6,0.5", "1e6 0.5"),
            ("../a,b..c", "../a b..c"),
        ] {
            assert_eq!(values(text).as_deref(), Ok(expected), "{text}");
        }
    }

    #[test]
    fn what_is_no_list_of_values_is_refused_with_the_way_to_write_it() {
        for (text, expected) in [
            ("", "an empty value"),
            ("1,,2", "an empty value"),
            ("4..1", "goes down"),
            ("1..", "1.. is no range of whole numbers: write it like 1..4"),
            ("0.5..2", "no range of whole numbers"),
            ("1..8..x1", "no range"),
            ("1..8..0", "no range"),
            ("1..10..x2", "from 8 the next is beyond 10"),
            ("0..9..x2", "from 0 the next is beyond 9"),
            ("1..2..3..4", "no range"),
            ("1..9000000", "more than 100000 values"),
            ("1,2,1", "the value 1 stands there twice"),
        ] {
            let message = values(text).expect_err(text);
            assert!(message.contains(expected), "{text}: {message}");
        }
    }
}
