//! Whether ranks of these builds may be in one job, and what is said where they may not. Knows nothing of how they told each other.

use super::hello::Hello;
use crate::{build_id::BuildId, topology::CpuSet, visible::visible, words};

/// The way out of all of this.
const WAY_OUT: &str = "install the same build on every host; `hybrid --version` tells which one a host has";

/// Judges what the ranks said, by rank; `None` is a rank that said something else. Rank 0's is the first.
///
/// A job whose builds differ in their sources alone is as good as one of one build where that `is_allowed`, and what to know of it is
/// returned; `None` where all are the same.
///
/// # Errors
/// What is wrong, and the way out.
pub(super) fn judge(hellos: &[Option<Hello>], is_allowed: bool) -> Result<Option<String>, String> {
    let mut groups: Vec<(Option<&BuildId>, Vec<usize>)> = Vec::new();
    for (rank, hello) in hellos.iter().enumerate() {
        let build = hello.as_ref().map(|hello| &hello.build);
        match groups.iter_mut().find(|(known, _)| *known == build) {
            Some((_, ranks)) => ranks.push(rank),
            None => groups.push((build, vec![rank])),
        }
    }
    let [(Some(first), _), others @ ..] = groups.as_slice() else { return Err(format!("unknown builds: {WAY_OUT}")) };
    if others.is_empty() {
        return Ok(None);
    }
    let told = words::cases(groups.iter().map(|(build, ranks)| group(*build, ranks, hellos)));
    let builds = format!("ranks of different builds are in one job: {told}");
    let has_one_wire = others
        .iter()
        .all(|(build, _)| build.is_some_and(|build| build.wire == first.wire && build.version == first.version));
    match (has_one_wire, is_allowed) {
        (true, true) => Ok(Some(builds)),
        (true, false) => Err(format!(
            "{builds}: {WAY_OUT}, and --allow-mixed-builds lets builds of one version and wire format work together"
        )),
        (false, true) => Err(format!(
            "{builds}: {WAY_OUT}; --allow-mixed-builds lets only builds of one version and wire format work together"
        )),
        (false, false) => Err(format!("{builds}: {WAY_OUT}")),
    }
}

/// What is said of ranks that told nothing for `seconds`, as builds from before ranks were asked do.
pub(super) fn silent(ranks: &[usize], seconds: u64, listener: usize, mine: &Hello) -> String {
    format!(
        "{} did not tell {} build within {seconds} s, as older builds and hosts that stand still do not; rank {listener} on {} is {}: {WAY_OUT}",
        numbered(ranks),
        if ranks.len() == 1 { "its" } else { "their" },
        mine.host,
        mine.build,
    )
}

/// What `rank` says that cannot read what rank 0 has answered it.
pub(super) fn not_understood(rank: usize, mine: &Hello) -> String {
    format!(
        "rank {rank} on {} is {}, and what rank 0 answered it is no word that it knows: {WAY_OUT}",
        mine.host, mine.build
    )
}

/// A build and where it is.
fn group(build: Option<&BuildId>, ranks: &[usize], hellos: &[Option<Hello>]) -> String {
    let mut hosts: Vec<String> = ranks.iter().filter_map(|&rank| Some(hellos[rank].as_ref()?.host.clone())).collect();
    hosts.dedup();
    let hosts = words::names(hosts, words::EXAMPLES);
    let on = if hosts.is_empty() { String::new() } else { format!(" on {}", visible(&hosts)) };
    let build = build.map_or_else(|| "an unknown build".to_owned(), ToString::to_string);
    format!("{}{on} {} {}", numbered(ranks), if ranks.len() == 1 { "is" } else { "are" }, visible(&build))
}

/// `rank 3`, `ranks 0-2,5`.
fn numbered(ranks: &[usize]) -> String {
    let list = ranks.iter().copied().collect::<CpuSet>();
    if ranks.len() == 1 { format!("rank {list}") } else { format!("ranks {list}") }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn hello(host: &str, version: &str, wire: u64, sources: u64) -> Option<Hello> {
        Some(Hello { build: BuildId { version: version.to_owned(), wire, sources }, host: host.to_owned() })
    }

    fn ours(host: &str) -> Option<Hello> {
        hello(host, "0.1.0", 1, 2)
    }

    #[test]
    fn ranks_of_one_build_are_a_job() {
        assert_eq!(judge(&[ours("a"), ours("b"), ours("a")], false), Ok(None));
    }

    #[test]
    fn other_sources_are_refused_unless_they_are_allowed() {
        let hellos = [ours("a"), ours("a"), hello("b", "0.1.0", 1, 3), ours("c")];
        let refused = judge(&hellos, false).unwrap_err();
        assert_eq!(
            refused,
            "ranks of different builds are in one job: \
             ranks 0-1,3 on a, c are hybrid 0.1.0 (sources 0000000000000002, wire format 0000000000000001); \
             rank 2 on b is hybrid 0.1.0 (sources 0000000000000003, wire format 0000000000000001): \
             install the same build on every host; `hybrid --version` tells which one a host has, \
             and --allow-mixed-builds lets builds of one version and wire format work together"
        );
        let told = judge(&hellos, true).unwrap().expect("they differ");
        assert!(refused.starts_with(&told));
    }

    #[test]
    fn other_versions_wires_and_things_unheard_of_are_never_allowed() {
        for other in [hello("b", "0.2.0", 1, 2), hello("b", "0.1.0", 9, 2), None] {
            for allowed in [false, true] {
                for hellos in [[ours("a"), other.clone(), ours("c")], [other.clone(), ours("a"), ours("c")]] {
                    let refused = judge(&hellos, allowed).unwrap_err();
                    assert!(refused.contains("install the same build on every host"), "{refused}");
                    assert_eq!(refused.contains("lets only builds of one version"), allowed && hellos[0].is_some());
                }
            }
        }
    }

    #[test]
    fn many_builds_and_hosts_are_one_line_and_names_are_harmless() {
        let hellos: Vec<_> = (0..9).map(|rank| hello(&format!("n{rank}\n"), "0.1.0", 1, rank / 2)).collect();
        let refused = judge(&hellos, false).unwrap_err();
        assert!(!refused.contains('\n') && refused.contains("; and 2 more: "), "{refused}");
        let hellos: Vec<_> = (0..9).map(|rank| hello(&format!("n{rank}"), "0.1.0", 1, rank / 8)).collect();
        let refused = judge(&hellos, false).unwrap_err();
        assert!(refused.contains("ranks 0-7 on n0, n1, n2 and 5 more are hybrid"), "{refused}");
    }

    #[test]
    fn silence_is_told_with_the_build_that_is_wanted() {
        let line = silent(&[1, 2], 5, 0, &ours("a").unwrap());
        assert!(line.starts_with("ranks 1-2 did not tell their build within 5 s"), "{line}");
        assert!(line.contains("rank 0 on a is hybrid 0.1.0 (sources"), "{line}");
    }
}
