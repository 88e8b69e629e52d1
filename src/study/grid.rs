//! All combinations of the values of parameters, each so many times, in an order that a seed decides.

use serde::{Deserialize, Serialize};

use crate::kernel::threefry::{ROUNDS, threefry4x32};

/// A sweep has no more runs, which a wrong range would make it have.
const MOST_RUNS: u128 = 1_000_000;
/// Tells the random numbers of an order from those of anything else that has the same seed.
const ORDER: u32 = 0x7377_6570;

/// A parameter and its values, as they stand in a command.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Parameter {
    /// What it is called.
    pub name: String,
    /// Its values.
    pub values: Vec<String>,
}

/// All combinations of values, each of them `repeat` times.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Grid {
    parameters: Vec<Parameter>,
    repeat: u32,
}

/// A run: a value for each parameter, and which of the repetitions it is, from 1 on.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Run {
    /// Number of the combination, with the last parameter changing first.
    pub combination: usize,
    /// The parameters with their values.
    pub values: Vec<(String, String)>,
    /// From 1 on.
    pub repeat: u32,
}

impl Run {
    /// The value of a parameter, or of `repeat`.
    #[must_use]
    pub fn value(&self, name: &str) -> Option<String> {
        let own = self.values.iter().find(|(known, _)| known == name).map(|(_, value)| value.clone());
        own.or_else(|| (name == REPEAT).then(|| self.repeat.to_string()))
    }

    /// What the run is known by: its values and its repetition. No two runs of a grid have the same.
    #[must_use]
    pub fn key(&self) -> String {
        let values = self.values.iter().map(|(name, value)| format!("{name}={} ", quoted(value)));
        format!("{}{REPEAT}={}", values.collect::<String>(), self.repeat)
    }
}

/// What the number of the repetition is called in a command.
pub const REPEAT: &str = "repeat";

/// A value that is told from all others where blanks are between them.
fn quoted(value: &str) -> String {
    let plain = |sign: char| !sign.is_whitespace() && !sign.is_control() && sign != '"' && sign != '\\';
    if !value.is_empty() && value.chars().all(plain) { value.to_owned() } else { format!("{value:?}") }
}

impl Grid {
    /// The grid of these parameters.
    ///
    /// # Errors
    /// What is wrong: a name that stands there twice or means something else, or too many runs.
    pub fn of(parameters: Vec<Parameter>, repeat: u32) -> Result<Self, String> {
        for (index, Parameter { name, .. }) in parameters.iter().enumerate() {
            if name == REPEAT {
                return Err(format!("a parameter cannot be called {REPEAT}: that is the number of the repetition"));
            }
            if parameters[..index].iter().any(|other| other.name == *name) {
                return Err(format!("the parameter {name} stands there twice"));
            }
        }
        let counts = parameters.iter().map(|parameter| parameter.values.len() as u128);
        let runs = counts.fold(u128::from(repeat), u128::saturating_mul);
        if runs > MOST_RUNS {
            return Err(format!("these parameters make {runs} runs, and a sweep has at most {MOST_RUNS}"));
        }
        Ok(Self { parameters, repeat })
    }

    /// How many combinations there are.
    #[must_use]
    pub fn combinations(&self) -> usize {
        self.parameters.iter().map(|parameter| parameter.values.len()).product()
    }

    /// A run of the combination of that number.
    #[must_use]
    pub fn run(&self, combination: usize, repeat: u32) -> Run {
        let mut rest = combination;
        let mut values: Vec<(String, String)> = Vec::with_capacity(self.parameters.len());
        for Parameter { name, values: all } in self.parameters.iter().rev() {
            values.push((name.clone(), all[rest % all.len()].clone()));
            rest /= all.len();
        }
        values.reverse();
        Run { combination, values, repeat }
    }

    /// All runs. Each combination comes once before any comes again, so that what changes slowly, such as the temperature or the load
    /// of a machine, is spread over all of them; within a round the order is shuffled by `seed`.
    #[must_use]
    pub fn runs(&self, seed: u64) -> Vec<Run> {
        (1..=self.repeat)
            .flat_map(|repeat| {
                shuffled(self.combinations(), seed, repeat)
                    .into_iter()
                    .map(move |combination| self.run(combination, repeat))
            })
            .collect()
    }
}

