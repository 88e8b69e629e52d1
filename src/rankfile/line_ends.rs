//! Where lines end: at a newline, and where people see an end as well, at the carriage return of old Macs, which the launchers
//! take for none. Knows bytes only, no rankfile.

use std::ops::Range;

/// The lines with what ends them; the last one may have no end.
pub(super) fn lines(bytes: &[u8]) -> impl Iterator<Item = Range<usize>> {
    let mut start = 0;
    // Up to there carriage returns are known to stand alone, so that a row of them is looked at once.
    let mut alone_until = 0;
    std::iter::from_fn(move || {
        let rest = bytes.get(start..).filter(|rest| !rest.is_empty())?;
        let end = match rest.iter().position(|byte| matches!(byte, b'\n' | b'\r')).map(|offset| start + offset) {
            None => bytes.len(),
            Some(at) if bytes[at] == b'\n' || at < alone_until => at + 1,
            Some(at) => match newline_behind(bytes, at) {
                Ok(newline) => newline + 1,
                Err(behind) => {
                    alone_until = behind;
                    at + 1
                }
            },
        };
        let line = start..end;
        start = end;
        Some(line)
    })
}

/// The first carriage return that ends a line.
pub(super) fn first_alone(bytes: &[u8]) -> Option<usize> {
    lines(bytes).map(|line| line.end - 1).find(|&last| bytes[last] == b'\r')
}

/// Where the line that byte `at` belongs to starts.
pub(super) fn line_start(bytes: &[u8], at: usize) -> usize {
    let mut alone = newline_behind(bytes, at).is_err();
    for (index, byte) in bytes[..at].iter().enumerate().rev() {
        match byte {
            b'\n' => return index + 1,
            b'\r' if alone => return index + 1,
            b'\r' => {}
            _ => alone = true,
        }
    }
    0
}

/// Where the line that byte `at` belongs to ends, before its newline or a carriage return in the place of one.
pub(super) fn line_end(bytes: &[u8], at: usize) -> usize {
    let end =
        bytes[at..].iter().position(|byte| matches!(byte, b'\n' | b'\r')).map_or(bytes.len(), |offset| at + offset);
    newline_behind(bytes, end).unwrap_or(end)
}

/// The newline that the carriage returns from `at` on belong to, or where they end, if to none.
fn newline_behind(bytes: &[u8], at: usize) -> Result<usize, usize> {
    let behind = at + bytes[at..].iter().take_while(|&&byte| byte == b'\r').count();
    if bytes.get(behind) == Some(&b'\n') { Ok(behind) } else { Err(behind) }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn lines_end_at_newlines_and_at_carriage_returns_that_stand_alone() {
        for (text, expected, alone) in [
            ("a\nb", &["a\n", "b"][..], None),
            ("a\rb", &["a\r", "b"], Some(1)),
            ("a\r\nb\r", &["a\r\n", "b\r"], Some(4)),
            ("a\r\r\nb\r\rc", &["a\r\r\n", "b\r", "\r", "c"], Some(5)),
            ("a\r\r\n", &["a\r\r\n"], None),
            ("", &[], None),
        ] {
            let found: Vec<&str> = lines(text.as_bytes()).map(|line| &text[line]).collect();
            assert_eq!((found.as_slice(), first_alone(text.as_bytes())), (expected, alone), "{text:?}");
        }
    }

    #[test]
    fn the_line_of_a_place_is_the_one_that_it_is_split_into() {
        let text = b"a\rbc\r\r\nd\r\re\r\nf";
        for line in lines(text) {
            for at in line.clone() {
                assert_eq!(line_start(text, at), line.start, "{at}");
                let end = line_end(text, at);
                assert!(text[end..].is_empty() || (end == line.end - 1), "{at}");
            }
        }
        assert_eq!((line_start(text, text.len()), line_end(text, text.len())), (text.len() - 1, text.len()));
    }

    #[test]
    fn many_carriage_returns_take_linear_time() {
        for text in ["\r".repeat(1_000_000), "\r".repeat(1_000_000) + "\n", "\r\n".repeat(500_000)] {
            assert!(lines(text.as_bytes()).count() > 0);
            first_alone(text.as_bytes());
            line_start(text.as_bytes(), text.len());
        }
    }
}
