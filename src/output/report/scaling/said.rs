//! What a study comes to, in sentences.

use crate::{
    launcher::shell_command,
    study::{
        analysis::{Analysis, Facts},
        points::{Parameters, label},
        scaling::Scaling,
        statistics::{Comparison, Verdict},
    },
    words::counted,
};

/// Sentences on single series: more are in the tables.
const MOST: usize = 6;

pub(super) fn title(analysis: &Analysis) -> String {
    let names: Vec<&str> = analysis.files.iter().map(|facts| facts.name.as_str()).collect();
    match &analysis.against {
        Some(against) => format!("{} against {}", names.join(", "), against.base.name),
        None => format!("Measured: {}", names.join(", ")),
    }
}

/// What was measured, a line a file.
pub(super) fn about(analysis: &Analysis) -> Vec<String> {
    let file = |facts: &Facts| {
        format!(
            "{}: {} of {} succeeded, {}, on {}, from {} to {}, measured by {}: `{}`",
            facts.name,
            facts.succeeded,
            counted(facts.recorded, "run"),
            analysis.metric.name(),
            facts.hosts.join(", "),
            minutes(&facts.first),
            minutes(&facts.last),
            facts.builds.join(", "),
            shell_command(&facts.command)
        )
    };
    analysis.files.iter().chain(analysis.against.as_ref().map(|against| &against.base)).map(file).collect()
}

/// A time of RFC 3339 without its seconds.
fn minutes(time: &str) -> String {
    let (day, clock) = time.split_once('T').unwrap_or((time, ""));
    format!("{day} {}", clock.get(..5).unwrap_or(clock)).trim().to_owned()
}

/// What matters most, a sentence each.
pub(super) fn short(analysis: &Analysis) -> Vec<String> {
    let mut said = Vec::new();
    if let Some(against) = &analysis.against {
        let count = |wanted: Verdict| against.rows.iter().filter(|row| row.comparison.verdict == wanted).count();
        let all = counted(against.rows.len(), "combination");
        let counts = [
            (Verdict::Less, "faster"),
            (Verdict::More, "slower"),
            (Verdict::NotShown, "no difference shown"),
            (Verdict::TooFew, "too few runs to tell"),
        ];
        let told = counts.iter().map(|(verdict, word)| (count(*verdict), word)).filter(|(count, _)| *count > 0);
        let told: Vec<String> = told.map(|(count, word)| format!("{count} {word}")).collect();
        said.push(format!("Of {all}, against {}: {}.", against.base.name, told.join(", ")));
        if against.rows.len() >= 10 {
            let chance = against.rows.len().div_ceil(20);
            said.push(format!("Where nothing differs, about {chance} of {all} would be called different by chance."));
        }
        for row in
            against.rows.iter().filter(|row| matches!(row.comparison.verdict, Verdict::Less | Verdict::More)).take(MOST)
        {
            said.push(format!("{}: {}.", name(&row.parameters), verdict(&row.comparison)));
        }
        if !against.only_in_one.is_empty() {
            said.push(format!("In one of the files only: {}.", crate::words::cases(against.only_in_one.clone())));
        }
    }
    let sentence = |scaling: &Scaling, is_strong: bool| {
        let (first, last) = (scaling.rows.first()?, scaling.rows.last()?);
        let of = name(&scaling.parameters);
        let runs = scaling.rows.iter().map(|row| row.n).min()?;
        let (all, one, efficiency) = (ranks(last.ranks), ranks(first.ranks), 100.0 * last.efficiency);
        let ((low, high), speed) = (last.speedup_ends, last.speedup);
        let told = match is_strong {
            true => format!("{all} are {speed:.2} times as fast as {one} ({low:.2} to {high:.2})"),
            false => format!(
                "{all} need {:.2} times as long as {one} for as much work each ({:.2} to {:.2})",
                1.0 / speed,
                1.0 / high,
                1.0 / low
            ),
        };
        let unsure = if low <= 1.0 && 1.0 <= high { " The noise is larger than the difference." } else { "" };
        Some(format!(
            "{of}: {told}, an efficiency of {efficiency:.0} %, by medians of {}.{unsure}",
            counted(runs, "run")
        ))
    };
    let scaling = &analysis.scaling;
    let strong = scaling.strong.iter().filter_map(|scaling| sentence(scaling, true));
    let weak = scaling.weak.iter().filter_map(|scaling| sentence(scaling, false));
    said.extend(strong.take(MOST));
    said.extend(weak.take(MOST));
    said.extend(scaling.no_strong.iter().take(MOST).map(|reason| format!("No strong scaling: {reason}.")));
    said.extend(scaling.no_weak.iter().take(MOST).map(|reason| format!("No weak scaling: {reason}.")));
    said
}

fn ranks(count: u64) -> String {
    counted(usize::try_from(count).unwrap_or(usize::MAX), "rank")
}

/// What parameters are called where there may be none.
pub(super) fn name(parameters: &Parameters) -> String {
    let label = label(parameters);
    if label.is_empty() { "All runs".to_owned() } else { label }
}

/// What a comparison comes to, with its interval.
pub(super) fn verdict(comparison: &Comparison) -> String {
    let percent = |ratio: f64| 100.0 * (ratio - 1.0);
    let by = |sign: f64| {
        let (low, high) = comparison.interval.unwrap_or((comparison.ratio, comparison.ratio));
        let mut ends = [sign * percent(low), sign * percent(high)];
        ends.sort_by(f64::total_cmp);
        format!("{:.1} % ({:.1} to {:.1} %)", sign * percent(comparison.ratio), ends[0], ends[1])
    };
    match comparison.verdict {
        Verdict::More => format!("slower by {}", by(1.0)),
        Verdict::Less => format!("faster by {}", by(-1.0)),
        Verdict::NotShown => "no difference shown".to_owned(),
        Verdict::TooFew => "too few runs to tell: at least 4 of each".to_owned(),
    }
}

/// The command of each combination.
pub(super) fn commands(analysis: &Analysis) -> Vec<(String, String)> {
    analysis.points.iter().map(|point| (name(&point.parameters), shell_command(&point.argv))).collect()
}
