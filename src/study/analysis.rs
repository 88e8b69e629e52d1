//! All that the records of one or several files tell together, as data: what a page, a table and a program are given is the same.

use std::collections::BTreeSet;

use serde::Serialize;

use super::{
    points::{Metric, Parameters, Point, Reading, label},
    record::{Record, Status},
    results::Results,
    scaling::{Scalings, not_weak},
    statistics::{CONFIDENCE, Comparison, Summary},
};
use crate::words::{cases, counted};

/// The parameter that tells runs of several files apart.
const FILE: &str = "file";

/// A file that was read.
#[derive(Debug)]
pub struct Source {
    /// As the user named it.
    pub name: String,
    /// What is in it.
    pub results: Results,
}

/// What is told of a file.
#[derive(Clone, Debug, PartialEq, Serialize)]
pub struct Facts {
    /// As the user named it.
    pub name: String,
    /// The command of its sweep, with places for values, launcher included.
    pub command: Vec<String>,
    /// Runs that the sweep has.
    pub runs: usize,
    /// Of them those that are in the file.
    pub recorded: usize,
    /// Of these those that succeeded.
    pub succeeded: usize,
    /// Hosts on which they were started.
    pub hosts: Vec<String>,
    /// The builds of this program that measured them.
    pub builds: Vec<String>,
    /// When the first began.
    pub first: String,
    /// When the last began.
    pub last: String,
}

/// What was asked for beside the files.
#[derive(Clone, Debug)]
pub struct Question<'a> {
    /// How records become points.
    pub reading: Reading<'a>,
    /// The unit of that.
    pub unit: &'a str,
    /// Whether the files are to be a study of weak scaling.
    pub is_weak: bool,
}

/// All that was found out.
#[derive(Clone, Debug, PartialEq, Serialize)]
pub struct Analysis {
    /// Version of this form.
    pub hybrid_report: u32,
    /// The files.
    pub files: Vec<Facts>,
    /// What the reader should know of them.
    pub notes: Vec<String>,
    /// What is taken for the time of a run.
    pub metric: Metric,
    /// The unit of all that was measured but the phases, which are in seconds.
    pub unit: String,
    /// Of intervals.
    pub confidence: f64,
    /// Each combination of parameters.
    pub points: Vec<Point>,
    /// How the time goes with the number of ranks.
    pub scaling: Scalings,
    /// The same combinations in another file.
    pub against: Option<Against>,
}

/// Runs beside those of another file.
#[derive(Clone, Debug, PartialEq, Serialize)]
pub struct Against {
    /// The other file.
    pub base: Facts,
    /// Combinations that both have.
    pub rows: Vec<Beside>,
    /// Combinations that one of them lacks.
    pub only_in_one: Vec<String>,
}

/// A combination in both files.
#[derive(Clone, Debug, PartialEq, Serialize)]
pub struct Beside {
    /// The combination.
    pub parameters: Parameters,
    /// In the other file.
    pub base: Summary,
    /// In this one.
    pub summary: Summary,
    /// What that comes to.
    pub comparison: Comparison,
}

impl Facts {
    fn of(source: &Source) -> Self {
        let latest = source.results.latest();
        let distinct = |word: &dyn Fn(&Record) -> String| -> Vec<String> {
            latest.iter().map(|record| word(record)).collect::<BTreeSet<_>>().into_iter().collect()
        };
        let started = || latest.iter().map(|record| record.started.clone());
        let spec = latest.last().map(|record| &record.sweep);
        let combinations = spec.map_or(0, |spec| spec.parameters.iter().map(|p| p.values.len()).product());
        Self {
            name: source.name.clone(),
            command: spec.map(|spec| [&spec.launcher[..], &spec.command[..]].concat()).unwrap_or_default(),
            runs: combinations * spec.map_or(0, |spec| spec.repeat as usize),
            recorded: latest.len(),
            succeeded: latest.iter().filter(|record| record.status == Status::Ok).count(),
            hosts: distinct(&|record| record.host.clone()),
            builds: distinct(&|record| format!("hybrid {} ({})", record.version, record.build)),
            first: started().min().unwrap_or_default(),
            last: started().max().unwrap_or_default(),
        }
    }

