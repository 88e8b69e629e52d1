//! Physical lines into statements and comments, as the launchers' lexer splits them. Knows where a
//! comment starts and ends, not what a statement means.

use std::ops::Range;

use super::diagnostic::Span;
use super::line_ends;

/// What stands between two line ends or comments. Ranges are bytes of the text.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Piece {
    /// Line, from 1.
    pub(super) line: usize,
    /// First byte of the piece, blanks included.
    pub(super) start: usize,
    /// Column of `start`, from 1, in characters.
    pub(super) column: usize,
    /// The physical line without its newline.
    pub(super) whole_line: Range<usize>,
    /// Without blanks around it; empty where there is only a comment.
    pub(super) statement: Range<usize>,
    /// The words of the comment after the statement, without its signs.
    pub(super) comment: Option<Range<usize>>,
    /// A carriage return that no comment hides.
    pub(super) carriage_return: bool,
    /// A `#` or `//` comment that the end of the file cuts off.
    pub(super) unfinished: bool,
}

impl Piece {
    /// A range of bytes within the piece with its line and column.
    pub(super) fn span(&self, text: &str, at: Range<usize>) -> Span {
        let column = self.column + text[self.start..at.start].chars().count();
        Span { start: at.start, end: at.end, line: self.line, column }
    }

    /// The physical line with other text in the place of some bytes; none for a very long line.
    pub(super) fn replaced(&self, text: &str, at: Range<usize>, by: &str) -> Option<String> {
        let Self { whole_line, .. } = self;
        (whole_line.len() <= MAX_CORRECTED_BYTES).then(|| {
            let line = [&text[whole_line.start..at.start], by, &text[at.end..whole_line.end]].concat();
            line.trim_end_matches('\r').to_owned()
        })
    }
}

/// A longer line gets no corrected twin.
const MAX_CORRECTED_BYTES: usize = 1000;

/// The blanks of the lexer.
pub(super) const BLANKS: [char; 4] = [' ', '\t', '\u{b}', '\u{c}'];

/// Pieces of the text from byte `first` on, in order, and the `/*` of a comment that is still open at
/// the end, as a piece of its own.
pub(super) fn split(text: &str, first: usize) -> (Vec<Piece>, Option<Piece>) {
    let mut pieces = Vec::new();
    let mut open_comment: Option<Piece> = None;
    for (index, line) in line_ends::lines(&text.as_bytes()[first..]).enumerate() {
        let ended = text[..first + line.end].ends_with(['\n', '\r']);
        let whole_line = first + line.start..first + line.end - usize::from(ended);
        let mut at = whole_line.start;
        let mut column = 1;
        loop {
            let rest = &text[at..whole_line.end];
            if open_comment.is_some() {
                let Some(end) = rest.find("*/") else { break };
                column += rest[..end + 2].chars().count();
                at += end + 2;
                open_comment = None;
                continue;
            }
            let blank = Piece {
                line: index + 1,
                start: at,
                column,
                whole_line: whole_line.clone(),
                statement: at..at,
                comment: None,
                carriage_return: false,
                unfinished: false,
            };
            let (piece, next) = fill(text, blank.clone(), ended);
            if !piece.statement.is_empty() || piece.comment.is_some() || piece.carriage_return {
                pieces.push(piece);
            }
            let Some(comment) = next else { break };
            column += text[at..comment].chars().count();
            open_comment = Some(Piece { start: comment, column, ..blank });
            column += 2;
            at = comment + 2;
        }
    }
    (pieces, open_comment)
}

/// The piece that starts where `blank` does, and where a `/*` ends it.
fn fill(text: &str, blank: Piece, ended: bool) -> (Piece, Option<usize>) {
    let (at, line_end) = (blank.start, blank.whole_line.end);
    let rest = &text[at..line_end];
    let bytes = rest.as_bytes();
    let sign = (0..bytes.len())
        .find(|&i| bytes[i] == b'#' || (bytes[i] == b'/' && matches!(bytes.get(i + 1), Some(b'/' | b'*'))));
    let code_end = sign.map_or(line_end, |sign| at + sign);
    let code = &text[at..code_end];
    let carriage_return = code.ends_with('\r');
    let body = code.trim_end_matches('\r');
    let start = at + body.len() - body.trim_start_matches(BLANKS).len();
    let statement = start..start + body.trim_matches(BLANKS).len();
    let (comment, block) = match sign.map(|sign| (sign, bytes[sign], bytes.get(sign + 1))) {
        None => (None, None),
        Some((sign, b'/', Some(b'*'))) => {
            let words = at + sign + 2;
            let end = text[words..line_end].find("*/").map_or(line_end, |end| words + end);
            (Some(words..end), Some(at + sign))
        }
        Some((sign, first, _)) => (Some(at + sign + if first == b'#' { 1 } else { 2 }..line_end), None),
    };
    let unfinished = comment.is_some() && block.is_none() && !ended;
    (Piece { statement, comment, carriage_return, unfinished, ..blank }, block)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn shown(text: &str) -> Vec<(usize, &str, Option<&str>)> {
        let (pieces, _) = split(text, 0);
        pieces.iter().map(|p| (p.line, &text[p.statement.clone()], p.comment.clone().map(|c| text[c].trim()))).collect()
    }

    #[test]
    fn comments_end_statements() {
        assert_eq!(
            shown("a # b\n\n// c\nd /* e */ f\n"),
            [(1, "a", Some("b")), (3, "", Some("c")), (4, "d", Some("e")), (4, "f", None)]
        );
        assert_eq!(shown("a /* b\n c */ d\n"), [(1, "a", Some("b")), (2, "d", None)]);
        assert_eq!(shown(" \u{b}a\u{c}\t\r\n"), [(1, "a\u{c}\t".trim_matches(BLANKS), None)]);
        assert_eq!(shown("/*/ a */ b\n"), [(1, "", Some("/ a")), (1, "b", None)]);
    }

    #[test]
    fn ends_that_the_lexer_stumbles_over_are_marked() {
        let marks = |text| split(text, 0).0.iter().map(|p| (p.carriage_return, p.unfinished)).collect::<Vec<_>>();
        assert_eq!(marks("a\r\n\r\n# b\r\n"), [(true, false), (true, false), (false, false)]);
        assert_eq!(marks("a # b"), [(false, true)]);
        assert_eq!(marks("a"), [(false, false)]);
        assert_eq!(split("a /* b\n", 0).1.map(|piece| (piece.start, piece.column)), Some((2, 3)));
    }

    #[test]
    fn a_carriage_return_alone_ends_a_line() {
        assert_eq!(shown("a # b\rc\r\rd\r\ne"), [(1, "a", Some("b")), (2, "c", None), (4, "d", None), (5, "e", None)]);
        assert!(split("# a\r", 0).0.iter().all(|piece| !piece.unfinished && !piece.carriage_return));
    }

    #[test]
    fn many_comments_on_one_line_take_linear_time() {
        let text = "/**/".repeat(200_000);
        assert_eq!(split(&text, 0).0.len(), 200_000);
    }
}
