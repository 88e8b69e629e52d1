//! A whole rankfile into entries and findings. Joins lines, statements, slots and devices, and looks
//! at what only the file as a whole shows. Knows no topology.

use std::ops::Range;

use super::code::{Code, Severity};
use super::device::{Comment, read_comment};
use super::diagnostic::{Diagnostic, Span};
use super::entry::{Entry, Rankfile};
use super::lines::{self, Piece};
use super::slots::SlotList;
use super::slots::judge::{Judgement, judge};
use super::statement::{self, Statement};
use super::wording::statement_message;
use super::{hostname, order, text};
use crate::wish::DeviceWish;

/// A file that was read: what it says, and what is wrong with it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Parsed {
    /// What could be understood. With an error among the diagnostics it is not the whole file.
    pub rankfile: Rankfile,
    /// What is wrong, in the order of the file; empty for a clean file.
    pub diagnostics: Vec<Diagnostic>,
}

/// Findings that are kept. A file with more is no rankfile, and the list must not outgrow the file.
const MAX_FINDINGS: usize = 500;

/// A longer line gets no corrected twin.
const MAX_CORRECTED_BYTES: usize = 1000;

/// Reads a rankfile of either dialect. Takes time linear in the text and never panics.
#[must_use]
pub fn parse(bytes: &[u8]) -> Parsed {
    match text::decode(bytes) {
        Ok(text) => {
            let mut parser =
                Parser { text, rankfile: Rankfile::default(), diagnostics: Vec::new(), found: 0, ranks_lost: false };
            parser.file();
            parser.finish()
        }
        Err(diagnostic) => Parsed { rankfile: Rankfile::default(), diagnostics: vec![diagnostic] },
    }
}

struct Parser<'a> {
    text: &'a str,
    rankfile: Rankfile,
    diagnostics: Vec<Diagnostic>,
    found: usize,
    /// Whether a line was meant for a rank and could not be read: then ranks only seem to be missing.
    ranks_lost: bool,
}

