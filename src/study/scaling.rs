//! How the time goes with the number of ranks. Strong scaling: the same work on more of them. Weak scaling: the same work for each of
//! them. Which of both runs are, the work tells, and what is neither is told with its reason.
//!
//! Karp-Flatt: A. H. Karp, H. P. Flatt, "Measuring parallel processor performance", Communications of the ACM 33 (1990).

use std::collections::{BTreeMap, BTreeSet};

use serde::Serialize;

use super::points::{Parameters, Point, label};

/// Work is the same where it differs by no more than this part: counts of iterations do not grow exactly with the pixels.
pub const TOLERANCE: f64 = 0.02;

/// Times over numbers of ranks.
#[derive(Clone, Debug, PartialEq, Serialize)]
pub struct Scaling {
    /// The parameters that are the same in all of it.
    pub parameters: Parameters,
    /// By the number of ranks.
    pub rows: Vec<Row>,
}

/// A number of ranks, beside the smallest one.
#[derive(Clone, Debug, PartialEq, Serialize)]
pub struct Row {
    /// Ranks.
    pub ranks: u64,
    /// Runs that succeeded.
    pub n: usize,
    /// The median of their times.
    pub median: f64,
    /// Between which that is (see [`super::statistics::Summary::ends`]).
    pub ends: (f64, f64),
    /// How many times as fast as the smallest number of ranks: of strong scaling the speed-up; of weak scaling the efficiency.
    pub speedup: f64,
    /// Between which the speed-up is where both medians are within their ends.
    pub speedup_ends: (f64, f64),
    /// Part of the ideal that was reached.
    pub efficiency: f64,
    /// The serial part that the speed-up would have by Amdahl's law; of strong scaling, and not of the smallest number.
    pub karp_flatt: Option<f64>,
}

/// What scaling a set of points shows.
#[derive(Clone, Debug, Default, PartialEq, Serialize)]
pub struct Scalings {
    /// The same work on more ranks.
    pub strong: Vec<Scaling>,
    /// The same work for each rank.
    pub weak: Vec<Scaling>,
    /// Why there is no strong scaling, or none of some points.
    pub no_strong: Vec<String>,
    /// Why there is no weak scaling.
    pub no_weak: Vec<String>,
}

impl Scalings {
    /// Of these points, whose number of ranks is the parameter `ranks`.
    #[must_use]
    pub fn of(points: &[Point], ranks: &str) -> Self {
        let mut found = Self::default();
        let usable: Vec<&Point> =
            points.iter().filter(|point| point.ranks.is_some() && point.summary.is_some()).collect();
        if distinct(&usable) < 2 {
            let reason =
                format!("there are no runs on different numbers of ranks: the parameter {ranks} has one value at most");
            found.no_strong.push(reason.clone());
            found.no_weak.push(reason);
            return found;
        }
        for (parameters, series) in grouped(&usable, |name| name == ranks) {
            if distinct(&series) < 2 {
                continue;
            }
            match works(&series) {
                Some(works) if !is_same(works.iter().copied()) => found.no_strong.push(format!(
                    "the work of {} is not the same: {}",
                    of(&parameters),
                    told(&series, |point| point.work)
                )),
                _ => found.strong.push(Scaling { rows: strong_rows(&series), parameters }),
            }
        }
        found.add_weak(&usable, ranks);
        found
    }

