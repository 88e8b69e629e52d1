//! The report as tables to read.

use comfy_table::{CellAlignment, Table, presets::ASCII_BORDERS_ONLY_CONDENSED};

use super::report::{JuliaReport, RankReport};

/// Where each rank ran, what it did, and how long each phase took.
#[must_use]
pub fn julia(report: &JuliaReport) -> String {
    let mut text = format!(
        "julia {} x {} px, {}, {} iterations, {} rank{}\n\n",
        report.width,
        report.height,
        report.precision,
        thousands(report.iterations),
        report.ranks.len(),
        if report.ranks.len() == 1 { "" } else { "s" },
    );
    text.push_str(&places(report));
    text.push_str("\n\n");
    text.push_str(&phases(report));
    text.push('\n');
    for note in &report.notes {
        text.push_str(&format!("note: {note}\n"));
    }
    text.push_str(&format!(
        "total {} s: gather {} s, write {} s; {}\n",
        seconds(report.total_s),
        seconds(report.gather_s),
        seconds(report.write_s),
        match &report.counts {
            Some(counts) => format!("{} and {counts} written", report.output),
            None => format!("{} written", report.output),
        }
    ));
    text
}

/// Rows: ranks. Columns: where it ran, on what, and its share of the work.
fn places(report: &JuliaReport) -> String {
    let total = report.iterations.max(1);
    table(
        &["rank", "host", "cores", "device", "adapter", "PCI bus id", "Mpixel", "Miter", "share"],
        &[0, 6, 7, 8],
        report.ranks.iter().map(|rank| {
            vec![
                rank.rank.to_string(),
                rank.host.clone(),
                rank.cpuset.clone(),
                rank.device.to_string(),
                rank.adapter.clone(),
                rank.pci_bus_id.clone().unwrap_or_else(|| "-".to_owned()),
                millions(rank.pixels),
                millions(rank.iterations),
                format!("{} %", (100 * rank.iterations + total / 2) / total),
            ]
        }),
    )
}

/// Rows: ranks. Columns: seconds spent in each phase.
fn phases(report: &JuliaReport) -> String {
    let row = |rank: &RankReport| {
        let phases = [rank.start_s, rank.device_s, rank.compute_s, rank.encode_s, rank.wait_s];
        let rate = if rank.compute_s > 0.0 { as_f64(rank.iterations) / rank.compute_s / 1e9 } else { 0.0 };
        let mut cells = vec![rank.rank.to_string()];
        cells.extend(phases.map(seconds));
        cells.push(format!("{rate:.3}"));
        cells
    };
    table(
        &["rank", "start s", "device s", "compute s", "encode s", "wait s", "Giter/s"],
        &[0, 1, 2, 3, 4, 5, 6],
        report.ranks.iter().map(row),
    )
}

/// A table in ASCII, with the columns numbered in `right` aligned to the right.
pub(super) fn table(header: &[&str], right: &[usize], rows: impl Iterator<Item = Vec<String>>) -> String {
    let mut table = Table::new();
    table.load_style(ASCII_BORDERS_ONLY_CONDENSED).set_header(header.to_vec()).add_rows(rows);
    for index in right {
        if let Some(column) = table.column_mut(*index) {
            column.set_cell_alignment(CellAlignment::Right);
        }
    }
    table.to_string()
}

/// Milliseconds matter below a minute, and not above.
fn seconds(time_s: f64) -> String {
    if time_s < 60.0 { format!("{time_s:.3}") } else { format!("{time_s:.1}") }
}

fn millions(number: u64) -> String {
    format!("{:.3}", as_f64(number) / 1e6)
}

#[expect(clippy::cast_precision_loss, reason = "shown with few digits")]
fn as_f64(number: u64) -> f64 {
    number as f64
}

/// `12345678` as `12 345 678`.
#[must_use]
pub fn thousands(number: u64) -> String {
    let digits = number.to_string();
    let mut text = String::new();
    for (index, digit) in digits.chars().enumerate() {
        if index > 0 && (digits.len() - index).is_multiple_of(3) {
            text.push(' ');
        }
        text.push(digit);
    }
    text
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::output::report::example;

    #[test]
    fn large_numbers_are_grouped() {
        assert_eq!([0, 999, 1000, 34_395_642].map(thousands), ["0", "999", "1 000", "34 395 642"]);
    }

    #[test]
    fn every_rank_and_note_is_shown() {
        let text = julia(&example());
        for expected in ["0000:65:00.0", "Cortex-A72 (neon)", "0-3,8", "50 %", "note: a note", "julia.png written"] {
            assert!(text.contains(expected), "{expected} in\n{text}");
        }
    }
}
