//! Lines of CSV (RFC 4180), with the texts of others made harmless.

use crate::visible::visible;

/// Lines below a header, each ending with a newline.
pub(super) fn csv(header: &[&str], rows: impl Iterator<Item = Vec<String>>) -> String {
    let mut writer = csv::Writer::from_writer(Vec::new());
    let header = header.iter().map(|&name| name.to_owned()).collect();
    for line in std::iter::once(header).chain(rows) {
        writer.write_record(&line).expect("lines of one length, written to memory");
    }
    let bytes = writer.into_inner().expect("written to memory");
    String::from_utf8(bytes).expect("all cells are text")
}

/// A text as a cell: what a spreadsheet would take for a formula gets an apostrophe before it, which makes it a text there.
/// For texts alone: a number may begin with a minus sign.
pub(super) fn text_cell(text: &str) -> String {
    let text = visible(text);
    let formula = if text.starts_with(['=', '+', '-', '@']) { "'" } else { "" };
    format!("{formula}{text}")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_cell_is_one_cell_and_no_formula() {
        for (text, field) in [
            ("pi4", "pi4"),
            ("0-3,8", "\"0-3,8\""),
            ("a \"b\"", "\"a \"\"b\"\"\""),
            ("=1+1", "'=1+1"),
            ("@SUM(A1,A2)", "\"'@SUM(A1,A2)\""),
            ("-3+cmd|'/c calc'!A0", "'-3+cmd|'/c calc'!A0"),
            ("+1", "'+1"),
            ("a\r\nb\u{1b}", "a\\r\\nb\\u{1b}"),
            ("\t=1", "\\t=1"),
        ] {
            let lines = csv(&["a", "b"], std::iter::once(vec![text_cell(text), "-1".to_owned()]));
            assert_eq!(lines, format!("a,b\n{field},-1\n"));
        }
    }
}
