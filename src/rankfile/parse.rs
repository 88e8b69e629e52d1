//! A whole rankfile into entries and findings. Joins lines, statements, slots and devices, and looks
//! at what only the file as a whole shows. Knows no topology.

use std::ops::Range;

use super::code::{Code, SYNTAX_OF_LINE};
use super::device::{Comment, read_comment};
use super::diagnostic::{Diagnostic, Span};
use super::entry::{Entry, Rankfile};
use super::line_ends;
use super::lines::{self, Piece};
use super::other_kind::OtherKind;
use super::slots::SlotList;
use super::slots::judge::{Judgement, judge};
use super::statement::{self, Statement};
use super::wording::{guise_message, statement_consequences, statement_message};
use super::{guise, host_word, order, other_kind, text};
use crate::{
    host_name::short_name,
    launcher::{ByDialect, Dialect},
    request::DeviceRequest,
    severity::Severity,
    topology::SlotUnit,
    words::counted,
};

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

/// Lines without a rank that are told one by one, unless a rank's line stands between them: of a file that is something else
/// they would be all.
const UNKNOWN_LINES: usize = 10;

const BYTE_ORDER_MARK: char = '\u{feff}';

/// Reads a rankfile of any dialect, whose slots are cores. Takes time linear in the text and never panics.
#[cfg(any(test, feature = "inside"))]
#[must_use]
pub fn parse(bytes: &[u8]) -> Parsed {
    parse_counting(bytes, SlotUnit::Core)
}

/// Reads a rankfile of any dialect, whose slots are `unit`s. Takes time linear in the text and never panics.
#[must_use]
pub fn parse_counting(bytes: &[u8], unit: SlotUnit) -> Parsed {
    match text::decode(bytes) {
        Ok(text) => {
            let mut parser = Parser {
                text: &text,
                bytes,
                unit,
                rankfile: Rankfile::default(),
                diagnostics: Vec::new(),
                found: 0,
                unknown: 0,
                untold: None,
            };
            parser.file();
            parser.finish()
        }
        Err(diagnostic) => Parsed { rankfile: Rankfile::default(), diagnostics: vec![diagnostic] },
    }
}

struct Parser<'a> {
    text: &'a str,
    /// What the text was made from: `?` stands in it for bytes that are not UTF-8.
    bytes: &'a [u8],
    /// What slots count.
    unit: SlotUnit,
    rankfile: Rankfile,
    diagnostics: Vec<Diagnostic>,
    found: usize,
    /// Lines without a rank since the last one with a rank.
    unknown: usize,
    /// The place of the first of them that was not told, and how many were not.
    untold: Option<(Span, usize)>,
}