    fn add_weak(&mut self, usable: &[&Point], ranks: &str) {
        if usable.iter().any(|point| point.work.is_none()) {
            self.no_weak
                .push("the work of the runs is not known: tell it with --work, such as --work {size}".to_owned());
            return;
        }
        let makes_work = parameters_of_work(usable, ranks);
        for (parameters, group) in grouped(usable, |name| name == ranks || makes_work.contains(name)) {
            let mut rest = group.clone();
            let mut any = false;
            rest.sort_by(|a, b| work_a_rank(a).total_cmp(&work_a_rank(b)));
            while let Some(first) = rest.first() {
                let limit = work_a_rank(first) * (1.0 + TOLERANCE);
                let count = rest.iter().take_while(|point| work_a_rank(point) <= limit).count();
                let mut alike: Vec<&Point> = rest.drain(..count).collect();
                alike.sort_by_key(|point| point.ranks);
                alike.dedup_by_key(|point| point.ranks);
                if alike.len() > 1 {
                    any = true;
                    let mut parameters = parameters.clone();
                    parameters.insert("work a rank".to_owned(), round(work_a_rank(alike[0])));
                    self.weak.push(Scaling { rows: weak_rows(&alike), parameters });
                }
            }
            if !any && distinct(&group) > 1 {
                self.no_weak.push(format!(
                    "the work a rank of {} is not the same on different numbers of ranks: {}",
                    of(&parameters),
                    told(&group, |point| Some(work_a_rank(point)))
                ));
            }
        }
    }
}

/// Why these points are no study of weak scaling; `None` where they are one.
#[must_use]
pub fn not_weak(points: &[Point], ranks: &str) -> Option<String> {
    let usable: Vec<&Point> = points.iter().filter(|point| point.ranks.is_some() && point.summary.is_some()).collect();
    if distinct(&usable) < 2 {
        return Some(format!("there are no runs on different numbers of ranks, {ranks}"));
    }
    if usable.iter().any(|point| point.work.is_none()) {
        return Some("the work of its runs is not known; --work tells it, as in --work {size}".to_owned());
    }
    let makes_work = parameters_of_work(&usable, ranks);
    grouped(&usable, |name| name == ranks || makes_work.contains(name)).into_iter().find_map(|(_, group)| {
        (!is_same(group.iter().map(|point| work_a_rank(point)))).then(|| {
            format!(
                "the work a rank is not the same: {}; it may differ by {:.0} %",
                told(&group, |point| Some(work_a_rank(point))),
                100.0 * TOLERANCE
            )
        })
    })
}

fn of(parameters: &Parameters) -> String {
    if parameters.is_empty() { "these runs".to_owned() } else { label(parameters) }
}

/// The first few points with a number of each.
fn told(points: &[&Point], number: impl Fn(&Point) -> Option<f64>) -> String {
    let mut seen = BTreeMap::new();
    for point in points {
        if let (Some(ranks), Some(number)) = (point.ranks, number(point)) {
            seen.entry(ranks).or_insert(number);
        }
    }
    crate::words::cases(seen.into_iter().map(|(ranks, number)| {
        format!(
            "{} with {}",
            round(number),
            crate::words::counted(usize::try_from(ranks).unwrap_or(usize::MAX), "rank")
        )
    }))
}

/// A work as it is shown.
fn round(work: f64) -> serde_json::Value {
    let rounded = libm::round(work);
    if (work - rounded).abs() < 1e-9 * work && work < 9e15 {
        #[expect(clippy::cast_possible_truncation, reason = "it is whole and in the range")]
        return (rounded as i64).into();
    }
    work.into()
}

fn distinct(points: &[&Point]) -> usize {
    points.iter().map(|point| point.ranks).collect::<BTreeSet<_>>().len()
}

fn works(points: &[&Point]) -> Option<Vec<f64>> {
    points.iter().map(|point| point.work).collect()
}

#[expect(clippy::cast_precision_loss, reason = "a number of ranks")]
fn as_f64(ranks: u64) -> f64 {
    ranks as f64
}

fn work_a_rank(point: &Point) -> f64 {
    point.work.unwrap_or_default() / as_f64(point.ranks.unwrap_or(1))
}

/// Whether positive numbers are the same within the tolerance.
fn is_same(numbers: impl Iterator<Item = f64> + Clone) -> bool {
    let (low, high) = (numbers.clone().fold(f64::INFINITY, f64::min), numbers.fold(0.0, f64::max));
    high <= low * (1.0 + TOLERANCE)
}

