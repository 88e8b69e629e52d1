//! `hybrid where`: where each rank is, what was requested, and what is wrong with it.

use super::site::Site;
use crate::{
    cli::{Format, WhereArgs},
    comm::{Failure, World},
    error::Error,
    output::{
        drawing::{compose, node::NodePicture, svg, terminal},
        file::whole::WholeFile,
        report::places::{PlacesReport, table},
    },
    placement::{self, Finding, NodeFacts, Severity, ranks_in_words},
    visible::shown,
};

/// Runs the command on all ranks. Collective.
pub(super) fn run(world: &World, args: &WhereArgs) -> Result<(), Failure> {
    world.agree(check(args))?;
    let file = args.output.as_deref().filter(|_| world.is_root()).map(WholeFile::create);
    let file = world.agree(file.transpose())?;

    let site = Site::survey(world, &args.device)?;
    let facts = site.facts_with_vulkan();
    let mut nodes: Vec<NodeFacts> = world.all.gather(&facts).into_iter().flatten().flatten().collect();
    nodes.sort_by_key(|facts| facts.ranks.iter().map(|rank| rank.local.rank).min());

    let mut findings = site.rankfile_findings(world);
    let hosts = site.hosts(world);
    findings.extend(placement::unlike_hosts(&hosts));
    findings.extend(placement::audit(&nodes));
    let warnings = warnings(&findings);
    let pictures: Vec<NodePicture> = nodes.iter().map(compose::of_job).collect();
    world.agree(file.map_or(Ok(()), |file| file.complete(svg::draw(&pictures).as_bytes())))?;
    let printed = if world.is_root() {
        let rankfile = site.rankfile.as_ref().map(|rankfile| rankfile.name.clone());
        super::print(&text(args, &PlacesReport::new(world.library(), rankfile, &nodes, hosts, findings), &pictures))
    } else {
        Ok(())
    };

    // Every rank has to know, so that all end alike.
    let warnings: Vec<String> = world.all.broadcast(0, &warnings);
    let strict = if args.strict && !warnings.is_empty() { Err(Error::Strict { warnings }) } else { Ok(()) };
    world.agree(printed.and(strict))
}

fn check(args: &WhereArgs) -> Result<(), Error> {
    if args.draw && args.format != Format::Table {
        return Err(Error::Usage(
            "--draw goes with --format table: nothing else may stand beside JSON or YAML; -o FILE.svg draws into a file"
                .to_owned(),
        ));
    }
    Ok(())
}

/// What a strict look does not let pass, each as its code and the ranks that it concerns.
fn warnings(findings: &[Finding]) -> Vec<String> {
    let words = |finding: &Finding| match finding.ranks.as_slice() {
        [] => format!("{} on {}", finding.code.as_str(), finding.host),
        ranks => format!("{} of {}", finding.code.as_str(), ranks_in_words(ranks)),
    };
    findings.iter().filter(|finding| finding.severity == Severity::Warning).map(words).collect()
}

/// The report in the form that was asked for.
fn text(args: &WhereArgs, report: &PlacesReport, pictures: &[NodePicture]) -> String {
    match args.format {
        Format::Json => report.json() + "\n",
        Format::Yaml => report.yaml(),
        Format::Table => {
            let drawn = if args.draw { format!("\n{}", terminal::draw(pictures)) } else { String::new() };
            let written = args.output.as_ref().map(|drawing| format!("{} written\n", shown(drawing)));
            let (places, findings) = (table::places(report), table::findings(&report.findings));
            format!("{places}{drawn}\n{findings}{}", written.unwrap_or_default())
        }
    }
}
