//! `hybrid rankfile check`: what is wrong with a file, one finding after the other.

use super::{
    findings,
    machine::Machine,
    nodes::Nodes,
    print,
    read::{name_of, read},
};
use crate::{
    cli::rankfile::{CheckArgs, FindingsFormat},
    error::Error,
    rankfile::{self, Code, Diagnostic},
    severity::Severity,
    words::counted,
};

/// Prints the findings; as text silent where there are none.
pub(super) fn run(args: &CheckArgs) -> Result<(), Error> {
    let bytes = read(&args.file)?;
    let mut parsed = rankfile::parse_counting(&bytes, args.nodes.slot_unit());
    let nodes = Nodes::of(&Machine::of_this_process(), &mut parsed, &args.nodes)?;
    let mut found = parsed.diagnostics;
    found.extend(nodes.lint());
    found.extend(args.ranks.and_then(|ranks| rankfile::lint_rank_count(&parsed.rankfile, ranks)));
    found.retain(|diagnostic| diagnostic.concerns(args.dialect.dialects()));
    found.sort_by_key(|diagnostic| (diagnostic.code == Code::TooManyFindings, diagnostic.span.start));
    let name = name_of(&args.file);
    print(&match args.format {
        FindingsFormat::Text => {
            let texts: Vec<String> =
                found.iter().map(|diagnostic| rankfile::render(diagnostic, &bytes, &name)).collect();
            texts.join("\n")
        }
        FindingsFormat::Json => findings::json(&found, &bytes, &name),
    })?;
    if found.iter().any(|diagnostic| diagnostic.severity == Severity::Error) {
        return Err(Error::BadRankfile { path: name.into(), findings: summary(&found) });
    }
    Ok(())
}

/// `2 errors, 1 warning`.
fn summary(found: &[Diagnostic]) -> String {
    let part = |severity: Severity| {
        let count = found.iter().filter(|diagnostic| diagnostic.severity == severity).count();
        (count > 0).then(|| counted(count, severity))
    };
    let parts: Vec<String> =
        [Severity::Error, Severity::Warning, Severity::Note].into_iter().filter_map(part).collect();
    parts.join(", ")
}
