//! What is wrong, where, and what each dialect makes of it; and how a person reads that.
//! Knows codes and positions, not what a rankfile looks like.

use std::ops::Range;

use annotate_snippets::{AnnotationKind, Level, Origin, Renderer, Snippet};

use super::code::Code;
use super::guise;
use super::line_ends;
use super::readable::readable;
use crate::launcher::{ByDialect, Dialect};
use crate::severity::Severity;
use crate::visible::is_hidden;

/// A place in the text. Lines and columns count from 1, columns in characters; `start..end` are bytes.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Span {
    /// First byte.
    pub start: usize,
    /// Byte after the last one.
    pub end: usize,
    /// Line of `start`.
    pub line: usize,
    /// Column of `start`.
    pub column: usize,
}

impl Span {
    pub(super) const fn start_of_file() -> Self {
        Self { start: 0, end: 0, line: 1, column: 1 }
    }
}

/// One finding about a rankfile.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Diagnostic {
    /// Its stable name.
    pub code: Code,
    /// How bad it is.
    pub severity: Severity,
    /// Where.
    pub span: Span,
    /// What was found, with the value and the limit.
    pub message: String,
    /// What each dialect really does; `None` where it does what the file says.
    pub consequences: ByDialect<Option<String>>,
    /// The whole line as it should be, where that is known.
    pub corrected: Option<String>,
}

impl Diagnostic {
    /// A finding with the severity and the consequences that its code has everywhere.
    pub(super) fn new(code: Code, span: Span, message: impl Into<String>) -> Self {
        let consequences = code.consequences().map(|text| text.map(str::to_owned));
        Self { code, severity: code.severity(), span, message: message.into(), consequences, corrected: None }
    }

    /// Whether it matters to a launcher that reads rankfiles in one of these dialects. A finding without consequences in any
    /// dialect concerns this program alone and always matters.
    #[must_use]
    pub fn concerns(&self, dialects: &[Dialect]) -> bool {
        self.consequences.is_none() || dialects.iter().any(|dialect| self.consequences[*dialect].is_some())
    }

    /// What each dialect does, and what to write, as far as there is something to say, with the words before it.
    pub fn notes(&self) -> impl Iterator<Item = (String, &str)> {
        let consequences = self.consequences.by_versions();
        let consequences = consequences.map(|(versions, does)| (format!("Open MPI {versions}"), does.as_str()));
        consequences.chain(self.corrected.as_deref().map(|corrected| ("write".to_owned(), corrected)))
    }

    pub(super) fn with_correction(mut self, corrected: Option<String>) -> Self {
        self.corrected = corrected;
        self
    }

    pub(super) fn with_consequences(mut self, consequences: ByDialect<Option<String>>) -> Self {
        self.consequences = consequences;
        self
    }
}

/// Columns of a rendered diagnostic's source line, so that a line of a megabyte stays readable.
const COLUMNS: usize = 110;

/// A diagnostic as text: the line of `source` it is about, a caret below the place, what each
/// dialect does, and the corrected line. Has no color and no control character, ends with a newline.
///
/// `source` is the text the diagnostic was made from; bytes that are not UTF-8 and characters that nobody sees are shown as `?`.
#[must_use]
pub fn render(diagnostic: &Diagnostic, source: &[u8], file_name: &str) -> String {
    let Diagnostic { code, severity, span, message, .. } = diagnostic;
    let level = match severity {
        Severity::Error => Level::ERROR,
        Severity::Warning => Level::WARNING,
        Severity::Note => Level::NOTE,
    };
    let title = level.primary_title(seen(message)).id(code.id());
    let (line, marked) = line_of(source, *span);
    let place = if line.trim().is_empty() {
        title.element(Origin::path(seen(file_name)).line(span.line).char_column(span.column))
    } else {
        let marked = AnnotationKind::Primary.span(marked);
        title.element(Snippet::source(line).line_start(span.line).path(seen(file_name)).annotation(marked))
    };
    let see = ("see".to_owned(), code.name());
    let notes = diagnostic.notes().chain([see]).map(|(label, note)| Level::NOTE.with_name(label).message(seen(note)));
    Renderer::plain().term_width(COLUMNS).render(&[place.elements(notes)]) + "\n"
}

