//! The report of a study as one page: all that it shows is in it, and it fetches nothing. Charts come in two widths, of which the reader's
//! screen takes one; colors follow the reader's choice of light or dark.

use maud::{DOCTYPE, Markup, PreEscaped, html};

use super::{
    figures::{Figure, figures},
    said,
    style::STYLE,
    tables::{self, Table},
};
use crate::{
    launcher::shell_command,
    output::drawing::chart::{COLORS, FAINT, INK, PAPER},
    study::analysis::Analysis,
    visible::visible,
};

/// Widths of a chart, on a screen and on a narrow one.
const WIDE: u32 = 760;
const NARROW: u32 = 350;

/// Nothing may be fetched, whatever stands in the files.
const POLICY: &str = "default-src 'none'; style-src 'unsafe-inline'; img-src data:";

/// The page.
#[must_use]
pub fn page(analysis: &Analysis) -> String {
    let title = said::title(analysis);
    let tables = tables::all(analysis);
    let page = html! {
        (DOCTYPE)
        html lang="en" {
            head {
                meta charset="utf-8";
                meta http-equiv="Content-Security-Policy" content=(POLICY);
                meta name="viewport" content="width=device-width, initial-scale=1";
                meta name="color-scheme" content="light dark";
                link rel="icon" href="data:,";
                title { (visible(&title)) }
                style { (PreEscaped(STYLE)) (PreEscaped(colors())) }
            }
            body {
                header {
                    h1 { (visible(&title)) }
                    @for line in said::about(analysis) { p .about { (code_in(&line)) } }
                }
                main {
                    section #short { h2 { "In short" } ul { @for line in said::short(analysis) { li { (visible(&line)) } } } }
                    @if !analysis.notes.is_empty() {
                        section #notes { h2 { "To know" } ul { @for note in &analysis.notes { li { (visible(note)) } } } }
                    }
                    section #figures {
                        h2 { "Figures" }
                        @for figure in figures(analysis) { (shown(&figure, analysis)) }
                    }
                    section #tables { h2 { "Tables" } @for table in &tables { (in_rows(table)) } }
                    section #commands {
                        h2 { "Commands" }
                        p { "Each repeats a run, in the folder where the sweep was started." }
                        dl { @for (name, command) in said::commands(analysis) { dt { (visible(&name)) } dd { code { (visible(&command)) } } } }
                    }
                }
                footer { p { "Made by hybrid report, " (env!("CARGO_PKG_VERSION")) "." } }
            }
        }
    };
    page.into_string()
}

/// What stands between grave accents as code.
fn code_in(line: &str) -> Markup {
    html! { @for (number, part) in line.split('`').enumerate() { @if number % 2 == 1 { code { (visible(part)) } } @else { (visible(part)) } } }
}

fn shown(figure: &Figure, analysis: &Analysis) -> Markup {
    html! {
        figure id=(figure.name) {
            div .wide role="img" aria-label=(visible(&figure.chart.title)) { (PreEscaped(recolored(&figure.chart.svg(WIDE)))) }
            div .narrow aria-hidden="true" { (PreEscaped(recolored(&figure.chart.svg(NARROW)))) }
            figcaption {
                (visible(&figure.caption))
                @for facts in &analysis.files { p { "Measured with " code { (visible(&shell_command(&facts.command))) } ", every value in " a href="#commands" { "Commands" } "." } }
            }
        }
    }
}

fn in_rows(table: &Table) -> Markup {
    html! {
        article {
            h3 { (visible(&table.title)) }
            p { (visible(&table.note)) }
            div .table tabindex="0" {
                table {
                    thead { tr { @for name in &table.header { th scope="col" { (visible(name)) } } } }
                    tbody { @for row in &table.rows { tr { @for cell in row { td .number[cell.is_number()] { (cell.shown()) } } } } }
                }
            }
            details { summary { "The same as CSV, to copy" } pre { (table.csv()) } }
        }
    }
}

/// What a color of a chart is called in the page's style.
fn variables() -> impl Iterator<Item = (String, &'static str)> {
    let numbered = COLORS.iter().enumerate().map(|(number, color)| (format!("--line-{number}"), *color));
    numbered.chain([("--ink".to_owned(), INK), ("--faint".to_owned(), FAINT), ("--paper".to_owned(), PAPER)])
}

/// A chart whose colors are the page's, and whose size is the room that it has.
fn recolored(svg: &str) -> String {
    let mut svg = svg.to_owned();
    for (name, color) in variables() {
        svg = svg.replace(&format!("\"{color}\""), &format!("\"var({name})\""));
    }
    svg
}

/// The colors of charts on light and on dark.
fn colors() -> String {
    let light: String = variables().map(|(name, color)| format!("{name}:{color};")).collect();
    const DARK: [&str; 11] = [
        "#4DA3E0", "#F08040", "#2FC79B", "#E39CC4", "#7CC8F2", "#F2B632", "#C9AC4C", "#A594DC", "#E6E9EC", "#3A4149",
        "#15191D",
    ];
    let dark: String = variables().zip(DARK).map(|((name, _), color)| format!("{name}:{color};")).collect();
    format!(":root{{{light}}}@media(prefers-color-scheme:dark){{:root{{{dark}}}}}")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_color_of_a_chart_follows_the_page() {
        for (name, color) in variables() {
            assert_eq!(recolored(&format!("<a fill=\"{color}\"/>")), format!("<a fill=\"var({name})\"/>"));
            assert!(colors().matches(&format!("{name}:")).count() == 2, "{name}");
        }
    }

    #[test]
    fn commands_are_code() {
        assert_eq!(code_in("a `b <c>` d").into_string(), "a <code>b &lt;c&gt;</code> d");
    }
}
