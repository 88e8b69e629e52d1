//! What is kept of a run: one JSON object on one line, with all that it takes to repeat the run and to understand its figures. Every
//! line stands for itself, so that a file that was cut off has lost one run at most.

use std::collections::BTreeMap;

use serde::{Deserialize, Serialize};
use serde_json::{Number, Value};

use super::{
    grid::{Parameter, REPEAT},
    template::Template,
};

/// Version of the form of a record. A record begins with it, and is known by that.
pub const SCHEMA: u32 = 1;
/// The first bytes of every record.
pub const BEGINNING: &str = "{\"hybrid_sweep\":1,";

/// How a run ended.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum Status {
    /// With success, and with its figure where one was to be found.
    Ok,
    /// Not with success; `reason` tells.
    Failed,
    /// It was ended when its time was over.
    Timeout,
}

/// What a sweep was told to do; the same in all its records.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Spec {
    /// The words of the program, with `{name}` for the values of parameters.
    pub command: Vec<String>,
    /// Whether the program is this one, whose report then stands in the record.
    pub is_hybrid: bool,
    /// The words of the launcher in front of it; none where it is started as it is.
    pub launcher: Vec<String>,
    /// The parameters with all their values.
    pub parameters: Vec<Parameter>,
    /// Runs of each combination.
    pub repeat: u32,
    /// Runs of each combination before the first that counts, which are not kept.
    pub warm_up: u32,
    /// Decides the order.
    pub seed: u64,
    /// A run that takes longer is ended; in seconds.
    pub timeout_s: Option<u64>,
    /// What finds the figure in the program's output; without it the figure is the wall time.
    pub pattern: Option<String>,
}

impl Spec {
    /// What two sweeps differ in that cannot go into one file, as options. The time limit may differ: it changes no run that was in time.
    #[must_use]
    pub fn differences(&self, other: &Self) -> Vec<String> {
        let mut found = Vec::new();
        let mut differ = |option: &str, mine: String, others: String| {
            if mine != others {
                found.push(format!("{option} is {others} there and {mine} here"));
            }
        };
        let or_none = |text: &Option<String>| text.clone().unwrap_or_else(|| "none".to_owned());
        let words = |words: &[String]| if words.is_empty() { "none".to_owned() } else { words.join(" ") };
        differ("the command", words(&self.command), words(&other.command));
        differ("--launcher", words(&self.launcher), words(&other.launcher));
        for name in names(self).chain(names(other).filter(|name| names(self).all(|known| known != *name))) {
            differ(&format!("the parameter {name}"), values(self, name), values(other, name));
        }
        differ("--repeat", self.repeat.to_string(), other.repeat.to_string());
        differ("--warm-up", self.warm_up.to_string(), other.warm_up.to_string());
        differ("--seed", self.seed.to_string(), other.seed.to_string());
        differ("--pattern", or_none(&self.pattern), or_none(&other.pattern));
        if found.is_empty() && (self.is_hybrid, &self.parameters) != (other.is_hybrid, &other.parameters) {
            found.push("the order of the parameters".to_owned());
        }
        found
    }

    /// Whether every parameter has its place and every place its parameter.
    ///
    /// # Errors
    /// What lacks what.
    pub fn check_places(&self) -> Result<(), String> {
        let words: Vec<String> = self.launcher.iter().chain(&self.command).cloned().collect();
        let template = Template::of(&words);
        let places = template.names();
        let known = || names(self).chain([REPEAT]);
        if let Some(name) = places.iter().find(|name| known().all(|known| known != **name)) {
            let known: Vec<&str> = known().collect();
            return Err(format!(
                "there is no parameter {name} for the place {{{name}}}: give its values with --param {name}=VALUES, or write {{{{{name}}}}} for the word {{{name}}} itself; the parameters are {}",
                known.join(", ")
            ));
        }
        match names(self).find(|name| !places.contains(name)) {
            Some(name) => Err(format!(
                "the parameter {name} has no place: write {{{name}}} where its value belongs, in the words of the program or of --launcher"
            )),
            None => Ok(()),
        }
    }
}

fn names(spec: &Spec) -> impl Iterator<Item = &str> {
    spec.parameters.iter().map(|parameter| parameter.name.as_str())
}

fn values(spec: &Spec, name: &str) -> String {
    let found = spec.parameters.iter().find(|parameter| parameter.name == name);
    found.map_or_else(|| "missing".to_owned(), |parameter| parameter.values.join(","))
}

/// A run that was measured. A reader takes the last record of a key: one that failed may have been run again.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct Record {
    /// [`SCHEMA`].
    pub hybrid_sweep: u32,
    /// By which the run is known in its sweep.
    pub key: String,
    /// The parameters and their values, as numbers where they are numbers.
    pub parameters: BTreeMap<String, Value>,
    /// Which of the repetitions it is, from 1 on.
    pub repeat: u32,
    /// How it ended.
    pub status: Status,
    /// From its start to its end, launcher included, by a clock that nobody sets; in nanoseconds.
    pub wall_ns: u64,
    /// The number that the pattern found, where there is one.
    pub value: Option<f64>,
    /// What the program ended with; none where a signal ended it or it did not start.
    pub exit_code: Option<i32>,
    /// The signal that ended it.
    pub signal: Option<i32>,
    /// Why it counts as failed.
    pub reason: Option<String>,
    /// The end of what it said on stderr, where it failed.
    pub stderr: Option<String>,
    /// Every word of the command, launcher included.
    pub argv: Vec<String>,
    /// Variables that may have changed what it did.
    pub environment: BTreeMap<String, String>,
    /// The folder it was started in.
    pub cwd: String,
    /// The host it was started on.
    pub host: String,
    /// Version of the program that measured it.
    pub version: String,
    /// And the digest of its sources.
    pub build: String,
    /// When it began, in UTC, as RFC 3339 has it.
    pub started: String,
    /// What the sweep was told to do.
    pub sweep: Spec,
    /// The report of the run (`--timings json`), where the program is this one.
    pub report: Option<Value>,
}