/// The span's line, and the bytes of it that the span marks.
fn line_of(source: &[u8], span: Span) -> (String, Range<usize>) {
    let start = span.start.min(source.len());
    let (line_start, line_end) = (line_ends::line_start(source, start), line_ends::line_end(source, start));
    let end = span.end.clamp(start, line_end);
    let [before, marked, after] =
        [line_start..start, start..end, end..line_end].map(|bytes| seen(&readable(&source[bytes])));
    let bytes = before.len()..before.len() + marked.len();
    ([before, marked, after].concat(), bytes)
}

/// One character that is seen for each character, so that carets stay below what they mark: letters as they are, for people
/// look for them in their file.
fn seen(text: &str) -> String {
    text.chars()
        .map(|c| match c {
            c if c.is_whitespace() => ' ',
            c if is_hidden(c) || guise::is_unseen(c) => '?',
            c => c,
        })
        .collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    fn at(source: &str, marked: &str) -> Diagnostic {
        let start = source.find(marked).unwrap();
        let line_start = source[..start].rfind('\n').map_or(0, |newline| newline + 1);
        let span = Span {
            start,
            end: start + marked.len(),
            line: source[..start].matches('\n').count() + 1,
            column: source[line_start..start].chars().count() + 1,
        };
        Diagnostic::new(Code::DuplicateRank, span, "rank 1 stands here twice")
    }

    #[test]
    fn the_caret_stands_below_the_place() {
        let source = "# caf\u{e9}\n\trank 1=a slot=0\n";
        let diagnostic = at(source, "1")
            .with_consequences(ByDialect::default().with(Dialect::OpenMpi41, Some("no word".to_owned())))
            .with_correction(Some("rank 2=a slot=0".into()));
        let expected = "\
error[RF062]: rank 1 stands here twice
 --> FILE:2:7
  |
2 |  rank 1=a slot=0
  |       ^
  |
  = Open MPI 4.1: no word
  = write: rank 2=a slot=0
  = see: duplicate-rank
";
        assert_eq!(render(&diagnostic, source.as_bytes(), "FILE"), expected);
    }

    #[test]
    fn a_long_line_is_cut_around_the_place() {
        let source = format!("{}X{}", "a".repeat(100_000), "b".repeat(100_000));
        let text = render(&at(&source, "X"), source.as_bytes(), "FILE");
        assert!(text.lines().all(|line| line.len() < 200), "{text}");
        let lines: Vec<&str> = text.lines().collect();
        assert_eq!(lines[4].find('^'), lines[3].find('X'), "{text}");
    }

    #[test]
    fn any_bytes_and_any_span_can_be_shown() {
        let span = Span { start: 90, end: 3, line: 7, column: 1 };
        let text = render(&Diagnostic::new(Code::NotText, span, "\u{1b}[31mred"), b"\xff\0\n", "a\nb");
        assert!(text.chars().all(|c| c == '\n' || !is_hidden(c)) && text.contains("?[31mred"), "{text}");
    }

    #[test]
    fn letters_are_shown_as_they_are_and_what_nobody_sees_is_not() {
        let source = "rank 0=kn\u{f6}del\u{200b}\u{202e}\u{4e2d}\u{6587} slot=1\n";
        let mut diagnostic = at(source, "slot");
        diagnostic.message = "'kn\u{f6}del\u{9b}' is no name".to_owned();
        let text = render(&diagnostic, source.as_bytes(), "caf\u{e9}");
        assert!(text.starts_with("error[RF062]: 'kn\u{f6}del?' is no name\n --> caf\u{e9}:1:"), "{text}");
        // A Chinese character is as wide as two others.
        let expected = "\n1 | rank 0=kn\u{f6}del??\u{4e2d}\u{6587} slot=1\n  |                     ^^^^\n";
        assert!(text.contains(expected), "{text}");
    }
}
