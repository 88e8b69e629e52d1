//! Tables to read, and numbers as they stand in them.

use comfy_table::{CellAlignment, Table, presets::ASCII_BORDERS_ONLY_CONDENSED};

use crate::visible::visible;

/// A table in ASCII, with the columns numbered in `right` aligned to the right.
pub(super) fn table(header: &[&str], right: &[usize], rows: impl Iterator<Item = Vec<String>>) -> String {
    let mut table = Table::new();
    let rows = rows.map(|row| row.iter().map(|cell| visible(cell).into_owned()).collect::<Vec<_>>());
    table.load_style(ASCII_BORDERS_ONLY_CONDENSED).set_header(header.to_vec()).add_rows(rows);
    for index in right {
        if let Some(column) = table.column_mut(*index) {
            column.set_cell_alignment(CellAlignment::Right);
        }
    }
    table.to_string()
}

/// Milliseconds matter below a minute, and not above.
pub(super) fn seconds(time_s: f64) -> String {
    if time_s < 60.0 { format!("{time_s:.3}") } else { format!("{time_s:.1}") }
}

/// In units of a million.
pub(super) fn millions(number: u64) -> String {
    format!("{:.3}", as_f64(number) / 1e6)
}

/// A rate in units of 1e9 a second; nothing was done in no time.
pub(super) fn billions_a_second(number: u64, time_s: f64) -> String {
    let rate = if time_s > 0.0 { as_f64(number) / time_s } else { 0.0 };
    format!("{:.3}", rate / 1e9)
}

/// A share in whole percents.
pub(super) fn percent(part: u64, whole: u64) -> String {
    format!("{:.0} %", 100.0 * as_f64(part) / as_f64(whole.max(1)))
}

#[expect(clippy::cast_precision_loss, reason = "shown with few digits")]
pub(super) fn as_f64(number: u64) -> f64 {
    number as f64
}

/// `12345678` as `12 345 678`.
pub(super) fn thousands(number: u64) -> String {
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

    #[test]
    fn large_numbers_are_grouped() {
        assert_eq!([0, 999, 1000, 34_395_642].map(thousands), ["0", "999", "1 000", "34 395 642"]);
    }

    #[test]
    fn rates_and_shares_of_nothing_are_nothing() {
        assert_eq!((billions_a_second(0, 0.0).as_str(), percent(0, 0).as_str()), ("0.000", "0 %"));
        assert_eq!((billions_a_second(3_000_000_000, 2.0).as_str(), percent(1, 3).as_str()), ("1.500", "33 %"));
    }
}
