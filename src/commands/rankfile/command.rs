//! `hybrid rankfile command`: what starts a job as a rankfile says, with the launcher that is here.

use std::path::Path;

use super::{
    machine::Machine,
    mdns,
    nodes::Nodes,
    print,
    read::{is_stream, name_of, read},
};
use crate::{
    cli::rankfile::{CommandArgs, NodeArgs},
    commands::found,
    error::Error,
    host_name::without_user,
    launcher::{Dialect, Launcher, shell_command},
    plan::{Plan, launch_line},
    rankfile::{self, Reading},
    severity::Severity,
    streams::tell,
};

/// Prints the command.
pub(super) fn run(args: &CommandArgs) -> Result<(), Error> {
    if is_stream(&args.file) {
        let reason = "the launcher opens the rankfile by its name once the command is run, and a stream is gone by then: save it as \
                      a file, as with `cat >my.rankfile`, and name that";
        return Err(Error::Rankfile { name: name_of(&args.file), reason: reason.to_owned() });
    }
    let name = args.file.display().to_string();
    let mut plan = plan_of(&args.file, Reading::Meant, &args.nodes)?;
    let machine = Machine::of_this_process();
    plan.starts_here = machine.has_all_of(&plan);
    let launcher = args.launcher.or_else(found::launcher);
    let program = words(&args.program, launcher)?;
    let Some(launcher) = launcher else {
        tell(
            "note: no launcher that is known here was found, so the ranks are not told where to run; --launcher names one",
        );
        return print(&format!("mpiexec -n {} {program}\n", plan.ranks.len()));
    };
    if launcher.dialect().is_none() {
        check_for_lists(&mut plan, &name)?;
    }
    if launcher.dialect() == Some(Dialect::OpenMpi41) {
        plan.notes.extend(mdns::about(plan.ranks.iter().map(|rank| without_user(&rank.host))));
    }
    for note in &plan.notes {
        tell(&format!("note: {note}"));
    }
    let line = launch_line(&plan, launcher, &name, &program)
        .map_err(|untold| Error::Rankfile { name: name.clone(), reason: untold.0 })?;
    if let Some(needs) = line.needs {
        tell(&format!("needs {needs}"));
    }
    print(&format!("{}\n", line.command))
}

/// Words for a shell, which this launcher hands on to the program.
pub(super) fn words(program: &[String], launcher: Option<Launcher>) -> Result<String, Error> {
    if launcher.is_some_and(|launcher| launcher != Launcher::Flux) && program.iter().any(|word| word == ":") {
        return Err(Error::Usage(
            "a ':' alone begins another part of the launcher's command: put the program's words into a script"
                .to_owned(),
        ));
    }
    Ok(shell_command(program))
}

/// The plan that a rankfile without errors is.
pub(super) fn plan_of(file: &Path, reading: Reading, nodes: &NodeArgs) -> Result<Plan, Error> {
    let bytes = read(file)?;
    let unit = nodes.slot_unit();
    let mut parsed = rankfile::parse_counting(&bytes, unit);
    let nodes = Nodes::of(&Machine::of_this_process(), &mut parsed, nodes)?;
    let name = name_of(file);
    let is_error = |found: &&rankfile::Diagnostic| match reading {
        Reading::Meant => found.severity == Severity::Error,
        // What the launcher misreads is what is wanted, as long as it reads anything.
        Reading::By(dialect) => {
            found.severity == Severity::Error && found.concerns(&[dialect]) && nodes.rankfile.has_unread_lines
        }
    };
    if let Some(found) = parsed.diagnostics.iter().find(is_error) {
        let (line, reason) = (found.span.line, format!("{}; `hybrid rankfile check {name}` tells all", found.message));
        return Err(Error::Rankfile { name: format!("{name}:{line}"), reason });
    }
    Ok(Plan::of_rankfile(&nodes.rankfile, reading, &nodes.by_host, unit)?)
}

/// Refuses what cannot be told to a launcher that reads no rankfile.
pub(super) fn check_for_lists(plan: &mut Plan, name: &str) -> Result<(), Error> {
    plan.count_slots_as_pus();
    let refused = |reason: String| Err(Error::Rankfile { name: name.to_owned(), reason });
    if let Some(host) = plan.unknown_host() {
        return refused(format!(
            "the launcher reads no rankfile and is told hardware threads, which are not known of host {host}: describe it with \
             --topology {host}=FILE.xml, made there by `lstopo FILE.xml`"
        ));
    }
    if let Some(rank) = plan.missing_rank() {
        return refused(format!(
            "the launcher reads no rankfile and numbers ranks from 0, but rank {rank} has no line: number them without a gap"
        ));
    }
    Ok(())
}
