//! The figures of a study: which there are, what they show, and how they are read.

use super::said;
use crate::{
    output::drawing::chart::{Chart, Content, Line, MOST, Mark, Scale},
    study::{
        analysis::Analysis,
        points::{Point, label},
        scaling::{Row, Scaling},
    },
};

/// The unit of phases.
const SECONDS: &str = "seconds";

/// A figure.
#[derive(Clone, Debug, PartialEq)]
pub struct Figure {
    /// What its file is called after the stem.
    pub name: &'static str,
    /// What is drawn.
    pub chart: Chart,
    /// How it is read.
    pub caption: String,
}

/// The figures that there are data for.
#[must_use]
pub fn figures(analysis: &Analysis) -> Vec<Figure> {
    let (strong, weak) = (&analysis.scaling.strong, &analysis.scaling.weak);
    let spread = "A point is a median; its bar is the interval that holds the median in 95 % of all cases, or with fewer than 6 runs all that was measured.";
    let mut found = Vec::new();
    let mut add = |name, title: &str, caption: String, content| {
        found.push(Figure { name, chart: Chart { title: title.to_owned(), content }, caption });
    };
    if !strong.is_empty() {
        let time = |row: &Row| (row.median, row.ends);
        let speedup = |row: &Row| (row.speedup, row.speedup_ends);
        add(
            "time",
            "Strong scaling: time of the same work",
            format!("{spread} Lower is better.{}", left_out(strong.len(), "series")),
            lines(if analysis.unit == "s" { SECONDS } else { &analysis.unit }, Scale::FromZero, strong, time, None),
        );
        add(
            "speedup",
            "Strong scaling: speed-up",
            format!(
                "How many times as fast as on the fewest ranks. On the dashed line each rank adds as much as the first. Higher is better.{}",
                left_out(strong.len(), "series")
            ),
            lines("speed-up", Scale::Logarithmic, strong, speedup, Some(("ideal", |factor| factor))),
        );
        add(
            "efficiency",
            "Strong scaling: efficiency",
            format!(
                "The part of the ideal speed-up that is reached: the part of the ranks' time that is well spent.{}",
                left_out(strong.len(), "series")
            ),
            lines("efficiency", Scale::Percent, strong, efficiency, Some(("ideal", |_| 1.0))),
        );
    }
    if !weak.is_empty() {
        add(
            "weak",
            "Weak scaling: efficiency with the same work for each rank",
            format!(
                "The time on the fewest ranks over the time on so many, each with as much work. On the dashed line more ranks do more work in the same time.{}",
                left_out(weak.len(), "series")
            ),
            lines("efficiency", Scale::Percent, weak, efficiency, Some(("ideal", |_| 1.0))),
        );
    }
    let with_phases: Vec<&Point> = analysis.points.iter().filter(|point| !point.phases.is_empty()).collect();
    if !with_phases.is_empty() {
        add(
            "phases",
            "Where the time goes",
            format!(
                "Mean over the ranks, medians over the runs. What no rank tells of is the launcher's and the start and end of processes.{}",
                left_out(with_phases.len(), "combinations")
            ),
            phases(&with_phases),
        );
    }
    let widest =
        analysis.points.iter().filter(|point| point.rank_times.len() > 1).max_by_key(|point| point.rank_times.len());
    if let Some(point) = widest {
        add(
            "ranks",
            &format!("Ranks side by side: {}", said::name(&point.parameters)),
            format!(
                "Medians over the runs. Ranks that wait long have been given too little, or wait for one that has too much.{}",
                left_out(point.rank_times.len(), "ranks")
            ),
            ranks(point),
        );
    }
    found
}

/// What is not drawn, in words.
fn left_out(count: usize, what: &str) -> String {
    if count > MOST {
        format!(" The first {MOST} of {count} {what} are drawn; the tables have all.")
    } else {
        String::new()
    }
}

fn efficiency(row: &Row) -> (f64, (f64, f64)) {
    let part = row.efficiency / row.speedup;
    (row.efficiency, (part * row.speedup_ends.0, part * row.speedup_ends.1))
}

#[expect(clippy::cast_precision_loss, reason = "a number of ranks")]
fn x(row: &Row) -> f64 {
    row.ranks as f64
}

type Ideal = (&'static str, fn(f64) -> f64);

fn lines(
    y: &str,
    scale: Scale,
    all: &[Scaling],
    shown: impl Fn(&Row) -> (f64, (f64, f64)),
    ideal: Option<Ideal>,
) -> Content {
    let mark = |row: &Row| {
        let (y, ends) = shown(row);
        Mark { x: x(row), y, ends }
    };
    let line = |scaling: &Scaling| Line {
        name: if scaling.parameters.is_empty() { "measured".to_owned() } else { label(&scaling.parameters) },
        marks: scaling.rows.iter().map(mark).collect(),
    };
    let lines: Vec<Line> = all.iter().take(MOST).map(line).collect();
    let marks = || lines.iter().flat_map(|line| &line.marks);
    let (first, last) = (marks().map(|m| m.x).fold(f64::INFINITY, f64::min), marks().map(|m| m.x).fold(0.0, f64::max));
    let ideal = ideal.map(|(name, ideal)| {
        let mark = |x: f64| Mark { x, y: ideal(x / first), ends: (0.0, 0.0) };
        Line { name: name.to_owned(), marks: vec![mark(first), mark(last)] }
    });
    Content::Lines { y: y.to_owned(), scale, lines, ideal }
}

fn phases(points: &[&Point]) -> Content {
    let mut parts: Vec<&str> = Vec::new();
    for phase in points.iter().flat_map(|point| &point.phases) {
        if !parts.contains(&phase.name) {
            parts.push(phase.name);
        }
    }
    let seconds = |point: &Point, name: &str| {
        point.phases.iter().find(|phase| phase.name == name).map_or(0.0, |phase| phase.seconds)
    };
    let bar = |point: &&Point| (said::name(&point.parameters), parts.iter().map(|name| seconds(point, name)).collect());
    Content::Bars {
        x: SECONDS.to_owned(),
        bars: points.iter().take(MOST).map(bar).collect(),
        parts: parts.iter().map(|&part| part.to_owned()).collect(),
    }
}

fn ranks(point: &Point) -> Content {
    let bars = point.rank_times.iter().take(MOST);
    Content::Bars {
        x: SECONDS.to_owned(),
        parts: vec!["compute".to_owned(), "wait".to_owned()],
        bars: bars
            .map(|rank| (format!("rank {} on {}", rank.rank, rank.place), vec![rank.compute, rank.wait]))
            .collect(),
    }
}