    /// What the reader should know.
    fn notes(&self, source: &Source, notes: &mut Vec<String>) {
        let name = &self.name;
        if let Some(fault) = source.results.fault() {
            notes.push(format!("{name}: {fault}; all other lines are used"));
        }
        if self.recorded < self.runs {
            notes.push(format!(
                "{name}: {} of {} runs are there: the sweep goes on when it is started again",
                self.recorded, self.runs
            ));
        }
        if self.succeeded < self.recorded {
            notes.push(format!("{name}: {} did not succeed", counted(self.recorded - self.succeeded, "run")));
        }
        if self.hosts.len() > 1 {
            notes.push(format!("{name}: its runs were started on different hosts: {}", cases(self.hosts.clone())));
        }
        if self.builds.len() > 1 {
            notes.push(format!("{name}: its runs were measured by different builds: {}", cases(self.builds.clone())));
        }
    }
}

impl Analysis {
    /// Of these files, beside `base` where there is one.
    ///
    /// # Errors
    /// What is wrong with a record or with the question.
    pub fn of(sources: &[Source], base: Option<&Source>, question: &Question<'_>) -> Result<Self, String> {
        let mut notes = Vec::new();
        let mut all: Vec<(Parameters, &Record)> = Vec::new();
        for source in sources {
            for record in source.results.latest() {
                let mut parameters = record.parameters.clone();
                if sources.len() > 1 {
                    parameters.insert(FILE.to_owned(), source.name.clone().into());
                }
                all.push((parameters, record));
            }
        }
        let points = question.reading.points(&all)?;
        if points.iter().all(|point| point.summary.is_none()) {
            return Err("no run has succeeded, so there is nothing to report".to_owned());
        }
        if question.is_weak
            && let Some(reason) = not_weak(&points, question.reading.ranks)
        {
            return Err(format!("this is no study of weak scaling: {reason}"));
        }
        let files: Vec<Facts> = sources.iter().map(Facts::of).collect();
        for (facts, source) in files.iter().zip(sources) {
            facts.notes(source, &mut notes);
        }
        let against = base.map(|base| Against::of(base, &points, question, &mut notes)).transpose()?;
        let few = points.iter().filter(|point| point.summary.as_ref().is_some_and(|s| s.interval.is_none())).count();
        if few > 0 {
            notes.push(format!(
                "{} of {} have fewer than 6 runs, too few for an interval of the median: their smallest and largest are shown instead",
                few,
                counted(points.len(), "combination")
            ));
        }
        let mut scaling = Scalings::of(&points, question.reading.ranks);
        if question.is_weak {
            scaling.strong.clear();
            scaling.no_strong = vec!["the files are a study of weak scaling".to_owned()];
        }
        Ok(Self {
            hybrid_report: 1,
            files,
            notes,
            metric: question.reading.metric,
            unit: question.unit.to_owned(),
            confidence: CONFIDENCE,
            points,
            scaling,
            against,
        })
    }
}

