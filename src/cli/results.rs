//! Options of `hybrid report`: which results to read, what of them is asked, and in which form it is told.

use std::path::{Path, PathBuf};

use clap::{Args, ValueEnum};

/// Options of `hybrid report`.
#[derive(Clone, Debug, PartialEq, Args)]
pub struct ResultsArgs {
    /// Files of `hybrid sweep`. Several are shown beside each other.
    #[arg(required = true, value_name = "FILE.jsonl")]
    pub files: Vec<PathBuf>,
    /// The file of the report; without it, it is printed.
    #[arg(short, long, value_name = "FILE")]
    pub output: Option<PathBuf>,
    /// Form of the report [default: that of the file's ending, else markdown].
    #[arg(long, value_enum)]
    pub format: Option<StudyFormat>,
    /// Compare with these results, of the same parameters: what is slower or faster by more than noise.
    #[arg(long, value_name = "FILE.jsonl")]
    pub against: Option<PathBuf>,
    /// What is taken for the time of a run [default: value where the sweep had a pattern, else wall].
    #[arg(long, value_enum)]
    pub metric: Option<MetricChoice>,
    /// Unit of the figure that the pattern found [default: s].
    #[arg(long, value_name = "UNIT")]
    pub unit: Option<String>,
    /// The parameter that is the number of ranks, or of threads.
    #[arg(long, value_name = "NAME", default_value = "np")]
    pub ranks: String,
    /// The work of a run as a number, {NAME} for the values of parameters, such as {size} or {np}000; hybrid's own commands tell theirs.
    #[arg(long, value_name = "TEXT")]
    pub work: Option<String>,
    /// The results are of weak scaling: refuse them where the work a rank is not the same.
    #[arg(long)]
    pub weak: bool,
    /// Also write each figure as STEM-NAME.svg and STEM-NAME.png.
    #[arg(long, value_name = "STEM")]
    pub plots: Option<PathBuf>,
}

impl ResultsArgs {
    /// The form that was asked for, or that the output's name tells.
    #[must_use]
    pub fn form(&self) -> StudyFormat {
        let of_name = |path: &Path| match path.extension()?.to_str()? {
            "html" | "htm" => Some(StudyFormat::Html),
            "csv" => Some(StudyFormat::Csv),
            "json" => Some(StudyFormat::Json),
            _ => None,
        };
        self.format.or_else(|| of_name(self.output.as_deref()?)).unwrap_or(StudyFormat::Markdown)
    }
}

/// Forms of a report on a study.
#[derive(Clone, Copy, Debug, PartialEq, Eq, ValueEnum)]
pub enum StudyFormat {
    /// One page with figures and tables, which fetches nothing.
    Html,
    /// Tables to read and to paste.
    Markdown,
    /// A line for each combination of parameters.
    Csv,
    /// All that was found out, as one object.
    Json,
}

/// What `--metric` chooses from.
#[derive(Clone, Copy, Debug, PartialEq, Eq, ValueEnum)]
pub enum MetricChoice {
    /// From the start of the launcher to its end.
    Wall,
    /// The figure that the pattern has found.
    Value,
    /// What hybrid reports as its time.
    Total,
    /// The longest time that a rank computed.
    Compute,
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::cli::{Command, tests::command};

    #[test]
    fn the_name_of_the_file_tells_its_form() {
        for (words, expected) in [
            ("a.jsonl", StudyFormat::Markdown),
            ("a.jsonl -o a.html", StudyFormat::Html),
            ("a.jsonl -o a.csv", StudyFormat::Csv),
            ("a.jsonl -o a.json", StudyFormat::Json),
            ("a.jsonl -o a.md", StudyFormat::Markdown),
            ("a.jsonl -o a.html --format csv", StudyFormat::Csv),
        ] {
            let Ok(Command::Report(args)) = command(&format!("report {words}")) else { panic!("{words}") };
            assert_eq!(args.form(), expected, "{words}");
        }
        assert!(command("report").is_err());
    }
}
