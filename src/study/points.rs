//! The runs of files by what they have in common: a point for each combination of parameters, with all that was measured there.

use std::{
    cmp::Ordering,
    collections::{BTreeMap, BTreeSet},
};

use serde::Serialize;
use serde_json::Value;

use super::{
    record::{Record, Status},
    statistics::Summary,
    template::Template,
};

/// What is taken for the time of a run.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize)]
#[serde(rename_all = "lowercase")]
pub enum Metric {
    /// From the start of the launcher to its end.
    Wall,
    /// The figure that the pattern has found.
    Value,
    /// What this program reports as its time: from the start of rank 0 to the last file.
    Total,
    /// The longest time that a rank computed.
    Compute,
}

impl Metric {
    /// In words.
    #[must_use]
    pub fn name(self) -> &'static str {
        match self {
            Self::Wall => "wall time",
            Self::Value => "figure found by the pattern",
            Self::Total => "time that hybrid reports",
            Self::Compute => "longest time a rank computed",
        }
    }

    fn of(self, record: &Record) -> Option<f64> {
        let report = record.report.as_ref();
        match self {
            Self::Wall => Some(wall_s(record)),
            Self::Value => record.value,
            Self::Total => report?.get("total_s")?.as_f64(),
            Self::Compute => {
                let ranks = report?.get("ranks")?.as_array()?;
                ranks.iter().filter_map(|rank| rank.get("compute_s")?.as_f64()).reduce(f64::max)
            }
        }
    }
}

/// Values of parameters by their names.
pub type Parameters = BTreeMap<String, Value>;

/// All that was measured of one combination of parameters.
#[derive(Clone, Debug, PartialEq, Serialize)]
pub struct Point {
    /// The combination.
    pub parameters: Parameters,
    /// The number of ranks, where the parameters tell it.
    pub ranks: Option<u64>,
    /// What was measured, in seconds.
    pub values: Vec<f64>,
    /// The same in short; none where no run succeeded.
    pub summary: Option<Summary>,
    /// Runs that failed.
    pub failed: usize,
    /// Runs that took too long.
    pub over_time: usize,
    /// The work of a run, in whatever unit, where it is known and the same in all.
    pub work: Option<f64>,
    /// Where the time went, where that is known.
    pub phases: Vec<Phase>,
    /// What each rank did, where that is known.
    pub rank_times: Vec<RankTimes>,
    /// The command that repeats a run.
    pub argv: Vec<String>,
}

/// Seconds of a phase: the median over the runs of the mean over the ranks.
#[derive(Clone, Debug, PartialEq, Serialize)]
pub struct Phase {
    /// What it is called.
    pub name: &'static str,
    /// How long it took.
    pub seconds: f64,
}

/// Seconds of a rank: medians over the runs.
#[derive(Clone, Debug, PartialEq, Serialize)]
pub struct RankTimes {
    /// The rank.
    pub rank: usize,
    /// Where it ran last, and on what.
    pub place: String,
    /// Computing.
    pub compute: f64,
    /// Waiting for others.
    pub wait: f64,
}

/// How records become points.
#[derive(Clone, Debug)]
pub struct Reading<'a> {
    /// What is taken for the time.
    pub metric: Metric,
    /// The parameter that is the number of ranks.
    pub ranks: &'a str,
    /// What makes the parameters into the work of a run.
    pub work: Option<Template>,
}