impl Parser<'_> {
    fn report(&mut self, diagnostic: Diagnostic) {
        self.found += 1;
        if self.found <= MAX_FINDINGS {
            self.diagnostics.push(diagnostic);
        }
    }

    fn file(&mut self) {
        let skipped = if self.text.starts_with('\u{feff}') { '\u{feff}'.len_utf8() } else { 0 };
        if skipped > 0 {
            let span = Span { end: skipped, ..Span::start_of_file() };
            self.report(Diagnostic::new(
                Code::ByteOrderMark,
                span,
                "the file starts with a byte order mark: save it as UTF-8 without one",
            ));
        }
        let text = self.text;
        // The mark is one character of white space that nobody sees; positions stay those of the file.
        let (pieces, open_comment) = lines::split(&text[skipped..]);
        let pieces = pieces.into_iter().map(|piece| shifted(piece, skipped));
        let mut carriage_returns = 0;
        for piece in pieces {
            if piece.carriage_return {
                carriage_returns += 1;
                if carriage_returns == 1 {
                    let at = piece.statement.end;
                    let end = (at + 1).min(text.len());
                    let message = "the lines end in CR LF as on Windows: convert them, for instance with dos2unix";
                    self.report(Diagnostic::new(Code::CarriageReturn, span(text, &piece, at..end), message));
                }
            }
            self.piece(&piece);
        }
        if let Some(at) = open_comment.map(|at| at + skipped) {
            let line_start = text[..at].rfind('\n').map_or(0, |newline| newline + 1);
            let span = Span {
                start: at,
                end: at + 2,
                line: text[..at].bytes().filter(|&b| b == b'\n').count() + 1,
                column: text[line_start..at].chars().count() + 1,
            };
            self.report(Diagnostic::new(
                Code::OpenComment,
                span,
                "this comment never ends: the lines after it do not count",
            ));
        }
    }

    fn piece(&mut self, piece: &Piece) {
        let text = self.text;
        let words = piece.comment.clone().map_or("", |comment| &text[comment]);
        if piece.unfinished {
            let at = piece.comment.clone().unwrap_or_default();
            let message = "the last line is a comment and has no newline at its end: add one";
            self.report(Diagnostic::new(Code::CommentAtEnd, span(text, piece, at), message));
        }
        let comment = read_comment(words);
        if piece.statement.is_empty() {
            if let Comment::Wish(_) | Comment::BadBusId(_) = comment {
                let at = piece.comment.clone().unwrap_or_default();
                let message = "a device comment counts only at the end of a rank's line: this one chooses nothing";
                self.report(Diagnostic::new(Code::DeviceCommentAlone, span(text, piece, at), message));
            }
            return;
        }
        let statement = statement::read(&text[piece.statement.clone()]);
        let entry = self.entry(piece, &statement);
        let Some(mut entry) = entry else {
            self.ranks_lost = true;
            return;
        };
        entry.device = self.device(piece, comment);
        entry.device_at = piece.comment.clone().map(|at| span(text, piece, at));
        self.rankfile.entries.push(entry);
    }

    fn device(&mut self, piece: &Piece, comment: Comment) -> Option<DeviceWish> {
        let at = piece.comment.clone().unwrap_or_default();
        let (code, message) = match comment {
            Comment::Prose => return None,
            Comment::Wish(wish) => return Some(wish),
            Comment::BadBusId(error) => (Code::BadBusId, error.to_string()),
            Comment::Unclear => (
                Code::DeviceComment,
                "this comment looks like a choice of device but is none: write '# cpu', '# gpu' or '# gpu=0000:65:00.0'".to_owned(),
            ),
        };
        self.report(Diagnostic::new(code, span(self.text, piece, at), message));
        None
    }

    /// The entry of a statement, its findings reported.
    fn entry(&mut self, piece: &Piece, found: &Statement) -> Option<Entry> {
        let text = self.text;
        let absolute = |at: &Range<usize>| piece.statement.start + at.start..piece.statement.start + at.end;
        if let Some(fault) = &found.fault {
            let diagnostic = Diagnostic::new(
                fault.code,
                span(text, piece, absolute(&fault.at)),
                statement_message(fault.code, &text[absolute(&fault.at)]),
            );
            let corrected = fault.corrected.as_ref().and_then(|statement| corrected_line(text, piece, statement));
            self.report(diagnostic.with_correction(corrected));
            if !fault.readable {
                return None;
            }
        }
        let at = [&found.rank_at, &found.host_at, &found.slots_at].map(absolute);
        let spans = at.clone().map(|at| span(text, piece, at));
        let host = hostname::read(&text[at[1].clone()]).name;
        let slots = self.slots(piece, host, at[2].clone())?;
        Some(Entry {
            rank: found.rank?,
            host: host.to_owned(),
            slots,
            device: None,
            line: piece.line,
            spans,
            device_at: None,
        })
    }

    /// The slot list, if it can be understood; a finding where a launcher reads it differently.
    fn slots(&mut self, piece: &Piece, host: &str, at: Range<usize>) -> Option<SlotList> {
        let text = self.text;
        let Judgement { list, finding } = judge(&text[at.clone()], hostname::short_name(host));
        if let Some(finding) = finding {
            let place = at.start + finding.at.start..at.start + finding.at.end;
            let statement = |slots: &String| {
                [&text[piece.statement.start..at.start], slots, &text[at.end..piece.statement.end]].concat()
            };
            let corrected = finding.corrected.as_ref().map(statement);
            let harmless = finding.open_mpi_41.is_none() && finding.open_mpi_5.is_none();
            let mut diagnostic = Diagnostic::new(finding.code, span(text, piece, place), finding.message)
                .with_consequences(finding.open_mpi_41, finding.open_mpi_5)
                .with_correction(corrected.and_then(|statement| corrected_line(text, piece, &statement)));
            if harmless {
                diagnostic.severity = Severity::Warning;
            }
            self.report(diagnostic);
        }
        list
    }

    fn finish(mut self) -> Parsed {
        if self.rankfile.entries.is_empty() && self.found == 0 {
            let message = "the file names no rank: a line reads 'rank 0=HOST slot=0'";
            self.report(Diagnostic::new(Code::NoRanks, Span::start_of_file(), message));
        }
        for diagnostic in order::check(&self.rankfile.entries, !self.ranks_lost) {
            self.report(diagnostic);
        }
        self.diagnostics.sort_by_key(|diagnostic| diagnostic.span.start);
        if self.found > MAX_FINDINGS {
            let more = self.found - MAX_FINDINGS;
            let message = format!("{more} more findings are not shown");
            self.diagnostics.push(Diagnostic::new(Code::TooManyFindings, Span::start_of_file(), message));
        }
        Parsed { rankfile: self.rankfile, diagnostics: self.diagnostics }
    }
}

/// The physical line with another statement in the piece's place.
fn corrected_line(text: &str, piece: &Piece, statement: &str) -> Option<String> {
    let Piece { whole_line, statement: at, .. } = piece;
    (whole_line.len() <= MAX_CORRECTED_BYTES).then(|| {
        let line = [&text[whole_line.start..at.start], statement, &text[at.end..whole_line.end]].concat();
        line.trim_end_matches('\r').to_owned()
    })
}

/// A piece of the text after a byte order mark, in bytes of the file.
fn shifted(piece: Piece, by: usize) -> Piece {
    let move_range = |range: Range<usize>| range.start + by..range.end + by;
    Piece {
        start: piece.start + by,
        whole_line: move_range(piece.whole_line),
        statement: move_range(piece.statement),
        comment: piece.comment.map(move_range),
        ..piece
    }
}

/// A range of bytes within a piece with its line and column.
fn span(text: &str, piece: &Piece, at: Range<usize>) -> Span {
    let column = piece.column + text[piece.start..at.start].chars().count();
    Span { start: at.start, end: at.end, line: piece.line, column }
}
