//! The tables of a study: numbers as texts, once for all forms.

use std::{collections::BTreeSet, iter::once};

use super::super::cells;
use super::said::verdict;
use crate::{
    study::{
        analysis::{Against, Analysis},
        points::{Parameters, Point, as_text},
        scaling::{Row, Scaling},
    },
    visible::visible,
};

/// A table, whose cells are the same in every form.
pub(super) struct Table {
    pub(super) title: String,
    /// What it is good for, in a sentence.
    pub(super) note: String,
    pub(super) header: Vec<String>,
    pub(super) rows: Vec<Vec<Cell>>,
}

/// A cell of a table.
#[derive(Clone, Debug, PartialEq)]
pub(super) enum Cell {
    Text(String),
    /// With as many digits as a reader wants, and for programs with all.
    Number(f64),
    /// A number that is not there.
    Nothing,
}

impl Cell {
    /// To be read.
    pub(super) fn shown(&self) -> String {
        match self {
            Self::Text(text) => visible(text).into_owned(),
            Self::Number(number) => four_digits(*number),
            Self::Nothing => String::new(),
        }
    }

    /// For programs.
    fn exact(&self) -> String {
        match self {
            Self::Text(text) if text.parse::<f64>().is_ok() => text.clone(),
            Self::Text(text) => cells::text_cell(text),
            Self::Number(number) => number.to_string(),
            Self::Nothing => String::new(),
        }
    }

    /// Whether it stands at the right of its column.
    pub(super) fn is_number(&self) -> bool {
        match self {
            Self::Text(text) => text.parse::<f64>().is_ok(),
            Self::Number(_) | Self::Nothing => true,
        }
    }
}

impl From<String> for Cell {
    fn from(text: String) -> Self {
        Self::Text(text)
    }
}

impl From<Option<f64>> for Cell {
    fn from(number: Option<f64>) -> Self {
        number.map_or(Self::Nothing, Self::Number)
    }
}

/// A number with four digits that count, and no fewer than those before the point.
fn four_digits(number: f64) -> String {
    let size = number.abs();
    let decimals = [1000.0, 100.0, 10.0, 1.0, 0.1, 0.01].iter().position(|limit| size >= *limit).unwrap_or(6);
    format!("{number:.decimals$}")
}

impl Table {
    /// A header line and the lines below it.
    pub(super) fn csv(&self) -> String {
        let header: Vec<&str> = self.header.iter().map(String::as_str).collect();
        cells::csv(&header, self.rows.iter().map(|row| row.iter().map(Cell::exact).collect()))
    }

    /// With columns as wide as their cells, so that it can be read as it is.
    pub(super) fn markdown(&self) -> String {
        let header = self.header.iter().cloned().map(Cell::Text).collect();
        let shown = |row: &Vec<Cell>| row.iter().map(|cell| cell.shown().replace('|', "\\|")).collect();
        let lines: Vec<Vec<String>> = once(&header).chain(&self.rows).map(shown).collect();
        let width = |column: usize| lines.iter().map(|line| line[column].chars().count()).max().unwrap_or(0).max(3);
        let line = |cells: &Vec<String>| {
            let cells = cells.iter().enumerate().map(|(column, cell)| format!(" {cell:>0$} ", width(column)));
            format!("|{}|\n", cells.collect::<Vec<_>>().join("|"))
        };
        let border: Vec<String> =
            (0..self.header.len()).map(|column| format!("{}:", "-".repeat(width(column) + 1))).collect();
        let mut text = format!("{}\n\n{}|{}|\n", self.note, line(&lines[0]), border.join("|"));
        text.extend(lines[1..].iter().map(line));
        text
    }
}

/// All tables but that of the points come only where they have rows.
pub(super) fn all(analysis: &Analysis) -> Vec<Table> {
    let unit = analysis.unit.as_str();
    let strong = analysis.scaling.strong.iter().map(|scaling| strong(scaling, unit));
    let weak = analysis.scaling.weak.iter().map(|scaling| weak(scaling, unit));
    analysis
        .against
        .iter()
        .map(|beside| against(beside, unit))
        .chain(strong)
        .chain(weak)
        .chain(once(points(analysis)))
        .collect()
}

fn of(parameters: &Parameters) -> String {
    let label = crate::study::points::label(parameters);
    if label.is_empty() { label } else { format!(": {label}") }
}

fn strong(scaling: &Scaling, unit: &str) -> Table {
    let first = scaling.rows.first().map_or(1, |row| row.ranks);
    Table {
        title: format!("Strong scaling{}", of(&scaling.parameters)),
        note: format!(
            "The same work on more ranks. Speed-up: the median on {first} over that on so many. Efficiency: speed-up over its ideal. \
             Karp-Flatt: the serial part of the work that would explain the speed-up; where it grows with the ranks, something else does."
        ),
        header: [
            header(&["ranks", "runs"]),
            measured(&["median", "from", "to"], unit),
            header(&["speed-up", "from", "to", "efficiency", "Karp-Flatt"]),
        ]
        .concat(),
        rows: scaling.rows.iter().map(|row| scaling_row(row, true)).collect(),
    }
}

