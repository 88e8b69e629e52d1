//! `hybrid rankfile explain`: what a file asks for, in words and drawn.

use super::{
    machine::Machine,
    nodes::Nodes,
    print,
    read::{name_of, read},
};
use crate::{cli::rankfile::ExplainArgs, error::Error, output::report::explanation, rankfile, visible::visible};

/// Prints the explanation.
pub(super) fn run(args: &ExplainArgs) -> Result<(), Error> {
    let bytes = read(&args.file)?;
    let mut parsed = rankfile::parse_counting(&bytes, args.nodes.slot_unit());
    let name = visible(&name_of(&args.file)).into_owned();
    if parsed.rankfile.entries.is_empty() {
        let texts: Vec<String> =
            parsed.diagnostics.iter().map(|diagnostic| rankfile::render(diagnostic, &bytes, &name)).collect();
        print(&texts.join("\n"))?;
        let findings = "it has no line that can be understood".to_owned();
        return Err(Error::BadRankfile { path: name.into(), findings });
    }
    let nodes = Nodes::of(&Machine::of_this_process(), &mut parsed, &args.nodes)?;
    let mut found = parsed.diagnostics;
    found.extend(nodes.lint());
    print(&explanation::explain(&name, &nodes.rankfile, &found, &nodes.by_host))
}
