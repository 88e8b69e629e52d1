//! `hybrid rankfile command`: what starts a job as a rankfile says, with the launcher that is here.

use super::{
    found,
    machine::Machine,
    mdns,
    nodes::Nodes,
    print,
    read::{is_stream, name_of, read},
};
use crate::{
    cli::rankfile::CommandArgs,
    error::Error,
    launcher::{Dialect, shell_word},
    plan::{Plan, launch_line},
    rankfile,
    streams::tell,
};

/// Prints the command.
pub(super) fn run(args: &CommandArgs) -> Result<(), Error> {
    if is_stream(&args.file) {
        let reason = "the launcher opens the rankfile by its name once the command is run, and a stream is gone by then: save it as \
                      a file, as with `cat >my.rankfile`, and name that";
        return Err(Error::Rankfile { name: name_of(&args.file), reason: reason.to_owned() });
    }
    let bytes = read(&args.file)?;
    let mut parsed = rankfile::parse(&bytes);
    let machine = Machine::of_this_process();
    let nodes = Nodes::of(&machine, &mut parsed, &args.nodes)?;
    let name = args.file.display().to_string();
    if let Some(found) = parsed.diagnostics.iter().find(|found| found.severity == crate::severity::Severity::Error) {
        let (line, reason) = (found.span.line, format!("{}; `hybrid rankfile check {name}` tells all", found.message));
        return Err(Error::Rankfile { name: format!("{name}:{line}"), reason });
    }
    let mut plan = Plan::of_rankfile(&nodes.rankfile, &nodes.by_host)?;
    plan.starts_here = machine.has_all_of(&plan);
    let program = args.program.iter().map(|word| shell_word(word)).collect::<Vec<_>>().join(" ");
    let Some(launcher) = args.launcher.or_else(found::launcher) else {
        tell(
            "note: no launcher that is known here was found, so the ranks are not told where to run; --launcher names one",
        );
        return print(&format!("mpiexec -n {} {program}\n", plan.ranks.len()));
    };
    if launcher.dialect().is_none() {
        check_for_lists(&plan, &name)?;
    }
    if launcher.dialect() == Some(Dialect::OpenMpi41)
        && let Some(note) = mdns::about(parsed.rankfile.entries.iter().map(|entry| entry.host.as_str()))
    {
        tell(&format!("note: {note}"));
    }
    let line = launch_line(&plan, launcher, &name, &program);
    if let Some(needs) = line.needs {
        tell(&format!("needs {needs}"));
    }
    print(&format!("{}\n", line.command))
}

/// Refuses what cannot be told to a launcher that reads no rankfile.
fn check_for_lists(plan: &Plan, name: &str) -> Result<(), Error> {
    let refused = |reason: String| Err(Error::Rankfile { name: name.to_owned(), reason });
    if let Some(host) = plan.unknown_host() {
        return refused(format!(
            "the launcher reads no rankfile and is told hardware threads, which are not known of host {host}: describe it with \
             --topology {host}=FILE.xml, made there by `lstopo FILE.xml`"
        ));
    }
    if !plan.goes_host_by_host() {
        return refused(
            "the launcher reads no rankfile and gives ranks to one host after the other: number them from 0, those of a host \
             one after the other"
                .to_owned(),
        );
    }
    Ok(())
}
