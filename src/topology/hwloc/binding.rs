//! Where a thread may run: read from and told to the operating system by way of hwloc.

use hwlocality::{
    Topology,
    cpu::{binding::CpuBindingFlags, cpuset::CpuSet as HwlocCpuSet},
    topology::builder::{TopologyBuilder, TypeFilter},
};

use super::{live, plain, this_machine};
use crate::topology::{CpuSet, TopologyError};

/// The binding of the calling thread: the PUs that the launcher left to this rank, as long as nothing else has bound the
/// thread.
///
/// The thread and not the process is asked, because an MPI library may run helper threads with a binding of their own.
///
/// # Errors
/// [`TopologyError::Live`] where hwloc cannot tell.
pub fn binding() -> Result<CpuSet, TopologyError> {
    let topology = without_devices()?;
    let binding = topology.cpu_binding(CpuBindingFlags::THREAD).map_err(|cause| live(&cause))?;
    Ok(plain(&binding))
}

/// Binds the calling thread to `pus`, and with it the threads that it starts from now on.
///
/// # Errors
/// [`TopologyError::Live`] where the operating system refuses, as for PUs that it keeps from this process.
pub fn bind_thread(pus: &CpuSet) -> Result<(), TopologyError> {
    let mut set = HwlocCpuSet::new();
    pus.iter().for_each(|pu| set.set(pu));
    let bound = without_devices()?.bind_cpu(&set, CpuBindingFlags::THREAD);
    bound.map_err(|cause| live(&format!("this thread cannot be bound to PUs {pus}: {cause}")))
}

/// The running machine, seen well enough for bindings: looking for caches and devices takes longer than all the rest.
fn without_devices() -> Result<Topology, TopologyError> {
    this_machine(TopologyBuilder::new().with_common_type_filter(TypeFilter::KeepNone).map_err(|cause| live(&cause))?)
}

#[cfg(test)]
mod tests {
    use std::thread;

    use super::*;

    #[test]
    fn a_thread_is_where_it_was_bound_and_so_are_those_it_starts() {
        let one: CpuSet = binding().unwrap().first().into_iter().collect();
        let seen = thread::spawn({
            let one = one.clone();
            move || {
                bind_thread(&one).unwrap();
                (binding().unwrap(), thread::spawn(|| binding().unwrap()).join().unwrap())
            }
        });
        assert_eq!(seen.join().unwrap(), (one.clone(), one));
    }

    #[test]
    fn a_thread_cannot_be_bound_to_a_pu_that_is_not_there() {
        let message = bind_thread(&"131000".parse().unwrap()).unwrap_err().to_string();
        assert!(message.contains("131000"), "{message}");
    }
}