/// The numbers below `count` in an order that follows from the seed and the round: the shuffle of Fisher and Yates.
fn shuffled(count: usize, seed: u64, round: u32) -> Vec<usize> {
    let key = [low(seed), low(seed >> 32), ORDER, 0];
    let mut order: Vec<usize> = (0..count).collect();
    for last in (1..count).rev() {
        let words = threefry4x32::<ROUNDS>([low(last as u64), round, 0, 0], key);
        let random = u128::from(words[0]) << 32 | u128::from(words[1]);
        let other = (random * (last as u128 + 1)) >> 64;
        order.swap(last, usize::try_from(other).expect("it is at most `last`"));
    }
    order
}

#[expect(clippy::cast_possible_truncation, reason = "the lower half is meant")]
fn low(number: u64) -> u32 {
    number as u32
}

#[cfg(test)]
mod tests {
    use std::collections::BTreeSet;

    use super::*;

    fn parameter(name: &str, values: &[&str]) -> Parameter {
        Parameter { name: name.to_owned(), values: values.iter().map(|&value| value.to_owned()).collect() }
    }

    fn grid() -> Grid {
        Grid::of(vec![parameter("np", &["1", "2", "4"]), parameter("device", &["cpu", "gpu"])], 4).unwrap()
    }

    #[test]
    fn every_combination_is_there_as_often_as_it_is_to_be_repeated() {
        let runs = grid().runs(1);
        let keys: BTreeSet<String> = runs.iter().map(Run::key).collect();
        assert_eq!((runs.len(), keys.len()), (24, 24));
        for np in [1, 2, 4] {
            for device in ["cpu", "gpu"] {
                for repeat in 1..=4 {
                    assert!(keys.contains(&format!("np={np} device={device} repeat={repeat}")), "{keys:?}");
                }
            }
        }
        assert_eq!(Grid::of(vec![], 2).unwrap().runs(1).len(), 2, "no parameter is one combination");
    }

    #[test]
    fn the_seed_decides_the_order_and_each_round_has_every_combination() {
        let orders: BTreeSet<Vec<String>> =
            (0..50).map(|seed| grid().runs(seed).iter().map(Run::key).collect()).collect();
        assert!(orders.len() > 45, "{}", orders.len());
        assert_eq!(grid().runs(7), grid().runs(7));
        for round in grid().runs(7).chunks(6) {
            let combinations: BTreeSet<usize> = round.iter().map(|run| run.combination).collect();
            assert_eq!((combinations.len(), round.iter().all(|run| run.repeat == round[0].repeat)), (6, true));
        }
    }

    #[test]
    fn every_order_is_as_likely_as_any_other() {
        let mut seen = [0_u32; 6];
        for seed in 0..6000 {
            let [a, b, _] = shuffled(3, seed, 1)[..] else { panic!("three numbers") };
            seen[a * 2 + usize::from(b > (0..3).find(|other| *other != a).unwrap())] += 1;
        }
        // Five standard deviations.
        assert!(seen.iter().all(|count| count.abs_diff(1000) < 145), "{seen:?}");
    }

    #[test]
    fn values_with_blanks_are_told_from_others() {
        let run = |value: &str| Grid::of(vec![parameter("a", &[value])], 1).unwrap().run(0, 1).key();
        let keys: BTreeSet<String> = ["x repeat=1", "x", "", "\"x\"", "x\\"].map(run).into();
        assert_eq!(keys.len(), 5, "{keys:?}");
    }

    #[test]
    fn what_is_no_grid_is_refused() {
        for (parameters, repeat, expected) in [
            (vec![parameter("a", &["1"]), parameter("a", &["2"])], 1, "a stands there twice"),
            (vec![parameter("repeat", &["1"])], 1, "cannot be called repeat"),
            (vec![parameter("a", &["1", "2"])], 600_000, "make 1200000 runs, and a sweep has at most 1000000"),
        ] {
            let message = Grid::of(parameters, repeat).unwrap_err();
            assert!(message.contains(expected), "{message}");
        }
    }
}