/// The points by those of their parameters that are not left out.
fn grouped<'a>(points: &[&'a Point], is_left_out: impl Fn(&str) -> bool) -> Vec<(Parameters, Vec<&'a Point>)> {
    let mut groups: Vec<(Parameters, Vec<&Point>)> = Vec::new();
    for point in points {
        let mut parameters = point.parameters.clone();
        parameters.retain(|name, _| !is_left_out(name));
        match groups.iter_mut().find(|(known, _)| *known == parameters) {
            Some((_, group)) => group.push(point),
            None => groups.push((parameters, vec![point])),
        }
    }
    groups
}

/// The parameters that make the work what it is: it changes with them, and never stays where they alone change.
fn parameters_of_work(points: &[&Point], ranks: &str) -> BTreeSet<String> {
    let names: BTreeSet<&String> = points.iter().flat_map(|point| point.parameters.keys()).collect();
    let makes_work = |name: &&&String| {
        let value = |point: &Point| point.parameters.get(**name).cloned();
        let mut has_changed = false;
        for (_, group) in grouped(points, |other| other == name.as_str() || other == ranks) {
            for (number, one) in group.iter().enumerate() {
                for other in group[..number].iter().filter(|other| value(other) != value(one)) {
                    let stays = is_same([one, other].into_iter().map(|point| point.work.unwrap_or_default()));
                    if stays && one.ranks == other.ranks {
                        return false;
                    }
                    has_changed |= !stays;
                }
            }
        }
        has_changed && **name != ranks
    };
    names.iter().filter(makes_work).map(|name| (*name).clone()).collect()
}

/// Rows beside the first, whose ideal is what `ideal` makes of the factor between the numbers of ranks.
fn rows(points: &[&Point], ideal: impl Fn(f64) -> f64, has_serial_part: bool) -> Vec<Row> {
    let mut points = points.to_vec();
    points.sort_by_key(|point| point.ranks);
    let measured = |point: &Point| Some((point.ranks?, point.summary.clone()?));
    let Some((first_ranks, first)) = points.first().and_then(|point| measured(point)) else { return Vec::new() };
    let row = |(ranks, summary): (u64, super::statistics::Summary)| {
        let factor = as_f64(ranks) / as_f64(first_ranks);
        let (ends, first_ends) = (summary.ends(), first.ends());
        let speedup = first.median / summary.median;
        Row {
            ranks,
            n: summary.n,
            median: summary.median,
            ends,
            speedup,
            speedup_ends: if ranks == first_ranks {
                (1.0, 1.0)
            } else {
                (first_ends.0 / ends.1, first_ends.1 / ends.0)
            },
            efficiency: speedup / ideal(factor),
            karp_flatt: (has_serial_part && ranks > first_ranks)
                .then(|| (1.0 / speedup - 1.0 / factor) / (1.0 - 1.0 / factor)),
        }
    };
    points.iter().filter_map(|point| measured(point)).map(row).collect()
}

fn strong_rows(points: &[&Point]) -> Vec<Row> {
    rows(points, |factor| factor, true)
}

fn weak_rows(points: &[&Point]) -> Vec<Row> {
    rows(points, |_| 1.0, false)
}

#[cfg(test)]
mod tests {
    use super::{
        super::{
            points::tests::points,
            record::{Record, tests::record},
        },
        *,
    };

    /// Runs on so many ranks with this size and so many seconds.
    fn run(np: u32, size: u32, seconds: u64) -> Record {
        let mut record = record(np, 1, seconds * 1_000_000_000);
        record.parameters.insert("size".to_owned(), size.into());
        record
    }

    fn scalings(records: &[Record], work: Option<&str>) -> Scalings {
        Scalings::of(&points(records, work).unwrap(), "np")
    }

