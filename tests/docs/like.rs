//! Whether what was printed is like what a page shows, where figures differ from run to run and from machine to machine.
//! Knows nothing of pages or of programs.
//!
//! Lines are compared in their order. Numbers stand for any number, blanks for any blanks, a border for any border. In a table
//! the heads of the columns and the number of rows must be the same, and each cell must be of the same kind: a number, a text,
//! or nothing. A line of a drawing stands for any line of one. `...` stands for any lines.

/// What is not alike, or nothing.
pub(crate) fn difference(shown: &str, printed: &str) -> Option<String> {
    let (shown, printed) = (shapes(shown), shapes(printed));
    if is_like(&shown, &printed) {
        return None;
    }
    let first = shown.iter().zip(&printed).position(|(shown, printed)| shown != printed);
    let at = first.unwrap_or(shown.len().min(printed.len()));
    let line = |lines: &[String]| lines.get(at).cloned().unwrap_or_else(|| "(the end)".to_owned());
    Some(format!("shown:   {}\nprinted: {}", line(&shown), line(&printed)))
}

fn is_like(shown: &[String], printed: &[String]) -> bool {
    match shown.split_first() {
        None => printed.is_empty(),
        Some((line, rest)) if line == "..." => (0..=printed.len()).any(|skipped| is_like(rest, &printed[skipped..])),
        Some((line, rest)) => printed.first() == Some(line) && is_like(rest, &printed[1..]),
    }
}

/// Each line without what may differ; blank lines do not count.
fn shapes(text: &str) -> Vec<String> {
    let mut in_head = true;
    let mut shapes = Vec::new();
    for line in text.lines().map(str::trim_end).filter(|line| !line.trim().is_empty()) {
        if line.starts_with("+-") {
            in_head = true;
            shapes.push("+--".to_owned());
        } else if line.starts_with("+=") {
            in_head = false;
            shapes.push("+==".to_owned());
        } else if line.starts_with('|') && line.ends_with('|') {
            shapes.push(row(line, in_head));
        } else if line.starts_with(['┌', '│', '└']) {
            shapes.push("drawing".to_owned());
        } else {
            shapes.push(words(line));
        }
    }
    shapes
}

/// A row of a table. Its cells are apart by three blanks, or two where one is as wide as its column.
fn row(line: &str, is_head: bool) -> String {
    let cells = line.trim_matches('|').trim().split("  ").map(str::trim).filter(|cell| !cell.is_empty());
    let kind = |cell: &str| match cell {
        _ if is_head => cell.to_owned(),
        "-" => "-".to_owned(),
        cell if words(cell).chars().all(|sign| "# %,-".contains(sign)) => "number".to_owned(),
        _ => "text".to_owned(),
    };
    cells.map(kind).collect::<Vec<_>>().join(" | ")
}

/// A line with its numbers replaced, in each way that they are written: 1 234.5, 0.001, 1e-5.
fn words(line: &str) -> String {
    let mut shape = String::new();
    let mut signs = line.trim().chars().peekable();
    while let Some(sign) = signs.next() {
        let continues = |next: Option<&char>| next.is_some_and(char::is_ascii_digit);
        if sign.is_ascii_digit() {
            if !shape.ends_with('#') {
                shape.push('#');
            }
        } else if (sign == '.' || sign == ' ') && shape.ends_with('#') && continues(signs.peek()) {
        } else if !(sign == ' ' && shape.ends_with(' ')) {
            shape.push(sign);
        }
    }
    shape
}

#[cfg(test)]
mod tests {
    use super::difference;

    const TABLE: &str =
        "+---+\n| rank   host   share |\n+===+\n|    0   vm      45 % |\n+---+\nnote: 4 ranks are on 2 cores\n";

    #[test]
    fn figures_and_widths_may_differ() {
        let other = "+-----+\n| rank   host      share |\n+=====+\n|    0   machine   9.5 % |\n+-----+\n\nnote: 1 000 ranks are on 64 cores\n";
        assert_eq!(difference(TABLE, other), None);
        assert_eq!(difference("a\n...\nz 1", "a\nb\nc\nz 22.5"), None);
    }

    #[test]
    fn words_columns_and_rows_may_not() {
        for other in [
            TABLE.replace("share", "part"),
            TABLE.replace("|    0   vm      45 % |\n", ""),
            TABLE.replace("45 %", "-"),
            TABLE.replace("ranks are", "ranks were"),
            TABLE.to_owned() + "one more line\n",
        ] {
            assert!(difference(TABLE, &other).is_some(), "{other}");
        }
        assert!(difference("a\n...\nz", "a\nb").is_some());
    }
}
