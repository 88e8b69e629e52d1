//! The report of a study: figures, sentences and tables of an analysis, as a page, as Markdown, as CSV and as JSON. What is said is
//! made here once; the forms differ in how they show it.

mod figures;
mod page;
mod said;
mod style;
mod tables;

pub use self::{figures::figures, page::page};
use crate::study::analysis::Analysis;

/// The report as JSON: the analysis as it is, on one line.
#[must_use]
pub fn json(analysis: &Analysis) -> String {
    let json = serde_json::to_string(analysis).expect("numbers, texts and lists have a form in JSON");
    crate::visible::visible_json(&json).into_owned() + "\n"
}

/// The report as CSV: a line for each combination of parameters.
#[must_use]
pub fn csv(analysis: &Analysis) -> String {
    tables::points(analysis).csv()
}

/// The report as Markdown.
#[must_use]
pub fn markdown(analysis: &Analysis) -> String {
    let mut text = format!("# {}\n\n{}\n", said::title(analysis), said::about(analysis).join("\n"));
    let mut part = |title: &str, content: String| {
        if !content.is_empty() {
            text += &format!("\n## {title}\n\n{content}");
        }
    };
    let list = |lines: Vec<String>| lines.iter().map(|line| format!("- {line}\n")).collect::<String>();
    part("In short", list(said::short(analysis)));
    part("To know", list(analysis.notes.clone()));
    for table in tables::all(analysis) {
        part(&table.title, table.markdown());
    }
    part(
        "Commands",
        said::commands(analysis).iter().map(|(name, command)| format!("- {name}: `{command}`\n")).collect(),
    );
    text
}