impl Against {
    fn of(base: &Source, points: &[Point], question: &Question<'_>, notes: &mut Vec<String>) -> Result<Self, String> {
        let facts = Facts::of(base);
        facts.notes(base, notes);
        let records: Vec<_> =
            base.results.latest().into_iter().map(|record| (record.parameters.clone(), record)).collect();
        let others = question.reading.points(&records)?;
        let (mut rows, mut only_in_one) = (Vec::new(), Vec::new());
        for point in points {
            let other = others.iter().find(|other| other.parameters == point.parameters);
            let compared = other.and_then(|other| {
                Some(Beside {
                    parameters: point.parameters.clone(),
                    base: other.summary.clone()?,
                    summary: point.summary.clone()?,
                    comparison: Comparison::of(&other.values, &point.values)?,
                })
            });
            match compared {
                Some(row) => rows.push(row),
                None => only_in_one.push(label(&point.parameters)),
            }
        }
        let is_missing = |other: &&Point| points.iter().all(|point| point.parameters != other.parameters);
        only_in_one.extend(others.iter().filter(is_missing).map(|other| label(&other.parameters)));
        if rows.is_empty() {
            return Err(format!(
                "no combination of parameters was measured both there and in {}: {}",
                base.name,
                cases(only_in_one)
            ));
        }
        Ok(Self { base: facts, rows, only_in_one })
    }
}

#[cfg(test)]
mod tests {
    use super::{super::record::tests::record, *};

    fn source(name: &str, records: Vec<Record>) -> Source {
        Source { name: name.to_owned(), results: Results { records, ..Results::default() } }
    }

    fn question(is_weak: bool) -> Question<'static> {
        Question { reading: Reading { metric: Metric::Wall, ranks: "np", work: None }, unit: "s", is_weak }
    }

    fn runs(np: u32, factor: u64) -> Vec<Record> {
        (1..=6).map(|repeat| record(np, repeat, (100 + u64::from(repeat)) * factor)).collect()
    }

    #[test]
    fn files_beside_each_other_are_told_apart() {
        let sources = [source("a", runs(1, 1)), source("b", runs(1, 2))];
        let analysis = Analysis::of(&sources, None, &question(false)).unwrap();
        let names: Vec<String> = analysis.points.iter().map(|point| label(&point.parameters)).collect();
        assert_eq!(names, ["file=a np=1 size=a", "file=b np=1 size=a"]);
        // The sweep of the example has 6 runs: 2 numbers of ranks, 3 times each.
        assert!(analysis.notes.is_empty(), "{:?}", analysis.notes);
    }

    #[test]
    fn what_the_reader_should_know_is_told() {
        let mut records = runs(1, 1)[..3].to_vec();
        records[0].status = Status::Failed;
        records[1].host = "other".to_owned();
        records[2].build = "1".to_owned();
        let notes = Analysis::of(&[source("a", records)], None, &question(false)).unwrap().notes;
        for expected in [
            "3 of 6 runs are there",
            "1 run did not succeed",
            "different hosts: other; vm",
            "different builds",
            "fewer than 6 runs",
        ] {
            assert!(notes.iter().any(|note| note.contains(expected)), "{expected} in {notes:?}");
        }
    }

    #[test]
    fn the_same_combinations_of_two_files_are_compared() {
        let (new, old) = (source("new", [runs(1, 2), runs(2, 1)].concat()), source("old", runs(1, 1)));
        let analysis = Analysis::of(&[new], Some(&old), &question(false)).unwrap();
        let against = analysis.against.unwrap();
        assert_eq!((against.rows.len(), against.only_in_one), (1, vec!["np=2 size=a".to_owned()]));
        assert_eq!(against.rows[0].comparison.verdict, super::super::statistics::Verdict::More);
        let other = source("old", runs(7, 1));
        let message = Analysis::of(&[source("new", runs(1, 1))], Some(&other), &question(false)).unwrap_err();
        assert!(message.contains("measured both there and in old"), "{message}");
    }

    #[test]
    fn what_cannot_be_answered_is_refused() {
        let failed = runs(1, 1).into_iter().map(|record| Record { status: Status::Failed, ..record }).collect();
        assert!(
            Analysis::of(&[source("a", failed)], None, &question(false)).unwrap_err().contains("no run has succeeded")
        );
        let all = [runs(1, 1), runs(2, 1)].concat();
        assert!(
            Analysis::of(&[source("a", all)], None, &question(true)).unwrap_err().contains("no study of weak scaling")
        );
    }
}
