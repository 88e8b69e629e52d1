//! The system as vectors and as tables to read.

use super::{Kind, NodeSystem, SystemReport, Totals, Vector};
use crate::{
    output::report::table::table,
    words::{self, counted},
};

/// Hosts that a heading names.
const NAMED_HOSTS: usize = 4;

/// `S(2,1,4,2)` for each kind of nodes, a line each, with the hosts where there are several kinds.
#[must_use]
pub fn vectors(report: &SystemReport) -> String {
    let one = |kind: &Kind| {
        let hosts = if report.kinds.len() > 1 { format!("  {}", hosts(kind)) } else { String::new() };
        format!("{}{hosts}\n", vector(kind.vector))
    };
    report.kinds.iter().map(one).collect()
}

/// `S^T(2,2,8,16)` over all nodes.
#[must_use]
pub fn totals(report: &SystemReport) -> String {
    let Totals { nodes, processors, cores, threads } = report.totals;
    format!("S^T({nodes},{processors},{cores},{threads})\n")
}

fn vector(Vector { nodes, processors, cores, threads }: Vector) -> String {
    let or_dash = |number: Option<u32>| number.map_or_else(|| "-".to_owned(), |number| number.to_string());
    format!("S({nodes},{processors},{},{})", or_dash(cores), or_dash(threads))
}

fn hosts(kind: &Kind) -> String {
    words::names(kind.hosts.iter().cloned(), NAMED_HOSTS)
}

/// The vectors, the totals, and a table for each kind of nodes with what its first node tells.
#[must_use]
pub fn system(report: &SystemReport) -> String {
    let launcher = report.launcher.as_deref().unwrap_or("no launcher that is known here");
    let mut text = format!(
        "hybrid {} ({}), {} behind {launcher}, {}\n\n",
        report.version,
        report.sources,
        report.mpi,
        counted(report.ranks, "rank")
    );
    text += &vectors(report);
    text += &totals(report);
    for kind in &report.kinds {
        let first = report.nodes.iter().find(|node| Some(&node.host) == kind.hosts.first());
        let Some(node) = first else { continue };
        let others = if kind.hosts.len() > 1 { ": of the first one of these" } else { "" };
        text += &format!("\n{}{others}\n", hosts(kind));
        let rows = rows(node).into_iter().map(|(name, value)| vec![name, value]);
        text += &format!("{}\n", table(&["attribute", "value"], &[], rows));
    }
    text
}

