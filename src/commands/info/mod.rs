//! `hybrid info`: the system that the ranks of a job are on, as a benchmark has to say it.

mod read;

use super::{place, print, this_node};
use crate::{
    build_id::BuildId,
    cli::{InfoArgs, info::InfoFormat},
    comm::{Failure, World},
    output::report::system::{NodeSystem, SystemReport, Totals, kinds, table},
};

/// Runs the command on all ranks; each node is read by the first of its ranks. Collective.
pub(super) fn run(world: &World, args: &InfoArgs) -> Result<(), Failure> {
    let leads = world.node.rank() == 0;
    let node = world.agree(if leads { this_node::read(&[]).map(|(node, _)| Some(node)) } else { Ok(None) })?;
    let simd = world.agree(place::instructions())?;
    let mine = node.map(|node| NodeSystem {
        host: world.host().to_owned(),
        ranks: world.node.size(),
        simd: simd.name().to_owned(),
        ..read::system(&node)
    });
    let nodes: Vec<NodeSystem> = world.all.gather(&mine).into_iter().flatten().flatten().collect();
    if !world.is_root() {
        return world.agree(Ok(()));
    }
    let build = BuildId::of_this_program();
    let kinds = kinds(&nodes);
    let report = SystemReport {
        version: build.version,
        sources: format!("{:016x}", build.sources),
        mpi: world.library().to_owned(),
        launcher: world.launch().is_launched().then(|| world.launch().rank().0.to_owned()),
        ranks: world.size(),
        totals: Totals::of(&kinds),
        kinds,
        nodes,
    };
    world.agree(print(&match (args.vector, args.totals, args.format) {
        (true, _, _) => table::vectors(&report),
        (_, true, _) => table::totals(&report),
        (_, _, InfoFormat::Json) => report.json() + "\n",
        (_, _, InfoFormat::Table) => table::system(&report),
    }))
}
