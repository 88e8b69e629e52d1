//! `hybrid rankfile convert`: the places of a rankfile, or of a launcher's command, told to another launcher.

use std::{fs, path::Path};

use super::{
    command::{self, check_for_lists},
    machine::Machine,
    nodes::by_host,
    print,
    read::{is_stream, name_of, read},
    write::UNNAMED,
};
use crate::{
    cli::rankfile::{ConvertArgs, Source},
    commands::bounded,
    error::Error,
    host_name::short_name,
    launcher::{CommandLine, FileLines, Launcher, ReadCommand, Told, Unread},
    output::file::whole::WholeFile,
    plan::{Plan, launch_line},
    rankfile::{self, Rankfile, Reading},
    severity::Severity,
    streams::tell,
    topology::SlotUnit,
};

/// Prints or writes what the launcher is told.
pub(super) fn run(args: &ConvertArgs) -> Result<(), Error> {
    let Places { mut plan, program, rankfile } = match args.from {
        Source::Rankfile => of_rankfile(args, Reading::Meant)?,
        Source::Launcher(launcher) => match (launcher.dialect(), launcher.start().read) {
            (Some(dialect), _) => of_rankfile(args, Reading::By(dialect))?,
            (None, Some(read)) => of_command(args, launcher, read)?,
            (None, None) => unreachable!("a launcher that reads no rankfile is told by its command"),
        },
    };
    let program = if args.program.is_empty() { program } else { command::words(&args.program, Some(args.to))? };
    plan.starts_here = Machine::of_this_process().has_all_of(&plan);
    let dialect = args.to.dialect();
    match dialect {
        None => check_for_lists(&mut plan, &rankfile)?,
        Some(_) => check_for_slots(&plan, &rankfile)?,
    }
    // A launcher that reads rankfiles follows the one that is written here; to others devices are told by the one there is.
    let named = args.output.as_ref().filter(|path| dialect.is_some() && !is_stream(path));
    let file = match (named, dialect) {
        (Some(path), _) => path.display().to_string(),
        (None, Some(_)) => UNNAMED.to_owned(),
        (None, None) => rankfile,
    };
    let line = launch_line(&plan, args.to, &file, &program)
        .map_err(|untold| Error::Rankfile { name: name_of(&args.file), reason: untold.0 })?;
    for note in &plan.notes {
        tell(&format!("note: {note}"));
    }
    let text = match dialect {
        None => format!("{}\n", line.command),
        Some(dialect) => plan.rankfile_for(&[dialect], &[format!("Start with: {}", line.command)])?,
    };
    if let Some(needs) = line.needs {
        tell(&format!("needs {needs}"));
    }
    match &args.output {
        Some(path) => WholeFile::create(path)?.complete(text.as_bytes()),
        None => print(&text),
    }
}

/// Refuses places that are not known as cores over the whole node.
fn check_for_slots(plan: &Plan, name: &str) -> Result<(), Error> {
    let unknown = plan.ranks.iter().find(|rank| rank.slots.is_empty()).map(|rank| &rank.host);
    unknown.map_or(Ok(()), |host| {
        let reason = format!(
            "cores of a package are no numbers over the whole node while host {host} is not known: describe it with --topology \
             {host}=FILE.xml, made there by `lstopo FILE.xml`"
        );
        Err(Error::Rankfile { name: name.to_owned(), reason })
    })
}

/// The places that were read.
struct Places {
    plan: Plan,
    /// Words for a shell.
    program: String,
    /// The name of the rankfile that has the devices.
    rankfile: String,
}

fn of_rankfile(args: &ConvertArgs, reading: Reading) -> Result<Places, Error> {
    let name = name_of(&args.file);
    let plan = command::plan_of(&args.file, reading, &args.nodes)?;
    let rankfile = if is_stream(&args.file) { UNNAMED.to_owned() } else { name };
    Ok(Places { plan, program: "hybrid julia".to_owned(), rankfile })
}

fn of_command(args: &ConvertArgs, launcher: Launcher, read_command: ReadCommand) -> Result<Places, Error> {
    let name = name_of(&args.file);
    let failed = |Unread(reason)| Error::Rankfile {
        name: name.clone(),
        reason: format!("as a command of {}: {reason}", launcher.start().name),
    };
    let text = String::from_utf8_lossy(&read(&args.file)?).into_owned();
    let folder = args.file.parent().filter(|_| !is_stream(&args.file)).unwrap_or(Path::new(""));
    let files = Beside(folder);
    let command = CommandLine::parse(&text, launcher.start().program, &files).map_err(failed)?;
    let Told { places, program, rankfile } = read_command(&command).map_err(failed)?;
    let devices = rankfile.as_deref().map(|name| devices(folder, name, args.nodes.slot_unit())).transpose()?;
    let machine = Machine::of_this_process();
    let hosts = places.iter().map(|(host, _)| short_name(host)).collect();
    let nodes = by_host(&machine, &hosts, &args.nodes, str::to_owned)?;
    let plan = Plan::of_places(&places, devices.as_ref(), &nodes, args.nodes.slot_unit())?;
    if args.to.dialect().is_some() {
        plan.check_whole_slots(&nodes)?;
    }
    let program = if program.is_empty() { "hybrid julia".to_owned() } else { command::words(&program, None)? };
    Ok(Places { plan, program, rankfile: rankfile.unwrap_or_else(|| UNNAMED.to_owned()) })
}

/// The rankfile that a command tells its ranks of, beside the command or where it says.
fn devices(folder: &Path, name: &str, unit: SlotUnit) -> Result<Rankfile, Error> {
    let beside = folder.join(name);
    let parsed = rankfile::parse_counting(&read(if beside.exists() { &beside } else { Path::new(name) })?, unit);
    match parsed.diagnostics.into_iter().find(|found| found.severity == Severity::Error) {
        None => Ok(parsed.rankfile),
        Some(found) => Err(Error::Rankfile { name: format!("{name}:{}", found.span.line), reason: found.message }),
    }
}

/// The files that a command names, which are looked for in the folder of the command and in that of this process.
#[derive(Debug)]
struct Beside<'a>(&'a Path);

impl FileLines for Beside<'_> {
    fn lines(&self, name: &str) -> Option<Vec<String>> {
        let opened = [self.0.join(name), name.into()].into_iter().find_map(|path| fs::File::open(path).ok())?;
        let bytes = bounded::read_file(&opened).ok()?;
        Some(String::from_utf8_lossy(&bytes).lines().map(str::to_owned).collect())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_file_is_looked_for_beside_the_command_that_names_it() {
        let folder = tempfile::tempdir().unwrap();
        fs::write(folder.path().join("hosts"), "a\nb\n").unwrap();
        assert_eq!(Beside(folder.path()).lines("hosts"), Some(vec!["a".to_owned(), "b".to_owned()]));
        assert_eq!(Beside(folder.path()).lines("missing"), None);
    }
}
