//! `hybrid report`: what the results of sweeps tell. One process, without MPI.

use std::{
    fs::File,
    io::{self, Read},
    path::{Path, PathBuf},
};

use super::{print, warn};
use crate::{
    cli::{MetricChoice, ResultsArgs, StudyFormat},
    error::Error,
    output::{file::whole::WholeFile, report::scaling},
    study::{
        Results, Template,
        analysis::{Analysis, Question, Source},
        points::{Metric, Reading},
    },
    visible::{shown, visible},
};

/// No sweep's results are larger; something without end is.
const MOST_BYTES: u64 = 4 << 30;
/// Width of a plot in pixels.
const PLOT_PX: u32 = 900;

/// Reads the files and tells what they say.
pub(super) fn run(args: &ResultsArgs) -> Result<(), Error> {
    let sources = args.files.iter().map(|path| read(path)).collect::<Result<Vec<_>, _>>()?;
    let base = args.against.as_deref().map(read).transpose()?;
    let had_pattern =
        sources.iter().flat_map(|source| &source.results.records).any(|record| record.sweep.pattern.is_some());
    let metric = match args.metric {
        Some(MetricChoice::Wall) => Metric::Wall,
        Some(MetricChoice::Value) => Metric::Value,
        Some(MetricChoice::Total) => Metric::Total,
        Some(MetricChoice::Compute) => Metric::Compute,
        None if had_pattern => Metric::Value,
        None => Metric::Wall,
    };
    if metric != Metric::Value && args.unit.is_some() {
        return Err(Error::Usage(format!("--unit is that of --metric value; the {} is in seconds", metric.name())));
    }
    let work = args.work.as_ref().map(|text| Template::of(std::slice::from_ref(text)));
    let question = Question {
        reading: Reading { metric, ranks: &args.ranks, work },
        unit: args.unit.as_deref().unwrap_or("s"),
        is_weak: args.weak,
    };
    let analysis = Analysis::of(&sources, base.as_ref(), &question).map_err(|reason| {
        let names: Vec<String> = args.files.iter().map(|path| shown(path).to_string()).collect();
        Error::Usage(format!("{}: {}", names.join(", "), visible(&reason)))
    })?;
    // All places are found to be possible before any is written.
    let output = args.output.as_deref().map(WholeFile::create).transpose()?;
    let plots = plots(args, &analysis)?;
    for (file, bytes) in plots {
        file.complete(&bytes)?;
    }
    let text = match args.form() {
        StudyFormat::Html => scaling::page(&analysis),
        StudyFormat::Markdown => scaling::markdown(&analysis),
        StudyFormat::Csv => scaling::csv(&analysis),
        StudyFormat::Json => scaling::json(&analysis),
    };
    match output {
        Some(output) => output.complete(text.as_bytes())?,
        None => print(&text)?,
    }
    if matches!(args.form(), StudyFormat::Csv | StudyFormat::Json) || args.output.is_some() {
        // Where the report itself is not read at once.
        analysis.notes.iter().for_each(|note| warn(&visible(note)));
    }
    Ok(())
}

/// The results in a file, of which at least one is a record.
fn read(path: &Path) -> Result<Source, Error> {
    let failed = |source: io::Error| Error::Input { path: path.to_owned(), source };
    let mut bytes = Vec::new();
    File::open(path).and_then(|file| file.take(MOST_BYTES + 1).read_to_end(&mut bytes)).map_err(failed)?;
    if bytes.len() as u64 > MOST_BYTES {
        return Err(failed(io::Error::other(format!("it has more than {MOST_BYTES} bytes"))));
    }
    let results = Results::of(&bytes);
    if results.records.is_empty() {
        let reason = results.fault().unwrap_or_else(|| "no run is in it".to_owned());
        return Err(failed(io::Error::other(visible(&reason).into_owned())));
    }
    Ok(Source { name: path.display().to_string(), results })
}

/// The files of the figures with what belongs into them.
fn plots(args: &ResultsArgs, analysis: &Analysis) -> Result<Vec<(WholeFile, Vec<u8>)>, Error> {
    let Some(stem) = &args.plots else { return Ok(Vec::new()) };
    let mut files = Vec::new();
    for figure in scaling::figures(analysis) {
        let at = |end: &str| {
            let mut path = stem.clone().into_os_string();
            path.push(format!("-{}.{end}", figure.name));
            WholeFile::create(&PathBuf::from(path))
        };
        files.push((at("svg")?, figure.chart.svg(PLOT_PX).into_bytes()));
        files.push((at("png")?, figure.chart.png(PLOT_PX)));
    }
    Ok(files)
}
