//! A rankfile against the nodes it is meant for: cores and packages that are not there, ranks that
//! share a core. Knows of a node only how many cores each package has; asks no hwloc.

use std::collections::{BTreeMap, HashMap};
use std::net::IpAddr;

use super::code::Code;
use super::diagnostic::Diagnostic;
use super::entry::{Entry, Rankfile};
use super::slots::read_as::counts_flat;
use super::slots::spelling::{canonical_text, in_words};
use super::slots::{Item, Misfit, NodeShape, Reading, resolve};
use super::write::{line, logical_items};
use crate::{
    host_name::short_name,
    launcher::{ByDialect, Dialect},
    topology::SlotUnit,
    words::{self, counted},
};

/// Hosts that a note names; a file may have thousands.
const NAMED_HOSTS: usize = 4;

/// Compares a rankfile with the nodes of the job, by host name; names are cut at the first dot.
///
/// Hosts named by address, and `localhost`, are checked only where `nodes` has them under that name. Others that it has not
/// are told once: whether they exist, nobody can know from here.
#[must_use]
pub fn lint_against(rankfile: &Rankfile, nodes: &BTreeMap<String, NodeShape>) -> Vec<Diagnostic> {
    let nodes: BTreeMap<&str, &NodeShape> = nodes.iter().map(|(host, shape)| (short_name(host), shape)).collect();
    // A rank with several lines is where its last line says.
    let last_lines: HashMap<u32, usize> = rankfile.entries.iter().map(|entry| (entry.rank, entry.line)).collect();
    let mut hosts: BTreeMap<&str, Vec<&Entry>> = BTreeMap::new();
    for entry in rankfile.entries.iter().filter(|entry| last_lines.get(&entry.rank) == Some(&entry.line)) {
        hosts.entry(entry.short_host()).or_default().push(entry);
    }
    let mut found = Vec::new();
    let mut unknown = Vec::new();
    for (host, entries) in hosts {
        match nodes.get(host) {
            Some(shape) => host_findings(host, &entries, shape, &mut found),
            None if host == "localhost" || host.parse::<IpAddr>().is_ok() => {}
            None => unknown.push(entries[0]),
        }
    }
    found.extend(not_described(unknown));
    found.sort_by_key(|diagnostic| diagnostic.span.start);
    found
}

/// One note about all hosts without a node; `firsts` has the first entry of each.
fn not_described(mut firsts: Vec<&Entry>) -> Option<Diagnostic> {
    firsts.sort_by_key(|entry| entry.spans[1].start);
    let first = *firsts.first()?;
    let names = words::names(firsts.iter().map(|entry| format!("'{}'", entry.short_host())), NAMED_HOSTS);
    let (hosts, are, their) = if firsts.len() == 1 { ("host", "is", "its") } else { ("hosts", "are", "their") };
    let message = format!(
        "{hosts} {names} {are} not described, so {their} cores and GPUs were not checked: add --topology {}=FILE.xml, made there by `lstopo FILE.xml`",
        first.short_host()
    );
    Some(Diagnostic::new(Code::UnknownHost, first.spans[1], message))
}

fn host_findings(host: &str, entries: &[&Entry], shape: &NodeShape, found: &mut Vec<Diagnostic>) {
    let slots = usize::try_from(shape.slots()).expect("a u32 fits a usize");
    // With more ranks than slots some must share; then every shared slot is not told again.
    if let Some(first_over) = entries.get(slots) {
        let (ranks, noun) = (entries.len(), shape.unit.noun());
        let message =
            format!("host '{host}' has {} on {}: ranks share {noun}s", counted(ranks, "rank"), counted(slots, noun));
        found.push(Diagnostic::new(Code::TooManyRanks, first_over.spans[0], message));
    }
    let mut owners: HashMap<u32, u32> = HashMap::new();
    for entry in entries {
        let asked = match resolve(&entry.slots, Reading::Meant, shape) {
            Ok(asked) => asked,
            Err(misfit) => {
                found.push(misfit_finding(entry, &misfit, shape));
                continue;
            }
        };
        found.extend(unequal_packages(entry, &asked, shape));
        if entries.len() <= slots {
            found.extend(shared_slot(host, entry, &asked, &owners, shape.unit));
        }
        if asked.len() == slots {
            let message = format!("rank {} has every {} of host '{host}' ({slots})", entry.rank, shape.unit.noun());
            found.push(Diagnostic::new(Code::WholeNode, entry.slots_span(), message));
        }
        for slot in asked {
            owners.entry(slot).or_insert(entry.rank);
        }
    }
}

