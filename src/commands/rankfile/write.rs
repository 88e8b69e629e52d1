//! `hybrid rankfile write`: places for all ranks of all nodes, as a file, and the command that starts the job.

use super::{machine::Machine, mdns, nodes, print, read};
use crate::{
    cli::rankfile::{PlanFormat, WriteArgs},
    comm::{Failure, World},
    commands::{found, this_node},
    error::Error,
    launcher::{Dialect, Launcher, Untold},
    output::file::whole::WholeFile,
    plan::{self, Host, Plan, Wishes},
    streams,
    topology::Node,
};

/// What the launch line calls the file where it is printed and not written.
pub(super) const UNNAMED: &str = "my.rankfile";

/// Writes for the nodes that `--topology` describes.
pub(super) fn for_stored_topologies(args: &WriteArgs) -> Result<(), Error> {
    write(args, &nodes::described(&args.nodes)?)
}

/// Writes for the nodes that this job runs on. Each node is read once, by the first of its ranks. Collective.
pub(super) fn for_the_nodes_of_the_job(world: &World, args: &WriteArgs) -> Result<(), Failure> {
    let leads = world.node.rank() == 0;
    let read = || this_node::read(&[]).map(|(node, _)| Some(this_node::within_reach(node)));
    let node = world.agree(if leads { read() } else { Ok(None) })?;
    let slot_unit = args.nodes.slot_unit();
    let host = node.map(|node| (world.host().to_owned(), Node { slot_unit, ..node }));
    let hosts = world.all.gather(&host).into_iter().flatten().flatten();
    let hosts: Vec<Host> = hosts.map(|(name, node)| Host::new(&name, node)).collect();
    world.agree(if world.is_root() { write(args, &hosts) } else { Ok(()) })
}

fn write(args: &WriteArgs, hosts: &[Host]) -> Result<(), Error> {
    if args.output.as_deref().is_some_and(read::is_standard) {
        return Err(Error::Usage(
            "-o - would write a file called '-': without -o the rankfile is printed, and -o ./- means that name"
                .to_owned(),
        ));
    }
    let mut plan = Plan::of_wishes(&wishes(args), hosts)?;
    plan.starts_here = Machine::of_this_process().has_all_of(&plan);
    // A launcher can be told of no other: neither what is printed nor what a stream took is there once it starts.
    let named = args.output.as_deref().filter(|path| !read::is_stream(path));
    let file = named.map_or_else(|| UNNAMED.to_owned(), |path| path.display().to_string());
    let advice = advice(&plan, args, &file, named.is_none());
    let text = match args.format {
        PlanFormat::Rankfile => {
            plan.rankfile_for(&readers(args), &plan::header(hosts, &plan, &file, &program(args)))?
        }
        PlanFormat::Json => plan.json(),
    };
    for note in &plan.notes {
        streams::tell(&format!("note: {note}"));
    }
    if let (PlanFormat::Rankfile, Some(note)) = (args.format, mdns::about(hosts.iter().map(|host| host.name.as_str())))
    {
        streams::tell(&format!("note: {note}"));
    }
    match &args.output {
        Some(path) => WholeFile::create(path)?.complete(text.as_bytes())?,
        None => print(&text)?,
    }
    if named.is_some() {
        return print(&advice);
    }
    // On stdout, which the output may be, more words would become a part of the rankfile.
    streams::tell(advice.trim_end());
    Ok(())
}

fn wishes(args: &WriteArgs) -> Wishes {
    Wishes {
        ranks_per_node: args.ranks_per_node,
        ranks_per_gpu: args.ranks_per_gpu,
        reserve: args.reserve,
        core_kind: args.core_kind,
        split: args.split,
    }
}

/// The dialects in which launchers read the file, besides this program.
fn readers(args: &WriteArgs) -> Vec<Dialect> {
    args.launcher.map_or_else(|| Dialect::ALL.to_vec(), |launcher| launcher.dialect().into_iter().collect())
}

/// The workload that the launch line starts.
fn program(args: &WriteArgs) -> String {
    match args.ranks_per_gpu {
        1 => "hybrid julia".to_owned(),
        ranks => format!("hybrid julia --ranks-per-gpu {ranks}"),
    }
}

/// The command that starts the job, in lines.
fn advice(plan: &Plan, args: &WriteArgs, file: &str, is_unnamed: bool) -> String {
    let Some(launcher) = args.launcher.or_else(found::launcher) else {
        let words: Vec<&str> = Launcher::ALL.iter().map(|launcher| launcher.start().name).collect();
        let words = words.join("|");
        return format!("no launcher that is known here was found; --launcher {words} prints its command\n");
    };
    let line = match plan::launch_line(plan, launcher, file, &program(args)) {
        Ok(line) => line,
        Err(Untold(reason)) => return format!("no command of {} says this: {reason}\n", launcher.start().name),
    };
    let mut text = format!("start with: {}\n", line.command);
    if let Some(needs) = line.needs {
        text += &format!("needs {needs}\n");
    }
    if is_unnamed && launcher.dialect().is_some() {
        text += &format!("after saving the above as {UNNAMED} (or use -o FILE)\n");
    }
    text
}
