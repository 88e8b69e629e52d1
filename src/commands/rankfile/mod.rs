//! `hybrid rankfile`: check, explain, write and start with rankfiles. All but writing for the nodes of a running job is done by one
//! process, without MPI.

mod check;
mod command;
mod convert;
mod explain;
mod findings;
mod machine;
mod mdns;
mod nodes;
mod read;
mod write;

use super::print;
use crate::{
    cli::rankfile::RankfileCommand,
    comm::{Failure, World},
    error::Error,
};

/// Whether the command is for one process and needs no MPI.
pub(super) fn is_for_one_process(command: &RankfileCommand) -> bool {
    match command {
        RankfileCommand::Check(_)
        | RankfileCommand::Explain(_)
        | RankfileCommand::Command(_)
        | RankfileCommand::Convert(_) => true,
        RankfileCommand::Write(args) => !args.nodes.topology.is_empty(),
    }
}

/// Runs a command that [`is_for_one_process`].
pub(super) fn run_alone(command: &RankfileCommand) -> Result<(), Error> {
    match command {
        RankfileCommand::Check(args) => check::run(args),
        RankfileCommand::Explain(args) => explain::run(args),
        RankfileCommand::Command(args) => command::run(args),
        RankfileCommand::Convert(args) => convert::run(args),
        RankfileCommand::Write(args) => write::for_stored_topologies(args),
    }
}

/// Runs the command on all ranks. Collective.
pub(super) fn run(world: &World, command: &RankfileCommand) -> Result<(), Failure> {
    match command {
        RankfileCommand::Write(args) if args.nodes.topology.is_empty() => write::for_the_nodes_of_the_job(world, args),
        _ => world.agree(if world.is_root() { run_alone(command) } else { Ok(()) }),
    }
}