    #[test]
    fn speed_up_efficiency_and_serial_part_are_those_of_the_textbook() {
        let found = scalings(&[run(1, 1, 12), run(2, 1, 8), run(4, 1, 6)], None);
        let rows = &found.strong[0].rows;
        let speedups: Vec<f64> = rows.iter().map(|row| row.speedup).collect();
        assert_eq!(speedups, [1.0, 1.5, 2.0]);
        assert_eq!(rows.iter().map(|row| row.efficiency).collect::<Vec<_>>(), [1.0, 0.75, 0.5]);
        // (1/1.5 - 1/2) / (1 - 1/2), (1/2 - 1/4) / (1 - 1/4): a third of the work is serial.
        assert_eq!(rows[0].karp_flatt, None);
        assert!(rows[1..].iter().all(|row| (row.karp_flatt.unwrap() - 1.0 / 3.0).abs() < 1e-12), "{rows:?}");
        assert_eq!(found.no_weak.len(), 1, "{found:?}");
        assert!(found.no_weak[0].contains("not known"), "{found:?}");
    }

    #[test]
    fn the_smallest_number_is_the_base_whatever_it_is() {
        let rows = &scalings(&[run(4, 1, 8), run(8, 1, 5)], None).strong[0].rows;
        assert_eq!((rows[1].speedup, rows[1].efficiency), (1.6, 0.8));
    }

    #[test]
    fn runs_whose_work_grows_with_the_ranks_are_weak_scaling() {
        let found = scalings(&[run(1, 10, 4), run(2, 20, 5), run(1, 20, 8), run(2, 10, 3)], Some("{size}"));
        assert_eq!((found.strong.len(), found.weak.len()), (2, 1), "{found:?}");
        let Scaling { parameters, rows } = &found.weak[0];
        assert_eq!(label(parameters), "work a rank=10");
        assert_eq!(rows.iter().map(|row| (row.ranks, row.efficiency)).collect::<Vec<_>>(), [(1, 1.0), (2, 0.8)]);
        assert_eq!(rows[1].karp_flatt, None);
    }

    #[test]
    fn work_that_follows_the_ranks_is_no_strong_scaling() {
        let found = scalings(&[run(1, 1, 4), run(2, 1, 5)], Some("{np}0"));
        assert_eq!((found.strong.len(), found.weak.len()), (0, 1), "{found:?}");
        assert!(found.no_strong[0].contains("size=1 is not the same: 10 with 1 rank; 20 with 2 ranks"), "{found:?}");
    }

    #[test]
    fn what_is_no_weak_scaling_says_why() {
        let all = [run(1, 10, 4), run(2, 15, 5), run(4, 30, 5)];
        let found = scalings(&all, Some("{size}"));
        assert!(found.weak.iter().all(|scaling| scaling.rows.len() == 2), "7.5 a rank, twice: {found:?}");
        let reason = not_weak(&points(&all, Some("{size}")).unwrap(), "np").unwrap();
        assert_eq!(
            reason,
            "the work a rank is not the same: 10 with 1 rank; 7.5 with 2 ranks; 7.5 with 4 ranks; it may differ by 2 %"
        );
        let device = |record: Record, device: &str| {
            let mut record = record;
            record.parameters.insert("device".to_owned(), device.into());
            record
        };
        let on_both = [1, 2].into_iter().flat_map(|np| ["cpu", "gpu"].map(|name| device(run(np, 1, 4), name)));
        let both = scalings(&on_both.collect::<Vec<_>>(), Some("{np}0"));
        assert_eq!(both.weak.len(), 2, "a parameter that does not make the work tells series apart: {both:?}");
        let weak = [run(1, 10, 4), run(2, 20, 5), run(4, 40, 5)];
        assert_eq!(not_weak(&points(&weak, Some("{size}")).unwrap(), "np"), None);
        assert!(not_weak(&points(&weak, None).unwrap(), "np").unwrap().contains("not known"));
        assert!(not_weak(&points(&weak[..1], Some("1")).unwrap(), "np").unwrap().contains("different numbers"));
        assert!(scalings(&weak[..1], None).no_strong[0].contains("np has one value"));
    }
}