impl Parser<'_> {
    fn report(&mut self, diagnostic: Diagnostic) {
        if diagnostic.code == Code::UnknownLine {
            self.unknown += 1;
            if self.unknown > UNKNOWN_LINES {
                self.untold.get_or_insert((diagnostic.span, 0)).1 += 1;
                return;
            }
        }
        self.found += 1;
        if self.found <= MAX_FINDINGS {
            self.diagnostics.push(diagnostic);
        }
    }

    /// Reports at a place within a piece.
    fn report_at(&mut self, code: Code, piece: &Piece, at: Range<usize>, message: impl Into<String>) {
        self.report(Diagnostic::new(code, piece.span(self.text, at), message));
    }

    fn file(&mut self) {
        let mark = if self.text.starts_with(BYTE_ORDER_MARK) { BYTE_ORDER_MARK.len_utf8() } else { 0 };
        if mark > 0 {
            let span = Span { end: mark, ..Span::start_of_file() };
            let message = "the file starts with a byte order mark: save it as UTF-8 without one";
            self.report(Diagnostic::new(Code::ByteOrderMark, span, message));
        }
        let (pieces, open_comment) = lines::split(self.text, mark);
        let with_newline = pieces.iter().find(|piece| piece.carriage_return);
        if let Some(at) = line_ends::first_alone(self.bytes) {
            self.carriage_return_alone(at, &pieces, with_newline.is_some());
        } else if let Some(piece) = with_newline {
            let at = piece.statement.end..piece.statement.end + 1;
            let message = "the lines end in CR LF as on Windows: convert them, for instance with dos2unix";
            self.report_at(Code::CarriageReturn, piece, at, message);
        }
        let statements = pieces.iter().map(|piece| &self.text[piece.statement.clone()]).filter(|text| !text.is_empty());
        match other_kind::recognise(&statements) {
            Some(kind) => self.other_file(kind, &pieces),
            None => pieces.iter().for_each(|piece| self.piece(piece)),
        }
        self.harmless_bytes();
        if let Some(piece) = open_comment {
            let at = piece.start..piece.start + "/*".len();
            let message = "this comment never ends: the lines after it do not count";
            let mut found = Diagnostic::new(Code::OpenComment, piece.span(self.text, at.clone()), message);
            if !self.text[at.end..].contains("rank") {
                found.severity = Severity::Warning;
            }
            self.report(found);
        }
    }

    /// One finding for line ends of old Macs, those of Windows between them included.
    fn carriage_return_alone(&mut self, at: usize, pieces: &[Piece], is_mixed: bool) {
        let mend = if is_mixed {
            "others end in CR LF as on Windows: `tr '\\r' '\\n' <FILE >NEW` mends both"
        } else {
            "convert the file with mac2unix or `tr '\\r' '\\n' <FILE >NEW`"
        };
        let message = format!("the line ends in a CR alone as on old Macs, which is no end to the launchers: {mend}");
        let found = Diagnostic::new(Code::CarriageReturn, text::position(self.bytes, at), message);
        let in_comment = pieces.iter().any(|piece| piece.comment.as_ref().is_some_and(|words| words.end == at));
        self.report(if in_comment {
            let hidden = "takes the next line for a part of the comment, without a word";
            found.with_consequences(ByDialect::of(|_| Some(hidden.to_owned())))
        } else {
            let consequences = found.consequences.clone().with(Dialect::OpenMpi6, Some(SYNTAX_OF_LINE.to_owned()));
            found.with_consequences(consequences)
        });
    }

    /// One finding for a file of another kind, in the place of one for each of its lines.
    fn other_file(&mut self, kind: OtherKind, pieces: &[Piece]) {
        let first = pieces.iter().find(|piece| !piece.statement.is_empty());
        let Some(piece) = first else { return };
        let consequences = kind.consequences().map(|does| Some(does.to_owned()));
        let found = Diagnostic::new(Code::OtherFile, piece.span(self.text, piece.statement.clone()), kind.message());
        self.report(found.with_consequences(consequences));
        self.rankfile.has_unread_lines = true;
    }

    /// A note where bytes that are not UTF-8 stand in comments alone.
    fn harmless_bytes(&mut self) {
        let Err(error) = str::from_utf8(self.bytes) else { return };
        if self.diagnostics.iter().any(|diagnostic| diagnostic.code == Code::NotUtf8) {
            return;
        }
        let at = error.valid_up_to();
        let message = format!(
            "byte {at} is 0x{:02x}, which is not UTF-8: harmless in a comment, and better saved as UTF-8",
            self.bytes[at]
        );
        let mut note = Diagnostic::new(Code::NotUtf8, text::position(self.bytes, at), message);
        note.severity = Severity::Note;
        self.report(note.with_consequences(ByDialect::default()));
    }

    /// Whether a statement has characters or bytes in it that no launcher takes and few people see; they are reported.
    fn is_masked(&mut self, piece: &Piece) -> bool {
        let at = piece.statement.clone();
        if let Err(error) = str::from_utf8(&self.bytes[at.clone()]) {
            let first = at.start + error.valid_up_to();
            let message = format!(
                "byte {first} is 0x{:02x}, which is not UTF-8: save the file as UTF-8 or plain ASCII",
                self.bytes[first]
            );
            self.report_at(Code::NotUtf8, piece, first..first + 1, message);
            return true;
        }
        let statement = &self.text[at.clone()];
        let Some((offset, c, found)) = statement.char_indices().find_map(|(i, c)| Some((i, c, guise::of(c)?))) else {
            return false;
        };
        let place = at.start + offset..at.start + offset + c.len_utf8();
        let message = guise_message(c, &found);
        let meant = guise::unmasked(statement);
        let corrected = piece.replaced(self.text, at, meant.trim()).filter(|_| is_clean(meant.trim()));
        self.report(Diagnostic::new(Code::Guise, piece.span(self.text, place), message).with_correction(corrected));
        true
    }

    fn piece(&mut self, piece: &Piece) {
        let text = self.text;
        let words = piece.comment.clone().map_or("", |comment| &text[comment]);
        if piece.unfinished {
            let at = piece.comment.clone().unwrap_or_default();
            let message = "the last line is a comment and has no newline at its end: add one";
            self.report_at(Code::CommentAtEnd, piece, at, message);
        }
        let comment = read_comment(words);
        if piece.statement.is_empty() {
            if let Comment::Request(_) | Comment::BadBusId(_) = comment {
                let at = piece.comment.clone().unwrap_or_default();
                let message = "a device comment counts only at the end of a rank's line: this one chooses nothing";
                self.report_at(Code::DeviceCommentAlone, piece, at, message);
            }
            return;
        }
        if self.is_masked(piece) {
            self.rankfile.has_unread_lines = true;
            return;
        }
        let statement = statement::read(&text[piece.statement.clone()]);
        let entry = self.entry(piece, &statement);
        let Some(mut entry) = entry else {
            self.rankfile.has_unread_lines = true;
            return;
        };
        entry.device = self.device(piece, comment);
        entry.device_at = piece.comment.clone().map(|at| piece.span(text, at));
        self.rankfile.entries.push(entry);
        self.unknown = 0;
    }

    fn device(&mut self, piece: &Piece, comment: Comment) -> Option<DeviceRequest> {
        let at = piece.comment.clone().unwrap_or_default();
        let (code, message) = match comment {
            Comment::Prose => return None,
            Comment::Request(request) => return Some(request),
            Comment::BadBusId(error) => (Code::BadBusId, error.to_string()),
            Comment::Unclear => (
                Code::DeviceComment,
                "this comment looks like a choice of device but is none: write '# cpu', '# gpu' or '# gpu=0000:65:00.0'".to_owned(),
            ),
        };
        self.report_at(code, piece, at, message);
        None
    }

    /// The entry of a statement, its findings reported.
    fn entry(&mut self, piece: &Piece, found: &Statement) -> Option<Entry> {
        let text = self.text;
        let absolute = |at: &Range<usize>| piece.statement.start + at.start..piece.statement.start + at.end;
        if let Some(fault) = &found.fault {
            let marked = &text[absolute(&fault.at)];
            let mut diagnostic = Diagnostic::new(
                fault.code,
                piece.span(text, absolute(&fault.at)),
                statement_message(fault.code, marked),
            );
            if let Some(consequences) = statement_consequences(fault.code, marked, found.rank) {
                diagnostic = diagnostic.with_consequences(consequences.map(Some));
            }
            let corrected =
                fault.corrected.as_ref().and_then(|statement| piece.replaced(text, piece.statement.clone(), statement));
            self.report(diagnostic.with_correction(corrected));
            if !fault.readable {
                return None;
            }
        }
        let at = [&found.rank_at, &found.host_at, &found.slots_at].map(absolute);
        let spans = at.clone().map(|at| piece.span(text, at));
        let host = host_word::read(&text[at[1].clone()]).name;
        let slots = self.slots(piece, host, at[2].clone())?;
        Some(Entry {
            rank: found.rank?,
            host: host.to_owned(),
            user: text[at[1].clone()].strip_suffix(host).and_then(|user| Some(user.strip_suffix('@')?.to_owned())),
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
        let Judgement { list, finding } = judge(&text[at.clone()], short_name(host), self.unit);
        if let Some(finding) = finding {
            let place = at.start + finding.at.start..at.start + finding.at.end;
            let corrected = finding.corrected.and_then(|slots| piece.replaced(text, at.clone(), &slots));
            let harmless = finding.consequences.is_none();
            let mut diagnostic = Diagnostic::new(finding.code, piece.span(text, place), finding.message)
                .with_consequences(finding.consequences)
                .with_correction(corrected);
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
        for diagnostic in order::check(&self.rankfile.entries, !self.rankfile.has_unread_lines) {
            self.report(diagnostic);
        }
        self.diagnostics.sort_by_key(|diagnostic| diagnostic.span.start);
        if let Some((first, more)) = self.untold {
            let (lines, start) = if more == 1 { ("line", "starts") } else { ("lines", "start") };
            let message = format!("{more} more {lines} {start} no line of a rankfile either: is this the right file?");
            self.diagnostics.push(Diagnostic::new(Code::TooManyFindings, first, message));
        }
        if self.found > MAX_FINDINGS {
            let more = self.found - MAX_FINDINGS;
            let are = if more == 1 { "is" } else { "are" };
            let message = format!("{} {are} not shown", counted(more, "more finding"));
            self.diagnostics.push(Diagnostic::new(Code::TooManyFindings, Span::start_of_file(), message));
        }
        Parsed { rankfile: self.rankfile, diagnostics: self.diagnostics }
    }
}

/// Whether a statement has no fault of its own.
fn is_clean(statement: &str) -> bool {
    parse_counting(format!("{statement}\n").as_bytes(), SlotUnit::Core)
        .diagnostics
        .iter()
        .all(|diagnostic| matches!(diagnostic.code, Code::MissingRank | Code::RankZeroFirst))
}