fn weak(scaling: &Scaling, unit: &str) -> Table {
    let first = scaling.rows.first().map_or(1, |row| row.ranks);
    Table {
        title: format!("Weak scaling{}", of(&scaling.parameters)),
        note: format!("The same work for each of more ranks. Efficiency: the median on {first} over that on so many."),
        header: [
            header(&["ranks", "runs"]),
            measured(&["median", "from", "to"], unit),
            header(&["efficiency", "from", "to"]),
        ]
        .concat(),
        rows: scaling.rows.iter().map(|row| scaling_row(row, false)).collect(),
    }
}

fn scaling_row(row: &Row, is_strong: bool) -> Vec<Cell> {
    let mut cells = vec![row.ranks.to_string().into(), row.n.to_string().into()];
    cells.extend(
        [row.median, row.ends.0, row.ends.1, row.speedup, row.speedup_ends.0, row.speedup_ends.1].map(Cell::Number),
    );
    if is_strong {
        cells.push(Cell::Number(row.efficiency));
        cells.push(row.karp_flatt.into());
    }
    cells
}

fn header(names: &[&str]) -> Vec<String> {
    names.iter().map(|&name| name.to_owned()).collect()
}

/// Heads of columns of what was measured.
fn measured(names: &[&str], unit: &str) -> Vec<String> {
    names.iter().map(|name| format!("{name} {unit}")).collect()
}

/// The names of all parameters.
fn names<'a>(all: impl Iterator<Item = &'a Parameters>) -> Vec<String> {
    all.flat_map(|parameters| parameters.keys().cloned()).collect::<BTreeSet<_>>().into_iter().collect()
}

fn values<'a>(names: &'a [String], parameters: &'a Parameters) -> impl Iterator<Item = Cell> + 'a {
    names.iter().map(|name| parameters.get(name).map(as_text).unwrap_or_default().into())
}

/// Each combination of parameters with what was measured.
pub(super) fn points(analysis: &Analysis) -> Table {
    let names = names(analysis.points.iter().map(|point| &point.parameters));
    let row = |point: &Point| {
        let mut cells: Vec<Cell> = values(&names, &point.parameters).collect();
        cells.push(point.values.len().to_string().into());
        cells.push((point.failed + point.over_time).to_string().into());
        match &point.summary {
            Some(s) => {
                cells.extend([s.median, s.q1, s.q3].map(Cell::Number));
                cells.extend([s.interval.map(|ends| ends.0), s.interval.map(|ends| ends.1)].map(Cell::from));
                cells.extend([s.min, s.max].map(Cell::Number));
            }
            None => cells.extend(vec![Cell::Nothing; 7]),
        }
        cells
    };
    let columns = ["median", "q1", "q3", "from", "to", "min", "max"];
    Table {
        title: "All that was measured".to_owned(),
        note: format!(
            "Of the {} of each combination: median, quartiles, the interval that holds the median in {:.0} % of all cases, and the ends.",
            analysis.metric.name(),
            100.0 * analysis.confidence
        ),
        header: [names.as_slice(), &header(&["runs", "failed"]), &measured(&columns, &analysis.unit)].concat(),
        rows: analysis.points.iter().map(row).collect(),
    }
}

fn against(against: &Against, unit: &str) -> Table {
    let names = names(against.rows.iter().map(|row| &row.parameters));
    let rows = against.rows.iter().map(|row| {
        let mut cells: Vec<Cell> = values(&names, &row.parameters).collect();
        let comparison = &row.comparison;
        cells.extend([row.base.n, row.summary.n].map(|n| n.to_string().into()));
        cells.extend([row.base.median, row.summary.median, comparison.ratio].map(Cell::Number));
        cells.extend([comparison.interval.map(|ends| ends.0), comparison.interval.map(|ends| ends.1)].map(Cell::from));
        cells.push(Cell::Number(comparison.p));
        cells.push(verdict(comparison).into());
        cells
    });
    Table {
        title: format!("Against {}", against.base.name),
        note: "The factor is the median of all quotients of a run here and one there (Hodges and Lehmann), with the interval that holds \
               it in 95 % of all cases; p is that of the two-sided test of Mann and Whitney."
            .to_owned(),
        header: [
            names.as_slice(),
            &header(&["runs before", "runs"]),
            &measured(&["median before", "median"], unit),
            &header(&["factor", "from", "to", "p", "verdict"]),
        ]
        .concat(),
        rows: rows.collect(),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn readers_get_four_digits_and_programs_all() {
        for (number, expected) in [
            (0.0, "0.000000"),
            (0.012_345_6, "0.01235"),
            (0.5, "0.5000"),
            (1.234_56, "1.235"),
            (99.999, "100.00"),
            (12_345.6, "12346"),
        ] {
            assert_eq!(Cell::Number(number).shown(), expected);
            assert_eq!(Cell::Number(number).exact(), number.to_string());
        }
        assert_eq!((Cell::Nothing.shown(), Cell::Text("=1+1".to_owned()).exact().as_str()), (String::new(), "'=1+1"));
    }

    #[test]
    fn a_table_in_markdown_has_columns_of_one_width() {
        let table = Table {
            title: String::new(),
            note: "A note.".to_owned(),
            header: header(&["a|b", "s"]),
            rows: vec![vec!["x".to_owned().into(), Cell::Number(1.5)], vec![Cell::Nothing, Cell::Number(10.25)]],
        };
        assert_eq!(
            table.markdown(),
            "A note.\n\n| a\\|b |     s |\n|-----:|------:|\n|    x | 1.500 |\n|      | 10.25 |\n"
        );
        assert_eq!(table.csv(), "a|b,s\nx,1.5\n,10.25\n");
    }
}