fn shared_slot(
    host: &str,
    entry: &Entry,
    asked: &[u32],
    owners: &HashMap<u32, u32>,
    unit: SlotUnit,
) -> Option<Diagnostic> {
    let (slot, owner) = asked.iter().find_map(|slot| Some((slot, owners.get(slot)?)))?;
    let noun = unit.noun();
    let message = format!(
        "{noun} {slot} of host '{host}' belongs to rank {owner} already: ranks {owner} and {} share it",
        entry.rank
    );
    Some(Diagnostic::new(Code::SharedCore, entry.slots_span(), message))
}

fn misfit_finding(entry: &Entry, misfit: &Misfit, shape: &NodeShape) -> Diagnostic {
    let code = match misfit {
        Misfit::NoSuchPackage { .. } => Code::NoSuchPackage,
        _ => Code::NoSuchCore,
    };
    let mut message = format!("{misfit}, on host '{}'", entry.host);
    let threads = shape.threads_of_a_core();
    if threads > 1 && code == Code::NoSuchCore && shape.unit == SlotUnit::Core {
        message += &format!(
            " (slots count cores, not their {threads} hardware threads, unless launcher and check have --use-hwthread-cpus)"
        );
    }
    let does = |dialect| Some(binds(dialect, resolve(&entry.slots, Reading::By(dialect), shape), shape.unit));
    Diagnostic::new(code, entry.slots_span(), message).with_consequences(ByDialect::of(does))
}

const DIES: &str = "mpiexec dies of a segmentation fault";

/// What a launcher does with a slot list that it reads as these cores, or that does not fit the node.
fn binds(dialect: Dialect, read: Result<Vec<u32>, Misfit>, unit: SlotUnit) -> String {
    match read {
        Ok(slots) => format!("binds {}, without a word", logical_words(&slots, unit)),
        Err(Misfit::Crash) => DIES.to_owned(),
        Err(misfit) => match (dialect, misfit) {
            (Dialect::OpenMpi41 | Dialect::OpenMpi5, Misfit::NoSuchPackage { whole: true, .. }) => DIES.to_owned(),
            (Dialect::OpenMpi41, Misfit::NoSuchSlot { .. }) => "exits with status 1 and prints nothing".to_owned(),
            (Dialect::OpenMpi41, _) => "refuses the job: \"Not found\", without a line number".to_owned(),
            (Dialect::OpenMpi6, Misfit::Refused) => {
                "refuses the job: \"Bad parameter\", without a line number".to_owned()
            }
            (Dialect::OpenMpi5 | Dialect::OpenMpi6, _) => "refuses the job: \"a non-existent CPU\"".to_owned(),
        },
    }
}

/// Some count cores of a package from `package * cores of that package`: wrong where packages differ.
fn unequal_packages(entry: &Entry, asked: &[u32], shape: &NodeShape) -> Option<Diagnostic> {
    let packages = &shape.cores_per_package;
    let read = ByDialect::of(|dialect| resolve(&entry.slots, Reading::By(dialect), shape));
    let errs = |dialect| read[dialect].as_deref() != Ok(asked);
    // Where others err too, the text itself is at fault, and that was said when it was read.
    if packages.windows(2).all(|pair| pair[0] == pair[1])
        || Dialect::ALL.into_iter().any(|dialect| errs(dialect) && !counts_flat(dialect))
        || !Dialect::ALL.into_iter().any(errs)
    {
        return None;
    }
    let sizes: Vec<String> = packages.iter().map(u32::to_string).collect();
    let who: Vec<&str> = Dialect::ALL.into_iter().filter(|dialect| errs(*dialect)).map(Dialect::version).collect();
    let message = format!(
        "the packages of host '{}' differ ({} cores), where Open MPI {} miscounts: use logical {}s",
        entry.host,
        sizes.join(", "),
        who.join(" and "),
        shape.unit.noun()
    );
    let consequences =
        ByDialect::of(|dialect| errs(dialect).then(|| binds(dialect, read[dialect].clone(), shape.unit)));
    let slots = canonical_text(&logical_items(asked));
    Some(
        Diagnostic::new(Code::UnequalPackages, entry.slots_span(), message)
            .with_consequences(consequences)
            .with_correction(Some(line(entry.rank, &entry.host, &slots, entry.device))),
    )
}

