//! hwloc into plain values; the only folder that names `hwlocality`.

mod binding;
mod caches;
mod library;
mod node;
mod version;

use std::{env, fmt::Display};

use hwlocality::{Topology, cpu::cpuset::CpuSet as HwlocCpuSet, topology::builder::TopologyBuilder};

pub(super) use self::node::read_xml;
pub use self::version::hwloc_version;
pub use self::{
    binding::{bind_thread, binding},
    caches::caches,
};
use super::{CpuSet, TopologyError};

/// Builds the topology, unless it would be that of another machine.
fn this_machine(builder: TopologyBuilder) -> Result<Topology, TopologyError> {
    let other = || {
        live(
            &"the environment makes hwloc describe another machine; unset HWLOC_XMLFILE and HWLOC_SYNTHETIC, or set \
             HWLOC_THISSYSTEM=1 if they describe this one",
        )
    };
    // Not even read: hwloc may crash over a file that somebody else wrote.
    let value = |name: &str| env::var_os(name).filter(|value| !value.is_empty());
    let is_described = value("HWLOC_XMLFILE").or_else(|| value("HWLOC_SYNTHETIC")).is_some();
    if is_described && value("HWLOC_THISSYSTEM").is_none_or(|is_this| is_this != "1") {
        return Err(other());
    }
    let topology = builder.build().map_err(|cause| live(&cause))?;
    if topology.is_this_system() { Ok(topology) } else { Err(other()) }
}

/// A failure on the running machine.
fn live(cause: &dyn Display) -> TopologyError {
    TopologyError::Live(cause.to_string())
}

/// The same set without hwloc.
fn plain(set: &HwlocCpuSet) -> CpuSet {
    // A set without an end would be hwloc's way to say that it does not know.
    set.iter_set().map(usize::from).take_while(|&pu| pu < CpuSet::LIMIT).collect()
}
