//! What is not alike on the hosts of one job: architectures, and versions of what is installed there.
//!
//! Nothing of it is wrong by itself; it is what to know where a job is slow, or fails on one host alone.

use std::collections::{BTreeMap, BTreeSet};

use serde::{Deserialize, Serialize};

use super::{Code, Finding, Severity};
use crate::words;

/// What a host is and has.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct HostFacts {
    /// Its name.
    pub host: String,
    /// The architecture that its program was built for, such as `x86_64` or `aarch64`.
    pub architecture: String,
    /// Name and version of its MPI library.
    pub mpi: String,
    /// Version of its hwloc library.
    pub hwloc: String,
    /// The kernel drivers of its GPUs that have versions of their own, and these.
    pub gpu_drivers: BTreeMap<String, String>,
}

/// A remark for each thing in which hosts differ. They stand in the order of their ranks.
#[must_use]
pub fn unlike_hosts(hosts: &[HostFacts]) -> Vec<Finding> {
    let drivers: BTreeSet<&String> = hosts.iter().flat_map(|host| host.gpu_drivers.keys()).collect();
    let of_drivers = drivers.into_iter().filter_map(|driver| {
        remark(hosts, &format!("the version of the GPU driver {driver}"), |host| host.gpu_drivers.get(driver))
    });
    [
        remark(hosts, "architecture", |host| Some(&host.architecture)),
        remark(hosts, "MPI library", |host| Some(&host.mpi)),
        remark(hosts, "the version of hwloc", |host| Some(&host.hwloc)),
    ]
    .into_iter()
    .flatten()
    .chain(of_drivers)
    .collect()
}

/// The remark where `what` has several values; hosts that have none do not count.
fn remark<'a>(hosts: &'a [HostFacts], what: &str, of: impl Fn(&'a HostFacts) -> Option<&'a String>) -> Option<Finding> {
    let mut groups: Vec<(&String, Vec<&str>)> = Vec::new();
    for (value, host) in hosts.iter().filter_map(|host| Some((of(host)?, host.host.as_str()))) {
        match groups.iter_mut().find(|(known, _)| *known == value) {
            Some((_, hosts)) => hosts.push(host),
            None => groups.push((value, vec![host])),
        }
    }
    if groups.len() < 2 {
        return None;
    }
    let told: Vec<String> = groups
        .iter()
        .map(|(value, hosts)| {
            let hosts = hosts.iter().map(|&host| host.to_owned());
            format!("{value} on {}", words::names(hosts, words::EXAMPLES))
        })
        .collect();
    Some(Finding {
        code: Code::HostsDiffer,
        severity: Severity::Note,
        host: hosts.first()?.host.clone(),
        ranks: Vec::new(),
        message: format!("hosts differ in {what}: {}", told.join("; ")),
        hint: None,
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    fn host(name: &str) -> HostFacts {
        HostFacts {
            host: name.to_owned(),
            architecture: "x86_64".to_owned(),
            mpi: "Open MPI v4.1.4".to_owned(),
            hwloc: "2.9".to_owned(),
            gpu_drivers: BTreeMap::new(),
        }
    }

    fn with_driver(name: &str, driver: &str, version: &str) -> HostFacts {
        HostFacts { gpu_drivers: BTreeMap::from([(driver.to_owned(), version.to_owned())]), ..host(name) }
    }

    fn messages(hosts: &[HostFacts]) -> Vec<String> {
        let findings = unlike_hosts(hosts);
        assert!(findings.iter().all(|finding| (finding.code, finding.severity) == (Code::HostsDiffer, Severity::Note)));
        findings.into_iter().map(|finding| finding.message).collect()
    }

    #[test]
    fn hosts_that_are_alike_are_not_told() {
        assert_eq!(messages(&[]), [""; 0]);
        assert_eq!(messages(&[host("a")]), [""; 0]);
        assert_eq!(messages(&[host("a"), host("b"), with_driver("c", "nvidia", "580.1")]), [""; 0]);
    }

    #[test]
    fn each_thing_in_which_hosts_differ_is_told_with_the_hosts() {
        let pi = HostFacts {
            architecture: "aarch64".to_owned(),
            mpi: "Open MPI v4.1.6".to_owned(),
            hwloc: "2.10".to_owned(),
            ..host("pi1")
        };
        assert_eq!(
            messages(&[host("a"), pi, host("b")]),
            [
                "hosts differ in architecture: x86_64 on a, b; aarch64 on pi1",
                "hosts differ in MPI library: Open MPI v4.1.4 on a, b; Open MPI v4.1.6 on pi1",
                "hosts differ in the version of hwloc: 2.9 on a, b; 2.10 on pi1",
            ]
        );
    }

    #[test]
    fn versions_of_one_driver_are_compared_and_many_hosts_counted() {
        let mut hosts: Vec<HostFacts> = (0..5).map(|i| with_driver(&format!("n{i}"), "nvidia", "580.1")).collect();
        hosts.push(with_driver("n5", "nvidia", "570.2"));
        hosts.push(with_driver("n6", "amdgpu", "6.1"));
        assert_eq!(
            messages(&hosts),
            ["hosts differ in the version of the GPU driver nvidia: 580.1 on n0, n1, n2 and 2 more; 570.2 on n5"]
        );
    }
}