fn logical_words(slots: &[u32], unit: SlotUnit) -> String {
    let items: Vec<Item> = logical_items(slots);
    match in_words(&items, unit) {
        words if words.is_empty() => "the rank to no core".to_owned(),
        words => words,
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::{rankfile::parse, severity::Severity};

    fn codes(text: &str, packages: &[u32]) -> Vec<Code> {
        findings(text, packages).iter().map(|diagnostic| diagnostic.code).collect()
    }

    fn findings(text: &str, packages: &[u32]) -> Vec<Diagnostic> {
        let shape = NodeShape::new(packages, &vec![2; packages.iter().sum::<u32>() as usize], SlotUnit::Core);
        lint_against(&parse(text.as_bytes()).rankfile, &BTreeMap::from([("a.site.org".to_owned(), shape)]))
    }

    #[test]
    fn a_file_that_fits_is_silent() {
        assert_eq!(codes("rank 0=a slot=0-1\nrank 1=a.site slot=1:0-1\nrank 2=localhost slot=99\n", &[4, 4]), []);
    }

    #[test]
    fn each_misfit_has_its_code() {
        for (text, packages, expected) in [
            ("rank 0=a slot=9\n", &[4, 4][..], Code::NoSuchCore),
            ("rank 0=a slot=0:4\n", &[4, 4], Code::NoSuchCore),
            ("rank 0=a slot=2:0\n", &[4, 4], Code::NoSuchPackage),
            ("rank 0=a slot=S2\n", &[4, 4], Code::NoSuchPackage),
            ("rank 0=a slot=1:0\n", &[2, 4], Code::UnequalPackages),
            ("rank 0=a slot=0\nrank 1=a slot=0-1\n", &[4, 4], Code::SharedCore),
            ("rank 0=a slot=0\nrank 1=a slot=0:0\n", &[4, 4], Code::SharedCore),
            ("rank 0=a slot=0\nrank 1=a slot=1\nrank 2=a slot=1\n", &[2], Code::TooManyRanks),
            ("rank 0=a slot=0-3;1:*\n", &[4, 4], Code::WholeNode),
            ("rank 0=b slot=0\n", &[4], Code::UnknownHost),
        ] {
            assert_eq!(codes(text, packages), [expected], "{text}");
        }
    }

    #[test]
    fn the_real_consequences_are_told() {
        for (text, dialect, expected) in [
            ("rank 0=a slot=9\n", Dialect::OpenMpi41, "prints nothing"),
            ("rank 0=a slot=0:4\n", Dialect::OpenMpi41, "Not found"),
            ("rank 0=a slot=0:4\n", Dialect::OpenMpi5, "binds core 4"),
            ("rank 0=a slot=S2\n", Dialect::OpenMpi5, "segmentation fault"),
            ("rank 0=a slot=S2\n", Dialect::OpenMpi6, "non-existent CPU"),
            ("rank 0=a slot=0:4\n", Dialect::OpenMpi6, "non-existent CPU"),
        ] {
            let does = findings(text, &[4, 4])[0].consequences[dialect].clone();
            assert!(does.as_deref().is_some_and(|does| does.contains(expected)), "{text}: {does:?}");
        }
        let unequal = &findings("rank 0=a slot=1:0-1 # gpu\n", &[2, 4])[0];
        assert_eq!(unequal.corrected.as_deref(), Some("rank 0=a slot=2-3 # gpu"));
        assert_eq!(
            unequal.consequences,
            ByDialect::new([None, Some("binds cores 4-5, without a word".to_owned()), None])
        );
    }

    #[test]
    fn hosts_that_are_not_described_are_one_note_with_the_way_to_describe_them() {
        let found = findings("rank 0=a slot=0\nrank 1=b slot=3\nrank 2=b slot=9\n", &[4]);
        assert_eq!(found.len(), 1, "{found:?}");
        assert_eq!((found[0].severity, found[0].span.line), (Severity::Note, 2), "{found:?}");
        assert!(found[0].consequences.is_none(), "no launcher was told of --topology: {found:?}");
        assert!(found[0].message.contains("host 'b' is not described"), "{found:?}");
        assert!(found[0].message.contains("--topology b=FILE.xml"), "{found:?}");
        let many: String = (0..100).map(|rank| format!("rank {rank}=n{rank} slot=0\n")).collect();
        let found = findings(&many, &[4]);
        assert_eq!(found.len(), 1, "{found:?}");
        assert!(found[0].message.contains("hosts 'n0', 'n1', 'n2', 'n3' and 96 more are"), "{found:?}");
    }

    #[test]
    fn one_core_has_no_plural() {
        let found = findings("rank 0=a slot=0\nrank 1=a slot=0\n", &[1]);
        assert!(found[1].message.contains("has 2 ranks on 1 core: "), "{found:?}");
    }

    #[test]
    fn the_last_line_of_a_rank_counts() {
        assert_eq!(codes("rank 0=a slot=0\nrank 1=a slot=0\nrank 1=a slot=1\n", &[4]), []);
    }
}