/// What a node tells, under the names that benchmarks know.
fn rows(node: &NodeSystem) -> Vec<(String, String)> {
    let threads: u32 = node.threads_per_core.iter().sum();
    let number = |number: &dyn ToString| Some(number.to_string());
    let mhz = |mhz: Option<f64>| mhz.map(|mhz| format!("{mhz:.0} MHz"));
    let memory = node.memory;
    let used = memory.total.zip(memory.available).map(|(total, available)| total.saturating_sub(available));
    let percent = used.zip(memory.total).map(|(used, total)| format!("{:.1} %", 100.0 * ratio(used, total)));
    let uname = &node.uname;
    let mut rows: Vec<(String, Option<String>)> = [
        ("cpu", node.cpu.clone()),
        ("cpu_processors", number(&node.cores_per_processor.len())),
        ("cpu_cores", number(&node.cores_per_processor.iter().sum::<u32>())),
        ("cpu_count", number(&threads)),
        ("cpu_threads", number(&threads)),
        ("cpu_usable_cores", number(&node.usable_cores)),
        ("numa_nodes", number(&node.numa_nodes)),
        ("simd", Some(node.simd.clone())),
        ("frequency.current", mhz(node.frequency_mhz.current)),
        ("frequency.min", mhz(node.frequency_mhz.min)),
        ("frequency.max", mhz(node.frequency_mhz.max)),
    ]
    .map(|(name, value)| (name.to_owned(), value))
    .into();
    rows.extend(node.caches.iter().map(|cache| {
        let count = if cache.count > 1 { format!("{} x ", cache.count) } else { String::new() };
        (format!("cache.{}", cache.name), Some(format!("{count}{}", bytes(cache.bytes))))
    }));
    rows.extend(
        [
            ("mem.total", memory.total.map(bytes)),
            ("mem.available", memory.available.map(bytes)),
            ("mem.used", used.map(bytes)),
            ("mem.percent", percent),
            ("mem.free", memory.free.map(bytes)),
            ("mem.active", memory.active.map(bytes)),
            ("mem.inactive", memory.inactive.map(bytes)),
        ]
        .map(|(name, value)| (name.to_owned(), value)),
    );
    rows.extend(node.gpus.iter().map(|gpu| {
        let version = gpu.driver_version.as_ref().map(|version| format!(" {version}")).unwrap_or_default();
        let driver = gpu.driver.as_ref().map(|driver| format!(", driver {driver}{version}")).unwrap_or_default();
        (format!("gpu.{}", gpu.pci_bus_id), Some(format!("{}{driver}", gpu.name)))
    }));
    rows.extend(
        [
            ("hwloc", Some(node.hwloc.clone())),
            ("platform.version", node.platform.clone()),
            ("sys.platform", Some(std::env::consts::OS.to_owned())),
            ("uname.machine", Some(uname.machine.clone())),
            ("uname.node", Some(uname.node.clone())),
            ("uname.processor", Some(uname.machine.clone())),
            ("uname.release", Some(uname.release.clone())),
            ("uname.system", Some(uname.system.clone())),
            ("uname.version", Some(uname.version.clone())),
            ("user", Some(node.user.clone())),
        ]
        .map(|(name, value)| (name.to_owned(), value)),
    );
    rows.into_iter().map(|(name, value)| (name, value.unwrap_or_else(|| "-".to_owned()))).collect()
}

#[expect(clippy::cast_precision_loss, reason = "shown with three digits")]
fn ratio(part: u64, whole: u64) -> f64 {
    part as f64 / whole.max(1) as f64
}

/// In units of 1024, with one digit behind the point from MiB on.
fn bytes(bytes: u64) -> String {
    const UNITS: [&str; 4] = ["KiB", "MiB", "GiB", "TiB"];
    let power = (1..=UNITS.len()).rev().find(|power| bytes >> (10 * power) > 0);
    match power {
        None => format!("{bytes} B"),
        Some(1) => format!("{} KiB", bytes >> 10),
        Some(power) => format!("{:.1} {}", ratio(bytes, 1 << (10 * power)), UNITS[power - 1]),
    }
}

#[cfg(test)]
mod tests {
    use super::{
        super::{kinds, tests::node},
        *,
    };

    #[test]
    fn kinds_are_told_apart_with_their_hosts() {
        let nodes = vec![node("big", &[8, 8], 2), node("pi1", &[4], 1), node("pi2", &[4], 1)];
        let kinds = kinds(&nodes);
        let report = SystemReport {
            version: "1".into(),
            sources: "a".into(),
            mpi: "MPI".into(),
            launcher: None,
            ranks: 3,
            totals: Totals::of(&kinds),
            kinds,
            nodes,
        };
        assert_eq!(vectors(&report), "S(1,2,8,2)  big\nS(2,1,4,1)  pi1, pi2\n");
        assert_eq!(totals(&report), "S^T(3,4,24,40)\n");
        let text = system(&report);
        assert!(text.contains("pi1, pi2: of the first one of these"), "{text}");
        assert!(text.contains("| cpu_cores") && text.contains("| mem.total"), "{text}");
    }

    #[test]
    fn sizes_have_the_unit_that_leaves_few_digits() {
        assert_eq!(
            [bytes(512), bytes(32 << 10), bytes(3 << 19), bytes(16 << 30)],
            ["512 B", "32 KiB", "1.5 MiB", "16.0 GiB"]
        );
    }
}