impl Reading<'_> {
    /// The points of these records, ordered by their parameters.
    ///
    /// # Errors
    /// What is wrong with a record of which the figure or the work cannot be had.
    pub fn points(&self, records: &[(Parameters, &Record)]) -> Result<Vec<Point>, String> {
        let mut groups: Vec<(&Parameters, Vec<&Record>)> = Vec::new();
        for (parameters, record) in records {
            match groups.iter_mut().find(|(known, _)| *known == parameters) {
                Some((_, group)) => group.push(record),
                None => groups.push((parameters, vec![record])),
            }
        }
        groups.sort_by(|(a, _), (b, _)| compare(a, b));
        groups.into_iter().map(|(parameters, group)| self.point(parameters, &group)).collect()
    }

    fn point(&self, parameters: &Parameters, group: &[&Record]) -> Result<Point, String> {
        let good: Vec<&Record> = group.iter().copied().filter(|record| record.status == Status::Ok).collect();
        let count = |status| group.iter().filter(|record| record.status == status).count();
        let value = |record: &&Record| {
            self.metric.of(record).ok_or_else(|| {
                format!("{} has no {}: another --metric has to be taken", record.key, self.metric.name())
            })
        };
        let values: Vec<f64> = good.iter().map(value).collect::<Result<_, _>>()?;
        let works = good.iter().map(|record| self.work(parameters, record)).collect::<Result<Vec<_>, _>>()?;
        let work = works.first().copied().flatten().filter(|first| works.iter().all(|work| *work == Some(*first)));
        Ok(Point {
            parameters: parameters.clone(),
            ranks: parameters.get(self.ranks).and_then(Value::as_u64).filter(|ranks| *ranks > 0),
            summary: Summary::of(&values),
            values,
            failed: count(Status::Failed),
            over_time: count(Status::Timeout),
            work,
            phases: phases(&good),
            rank_times: rank_times(&good),
            argv: group[0].argv.clone(),
        })
    }

    /// The work of a run: what the template makes of its parameters, else what this program's report tells.
    fn work(&self, parameters: &Parameters, record: &Record) -> Result<Option<f64>, String> {
        let Some(template) = &self.work else {
            let of_report = |field: &str| record.report.as_ref()?.get(field)?.as_f64();
            return Ok(of_report("iterations").or_else(|| of_report("darts")));
        };
        let text = template.filled(|name| parameters.get(name).map(as_text)).concat();
        match text.parse::<f64>() {
            Ok(work) if work.is_finite() && work > 0.0 => Ok(Some(work)),
            _ => Err(format!("--work makes {text:?} of {}, and a positive number is wanted", record.key)),
        }
    }
}

#[expect(clippy::cast_precision_loss, reason = "nanoseconds of up to three months are exact")]
fn wall_s(record: &Record) -> f64 {
    record.wall_ns as f64 / 1e9
}

/// A value as it is shown.
#[must_use]
pub fn as_text(value: &Value) -> String {
    value.as_str().map_or_else(|| value.to_string(), str::to_owned)
}

/// Parameters as they are shown: `device=cpu scale=2`.
#[must_use]
pub fn label(parameters: &Parameters) -> String {
    parameters.iter().map(|(name, value)| format!("{name}={}", as_text(value))).collect::<Vec<_>>().join(" ")
}

/// Numbers by their size and before texts.
fn compare(a: &Parameters, b: &Parameters) -> Ordering {
    let key = |value: &Value| (value.as_f64(), as_text(value));
    let one = |a: &Value, b: &Value| match (key(a), key(b)) {
        ((Some(a), _), (Some(b), _)) => a.total_cmp(&b),
        ((Some(_), _), _) => Ordering::Less,
        (_, (Some(_), _)) => Ordering::Greater,
        ((None, a), (None, b)) => a.cmp(&b),
    };
    let by_name = a.iter().zip(b).map(|((name, a), (other, b))| name.cmp(other).then_with(|| one(a, b)));
    by_name.fold(Ordering::Equal, Ordering::then).then(a.len().cmp(&b.len()))
}

fn median(values: &[f64]) -> Option<f64> {
    Summary::of(values).map(|summary| summary.median)
}

#[expect(clippy::cast_precision_loss, reason = "a number of ranks")]
fn mean(values: &[f64]) -> f64 {
    values.iter().sum::<f64>() / values.len() as f64
}

/// The ranks of a report.
fn ranks_of(record: &Record) -> Option<&Vec<Value>> {
    record.report.as_ref()?.get("ranks")?.as_array().filter(|ranks| !ranks.is_empty())
}

/// The phases of every report, as far as ranks tell them, and what is left of the wall time.
fn phases(records: &[&Record]) -> Vec<Phase> {
    const PHASES: [(&str, &str); 5] = [
        ("start_s", "start of MPI"),
        ("device_s", "place and device"),
        ("compute_s", "compute"),
        ("encode_s", "encode"),
        ("wait_s", "wait"),
    ];
    let of_run = |record: &&Record| -> Option<Vec<f64>> {
        let ranks = ranks_of(record)?;
        let phase = |field: &str| {
            mean(&ranks.iter().map(|rank| rank.get(field).and_then(Value::as_f64).unwrap_or(0.0)).collect::<Vec<_>>())
        };
        let mut times: Vec<f64> = PHASES.iter().map(|(field, _)| phase(field)).collect();
        times.push((wall_s(record) - times.iter().sum::<f64>()).max(0.0));
        Some(times)
    };
    let runs: Vec<Vec<f64>> = records.iter().filter_map(of_run).collect();
    let names = PHASES.iter().map(|(_, name)| *name).chain(["launcher and rest"]);
    let phase = |(number, name)| {
        let times: Vec<f64> = runs.iter().map(|run| run[number]).collect();
        median(&times).filter(|seconds| *seconds > 0.0).map(|seconds| Phase { name, seconds })
    };
    names.enumerate().filter_map(phase).collect()
}

