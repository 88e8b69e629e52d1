//! Device comments against the GPUs that the nodes have. Launchers read past comments, so that what is
//! wrong in one concerns this program alone. Knows GPUs by name only; asks no hwloc.

use std::collections::{BTreeMap, HashMap};

use super::code::Code;
use super::diagnostic::Diagnostic;
use super::entry::{Entry, Rankfile};
use crate::{host_name::short_name, pci::PciBusId, request::DeviceRequest};

/// Compares the device comments with the GPUs of the nodes in `gpus`, by host name, cut at the first dot, each GPU with the number of
/// its partitions. Lines of other hosts are not looked at.
#[must_use]
pub fn lint_gpus(rankfile: &Rankfile, gpus: &BTreeMap<String, BTreeMap<PciBusId, usize>>) -> Vec<Diagnostic> {
    let gpus: HashMap<&str, &BTreeMap<PciBusId, usize>> =
        gpus.iter().map(|(host, ids)| (short_name(host), ids)).collect();
    let mut named: HashMap<(&str, PciBusId), Vec<u32>> = HashMap::new();
    let mut wanted: HashMap<&str, usize> = HashMap::new();
    let mut found = Vec::new();
    for entry in &rankfile.entries {
        let host = entry.short_host();
        let (Some(request @ (DeviceRequest::Gpu | DeviceRequest::ThisGpu(_))), Some(ids)) =
            (entry.device, gpus.get(host))
        else {
            continue;
        };
        let any_wanted = wanted.entry(host).or_default();
        *any_wanted += usize::from(request == DeviceRequest::Gpu);
        let before = match request {
            DeviceRequest::ThisGpu(id) => {
                let ranks = named.entry((host, id)).or_default();
                ranks.push(entry.rank);
                // The last one that had a place there.
                let places = ids.get(&id).copied().unwrap_or(1).max(1);
                ranks.len().checked_sub(places + 1).and_then(|_| ranks.get(ranks.len() - 2)).map(|rank| (id, *rank))
            }
            _ => None,
        };
        let fault = match (request, before) {
            (DeviceRequest::ThisGpu(id), _) if !ids.contains_key(&id) => {
                (Code::NoSuchGpu, format!("host '{}' has no GPU {id}: {}", entry.host, inventory(ids)))
            }
            (DeviceRequest::Gpu, _) if ids.is_empty() => {
                (Code::NoSuchGpu, format!("rank {} wants a GPU, but host '{}' has none", entry.rank, entry.host))
            }
            (_, Some((id, rank))) => (
                Code::SharedGpu,
                format!("GPU {id} is rank {rank}'s already: name another one, or start with --ranks-per-gpu 2"),
            ),
            (DeviceRequest::Gpu, _) if *any_wanted == ids.values().sum::<usize>() + 1 => (
                Code::SharedGpu,
                format!("{any_wanted} ranks of host '{}' want a GPU, but {}: use # cpu", entry.host, inventory(ids)),
            ),
            _ => continue,
        };
        found.push(Diagnostic::new(fault.0, place(entry), fault.1));
    }
    found
}

fn place(entry: &Entry) -> super::diagnostic::Span {
    entry.device_at.unwrap_or(entry.spans[0])
}

fn inventory(ids: &BTreeMap<PciBusId, usize>) -> String {
    let names: Vec<String> = ids.keys().take(16).map(PciBusId::to_string).collect();
    match names.as_slice() {
        [] => "it has none".to_owned(),
        [one] => format!("it has {one} alone"),
        _ => format!("it has {}", names.join(", ")),
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::rankfile::parse;

    fn findings(text: &str, ids: &[&str]) -> Vec<(Code, usize, usize)> {
        // `65:00.0*2` is a GPU in two partitions.
        let parts = |id: &str| {
            let (id, parts) = id.split_once('*').unwrap_or((id, "1"));
            (id.parse().unwrap(), parts.parse().unwrap())
        };
        let ids = ids.iter().map(|id| parts(id)).collect();
        let gpus = BTreeMap::from([("a.site.org".to_owned(), ids)]);
        let found = lint_gpus(&parse(text.as_bytes()).rankfile, &gpus);
        found.iter().map(|diagnostic| (diagnostic.code, diagnostic.span.line, diagnostic.span.column)).collect()
    }

    #[test]
    fn gpus_that_are_there_are_no_finding() {
        let text = "rank 0=a slot=0 # gpu=65:00.0\nrank 1=a slot=1 # gpu\nrank 2=a slot=2 # cpu\nrank 3=b slot=3 # gpu=1:00.0\n";
        assert_eq!(findings(text, &["65:00.0", "66:00.0"]), []);
    }

    #[test]
    fn gpus_that_are_not_there_or_taken_are_marked_in_the_comment() {
        for (text, ids, expected) in [
            ("rank 0=a slot=0 # gpu=65:00.0\n", &["66:00.0"][..], (Code::NoSuchGpu, 1, 18)),
            ("rank 0=a slot=0 # gpu\n", &[], (Code::NoSuchGpu, 1, 18)),
            ("rank 0=a slot=0 # gpu=65:00.0\nrank 1=a slot=1 # gpu=65:00.0\n", &["65:00.0"], (Code::SharedGpu, 2, 18)),
            ("rank 0=a slot=0 # gpu\nrank 1=a slot=1 # gpu\n", &["65:00.0"], (Code::SharedGpu, 2, 18)),
            (
                "rank 0=a slot=0 # gpu=65:00.0\nrank 1=a slot=1 # gpu=65:00.0\nrank 2=a slot=2 # gpu=65:00.0\n",
                &["65:00.0*2"],
                (Code::SharedGpu, 3, 18),
            ),
        ] {
            let found = findings(text, ids);
            assert_eq!(found, [expected], "{text}");
        }
    }
}
