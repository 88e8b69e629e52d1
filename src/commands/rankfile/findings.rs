//! Findings for programs: `check --format json`. Its shape is described in docs/rankfiles.md and keeps; fields may be added.

use serde::{Serialize, Serializer};

use crate::{launcher::ByDialect, rankfile::Diagnostic, visible::visible_json};

/// One finding. Lines and columns count from 1, columns in characters.
#[derive(Serialize)]
struct Finding<'a> {
    file: &'a str,
    line: usize,
    column: usize,
    /// Column behind the last character that is meant, on the same line.
    end: usize,
    code: &'static str,
    name: &'static str,
    severity: &'static str,
    message: &'a str,
    /// By the name of each dialect.
    #[serde(flatten, serialize_with = "by_key")]
    consequences: &'a ByDialect<Option<String>>,
    /// The whole line as it should be.
    replacement: Option<&'a str>,
}

fn by_key<S: Serializer>(consequences: &ByDialect<Option<String>>, serializer: S) -> Result<S::Ok, S::Error> {
    serializer.collect_map(consequences.iter().map(|(dialect, does)| (dialect.key(), does)))
}

/// The findings as a JSON list, one to a line; `source` is the text they are about. Ends with a newline.
pub(super) fn json(found: &[Diagnostic], source: &[u8], file: &str) -> String {
    let items: Vec<String> = found
        .iter()
        .map(|diagnostic| {
            let marked = source.get(diagnostic.span.start..diagnostic.span.end).unwrap_or_default();
            let finding = Finding {
                file,
                line: diagnostic.span.line,
                column: diagnostic.span.column,
                end: diagnostic.span.column + String::from_utf8_lossy(marked).chars().count(),
                code: diagnostic.code.id(),
                name: diagnostic.code.name(),
                severity: diagnostic.severity.as_str(),
                message: &diagnostic.message,
                consequences: &diagnostic.consequences,
                replacement: diagnostic.corrected.as_deref(),
            };
            serde_json::to_string(&finding).expect("plain values always have a JSON form")
        })
        .collect();
    if items.is_empty() { "[]\n".to_owned() } else { format!("[\n{}\n]\n", visible_json(&items.join(",\n"))) }
}