fn rank_times(records: &[&Record]) -> Vec<RankTimes> {
    let reports: Vec<&Vec<Value>> = records.iter().filter_map(|record| ranks_of(record)).collect();
    let counts: BTreeSet<usize> = reports.iter().map(|ranks| ranks.len()).collect();
    let (Some(last), 1) = (reports.last(), counts.len()) else { return Vec::new() };
    let of_rank = |rank: usize| {
        let times = |field: &str| {
            let all = reports.iter().filter_map(|ranks| ranks[rank].get(field)?.as_f64());
            median(&all.collect::<Vec<_>>()).unwrap_or(0.0)
        };
        let word = |field: &str| last[rank].get(field).and_then(Value::as_str).unwrap_or_default();
        RankTimes {
            rank,
            place: format!("{} {}", word("host"), word("device")).trim().to_owned(),
            compute: times("compute_s"),
            wait: times("wait_s"),
        }
    };
    (0..last.len()).map(of_rank).collect()
}

#[cfg(test)]
pub(super) mod tests {
    use super::{super::record::tests::record, *};

    pub(in crate::study) fn points(records: &[Record], work: Option<&str>) -> Result<Vec<Point>, String> {
        let all: Vec<_> = records.iter().map(|record| (record.parameters.clone(), record)).collect();
        let work = work.map(|text| Template::of(&[text.to_owned()]));
        Reading { metric: Metric::Wall, ranks: "np", work }.points(&all)
    }

    #[test]
    fn runs_of_one_combination_are_one_point() {
        let mut records = vec![record(10, 1, 50), record(2, 1, 1_000_000_000), record(2, 2, 3_000_000_000)];
        records.push(Record { status: Status::Failed, ..record(2, 3, 1) });
        records.push(Record { status: Status::Timeout, ..record(2, 4, 1) });
        let points = points(&records, Some("{np}00")).unwrap();
        let shown: Vec<_> = points.iter().map(|point| (point.ranks, point.values.len(), point.work)).collect();
        assert_eq!(shown, [(Some(2), 2, Some(200.0)), (Some(10), 1, Some(1000.0))]);
        assert_eq!((points[0].failed, points[0].over_time), (1, 1));
        assert_eq!(points[0].summary.as_ref().unwrap().median, 2.0);
        assert_eq!(label(&points[0].parameters), "np=2 size=a");
    }

    #[test]
    fn a_report_tells_work_phases_and_ranks() {
        let report = |compute: f64| {
            serde_json::json!({"darts": 7, "total_s": 0.5, "ranks": [
                {"rank": 0, "host": "a", "device": "cpu", "compute_s": compute, "wait_s": 0.1},
                {"rank": 1, "host": "b", "device": "gpu", "compute_s": 3.0 * compute, "wait_s": 0.0}]})
        };
        let run = |compute| Record { report: Some(report(compute)), ..record(2, 1, 1_000_000_000) };
        let points = points(&[run(0.1), run(0.2), run(0.15)], None).unwrap();
        assert_eq!(points[0].work, Some(7.0));
        let ranks: Vec<_> = points[0].rank_times.iter().map(|rank| (rank.place.as_str(), rank.wait)).collect();
        assert_eq!(ranks, [("a cpu", 0.1), ("b gpu", 0.0)]);
        assert!((points[0].rank_times[1].compute - 0.45).abs() < 1e-12);
        let phases: BTreeMap<&str, f64> = points[0].phases.iter().map(|phase| (phase.name, phase.seconds)).collect();
        assert!((phases["compute"] - 0.3).abs() < 1e-12 && (phases["wait"] - 0.05).abs() < 1e-12, "{phases:?}");
        assert!((phases["launcher and rest"] - 0.65).abs() < 1e-12, "{phases:?}");
    }

    #[test]
    fn what_a_record_does_not_have_is_named() {
        let all = [record(1, 1, 1)];
        assert!(points(&all, Some("{size}")).unwrap_err().contains("--work makes \"a\" of np=1 size=a repeat=1"));
        let all: Vec<_> = all.iter().map(|record| (record.parameters.clone(), record)).collect();
        let reading = Reading { metric: Metric::Total, ranks: "np", work: None };
        assert!(reading.points(&all).unwrap_err().contains("another --metric"), "there is no report");
    }
}