impl Record {
    /// One line, with its end.
    #[must_use]
    pub fn line(&self) -> String {
        serde_json::to_string(self).expect("numbers, texts and lists have a form in JSON") + "\n"
    }
}

/// Below this every whole number has a form of its own in 64 bits.
const EXACT: f64 = 9_007_199_254_740_992.0;

/// A value of a parameter as JSON: a number where it is one.
#[must_use]
pub fn as_json(value: &str) -> Value {
    let number = || {
        if let Ok(whole) = value.parse::<i64>() {
            return Some(whole.into());
        }
        if let Ok(whole) = value.parse::<u64>() {
            return Some(whole.into());
        }
        let number: f64 = value.parse().ok()?;
        #[expect(clippy::cast_possible_truncation, reason = "whole numbers of that size are exact")]
        let whole = (libm::trunc(number) == number && number.abs() < EXACT).then_some(number as i64);
        whole.map(Number::from).or_else(|| Number::from_f64(number))
    };
    number().map_or_else(|| value.into(), Value::Number)
}

#[cfg(test)]
pub(super) mod tests {
    use super::*;

    pub(in crate::study) fn spec() -> Spec {
        let parameter = |name: &str, values: &[&str]| Parameter {
            name: name.to_owned(),
            values: values.iter().map(|&value| value.to_owned()).collect(),
        };
        Spec {
            command: vec!["app".to_owned(), "{size}".to_owned()],
            is_hybrid: false,
            launcher: vec!["mpiexec".to_owned(), "-n".to_owned(), "{np}".to_owned()],
            parameters: vec![parameter("np", &["1", "2"]), parameter("size", &["a"])],
            repeat: 3,
            warm_up: 0,
            seed: 1,
            timeout_s: None,
            pattern: None,
        }
    }

    pub(in crate::study) fn record(np: u32, repeat: u32, wall_ns: u64) -> Record {
        Record {
            hybrid_sweep: SCHEMA,
            key: format!("np={np} size=a repeat={repeat}"),
            parameters: BTreeMap::from([("np".to_owned(), np.into()), ("size".to_owned(), "a".into())]),
            repeat,
            status: Status::Ok,
            wall_ns,
            value: None,
            exit_code: Some(0),
            signal: None,
            reason: None,
            stderr: None,
            argv: vec!["app".to_owned(), "a".to_owned()],
            environment: BTreeMap::new(),
            cwd: "/tmp".to_owned(),
            host: "vm".to_owned(),
            version: "0.1.0".to_owned(),
            build: "0".to_owned(),
            started: "2026-01-01T00:00:00Z".to_owned(),
            sweep: spec(),
            report: None,
        }
    }

    #[test]
    fn a_record_is_one_line_that_is_known_by_its_beginning() {
        let record = record(2, 1, 5);
        let line = record.line();
        assert!(line.starts_with(BEGINNING) && line.matches('\n').count() == 1, "{line}");
        assert_eq!(serde_json::from_str::<Record>(&line).unwrap(), record);
    }

    #[test]
    fn numbers_stay_numbers() {
        for (value, expected) in [
            ("4", "4"),
            ("18446744073709551615", "18446744073709551615"),
            ("0.5", "0.5"),
            ("1e6", "1000000"),
            ("1e300", "1e+300"),
            ("-0.25", "-0.25"),
            ("cpu", "\"cpu\""),
            ("NaN", "\"NaN\""),
            ("inf", "\"inf\""),
            ("4^14", "\"4^14\""),
        ] {
            assert_eq!(as_json(value).to_string(), expected);
        }
    }

    #[test]
    fn what_differs_is_named_with_both_values() {
        assert!(spec().differences(&Spec { timeout_s: Some(9), ..spec() }).is_empty());
        let mut other = spec();
        (other.repeat, other.launcher) = (5, vec![]);
        other.parameters.remove(1);
        assert_eq!(
            spec().differences(&other),
            [
                "--launcher is none there and mpiexec -n {np} here",
                "the parameter size is missing there and a here",
                "--repeat is 5 there and 3 here"
            ]
        );
        let mut other = spec();
        other.parameters.reverse();
        assert_eq!(spec().differences(&other), ["the order of the parameters"]);
    }

    #[test]
    fn every_parameter_has_a_place_and_every_place_a_parameter() {
        assert_eq!(spec().check_places(), Ok(()));
        let without = Spec { launcher: vec![], ..spec() };
        assert!(without.check_places().unwrap_err().contains("the parameter np has no place: write {np}"));
        let mut other = spec();
        other.command.push("--x={depth}{repeat}".to_owned());
        let message = other.check_places().unwrap_err();
        assert!(message.contains("no parameter depth") && message.contains("{{depth}}"), "{message}");
    }
}
